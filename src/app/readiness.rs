//! Makes readiness runs when they are asked for, and continues the one that a process left when it ended.

use super::{Pace, ReadinessPace, news::Desk};
use crate::{
    azure::{client::ArmClient, error::chain},
    config::Settings,
    fleet::{Run, Start},
    readiness::{Everywhere, FoundSettings, Hosting, Keep, Quiet},
    record::{Etag, Incidents, StoreError},
    worker::Worker,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use time::OffsetDateTime;

/// What runs need.
pub(super) struct Readiness {
    pub settings: Settings,
    pub pace: Pace,
    /// Shared with the calls of alerts.
    pub arm: Option<ArmClient>,
    pub worker: Option<Arc<Worker>>,
    pub incidents: Arc<Incidents>,
    pub start: Start,
    pub desk: Desk,
}

impl Readiness {
    /// Makes runs until it is dropped.
    pub async fn run(self) {
        let pace = self.pace.readiness;
        // A run that another process makes may be left by it.
        let mut others = self.incidents.is_shared();
        loop {
            tokio::select! {
                () = self.start.asked() => {}
                () = self.abandoned(pace), if others => {}
            }
            others = !self.one(pace).await && self.incidents.is_shared();
            self.start.ended();
        }
    }

    /// Waits for a run whose process ended before it had finished: until another process makes it, its progress is fresh.
    async fn abandoned(&self, pace: ReadinessPace) {
        tokio::time::sleep(pace.continue_after).await;
        self.overdue().await;
        loop {
            let left = match self.incidents.run_in_progress().await {
                Ok(None) => return std::future::pending().await,
                Ok(Some(found)) => {
                    let age = found.age(self.incidents.now());
                    pace.abandoned_after.saturating_sub(age)
                }
                // The store may answer later.
                Err(_) => pace.abandoned_after.max(Duration::from_secs(1)),
            };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    /// The news of the last run, whose process may have ended before they were delivered. The next run has none of them.
    async fn overdue(&self) {
        if self.incidents.is_shared()
            && let Some(last) = self.keep().last().await
        {
            self.publish(&last).await;
        }
    }

    /// Makes a run. `false`: another process makes it.
    async fn one(&self, pace: ReadinessPace) -> bool {
        self.overdue().await;
        let found = FoundSettings {
            dry_run: self.settings.capture.dry_run,
            settings: Some(self.settings.clone()),
            problems: Vec::new(),
        };
        let hosting = Hosting::on(&self.settings.platform);
        // Made for this run alone: connections and certificates take memory that alerts do not need.
        let arm = self.arm.as_ref().map(ArmClient::ahead);
        let parts = super::checked_parts(found, hosting, &self.pace, arm);
        let everywhere = Everywhere {
            parts: &parts,
            quiet: self,
            keep: &self.keep(),
            pace: pace.between_calls,
        };
        let Some(run) = everywhere.run(OffsetDateTime::now_utc()).await else {
            tracing::info!("another instance makes the readiness run; stopping this one");
            return false;
        };
        tracing::info!(
            calls = run.calls,
            "readiness run finished: {}",
            run.sentence()
        );
        self.publish(&run).await;
        true
    }

    fn keep(&self) -> Kept<'_> {
        Kept {
            incidents: &self.incidents,
            abandoned_after: self.pace.readiness.abandoned_after,
            etag: Mutex::default(),
        }
    }
}

#[async_trait::async_trait]
impl Quiet for Readiness {
    async fn none_waits(&self) {
        if let Some(worker) = &self.worker {
            worker.capturer.until_quiet().await;
        }
    }
}

/// Runs in the incident record.
struct Kept<'a> {
    incidents: &'a Incidents,
    abandoned_after: std::time::Duration,
    /// The version of the progress that this process wrote last. Held for one operation, never over an await.
    etag: Mutex<Option<Etag>>,
}

impl Kept<'_> {
    fn known(&self, new: Option<Etag>) -> Option<Etag> {
        let mut etag = self.etag.lock().expect("no code panics with this lock");
        std::mem::replace(&mut etag, new)
    }
}

#[async_trait::async_trait]
impl Keep for Kept<'_> {
    async fn last(&self) -> Option<Run> {
        let last = self.incidents.last_run().await;
        last.unwrap_or_else(|error| {
            tracing::warn!(
                "could not read the last readiness run; continuing without it: {}",
                chain(&error)
            );
            None
        })
    }

    async fn unfinished(&self) -> Option<Run> {
        let found = match self.incidents.run_in_progress().await {
            Ok(found) => found?,
            Err(error) => {
                tracing::warn!(
                    "could not read the readiness run in progress; continuing without it: {}",
                    chain(&error)
                );
                return None;
            }
        };
        let left = found.age(self.incidents.now()) >= self.abandoned_after;
        if !left {
            return None;
        }
        self.known(Some(found.etag));
        Some(found.run)
    }

    async fn keep(&self, run: &Run) -> bool {
        let kept = match run.finished {
            Some(_) => self.incidents.finish_run(run).await,
            None => {
                let known = self.known(None);
                let written = self.incidents.keep_run(run, known.clone()).await;
                written
                    .map(|etag| drop(self.known(Some(etag))))
                    .inspect_err(|_| {
                        self.known(known);
                    })
            }
        };
        match kept {
            Ok(()) => true,
            Err(StoreError::Conflict) => false,
            Err(error) => {
                tracing::warn!(
                    "could not keep the readiness run; continuing: {}",
                    chain(&error)
                );
                true
            }
        }
    }
}
