//! The headers that every answer of Resource Manager has.

use uuid::Uuid;

use super::answer::Answer;
use super::arm::Asked;

pub(super) fn added(asked: &Asked<'_>, mut answer: Answer) -> Answer {
    let request = Uuid::new_v4().to_string();
    let correlation = asked
        .header("x-ms-correlation-request-id")
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let (quota, left, left_global) = match asked.method {
        "GET" | "HEAD" => ("reads", "249", "3749"),
        "DELETE" => ("deletes", "199", "2999"),
        _ => ("writes", "199", "2999"),
    };
    let (own, global) = match quota {
        "reads" => (
            "x-ms-ratelimit-remaining-subscription-reads",
            "x-ms-ratelimit-remaining-subscription-global-reads",
        ),
        "deletes" => (
            "x-ms-ratelimit-remaining-subscription-deletes",
            "x-ms-ratelimit-remaining-subscription-global-deletes",
        ),
        _ => (
            "x-ms-ratelimit-remaining-subscription-writes",
            "x-ms-ratelimit-remaining-subscription-global-writes",
        ),
    };
    if !answer.has("x-ms-request-id") {
        answer = answer.with("x-ms-request-id", request);
    }
    if asked.route.call.action().starts_with("Microsoft.Network")
        && !answer.has("x-ms-failure-cause")
    {
        answer = answer
            .with("x-ms-arm-service-request-id", Uuid::new_v4().to_string())
            .with("azure-asyncnotification", "Enabled");
    }
    if let (Some(id), Some("true")) = (
        asked.header("x-ms-client-request-id"),
        asked.header("x-ms-return-client-request-id"),
    ) {
        answer = answer.with("x-ms-client-request-id", id);
    }
    answer
        .with(
            "x-ms-routing-request-id",
            format!("WESTEUROPE:{correlation}"),
        )
        .with("x-ms-correlation-request-id", correlation)
        .with(own, left)
        .with(global, left_global)
        .with("cache-control", "no-cache")
        .with("pragma", "no-cache")
        .with("expires", "-1")
        .with(
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        )
        .with("x-content-type-options", "nosniff")
}
