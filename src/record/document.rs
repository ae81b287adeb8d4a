//! What a document is to its keeper: a value that changes are applied to, which can be applied again to what another process
//! wrote meanwhile.

use crate::incident::{
    Incident, Limits, Machine,
    budget::{Hour, Spending, Spent},
    machine::{Change, Verdict},
    record::{Addition, State, Summary, VERSION},
};
use crate::resource_id::ResourceId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use time::OffsetDateTime;

/// A document of the record.
pub(super) trait Document:
    Clone + Serialize + DeserializeOwned + Send + Sync + Sized + 'static
{
    /// What is needed to begin one.
    type Key: Clone + Send + Sync + 'static;
    type Change: Clone + Send + Sync + 'static;
    type Verdict: Clone + Send + Sync + 'static;

    /// Maximum number of them kept where they are kept in this process alone, those that cannot be forgotten not counted.
    const MOST_KEPT: usize;

    fn new(key: &Self::Key) -> Self;

    fn key(&self) -> Self::Key;

    /// The change that changes nothing.
    fn nothing() -> Self::Change;

    /// Applies a change; applied twice it does no harm. The second value: whether the document has changed.
    fn apply(
        &mut self,
        change: &Self::Change,
        limits: &Limits,
        now: OffsetDateTime,
    ) -> (Self::Verdict, bool);

    /// What a list shows of it without reading it.
    fn summary(&self, _limits: &Limits, _now: OffsetDateTime) -> Option<String> {
        None
    }

    /// Whether this process can forget it: nothing here decides about anything later.
    fn is_forgettable(&self, limits: &Limits, now: OffsetDateTime) -> bool;

    /// Whether it may go when memory holds far too many, and since when nothing happened to it: the oldest goes first. What
    /// comes later is then without what was before.
    fn may_yield(&self, limits: &Limits, now: OffsetDateTime) -> Option<OffsetDateTime>;
}

impl Document for Machine {
    type Key = ResourceId;
    type Change = Change;
    type Verdict = Verdict;

    const MOST_KEPT: usize = 5_000;

    fn key(&self) -> Self::Key {
        self.machine.clone()
    }

    fn new(machine: &ResourceId) -> Self {
        Machine::new(machine.clone())
    }

    fn nothing() -> Change {
        Change::Nothing
    }

    fn apply(&mut self, change: &Change, limits: &Limits, now: OffsetDateTime) -> (Verdict, bool) {
        Machine::apply(self, change, limits, now)
    }

    fn is_forgettable(&self, limits: &Limits, now: OffsetDateTime) -> bool {
        Machine::is_forgettable(self, now, limits)
    }

    /// One whose jobs are finished: its cool-down and its recent alerts are forgotten with it.
    fn may_yield(&self, _: &Limits, _: OffsetDateTime) -> Option<OffsetDateTime> {
        self.finished_at()
    }
}

impl Document for Incident {
    type Key = (crate::incident::IncidentId, ResourceId);
    type Change = Addition;
    type Verdict = ();

    const MOST_KEPT: usize = 2_000;

    fn key(&self) -> Self::Key {
        (self.id.clone(), self.machine.clone())
    }

    fn new((id, machine): &Self::Key) -> Self {
        Incident::open(id.clone(), machine.clone())
    }

    fn nothing() -> Addition {
        Addition::of_steps(Vec::new())
    }

    fn apply(&mut self, change: &Addition, _: &Limits, _: OffsetDateTime) -> ((), bool) {
        ((), self.add(change))
    }

    fn summary(&self, limits: &Limits, now: OffsetDateTime) -> Option<String> {
        serde_json::to_string(&Row::of(self, limits, now)).ok()
    }

    fn is_forgettable(&self, limits: &Limits, now: OffsetDateTime) -> bool {
        !matches!(
            self.state(now, limits.quiet),
            State::InProgress | State::Quiet
        )
    }

    /// In a storm thousands of machines an hour have an incident that is quiet, for up to a day.
    fn may_yield(&self, limits: &Limits, now: OffsetDateTime) -> Option<OffsetDateTime> {
        (self.state(now, limits.quiet) != State::InProgress).then_some(self.updated_at)
    }
}

impl Document for Hour {
    type Key = OffsetDateTime;
    type Change = Spending;
    type Verdict = Spent;

    const MOST_KEPT: usize = 48;

    fn key(&self) -> Self::Key {
        self.begins_at
    }

    fn new(begins_at: &OffsetDateTime) -> Self {
        Hour::new(*begins_at)
    }

    fn nothing() -> Spending {
        Spending::Nothing
    }

    fn apply(&mut self, change: &Spending, _: &Limits, _: OffsetDateTime) -> (Spent, bool) {
        Hour::apply(self, change)
    }

    fn is_forgettable(&self, _: &Limits, now: OffsetDateTime) -> bool {
        now >= self.begins_at.saturating_add(time::Duration::hours(2))
    }

    fn may_yield(&self, limits: &Limits, now: OffsetDateTime) -> Option<OffsetDateTime> {
        self.is_forgettable(limits, now).then_some(self.begins_at)
    }
}

/// Why a stored text is no document.
pub(super) enum Unreadable {
    /// A newer version of this program wrote it.
    Newer,
    Invalid(serde_json::Error),
}

/// The document in a stored text.
pub(super) fn parse<D: Document>(body: &[u8]) -> Result<D, Unreadable> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    match serde_json::from_slice::<Versioned>(body) {
        Ok(Versioned { version }) if version > VERSION => return Err(Unreadable::Newer),
        _ => {}
    }
    serde_json::from_slice(body).map_err(Unreadable::Invalid)
}

/// A row of the list as it is stored. Time passes without a write, so it says what the row becomes later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    #[serde(flatten)]
    pub summary: Summary,
    /// What it is once no alert can join any more.
    pub closed: State,
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub quiet_until: Option<OffsetDateTime>,
}

impl Row {
    pub fn of(incident: &Incident, limits: &Limits, now: OffsetDateTime) -> Self {
        Self {
            summary: incident.summary(now, limits.quiet),
            closed: incident.closed(),
            quiet_until: incident.quiet_until(limits.quiet),
        }
    }

    /// The row as it is now.
    pub fn at(self, now: OffsetDateTime) -> Summary {
        let mut summary = self.summary;
        if summary.state == State::Quiet && self.quiet_until.is_none_or(|until| until <= now) {
            summary.state = self.closed;
        }
        summary
    }
}
