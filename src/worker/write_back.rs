//! The comment on the Azure alert, once everything else about a job is done. Whatever becomes of it changes neither the
//! notification nor how the job ended.

use super::{Worker, held::Held};
use crate::{
    capture::Checkpoint,
    incident::{
        Job,
        record::{Step, What},
    },
    write_back::{Written, alert_of},
};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;

/// What a job does after its comment.
pub(super) enum Comment {
    /// Written, given up, or not wanted.
    Over,
    /// To be tried again after this time.
    Later(Duration),
    /// Another instance has taken the job over.
    NotOurs,
}

impl Worker {
    /// Writes the outcome to the job's alert, where that is switched on.
    pub(super) async fn write_back(&self, job: &mut Arc<Job>, held: &mut Held<'_>) -> Comment {
        let Some(write_back) = &self.write_back else {
            return Comment::Over;
        };
        let Some(alert) = alert_of(job).filter(|_| !job.write_back.done) else {
            return Comment::Over;
        };
        if self.incidents.has_comment(job) {
            return Comment::Over;
        }
        let changed = Arc::make_mut(job);
        if !changed.write_back.begin() {
            changed.write_back.done = true;
            tracing::warn!(alert.id = %alert, "could not find out whether the Azure alert has its comment: the function's process ended in both attempts");
            let text = "Not known whether the Azure alert has its comment: the function's process ended in both attempts";
            self.note_comment(job, What::NotWrittenBack, text);
            return Comment::Over;
        }
        // First, or a process that is killed in the call would not count.
        if !held.write(job).await {
            return Comment::NotOurs;
        }
        held.begin_notifying().await;
        let written = tokio::select! {
            biased;
            written = write_back.write(job, &alert) => written,
            // Whether it was written is not known then; the attempt is counted.
            () = held.stopping() => return Comment::Later(Duration::ZERO),
        };
        match written {
            Written::Yes => {
                tracing::info!(alert.id = %alert, "wrote the outcome to the Azure alert");
                let text = "Wrote the outcome to the Azure alert, which is Acknowledged now";
                self.note_comment(job, What::WrittenBack, text);
            }
            Written::Later(pause, why) if job.write_back.may_try_again() => {
                tracing::warn!(
                    alert.id = %alert,
                    "could not write the outcome to the Azure alert: {why}; retrying once in {} s",
                    pause.as_secs()
                );
                return Comment::Later(pause);
            }
            Written::Later(_, why) | Written::No(why) => {
                tracing::warn!(alert.id = %alert, "could not write the outcome to the Azure alert: {why}; giving up");
                let text = format!("Could not write the outcome to the Azure alert: {why}");
                self.note_comment(job, What::NotWrittenBack, &text);
            }
        }
        Arc::make_mut(job).write_back.done = true;
        Comment::Over
    }

    fn note_comment(&self, job: &Job, what: What, text: &str) {
        let step = Step {
            at: OffsetDateTime::now_utc(),
            job_id: Some(job.job_id),
            what,
            text: text.into(),
        };
        self.incidents.note(job, step);
    }
}
