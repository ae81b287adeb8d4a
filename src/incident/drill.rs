//! What a drill came to, read from its incident: each step with the time since the alert, and a verdict. Pure; the page and
//! `handler drill` show the same.

use super::{
    Event,
    ledger::DONE,
    record::{Entry, Step, What},
    report::Status,
};
use crate::{resource_id::ResourceId, text};
use time::{Duration, OffsetDateTime};

/// One step of a drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Time since the alert was accepted.
    pub after: Duration,
    /// A few words.
    pub what: &'static str,
    pub text: String,
    /// Whether it is why the drill failed.
    pub failed: bool,
}

/// What a drill came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    InProgress,
    /// Everything arrived. `notified`: the time from the alert until the last receiver accepted the notification; `None`: no
    /// receiver gets it.
    Passed {
        notified: Option<Duration>,
    },
    Failed {
        /// Which step failed, in a few words.
        step: &'static str,
        cause: String,
        /// Azure's error code, for advice.
        code: Option<String>,
        /// What to do, where the drill itself knows.
        fix: Option<String>,
    },
}

/// A drill, read from its incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// In the order of their times.
    pub marks: Vec<Mark>,
    pub verdict: Verdict,
    /// What it left behind, a sentence each.
    pub left: Vec<String>,
}

impl Drill {
    /// Reads a drill from the entry of its job and the steps of its incident.
    pub fn of(entry: &Entry, steps: &[Step]) -> Self {
        let mut marks = marks(entry, steps);
        // Those of Azure's clock may stand before ours.
        marks.sort_by_key(|mark| mark.after);
        Self {
            verdict: verdict(entry, steps),
            marks,
            left: left(entry),
        }
    }

    /// The verdict in a sentence.
    pub fn sentence(&self) -> String {
        match &self.verdict {
            Verdict::InProgress => "The drill is in progress".to_owned(),
            Verdict::Passed {
                notified: Some(after),
            } => format!(
                "Drill passed: from alert to notification {}",
                seconds(*after)
            ),
            Verdict::Passed { notified: None } => {
                let last = self.marks.last().map_or(Duration::ZERO, |mark| mark.after);
                format!(
                    "Drill passed in {}; no receiver gets the notification of a completed capture",
                    seconds(last)
                )
            }
            Verdict::Failed { step, cause, .. } => format!("Drill failed ({step}): {cause}"),
        }
    }
}

/// `31 s`; below ten seconds with a tenth.
pub fn seconds(after: Duration) -> String {
    let millis = after.whole_milliseconds().max(0);
    let tenths = millis
        .saturating_add(50)
        .checked_div(100)
        .unwrap_or_default();
    let (whole, tenth) = (
        tenths.checked_div(10).unwrap_or_default(),
        tenths.checked_rem(10).unwrap_or_default(),
    );
    match whole < 10 {
        true => format!("{whole}.{tenth} s"),
        false => format!("{whole} s"),
    }
}

fn marks(entry: &Entry, steps: &[Step]) -> Vec<Mark> {
    let report = &*entry.report;
    let mut marks = Vec::new();
    let mut add = |at: OffsetDateTime, what, text: &str, failed| {
        marks.push(Mark {
            after: since(entry, at),
            what,
            text: text::clean(text, text::MESSAGE).into_owned(),
            failed,
        });
    };
    add(entry.accepted_at, "alert accepted", "", false);
    let watcher = report.network_watcher.as_ref();
    let watcher = watcher.map(ResourceId::short_name).unwrap_or_default();
    let name = report.name.as_deref().unwrap_or_default();
    let of_job = |step: &&Step| step.job_id == Some(entry.job_id);
    for step in steps.iter().filter(of_job) {
        match step.what {
            What::Created => {
                let text = format!("{name} at {watcher}");
                add(step.at, "capture created", &text, false);
            }
            What::Waiting => add(step.at, "waiting", &step.text, false),
            What::Failed => add(step.at, "attempt failed", &step.text, false),
            What::Joined => add(step.at, "joined", &step.text, true),
            What::Notified(event) => {
                let text = format!("{event}: {}", step.text);
                add(step.at, "notified", &text, false);
            }
            What::NotNotified(event) => {
                let text = format!("{event}: {}", step.text);
                add(step.at, "not notified", &text, step.is_given_up());
            }
            What::Removed => add(step.at, "session removed", "its file stays", false),
            What::AlertFired
            | What::AlertResolved
            | What::Accepted
            | What::HeldBack
            | What::Running
            | What::Ended
            | What::Analyzed
            | What::WrittenBack
            | What::NotWrittenBack => {}
        }
    }
    if let Some(began_at) = report.began_at {
        add(began_at, "capture running", "", false);
    }
    if let Some(ended_at) = report.ended_at.filter(|_| report.finished) {
        match report.status {
            Status::Completed => {
                let reason = report.stop_reason.as_deref().unwrap_or_default();
                add(ended_at, "capture ended", reason, false);
            }
            _ => add(ended_at, "capture failed", &report.message, true),
        }
    }
    if let Some(look) = &report.look {
        let path = report.storage_path.as_deref().unwrap_or_default();
        if let Some(bytes) = look.file_bytes {
            let text = format!("{path} ({bytes} bytes)");
            add(look.at, "file there", &text, false);
        }
        match &look.problem {
            Some(problem) => add(look.at, "file not read", &problem.message, true),
            None => {
                let said = look.said().into_iter().next().unwrap_or_default();
                add(look.at, "file read", &said, false);
            }
        }
    }
    marks
}

fn since(entry: &Entry, at: OffsetDateTime) -> Duration {
    let nanos = at
        .unix_timestamp_nanos()
        .saturating_sub(entry.accepted_at.unix_timestamp_nanos());
    Duration::nanoseconds(i64::try_from(nanos.max(0)).unwrap_or(i64::MAX))
}

fn verdict(entry: &Entry, steps: &[Step]) -> Verdict {
    let report = &*entry.report;
    if &*entry.phase != DONE {
        return Verdict::InProgress;
    }
    let failed = |step, cause: &str, code: Option<&str>, fix: Option<&str>| Verdict::Failed {
        step,
        cause: text::clean(cause, text::MESSAGE).into_owned(),
        code: code.map(str::to_owned),
        fix: fix.map(str::to_owned),
    };
    if report.joined {
        let cause = "another drill of this machine was running, and this one created no capture";
        return failed("capture", cause, None, Some("start the drill again"));
    }
    if report.status != Status::Completed {
        let step = match (report.time_limit_seconds, report.began_at) {
            (None, _) => "create",
            (Some(_), None) => "start",
            (Some(_), Some(_)) => "capture",
        };
        return failed(step, &report.message, report.reason.as_deref(), None);
    }
    if let Some(problem) = report.look.as_ref().and_then(|look| look.problem.as_ref()) {
        return failed("file", &problem.message, None, Some(&problem.fix));
    }
    let of_job = |step: &&Step| step.job_id == Some(entry.job_id);
    if let Some(step) = steps.iter().filter(of_job).find(|step| step.is_given_up()) {
        let fix = "check the receiver and the Notification__ settings";
        return failed("notification", &step.text, None, Some(fix));
    }
    let completed = |step: &&Step| step.what == What::Notified(Event::Completed);
    let notified = steps.iter().filter(of_job).filter(completed);
    Verdict::Passed {
        notified: notified.map(|step| since(entry, step.at)).max(),
    }
}

fn left(entry: &Entry) -> Vec<String> {
    let report = &*entry.report;
    if &*entry.phase != DONE {
        return Vec::new();
    }
    let mut left = Vec::new();
    if let Some(path) = report
        .storage_path
        .as_deref()
        .filter(|path| !path.is_empty())
    {
        left.push(match report.status {
            Status::Completed => format!("the file {path}"),
            _ => format!("perhaps the file {path}"),
        });
    }
    if let Some(path) = &report.file_path {
        left.push(format!("the file {path} on the machine"));
    }
    let created = report.time_limit_seconds.is_some() && !report.joined;
    if let (true, Some(name), Some(watcher)) = (
        created && !report.session_removed,
        &report.name,
        &report.network_watcher,
    ) {
        left.push(format!(
            "packet capture {name} at {}; the next drill of this machine deletes it",
            watcher.short_name()
        ));
    }
    left
}

#[cfg(test)]
mod tests;
