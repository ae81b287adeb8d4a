//! Why a request was refused, and the one builder of error bodies: `{"error":{"code","message","target"}}`, as
//! Resource Manager writes errors.

use super::entry::Entry;
use crate::{
    alert::{BadBody, MAX_BODY_BYTES},
    incident::Status,
    queue::MAX_BODY_BYTES as MAX_JOB_BYTES,
};
use serde::Serialize;
use std::{borrow::Cow, time::Duration};

/// Why a request was refused, or led to nothing.
#[derive(Debug)]
pub enum Refusal {
    BadBody(BadBody),
    TooLarge,
    NotJson,
    /// The request's body broke off. A client that disconnected does not read this answer; the log has it.
    IncompleteBody,
    /// The request's body did not arrive in time.
    Timeout(Duration),
    /// The path is right, and only this method reads it.
    MethodNotAllowed(&'static str),
    NoSuchRoute,
    /// No token, or a bad one.
    Unauthorized(String),
    /// A valid token of a caller that may not send alerts.
    Forbidden(String),
    /// More targets than the queue holds jobs.
    TooManyTargets {
        targets: usize,
        capacity: usize,
    },
    /// A job of the alert is longer than a queue message can be.
    JobTooLarge,
    /// Azure refused for good, for every target.
    AzureRefused(Vec<Entry>),
    /// The alert was not accepted; the same request may succeed after this time.
    NotTaken {
        message: String,
        retry_after: Duration,
    },
    /// The body of a request for a drill.
    InvalidDrill(&'static str),
    /// A query of the status routes.
    InvalidQuery(&'static str),
    IncidentNotFound,
    /// No report about the file of this job's capture is kept.
    LookNotFound,
    /// The store of incidents cannot be read now, for this cause.
    IncidentsUnreadable(String),
    /// The queue trigger brought a message that is not a job.
    NoJob(String),
}

/// The body of an error.
#[derive(Serialize)]
pub(super) struct ErrorBody<'a> {
    error: Detail<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    captures: Option<&'a [Entry]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    code: &'a str,
    message: Cow<'a, str>,
    target: Option<String>,
    /// Azure's id of the refused request; there, and perhaps null, when Azure refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Option<&'a str>>,
}

impl Refusal {
    /// The word for the metrics.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Refusal::AzureRefused(_) => "azure_refused",
            Refusal::NotTaken { .. } | Refusal::Timeout(_) => "not_taken",
            _ => "refused",
        }
    }

    /// The word for programs.
    pub(super) fn code(&self) -> &str {
        match self {
            Refusal::BadBody(bad) if bad.is_too_large() => "AlertTooLarge",
            Refusal::BadBody(_) | Refusal::JobTooLarge => "InvalidAlert",
            Refusal::TooLarge => "AlertTooLarge",
            Refusal::NotJson => "UnsupportedMediaType",
            Refusal::IncompleteBody => "IncompleteBody",
            Refusal::Timeout(_) => "RequestTimeout",
            Refusal::MethodNotAllowed(_) => "MethodNotAllowed",
            Refusal::NoSuchRoute => "NotFound",
            Refusal::Unauthorized(_) => "Unauthorized",
            Refusal::Forbidden(_) => "Forbidden",
            Refusal::TooManyTargets { .. } => "TooManyTargets",
            Refusal::AzureRefused(entries) => {
                let reason = first_failed(entries).and_then(|entry| entry.reason());
                reason.unwrap_or("AzureRefused")
            }
            Refusal::NotTaken { .. } => "NotTaken",
            Refusal::InvalidDrill(_) => "InvalidDrill",
            Refusal::InvalidQuery(_) => "InvalidQuery",
            Refusal::IncidentNotFound => "IncidentNotFound",
            Refusal::LookNotFound => "LookNotFound",
            Refusal::IncidentsUnreadable(_) => "IncidentsUnreadable",
            Refusal::NoJob(_) => "NoJob",
        }
    }

    /// The sentence for people.
    pub(super) fn message(&self) -> Cow<'_, str> {
        match self {
            Refusal::BadBody(bad) if bad.is_too_large() => Refusal::TooLarge.message().into_owned().into(),
            Refusal::BadBody(bad) => bad.to_string().into(),
            Refusal::TooLarge => {
                format!("the body of an alert has at most {} MiB", MAX_BODY_BYTES >> 20).into()
            }
            Refusal::NotJson => {
                "the body must be JSON: send it with Content-Type: application/json".into()
            }
            Refusal::IncompleteBody => {
                "the body broke off before its end; the alert was not accepted".into()
            }
            Refusal::Timeout(limit) => {
                format!("the body did not arrive within {} s", limit.as_secs()).into()
            }
            Refusal::MethodNotAllowed("GET") => "the status of captures is read with GET".into(),
            Refusal::MethodNotAllowed(method) => format!("alerts are sent with {method}").into(),
            Refusal::NoSuchRoute => "send alerts to POST /api/AlertPacketCapture; read the status of their captures at GET /api/PacketCaptures and /api/PacketCaptures/{incident}".into(),
            Refusal::TooManyTargets { targets, capacity } => {
                format!("the alert names {targets} targets and JobQueue__Capacity is {capacity}").into()
            }
            Refusal::JobTooLarge => {
                format!("the alert's texts do not fit into a queue message of {} KiB", MAX_JOB_BYTES >> 10).into()
            }
            Refusal::AzureRefused(entries) => {
                first_failed(entries).map_or("Azure refused".into(), |entry| entry.message())
            }
            Refusal::Unauthorized(message)
            | Refusal::Forbidden(message)
            | Refusal::NotTaken { message, .. }
            | Refusal::NoJob(message) => message.as_str().into(),
            Refusal::InvalidDrill(message) | Refusal::InvalidQuery(message) => (*message).into(),
            Refusal::LookNotFound => "no report about a capture's file is kept for this job of this incident".into(),
            Refusal::IncidentNotFound => "there is no incident with this id, and no job whose incident is known".into(),
            Refusal::IncidentsUnreadable(cause) => {
                format!("could not read the incidents: {cause}; captures and notifications continue").into()
            }
        }
    }

    /// The body, whichever form it goes out in.
    pub(super) fn body(&self) -> ErrorBody<'_> {
        let mut error = Detail {
            code: self.code(),
            message: self.message(),
            target: None,
            request_id: None,
        };
        let mut captures = None;
        match self {
            Refusal::BadBody(bad) if !bad.is_too_large() => error.target = Some(bad.path.clone()),
            Refusal::AzureRefused(entries) => {
                let first = first_failed(entries);
                error.target = first.map(|entry| entry.target().to_string());
                error.request_id = Some(first.and_then(|entry| entry.request_id()));
                captures = Some(entries.as_slice());
            }
            _ => {}
        }
        ErrorBody { error, captures }
    }

    /// Writes the refusal of an alert to the log.
    pub(super) fn log(&self) {
        let (status, code) = (self.status().as_u16(), self.code());
        match self {
            // The job has logged it in full.
            Refusal::AzureRefused(_) => {
                tracing::info!(
                    status,
                    error.code = code,
                    "alert answered with Azure's error"
                );
            }
            _ => tracing::warn!(
                status,
                error.code = code,
                "alert refused: {}",
                self.message()
            ),
        }
    }
}

fn first_failed(entries: &[Entry]) -> Option<&Entry> {
    entries
        .iter()
        .find(|entry| entry.status() == Status::Failed)
}
