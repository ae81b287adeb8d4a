//! What the caller hears. The one place that knows HTTP status codes.
//!
//! Action groups repeat 408, 429, 503 and 504 by themselves and then rest the endpoint for 15 minutes, so only
//! an alert that was not taken is answered so.

use crate::{
    alert::{Alert, BadBody, ResourceId, Schema, Target},
    incident::{JobId, Report, Status},
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The first word of every good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Created,
    Joined,
    Stopped,
    Accepted,
    Ignored,
    Skipped,
    DryRun,
}

impl Outcome {
    /// The word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Created => "created",
            Outcome::Joined => "joined",
            Outcome::Stopped => "stopped",
            Outcome::Accepted => "accepted",
            Outcome::Ignored => "ignored",
            Outcome::Skipped => "skipped",
            Outcome::DryRun => "dry_run",
        }
    }
}

/// A good answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub message: String,
    pub alert: AlertView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_capture: Option<bool>,
    pub captures: Vec<Entry>,
}

/// The alert as it was read.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertView {
    pub(super) schema: Schema,
    state: Value,
    rule: Option<String>,
    id: Option<String>,
    signal: Option<String>,
    severity: Option<String>,
    fired_at: Option<String>,
    targets: Vec<Target>,
    region: Option<String>,
    dedupe_key: Option<String>,
}

impl From<&Alert> for AlertView {
    fn from(alert: &Alert) -> Self {
        Self {
            schema: alert.schema,
            state: serde_json::to_value(alert.state).unwrap_or_default(),
            rule: alert.rule.clone(),
            id: alert.id.clone(),
            signal: alert.signal.clone(),
            severity: alert.severity.clone(),
            fired_at: alert.fired_at.clone(),
            targets: alert.targets.clone(),
            region: alert.region.clone(),
            dedupe_key: alert.dedupe_key.clone(),
        }
    }
}

/// What became of one target.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    target: ResourceId,
    pub status: Status,
    pub reason: Option<String>,
    pub message: String,
    name: Option<String>,
    network_watcher: Option<ResourceId>,
    storage_path: Option<String>,
    job_id: Option<String>,
    #[serde(skip)]
    request_id: Option<String>,
}

impl Entry {
    pub fn of_job(job_id: &JobId, target: &ResourceId, report: &Report) -> Self {
        Self {
            target: target.clone(),
            status: report.status,
            reason: report.reason.clone(),
            message: report.message.clone(),
            name: report.name.clone(),
            network_watcher: report.network_watcher.clone(),
            storage_path: report.storage_path.clone(),
            job_id: Some(job_id.to_string()),
            request_id: report.request_id.clone(),
        }
    }

    /// A target that no job was made for.
    pub fn ignored(target: &Target, reason: &str) -> Self {
        Self {
            target: target.id.clone(),
            status: Status::Ignored,
            reason: Some(reason.to_owned()),
            message: format!("{} is not captured: {reason}", target.id),
            name: None,
            network_watcher: None,
            storage_path: None,
            job_id: None,
            request_id: None,
        }
    }
}

/// Why an alert was not taken, or came to nothing.
#[derive(Debug)]
pub enum Refusal {
    BadBody(BadBody),
    TooLarge,
    NotJson,
    MethodNotAllowed,
    NoSuchRoute,
    /// No token, or a bad one.
    Unauthorized(String),
    /// A good token of somebody who may not send alerts.
    Forbidden(String),
    /// More targets than there is room for jobs.
    TooManyTargets {
        targets: usize,
        capacity: usize,
    },
    /// Azure refused for good, for every target.
    AzureRefused(Vec<Entry>),
    /// The alert was not taken; the same call may succeed soon.
    NotTaken {
        message: String,
        retry_after: Duration,
    },
}

impl Answer {
    /// The answer for an alert whose targets have these entries; 502 when all of them failed.
    pub fn of_captures(alert: &Alert, captures: Vec<Entry>) -> Result<Self, Refusal> {
        let any = |status: Status| captures.iter().find(|entry| entry.status == status);
        let (outcome, entry) = if let Some(entry) = any(Status::Accepted) {
            (Outcome::Accepted, entry)
        } else if let Some(entry) = any(Status::Created).or(any(Status::Completed)) {
            (Outcome::Created, entry)
        } else if let Some(entry) = any(Status::Joined) {
            (Outcome::Joined, entry)
        } else if let Some(entry) = any(Status::Stopped) {
            (Outcome::Stopped, entry)
        } else if let Some(entry) = any(Status::Skipped) {
            (Outcome::Skipped, entry)
        } else if any(Status::Failed).is_some() {
            return Err(Refusal::AzureRefused(captures));
        } else if let Some(entry) = captures.first() {
            (Outcome::Ignored, entry)
        } else {
            return Ok(Self::ignored(alert, "no_vm_target", Vec::new()));
        };
        let reason = match outcome {
            Outcome::Created | Outcome::Joined | Outcome::Stopped => None,
            _ => entry.reason.clone(),
        };
        let message = match (outcome, entry.message.as_str()) {
            (Outcome::Accepted, "") => format!(
                "The alert is taken; a Packet Capture on {} is under way",
                entry.target
            ),
            (_, message) => message.to_owned(),
        };
        Ok(Self {
            outcome,
            reason,
            message,
            alert: alert.into(),
            would_capture: None,
            captures,
        })
    }

    pub fn ignored(alert: &Alert, reason: &str, captures: Vec<Entry>) -> Self {
        Self {
            outcome: Outcome::Ignored,
            reason: Some(reason.to_owned()),
            message: ignored_message(reason).to_owned(),
            alert: alert.into(),
            would_capture: None,
            captures,
        }
    }

    pub fn dry_run(alert: &Alert, reason: Option<&str>, captures: Vec<Entry>) -> Self {
        Self {
            outcome: Outcome::DryRun,
            reason: reason.map(str::to_owned),
            message: match reason {
                None => "A Packet Capture would start; this is a dry run and nothing was written to Azure".to_owned(),
                Some(reason) => format!("No Packet Capture would start: {}", ignored_message(reason)),
            },
            alert: alert.into(),
            would_capture: Some(reason.is_none()),
            captures,
        }
    }

    pub(super) fn log(&self) {
        tracing::info!(
            alert.rule = self.alert.rule,
            alert.id = self.alert.id,
            outcome = ?self.outcome,
            reason = self.reason,
            "{}", self.message
        );
    }

    fn status(&self) -> StatusCode {
        match self.outcome {
            Outcome::Accepted => StatusCode::ACCEPTED,
            _ => StatusCode::OK,
        }
    }
}

fn ignored_message(reason: &str) -> &'static str {
    match reason {
        "resolved" => "the alert is resolved; only a fired alert starts a Packet Capture",
        "state_unknown" => "the alert says neither that it fired nor that it resolved",
        "test_payload" => {
            "this is a test notification about a machine that does not exist; the path to the function works"
        }
        "no_vm_target" => "the alert names no virtual machine or scale set",
        "autoscale_notification" => "this is an autoscale notification, not an alert",
        "duplicate" => "this alert was taken within the last hour; see what became of it",
        "cooldown" => {
            "a Packet Capture of the machine was taken up less than PacketCapture__CooldownSeconds ago"
        }
        "scope_not_allowed" => "no target lies within PacketCapture__AllowedScopes",
        "rule_not_allowed" => "the alert rule is not among PacketCapture__AllowedRules",
        "signal_not_allowed" => "the signal is not among PacketCapture__AllowedSignals",
        _ => "the alert is not for this function",
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::BadBody(bad) if bad.is_too_large() => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::BadBody(_) | Refusal::TooManyTargets { .. } => StatusCode::BAD_REQUEST,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::NoSuchRoute => StatusCode::NOT_FOUND,
            Refusal::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Refusal::Forbidden(_) => StatusCode::FORBIDDEN,
            Refusal::AzureRefused(_) => StatusCode::BAD_GATEWAY,
            Refusal::NotTaken { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// For the metrics.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Refusal::AzureRefused(_) => "azure_refused",
            Refusal::NotTaken { .. } => "not_taken",
            _ => "refused",
        }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Refusal::NotTaken { retry_after, .. } => {
                vec![("Retry-After", retry_after.as_secs().max(1).to_string())]
            }
            Refusal::MethodNotAllowed => vec![("Allow", "POST".to_owned())],
            Refusal::Unauthorized(_) => vec![("WWW-Authenticate", "Bearer".to_owned())],
            _ => Vec::new(),
        }
    }

    /// `{"error":{"code","message","target"}}`, as Resource Manager writes errors.
    fn body(&self) -> Value {
        let error = |code: &str, message: &str, target: Option<&str>| json!({ "error": { "code": code, "message": message, "target": target } });
        match self {
            Refusal::BadBody(bad) if bad.is_too_large() => Refusal::TooLarge.body(),
            Refusal::BadBody(bad) => error(
                "InvalidAlert",
                &format!("{}: {}", bad.path, bad.message),
                Some(&bad.path),
            ),
            Refusal::TooLarge => error("AlertTooLarge", "an alert's body has at most 1 MiB", None),
            Refusal::NotJson => error(
                "UnsupportedMediaType",
                "the body must be JSON: send it with Content-Type: application/json",
                None,
            ),
            Refusal::MethodNotAllowed => {
                error("MethodNotAllowed", "alerts are sent with POST", None)
            }
            Refusal::NoSuchRoute => error(
                "NotFound",
                "alerts go to POST /api/AlertPacketCapture; GET /api/PacketCaptures shows what became of them",
                None,
            ),
            Refusal::Unauthorized(message) => error("Unauthorized", message, None),
            Refusal::Forbidden(message) => error("Forbidden", message, None),
            Refusal::TooManyTargets { targets, capacity } => error(
                "TooManyTargets",
                &format!("the alert names {targets} targets and JobQueue__Capacity is {capacity}"),
                None,
            ),
            Refusal::AzureRefused(entries) => {
                let first = entries.iter().find(|entry| entry.status == Status::Failed);
                let code = first
                    .and_then(|entry| entry.reason.as_deref())
                    .unwrap_or("AzureRefused");
                let mut body = error(
                    code,
                    first.map_or("Azure refused", |entry| entry.message.as_str()),
                    first.map(|entry| entry.target.to_string()).as_deref(),
                );
                body["error"]["requestId"] =
                    json!(first.and_then(|entry| entry.request_id.as_deref()));
                body["captures"] = json!(entries);
                body
            }
            Refusal::NotTaken { message, .. } => error("NotTaken", message, None),
        }
    }

    pub(super) fn log(&self) {
        let body = self.body();
        let (code, message) = (
            body["error"]["code"].as_str(),
            body["error"]["message"].as_str(),
        );
        let status = self.status().as_u16();
        if matches!(self, Refusal::AzureRefused(_)) {
            // The job has logged it in full.
            tracing::info!(
                status,
                error.code = code,
                "the caller was told that Azure refused"
            );
            return;
        }
        tracing::warn!(
            status,
            error.code = code,
            "alert refused: {}",
            message.unwrap_or_default()
        );
    }
}

/// Status, headers and body, whichever form they go out in.
pub(super) fn into_parts(
    answer: Result<Answer, Refusal>,
) -> (StatusCode, Vec<(&'static str, String)>, Value) {
    let (status, mut headers, body) = match answer {
        Ok(answer) => (
            answer.status(),
            Vec::new(),
            serde_json::to_value(&answer).unwrap_or_default(),
        ),
        Err(refusal) => (refusal.status(), refusal.headers(), refusal.body()),
    };
    headers.push(("Content-Type", "application/json".to_owned()));
    (status, headers, body)
}

fn respond(answer: Result<Answer, Refusal>) -> Response {
    let (status, headers, body) = into_parts(answer);
    let mut response = (status, Json(body)).into_response();
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        respond(Ok(self))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        respond(Err(self))
    }
}
