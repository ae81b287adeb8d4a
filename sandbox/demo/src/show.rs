//! Watches the sandbox and puts what happens into the timeline, one thing after the other.

use crate::{
    alerts::machine,
    desk::Desk,
    explanation,
    sessions::{Change, Sessions, key},
    stage::Stage,
    timeline::Timeline,
};
use azure_sandbox::{CaptureView, Entry, Sandbox, samples};
use serde_json::Value;
use std::{collections::HashSet, path::PathBuf, time::Duration};
use time::OffsetDateTime;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Interval, interval},
};

/// Interval between checks of the sessions.
const LOOK: Duration = Duration::from_millis(100);

pub struct Show {
    pub timeline: Timeline,
    azure: Sandbox,
    calls: Receiver<Entry>,
    desk: Desk,
    look: Interval,
    sessions: Sessions,
    /// Operations whose state was asked for: asking again is no news.
    polled: HashSet<String>,
}

/// What the reader waits for.
#[derive(Default)]
pub struct News {
    pub ended: Vec<Ended>,
    /// A notification about a capture that arrived.
    pub notified: Option<Value>,
}

/// A session that has ended.
pub struct Ended {
    pub vm: String,
    /// The capture file, unless the session failed.
    pub file: Option<PathBuf>,
}

impl Show {
    pub fn of(stage: &Stage, desk: Desk, bars: bool) -> Self {
        let azure = stage.azure.clone();
        Self {
            timeline: Timeline::start(bars),
            calls: azure.subscribe(),
            look: interval(LOOK),
            sessions: Sessions::among(&captures(&azure)),
            polled: HashSet::new(),
            desk,
            azure,
        }
    }

    /// Waits for the next thing and prints it. Calls come first, so that they stand before what follows from them.
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> News {
        tokio::select! {
            biased;
            call = self.calls.recv() => {
                match call {
                    Ok(entry) => self.call(&entry),
                    Err(RecvError::Lagged(missed)) => self.timeline.print("Azure", &format!("({missed} calls not shown)")),
                    // Not while a handle to the sandbox lives.
                    Err(RecvError::Closed) => {}
                }
                News::default()
            }
            Some(notification) = self.desk.notifications.recv() => {
                self.notification(&notification);
                News { notified: Some(notification), ..News::default() }
            }
            _ = self.look.tick() => News { ended: self.check_sessions(), notified: None },
        }
    }

    /// Leaves the screen in order.
    pub fn end(&mut self) {
        self.timeline.end();
    }

    fn call(&mut self, entry: &Entry) {
        if explanation::is_poll(entry) && !self.polled.insert(entry.path.clone()) {
            return;
        }
        let call = format!("{} {}", entry.method, entry.short);
        let status = match (entry.status, &entry.fault) {
            (Some(status), _) => status.to_string(),
            (None, fault) => fault.clone().unwrap_or_default(),
        };
        let note = match &entry.note {
            Some(note) => format!("  !! {note}"),
            None => String::new(),
        };
        let why = explanation::of(entry);
        let line = format!("{call:<48}  {status}  {why}{note}");
        self.timeline.print_at(entry.time, "Azure", line.trim_end());
    }

    fn notification(&mut self, notification: &Value) {
        let data = &notification["data"];
        let event = data["event"].as_str().unwrap_or_default();
        let vm = machine(data["target"].as_str().unwrap_or_default());
        let why = match data["capture"]["stopReason"].as_str() {
            Some(reason) => format!(" ({reason})"),
            None => String::new(),
        };
        let line = format!("POST to the webhook: capture {event} on {vm}{why}");
        self.timeline.print("Webhook", &line);
    }

    fn check_sessions(&mut self) -> Vec<Ended> {
        let mut ended = Vec::new();
        for capture in captures(&self.azure) {
            let vm = machine(&capture.target);
            match self.sessions.change(&capture) {
                None => {}
                Some(Change::Began) => {
                    let seconds = capture.time_limit_seconds;
                    let line =
                        format!("packets of {vm} are being captured, for {seconds} s at most");
                    self.timeline.print("Azure", &line);
                    let length = Duration::from_secs(seconds.try_into().unwrap_or_default());
                    let title = format!("capturing on {vm}");
                    self.timeline.session_began(key(&capture), title, length);
                }
                Some(Change::Continues) => {
                    let started = capture.started.unwrap_or_else(OffsetDateTime::now_utc);
                    let ran = Duration::try_from(OffsetDateTime::now_utc() - started);
                    self.timeline
                        .session_continues(&key(&capture), ran.unwrap_or_default());
                }
                Some(Change::Ended) => ended.push(self.session_ended(&capture)),
            }
        }
        ended
    }

    fn session_ended(&mut self, capture: &CaptureView) -> Ended {
        self.timeline.session_ended(&key(capture));
        let vm = machine(&capture.target).to_owned();
        let path = capture.storage_path.as_deref();
        let file = path
            .and_then(|path| self.azure.capture_file(path))
            .filter(|file| file.is_file());
        let line = match &file {
            Some(_) => {
                format!("the capture on {vm} has finished; its file is in the storage account")
            }
            None => format!(
                "the capture on {vm} has finished without a file ({})",
                capture.errors.join(", ")
            ),
        };
        self.timeline.print("Azure", &line);
        Ended { vm, file }
    }
}

fn captures(azure: &Sandbox) -> Vec<CaptureView> {
    let watchers = [
        samples::WATCHER_WESTEUROPE,
        samples::WATCHER_WESTEUROPE2,
        samples::WATCHER_NORTHEUROPE,
    ];
    watchers
        .iter()
        .flat_map(|watcher| azure.captures(watcher))
        .collect()
}
