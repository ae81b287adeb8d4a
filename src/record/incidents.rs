//! The incident record as the rooms above use it: claim an alert, receive a copy of its job, write down what becomes of it.
//! In this process alone or, where jobs outlive it, shared by all instances.

mod budgets;
mod claims;
mod jobs;
mod resolved;

pub use claims::Claim;

use super::{
    MemoryStore, Store, breaker::Breaker, clock::Clock, document::Document, keeper::Keeper,
    looks::MOST_IN_MEMORY, runs::MOST_RUNS_IN_MEMORY,
};
use crate::{
    incident::{
        Incident, IncidentId, JobId, KnownAlert, Limits, Machine,
        budget::Hour,
        machine::{Change, Verdict},
    },
    resource_id::ResourceId,
};
use claims::Claims;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use time::OffsetDateTime;

/// How the record is kept.
#[derive(Debug, Clone, Copy)]
pub struct RecordOptions {
    pub limits: Limits,
    /// Maximum number of captures an hour, of all machines and instances together.
    pub captures_per_hour: Option<u32>,
    /// How long the store may take where something waits for it.
    pub answer_within: Duration,
    /// Interval between two checks of a store that did not answer.
    pub probe_every: Duration,
    /// How long news of an incident wait for further ones, to be written together.
    pub gather: Duration,
    pub clock: Clock,
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self {
            limits: Limits {
                cooldown: Duration::ZERO,
                quiet: Duration::from_secs(15 * 60),
                captures_per_day: None,
                claim: Duration::from_secs(6),
            },
            captures_per_hour: None,
            answer_within: Duration::from_secs(2),
            probe_every: Duration::from_secs(3),
            gather: Duration::from_millis(100),
            clock: Clock::System,
        }
    }
}

/// The incident record.
pub struct Incidents {
    pub(super) machines: Arc<Keeper<Machine>>,
    pub(super) incidents: Arc<Keeper<Incident>>,
    pub(super) hours: Arc<Keeper<Hour>>,
    /// Where reports about capture files are.
    pub(super) looks: Arc<dyn Store>,
    /// Where readiness runs are.
    pub(super) runs: Arc<dyn Store>,
    pub(super) options: RecordOptions,
    // Held for a few map operations, never over an await.
    claims: Mutex<Claims>,
}

impl Incidents {
    /// `store`: where it is shared with other instances; `None`: in this process alone.
    pub fn new(store: Option<Arc<dyn Store>>, options: RecordOptions) -> Arc<Self> {
        let breaker = Arc::new(Breaker::new(options.probe_every));
        Arc::new(Self {
            machines: keeper(&store, &breaker, &options, Duration::ZERO),
            incidents: keeper(&store, &breaker, &options, options.gather),
            hours: keeper(&store, &breaker, &options, options.gather),
            runs: store
                .clone()
                .unwrap_or_else(|| Arc::new(MemoryStore::of(MOST_RUNS_IN_MEMORY))),
            looks: store.unwrap_or_else(|| Arc::new(MemoryStore::of(3 * MOST_IN_MEMORY))),
            options,
            claims: Mutex::default(),
        })
    }

    /// Whether it outlives the process and all instances share it.
    pub fn is_shared(&self) -> bool {
        self.machines.store.is_some()
    }

    /// The time of the record.
    pub fn now(&self) -> OffsetDateTime {
        self.options.clock.now()
    }

    /// What this process knows of an alert on a machine.
    pub fn known(&self, machine: &ResourceId, job: Option<&JobId>) -> Option<KnownAlert> {
        let now = self.now();
        let being_claimed = job.is_some_and(|job| self.claims().open.contains_key(job));
        let shared = self.is_shared();
        self.machines
            .with(&Machine::blob_name(machine), |known| {
                if let Some(seen) = job.and_then(|job| known.find(job)) {
                    return match seen.is_accepted() {
                        true => Some(KnownAlert::Before(seen.into())),
                        // Of other processes only the claim's age says whether they still live: a new claim decides that.
                        false if being_claimed || !shared => {
                            Some(KnownAlert::BeingQueued(seen.into()))
                        }
                        false => None,
                    };
                }
                let cooldown = self.options.limits.cooldown;
                known
                    .cools_down_since(now, cooldown)
                    .map(KnownAlert::CoolsDown)
            })
            .flatten()
    }

    /// The incident that an alert on a machine would join, as far as this process knows.
    pub fn open_incident(&self, machine: &ResourceId) -> Option<IncidentId> {
        let now = self.now();
        let open = |known: &Machine| known.open_incident(now).cloned();
        self.machines.with(&Machine::blob_name(machine), open)?
    }

    /// Reads what other instances have written of these machines. Those who ask at the same time share one read.
    pub async fn refresh(&self, machines: impl Iterator<Item = ResourceId>) {
        self.refresh_within(machines, Duration::ZERO).await;
    }

    /// Reads what other instances have written of these machines, unless that was done within this time.
    pub async fn refresh_within(
        &self,
        machines: impl Iterator<Item = ResourceId>,
        within: Duration,
    ) {
        if !self.is_shared() {
            return;
        }
        let limit = self.options.answer_within;
        let reads = machines.map(|machine| async move {
            let name = Machine::blob_name(&machine);
            self.machines.refresh(&name, &machine, within, limit).await
        });
        futures_util::future::join_all(reads).await;
    }

    fn change(&self, machine: &ResourceId, change: Change) -> Verdict {
        let name = Machine::blob_name(machine);
        self.machines.apply(&name, machine, change, false)
    }

    /// Writes what is left, for the stop.
    pub async fn close(&self, limit: Duration) {
        let settled = async {
            self.incidents.settle().await;
            self.machines.settle().await;
            self.hours.settle().await;
        };
        if tokio::time::timeout(limit, settled).await.is_err() {
            tracing::warn!("stopped before the incident record was written completely");
        }
    }
}

fn keeper<D: Document>(
    store: &Option<Arc<dyn Store>>,
    breaker: &Arc<Breaker>,
    options: &RecordOptions,
    gather: Duration,
) -> Arc<Keeper<D>> {
    Arc::new(Keeper::new(
        store.clone(),
        breaker.clone(),
        options.limits,
        options.clock,
        gather,
    ))
}
