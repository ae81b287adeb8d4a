//! What the pages read: incidents, wherever they are kept. The routes know this trait alone, so that memory, blobs and
//! the samples of tests are shown alike.

use crate::incident::{
    JobId,
    filter::Filter,
    record::{Incident, IncidentId, Summary},
};
use async_trait::async_trait;

/// Incidents, wherever they are kept.
#[async_trait]
pub trait Incidents: Send + Sync {
    /// At most `top` incidents that the filter shows, newest first, from the first one older than `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn page(
        &self,
        filter: &Filter,
        after: Option<&IncidentId>,
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
}

/// A page of the list.
#[derive(Debug, Clone, Default)]
pub struct IncidentPage {
    pub value: Vec<Summary>,
    /// After which incident the next page begins; `None`: this is the last page. A page that was filtered may be short and
    /// still have a next one.
    pub next: Option<IncidentId>,
    /// What the budgets held back in the last hour, as a sentence.
    pub held_back: Option<String>,
}

/// An incident with its row of the list, which depends on the time.
#[derive(Debug, Clone)]
pub struct Found {
    pub incident: Incident,
    pub summary: Summary,
}

/// Why the incidents cannot be read now, in a few words without a full stop.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);
