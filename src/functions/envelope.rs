//! The wrapped form, for hosts that do not forward: the request comes inside `Data.req`, the answer goes out
//! inside `Outputs.res`.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-custom-handlers#request-payload>

use axum::{Json, http::StatusCode};
use serde_json::{Map, Value, json};

/// The names of the bindings in function.json.
const IN: &str = "req";
const OUT: &str = "res";
/// What the functions read of a query.
const OF_INTEREST: [&str; 3] = ["dryRun", "$top", "$skiptoken"];

/// The client's request out of an envelope.
pub(super) struct Inner {
    pub method: String,
    /// The path as the client wrote it.
    pub path: String,
    /// As a query string, of what is of interest: the rest holds the key.
    pub query: String,
    pub content_type: Option<String>,
    pub accept: String,
    /// The values of all `Authorization` headers.
    pub authorization: Vec<String>,
    pub body: String,
}

/// Opens an envelope, or says that it is none.
pub(super) fn open(body: &[u8]) -> Option<Inner> {
    let mut envelope: Map<String, Value> = serde_json::from_slice(body).ok()?;
    envelope.get("Metadata")?.as_object()?;
    let Value::Object(mut request) = decoded(envelope.get_mut("Data")?.get_mut(IN)?.take()) else {
        return None;
    };
    let body = match request.remove("Body") {
        Some(Value::String(text)) => text,
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let headers = request.get("Headers").and_then(Value::as_object);
    let content_type = values(headers, "content-type").into_iter().next();
    let query = request.get("Query").and_then(Value::as_object);
    let mut asked = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.into_iter().flatten() {
        if OF_INTEREST
            .iter()
            .any(|wanted| name.eq_ignore_ascii_case(wanted))
        {
            asked.append_pair(name, value.as_str().unwrap_or_default());
        }
    }
    let url = request.get("Url").and_then(Value::as_str);
    let url = url.and_then(|url| url::Url::parse(url).ok());
    Some(Inner {
        method: request
            .get("Method")
            .and_then(Value::as_str)
            .unwrap_or("POST")
            .to_owned(),
        path: url.map(|url| url.path().to_owned()).unwrap_or_default(),
        query: asked.finish(),
        content_type,
        accept: values(headers, "accept").join(","),
        authorization: values(headers, "authorization"),
        body,
    })
}

/// All values of a header; the host writes them as a list.
fn values(headers: Option<&Map<String, Value>>, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, value) in headers
        .into_iter()
        .flatten()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
    {
        let list = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
    }
    found
}

/// The host may put JSON into a JSON string.
fn decoded(value: Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        other => other,
    }
}

/// Puts an answer into an envelope. The host takes `body` as it is when it is text.
pub(super) fn close(
    (status, headers, body): (StatusCode, Vec<(&'static str, String)>, Value),
) -> (StatusCode, Json<Value>) {
    let log = format!("answered {} {}", status.as_u16(), summary(&body));
    close_text(status, headers, body.to_string(), log)
}

/// The same for an answer that is text, with the line that the host's log gets.
pub(super) fn close_text(
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    text: String,
    log: String,
) -> (StatusCode, Json<Value>) {
    let headers: Map<String, Value> = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let envelope = json!({
        "Outputs": { OUT: { "statusCode": status.as_u16(), "headers": headers, "body": text } },
        "Logs": [log],
        "ReturnValue": null,
    });
    (StatusCode::OK, Json(envelope))
}

fn summary(body: &Value) -> &str {
    body.get("message")
        .or_else(|| body.get("error")?.get("message"))
        .and_then(Value::as_str)
        .unwrap_or_default()
}
