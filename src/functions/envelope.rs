//! The wrapped form, for hosts that do not forward requests: the request comes inside `Data.req`, the answer goes out
//! inside `Outputs.res`. A layer before the routes opens one and closes the other, so the routes see raw requests only.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-custom-handlers#request-payload>

use super::{
    Door,
    alerts::{admit, read_body},
    http::{Summary, enveloped},
    path::{self, AsWritten},
    request,
};
use crate::alert::MAX_BODY_BYTES;
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Uri,
        header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// The binding of the request in function.json; that of the answer is `res`.
const REQUEST: &str = "req";
/// The envelope escapes the alert's body once more and adds headers.
pub(super) const MAX_BYTES: usize = 3 * MAX_BODY_BYTES;
/// The parts of a query that the routes read. The rest holds the function key.
const QUERY: [&str; 6] = ["dryRun", "$top", "$skiptoken", "state", "machine", "day"];

/// Where the host posts the envelopes of each function: its name, without a route prefix. With an empty `routePrefix`
/// raw requests come there too.
pub(super) const ALERTS: &str = "/alertpacketcapture";
pub(super) const CAPTURES: &str = "/packetcaptures";

/// The layer.
pub(super) async fn unwrapped(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    let function = match request.uri().path() {
        _ if request.method() != Method::POST => return next.run(request).await,
        ALERTS => ALERTS,
        CAPTURES => CAPTURES,
        _ => return next.run(request).await,
    };
    let (parts, body) = request.into_parts();
    // Before the body is read. Where the token may be inside the envelope, that has to be opened first.
    if function == ALERTS
        && let Some(guard) = &door.secure_webhook
        && !guard.may_be_inside(&parts.headers)
        && let Err(refusal) = admit(guard, &parts.headers).await
    {
        return refusal.into_response();
    }
    let body = match read_body(body, MAX_BYTES, &door.stop).await {
        Ok(body) => body,
        Err(refusal) => {
            refusal.log();
            return refusal.into_response();
        }
    };
    match request::read(body.clone(), open).await {
        Some(inner) => close(next.run(inner.request(function, parts)).await).await,
        None => next.run(Request::from_parts(parts, body.into())).await,
    }
}

/// The client's request out of an envelope.
struct Inner {
    method: Method,
    /// The address as the client wrote it, with the query that the routes read.
    uri: Uri,
    headers: HeaderMap,
    body: String,
}

/// Opens an envelope, or says that it is none.
fn open(body: &[u8]) -> Option<Inner> {
    let mut envelope: Map<String, Value> = serde_json::from_slice(body).ok()?;
    envelope.get("Metadata")?.as_object()?;
    let Value::Object(mut request) = decoded(envelope.get_mut("Data")?.get_mut(REQUEST)?.take())
    else {
        return None;
    };
    let body = match request.remove("Body") {
        Some(Value::String(text)) => text,
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let text = |name: &str| request.get(name).and_then(Value::as_str);
    let url = text("Url").and_then(|url| url::Url::parse(url).ok());
    let path = url.as_ref().map_or("/", |url| url.path());
    let query = query(request.get("Query").and_then(Value::as_object));
    Some(Inner {
        method: text("Method")
            .unwrap_or("POST")
            .to_ascii_uppercase()
            .parse()
            .ok()?,
        uri: format!("{path}?{query}").parse().ok()?,
        headers: headers(request.get("Headers").and_then(Value::as_object)),
        body,
    })
}

fn query(members: Option<&Map<String, Value>>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in members.into_iter().flatten() {
        if QUERY.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            query.append_pair(name, value.as_str().unwrap_or_default());
        }
    }
    query.finish()
}

/// The headers that the routes read. The host writes the values of each as a list.
fn headers(members: Option<&Map<String, Value>>) -> HeaderMap {
    let mut found = HeaderMap::new();
    for (name, values) in members.into_iter().flatten() {
        let known = [ACCEPT, AUTHORIZATION, CONTENT_TYPE];
        let Some(name) = known
            .into_iter()
            .find(|known| name.eq_ignore_ascii_case(known.as_str()))
        else {
            continue;
        };
        let values = match values {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let values = values.iter().filter_map(Value::as_str);
        for value in values.filter_map(|value| HeaderValue::from_str(value).ok()) {
            found.append(name.clone(), value);
        }
    }
    found
}

/// The host may put JSON in a JSON string.
fn decoded(value: Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        other => other,
    }
}

impl Inner {
    /// The raw request. Identity, invocation and trace are the outer request's: where the host forwards requests, a
    /// client can write an envelope. A token proves the caller wherever it is.
    fn request(self, function: &str, outer: Parts) -> Request {
        let written = self.uri.path().to_owned();
        // The route prefix may be any text.
        let lower = written.to_ascii_lowercase();
        let below = match lower.find(function) {
            Some(at) => &lower[at..],
            None => function,
        };
        let mut request = Request::from_parts(outer, Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = path::uri(&self.uri, &format!("/api{below}"));
        request.extensions_mut().insert(AsWritten(written));
        let headers = request.headers_mut();
        for name in [ACCEPT, CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let token_is_outside = headers.contains_key(AUTHORIZATION);
        for (name, value) in &self.headers {
            if *name != AUTHORIZATION || !token_is_outside {
                headers.append(name, value.clone());
            }
        }
        request
    }
}

/// The host's form of an answer. It takes `body` as it is when it is text.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<'a> {
    outputs: Outputs<'a>,
    logs: [&'a str; 1],
    return_value: Option<()>,
}

#[derive(Serialize)]
struct Outputs<'a> {
    res: Res<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Res<'a> {
    /// The host discards everything but a 2xx, so the status goes inside.
    status_code: u16,
    headers: BTreeMap<String, &'a str>,
    body: &'a str,
}

async fn close(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    // It was made here, in memory.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let status_code = parts.status.as_u16();
    let log = match parts.extensions.get::<Summary>() {
        Some(Summary(text)) => text.trim_end().to_owned(),
        None => format!("answered {status_code}"),
    };
    let header = |(name, value): (&HeaderName, &'_ HeaderValue)| {
        Some((title_case(name.as_str()), value.to_str().ok()?.to_owned()))
    };
    let headers: Vec<(String, String)> = parts.headers.iter().filter_map(header).collect();
    enveloped(&Envelope {
        outputs: Outputs {
            res: Res {
                status_code,
                headers: headers
                    .iter()
                    .map(|(n, v)| (n.clone(), v.as_str()))
                    .collect(),
                body: std::str::from_utf8(&body).unwrap_or_default(),
            },
        },
        logs: [&log],
        return_value: None,
    })
}

/// `content-type` as `Content-Type`, as people write it.
fn title_case(name: &str) -> String {
    if name == "www-authenticate" {
        return "WWW-Authenticate".to_owned();
    }
    let mut at_start = true;
    let letter = |c: char| {
        let c = if at_start { c.to_ascii_uppercase() } else { c };
        at_start = c == '-';
        c
    };
    name.chars().map(letter).collect()
}
