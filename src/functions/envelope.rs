//! The wrapped form, for hosts that do not forward: the request comes inside `Data.req`, the answer goes out
//! inside `Outputs.res`.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-custom-handlers#request-payload>

use axum::{Json, http::StatusCode};
use serde_json::{Map, Value, json};

/// The names of the bindings in function.json.
const IN: &str = "req";
const OUT: &str = "res";

/// The client's request out of an envelope.
pub(super) struct Inner {
    pub method: String,
    /// As a query string; only `dryRun` is of interest.
    pub query: String,
    pub content_type: Option<String>,
    /// The values of all `Authorization` headers.
    pub authorization: Vec<String>,
    pub body: String,
}

/// Opens an envelope, or says that it is none.
pub(super) fn open(body: &[u8]) -> Option<Inner> {
    let envelope: Map<String, Value> = serde_json::from_slice(body).ok()?;
    envelope.get("Metadata")?.as_object()?;
    let request = decoded(envelope.get("Data")?.get(IN)?);
    let request = request.as_object()?;
    let headers = request.get("Headers").and_then(Value::as_object);
    let content_type = values(headers, "content-type").into_iter().next();
    let query = request.get("Query").and_then(Value::as_object);
    let dry_run = query
        .and_then(|query| {
            query
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("dryRun"))
        })
        .map(|(_, value)| format!("dryRun={}", value.as_str().unwrap_or_default()));
    Some(Inner {
        method: request
            .get("Method")
            .and_then(Value::as_str)
            .unwrap_or("POST")
            .to_owned(),
        query: dry_run.unwrap_or_default(),
        content_type,
        authorization: values(headers, "authorization"),
        body: match request.get("Body") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        },
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
fn decoded(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
        None => value.clone(),
    }
}

/// Puts an answer into an envelope. The host takes `body` as it is when it is text.
pub(super) fn close(
    (status, headers, body): (StatusCode, Vec<(&'static str, String)>, Value),
) -> (StatusCode, Json<Value>) {
    let headers: Map<String, Value> = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let text = body.to_string();
    let log = format!("answered {} {}", status.as_u16(), summary(&body));
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
