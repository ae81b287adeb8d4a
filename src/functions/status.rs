//! What the routes of the status share: their headers, and the metrics for Prometheus.

use super::{Door, http::text_ok, page};
use crate::telemetry::Metrics;
use axum::{
    extract::State,
    http::{
        HeaderMap, HeaderValue,
        header::{
            ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, VARY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::Response,
};
use std::sync::Arc;

/// The metrics of this process.
pub(super) async fn metrics(State(door): State<Arc<Door>>) -> Response {
    let waiting = door.intake.queue.waiting().await;
    text_ok(Metrics::CONTENT_TYPE, door.intake.metrics.text(waiting))
}

/// The headers of these routes. An address here may hold the function key: no cache keeps it, and no referrer passes it
/// on.
pub(super) async fn private(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, page::CONTENT_SECURITY_POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "Accept"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

pub(super) fn accept(headers: &HeaderMap) -> String {
    let values = headers.get_all(ACCEPT).iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}
