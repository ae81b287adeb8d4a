//! What the pages read: incidents, wherever they are kept. The routes know this trait alone, so that memory, blobs and
//! the samples of tests are shown alike.

use crate::{
    incident::{
        JobId,
        filter::Filter,
        record::{Incident, IncidentId, Summary},
    },
    record::{self, LookPart, ReadError},
};
use async_trait::async_trait;

/// Incidents, wherever they are kept.
#[async_trait]
pub trait Incidents: Send + Sync {
    /// At most `top` incidents that the filter shows, newest first. `after`: [`IncidentPage::next`] of the page before.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn page(
        &self,
        filter: &Filter,
        after: Option<&str>,
        top: usize,
    ) -> Result<IncidentPage, Unreadable>;

    /// One incident; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn get(&self, id: &IncidentId) -> Result<Option<Found>, Unreadable>;

    /// The incident of a job; `None` when it is not known.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn of_job(&self, job: &JobId) -> Result<Option<IncidentId>, Unreadable>;

    /// A part of the reading of a job's file; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn look(
        &self,
        incident: &IncidentId,
        job: &JobId,
        part: LookPart,
    ) -> Result<Option<String>, Unreadable>;
}

/// A page of the list.
#[derive(Debug, Clone, Default)]
pub struct IncidentPage {
    pub value: Vec<Summary>,
    /// Where the next page begins; `None`: this is the last page. A page that was filtered may be short and still have a
    /// next one.
    pub next: Option<String>,
    /// What the budgets held back in the last hour, as a sentence.
    pub held_back: Option<String>,
}

/// An incident with its row of the list, which depends on the time.
#[derive(Debug, Clone)]
pub struct Found {
    pub incident: Incident,
    pub summary: Summary,
}

/// Why incidents cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unreadable {
    /// The store is the cause, in a few words without a full stop.
    #[error("{0}")]
    Store(String),
    /// `after` is not of a page before.
    #[error("invalid token")]
    Token,
}

/// Maximum number of recent incidents in which a job of another process is searched.
const MOST_SEARCHED: usize = 50;

#[async_trait]
impl Incidents for record::Incidents {
    async fn page(
        &self,
        filter: &Filter,
        after: Option<&str>,
        top: usize,
    ) -> Result<IncidentPage, Unreadable> {
        let rows = self.list(filter, after, top).await?;
        Ok(IncidentPage {
            value: rows.rows,
            next: rows.next,
            held_back: self.held_back().await.map(held_back),
        })
    }

    async fn get(&self, id: &IncidentId) -> Result<Option<Found>, Unreadable> {
        let found = record::Incidents::get(self, id).await?;
        Ok(found.map(|incident| Found {
            summary: self.summary(&incident),
            incident,
        }))
    }

    /// Of this process, or among the newest ones of all processes: no index of jobs is kept.
    async fn of_job(&self, job: &JobId) -> Result<Option<IncidentId>, Unreadable> {
        if let Some(id) = self.here(job) {
            return Ok(Some(id));
        }
        if !self.is_shared() {
            return Ok(None);
        }
        let rows = self.list(&Filter::default(), None, MOST_SEARCHED).await?;
        for row in rows.rows {
            let found = record::Incidents::get(self, &row.id).await?;
            if found.is_some_and(|incident| incident.entry(job).is_some()) {
                return Ok(Some(row.id));
            }
        }
        Ok(None)
    }

    async fn look(
        &self,
        incident: &IncidentId,
        job: &JobId,
        part: LookPart,
    ) -> Result<Option<String>, Unreadable> {
        let found = record::Incidents::look(self, incident, job, part).await;
        found.map_err(|error| Unreadable::Store(error.to_string()))
    }
}

fn held_back((alerts, machines): (u64, u64)) -> String {
    let count = |number, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    format!(
        "Held back by the budgets within the last hour: {} on {}.",
        count(alerts, "alert"),
        count(machines, "machine")
    )
}

impl From<ReadError> for Unreadable {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::InvalidToken => Self::Token,
            error => Self::Store(error.to_string()),
        }
    }
}
