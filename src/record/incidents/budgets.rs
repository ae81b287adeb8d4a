//! The budget of captures of an hour, of all machines and instances together, and the alerts that a budget or the cool-down
//! holds back.

use super::{super::keeper::Confirmed, Incidents};
use crate::{
    incident::{
        IncidentId, JobId, Machine, PackedFacts, Reason,
        budget::{HeldBack, Hour, Spending, Spent},
        machine::{Admission, Change, Verdict},
        record::Addition,
    },
    resource_id::ResourceId,
};
use std::time::Duration;
use time::OffsetDateTime;

impl Incidents {
    /// Whether alerts can be held back by a budget.
    pub fn has_budgets(&self) -> bool {
        self.options.captures_per_hour.is_some() || self.options.limits.captures_per_day.is_some()
    }

    /// Takes a capture from the budget of the hour, if it has room.
    pub async fn take_from_budget(&self, job_id: JobId) -> Spent {
        let Some(most) = self.options.captures_per_hour else {
            return Spent::Again;
        };
        let begins_at = Hour::of(self.now());
        let name = Hour::blob_name(begins_at);
        let change = Spending::Spend { job_id, most };
        let limit = self.options.answer_within;
        let spent = self.hours.confirm(&name, &begins_at, change, limit).await;
        spent.verdict
    }

    /// A capture that was taken from the budget is not made.
    pub fn give_back(&self, job_id: JobId) {
        if self.options.captures_per_hour.is_some() {
            self.spend(self.now(), Spending::GiveBack { job_id });
        }
    }

    fn spend(&self, now: OffsetDateTime, change: Spending) {
        let begins_at = Hour::of(now);
        let name = Hour::blob_name(begins_at);
        self.hours.apply(&name, &begins_at, change, false);
    }

    /// An alert is held back by the budget of the hour: the incident that it joins or opens.
    pub async fn hold_back_all(&self, machine: &ResourceId, admission: Admission) -> Verdict {
        let name = Machine::blob_name(machine);
        let limit = self.options.answer_within;
        let change = Change::HoldBack(admission);
        let confirmed = self.machines.confirm(&name, machine, change, limit);
        confirmed.await.verdict
    }

    /// An alert is not captured for this reason: it joins the incident.
    pub fn hold_back(
        &self,
        id: &IncidentId,
        machine: &ResourceId,
        job_id: JobId,
        alert: PackedFacts,
        reason: Reason,
    ) {
        let now = self.now();
        let key = (id.clone(), machine.clone());
        let addition = Addition::held_back(job_id, alert, machine, reason, now);
        self.incidents.apply(&id.blob_name(), &key, addition, false);
        if reason == Reason::BudgetExhausted {
            let machine = machine.clone();
            self.spend(now, Spending::HoldBack { job_id, machine });
        }
    }

    /// What was held back in the hour before this one, if operators are to be notified of it by this instance.
    pub async fn held_back_before(&self, now: OffsetDateTime) -> Option<HeldBack> {
        let begins_at = Hour::of(now.saturating_sub(time::Duration::HOUR));
        let name = Hour::blob_name(begins_at);
        let limit = self.options.answer_within;
        let read = self
            .hours
            .refresh(&name, &begins_at, Duration::from_secs(30), limit);
        if !read.await {
            return None;
        }
        let change = Spending::Notify;
        match self.hours.confirm(&name, &begins_at, change, limit).await {
            Confirmed {
                verdict: Spent::Notifies(held_back),
                by_store: true,
            } => Some(held_back),
            _ => None,
        }
    }
}
