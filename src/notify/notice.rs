//! What there is to tell about one capture, whoever is told and in whatever form.

use std::fmt;
use time::OffsetDateTime;

/// What has happened to a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// It runs.
    Created,
    /// It has ended and its file is there.
    Completed,
    /// There is no file, or only a part of it.
    Failed,
    /// It was not made, since there was no room or another one was in the way.
    Skipped,
}

impl Event {
    pub const ALL: [Event; 4] = [
        Event::Created,
        Event::Completed,
        Event::Failed,
        Event::Skipped,
    ];

    /// `created`, `completed`, `failed`, `skipped`.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Created => "created",
            Event::Completed => "completed",
            Event::Failed => "failed",
            Event::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One event of one capture. Texts are untrusted: rule names and conditions come out of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for the same event of the same job, so that receivers can drop repeats: [`Notice::id`].
    pub notice_id: String,
    pub event: Event,
    /// When it happened.
    pub at: OffsetDateTime,
    /// A whole sentence.
    pub message: String,
    pub job_id: String,
    pub alert: AlertFacts,
    /// Resource id of the VM, scale set or instance.
    pub target: String,
    pub capture: CaptureFacts,
    /// Set when evidence is missing.
    pub failure: Option<Failure>,
    /// Another alert had started the capture.
    pub joined: bool,
}

/// What the alert said, as it spelled it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFacts {
    /// The alert rule's name.
    pub rule: Option<String>,
    /// `Sev0` to `Sev4`.
    pub severity: Option<String>,
    /// `Metric`, `Log` or `Activity Log`, or a newer word of Azure's.
    pub signal: Option<String>,
    /// A time in one of several formats, with or without a zone.
    pub fired_at: Option<String>,
    pub conditions: Vec<Condition>,
}

/// One comparison of an alert rule, each part as the alert writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    pub metric: Option<String>,
    pub operator: Option<String>,
    pub threshold: Option<String>,
    pub value: Option<String>,
}

/// What is known of the capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureFacts {
    /// The packet capture's resource name.
    pub name: Option<String>,
    /// The network watcher's resource id.
    pub network_watcher: Option<String>,
    pub began_at: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
    pub time_limit_seconds: Option<u32>,
    /// Why it ended, in words.
    pub stop_reason: Option<String>,
    /// What went wrong while it ran, in words.
    pub errors: Vec<String>,
    /// The blob's URL.
    pub storage_path: Option<String>,
    /// The file's path on the captured machine.
    pub file_path: Option<String>,
}

/// Why evidence is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// Azure's error code, or ours in snake_case.
    pub code: String,
    /// What Azure's support asks for.
    pub request_id: Option<String>,
}

impl Notice {
    /// A notice with its id and nothing yet about alert and capture.
    pub fn new(
        event: Event,
        job_id: impl Into<String>,
        target: impl Into<String>,
        at: OffsetDateTime,
        message: impl Into<String>,
    ) -> Self {
        let job_id = job_id.into();
        Self {
            notice_id: Self::id(&job_id, event),
            event,
            at,
            message: message.into(),
            job_id,
            alert: AlertFacts::default(),
            target: target.into(),
            capture: CaptureFacts::default(),
            failure: None,
            joined: false,
        }
    }

    /// `{job_id}-{event}`.
    pub fn id(job_id: &str, event: Event) -> String {
        format!("{job_id}-{event}")
    }

    /// Writes the log line: information when all is well, an error when evidence is missing. Which job and which
    /// machine, the span around it says.
    pub fn log(&self) {
        match &self.failure {
            Some(failure) => tracing::error!(error.code = failure.code, "{}", self.message),
            None if self.event == Event::Failed => tracing::error!("{}", self.message),
            None => tracing::info!("{}", self.message),
        }
    }
}
