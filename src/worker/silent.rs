//! Joins the endpoints that a file shows without an answer with the effective rules that deny them: one line of the
//! notification, before what changed.

use super::Worker;
use crate::incident::{InNotice, Job};
use std::sync::Arc;

/// Maximum number of such lines in a notification.
const MOST_LINES: usize = 2;

impl Worker {
    /// Adds what the effective rules say of silent endpoints to what a job knows of changes, once its file was read.
    pub(super) async fn add_rules(&self, job: &mut Arc<Job>) {
        let (Some(surroundings), Some(looks)) = (&self.surroundings, &self.looks) else {
            return;
        };
        let report = &job.report;
        let (Some(look), Some(_)) = (&report.look, &report.changes) else {
            return;
        };
        let silent: Vec<_> = look.silent().collect();
        if silent.is_empty() || looks.in_notice == InNotice::None {
            return;
        }
        let notes = surroundings.rules_about(job, silent).await;
        let denied = notes.iter().filter(|note| note.denied == Some(true));
        let lines: Vec<&str> = denied
            .take(MOST_LINES)
            .map(|note| match looks.in_notice {
                InNotice::Full => &*note.sentence,
                _ => &*note.plain,
            })
            .collect();
        if lines.is_empty() {
            return;
        }
        if let Some(changes) = &mut Arc::make_mut(job).report.changes {
            for line in lines.iter().rev() {
                if changes.put_first(line) {
                    tracing::info!("what changed: {line}");
                }
            }
        }
        self.ledger.record(job);
        self.incidents.record(job);
    }
}
