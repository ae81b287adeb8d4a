//! Readiness runs beside the record: `readiness/last.json`, and `readiness/running.json` while one is in progress. Without a store
//! they are kept in this process.

use super::{Etag, Incidents, StoreError, store::Condition};
use crate::fleet::{MAXIMUM_STORED_BYTES, Notified, Run};
use azure_core::Bytes;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const LAST: &str = "readiness/last.json";
const RUNNING: &str = "readiness/running.json";
const NOTIFIED: &str = "readiness/notified.json";
/// Maximum number of texts where they are kept in this process alone.
pub(super) const MOST_RUNS_IN_MEMORY: usize = 4;

/// A run that was begun and has not finished.
#[derive(Debug)]
pub struct RunInProgress {
    pub run: Run,
    /// When its progress was last written: one that is kept no more was left by a process that ended.
    pub kept: OffsetDateTime,
    pub etag: Etag,
}

impl RunInProgress {
    /// How long ago its progress was written. A clock that was set back makes it no older.
    pub fn age(&self, now: OffsetDateTime) -> std::time::Duration {
        (now - self.kept).try_into().unwrap_or_default()
    }
}

impl Incidents {
    /// The last finished readiness run; `None`: there was none, or one of another version.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn last_run(&self) -> Result<Option<Run>, StoreError> {
        let found = self.runs.read(LAST).await?;
        let value = found.and_then(|found| serde_json::from_slice(&found.body).ok());
        Ok(value.and_then(|value: Value| Run::of_json(&value)))
    }

    /// The readiness run in progress.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run_in_progress(&self) -> Result<Option<RunInProgress>, StoreError> {
        let Some(found) = self.runs.read(RUNNING).await? else {
            return Ok(None);
        };
        let value: Value = serde_json::from_slice(&found.body).unwrap_or_default();
        let kept = value["kept"].as_str();
        let kept = kept.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let Some((run, kept)) = Run::of_json(&value).zip(kept) else {
            // Of another version, or damaged: a new run takes its place.
            self.runs.remove(RUNNING, Some(&found.etag)).await?;
            return Ok(None);
        };
        Ok(Some(RunInProgress {
            run,
            kept,
            etag: found.etag,
        }))
    }

    /// Writes the progress of a readiness run. `known` is the version that this process wrote, or took over.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another process makes the run; else those of the store.
    pub async fn keep_run(&self, run: &Run, known: Option<Etag>) -> Result<Etag, StoreError> {
        let mut value = run.to_json(MAXIMUM_STORED_BYTES);
        value["kept"] = self.now().format(&Rfc3339).unwrap_or_default().into();
        let condition = known.map_or(Condition::New, Condition::Unchanged);
        let body = Bytes::from(value.to_string());
        self.runs.write(RUNNING, body, None, condition).await
    }

    /// What operators were notified of after readiness runs.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn notified_of_runs(&self) -> Result<Notified, StoreError> {
        let found = self.runs.read(NOTIFIED).await?;
        let value: Option<Value> = found.and_then(|found| serde_json::from_slice(&found.body).ok());
        Ok(value.map_or_else(Notified::default, |value| Notified::of_json(&value)))
    }

    /// Writes what operators were notified of.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn keep_notified_of_runs(&self, notified: Notified) -> Result<(), StoreError> {
        let condition = match self.runs.read(NOTIFIED).await? {
            Some(known) => Condition::Unchanged(known.etag),
            None => Condition::New,
        };
        let body = Bytes::from(notified.to_json().to_string());
        let written = self.runs.write(NOTIFIED, body, None, condition).await;
        written.map(drop)
    }

    /// Writes a finished readiness run in the place of the one before.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn finish_run(&self, run: &Run) -> Result<(), StoreError> {
        let body = Bytes::from(run.to_json(MAXIMUM_STORED_BYTES).to_string());
        let condition = match self.runs.read(LAST).await? {
            Some(known) => Condition::Unchanged(known.etag),
            None => Condition::New,
        };
        self.runs.write(LAST, body, None, condition).await?;
        self.runs.remove(RUNNING, None).await
    }
}
