//! The budget of captures an hour, for all machines and instances together, and what it and the machines' budgets held back.
//! One document an hour. Pure.

use super::{Action, Job, JobId, Reason, Report, Status, record::VERSION};
use crate::{alert::Target, resource_id::ResourceId};
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// Maximum number of captures and of machines whose names are kept; beyond it they are only counted.
const MOST_NAMES: usize = 5_000;

/// The captures accepted within one hour (UTC), and the alerts held back in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hour {
    pub version: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub begins_at: OffsetDateTime,
    /// The jobs of the captures, so that none counts twice.
    pub captures: BTreeSet<JobId>,
    /// How many alerts were held back.
    #[serde(default)]
    pub held_back: u64,
    /// The jobs that they would have had and the digests of their machines.
    #[serde(default)]
    pub held_back_jobs: BTreeSet<JobId>,
    #[serde(default)]
    pub machines: BTreeSet<Box<str>>,
    /// The first of them: the notification is about one machine and names the number of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<ResourceId>,
    /// Operators were notified of them.
    #[serde(default)]
    pub notified: bool,
}

/// One change to an hour's document. Each can be applied twice without harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spending {
    /// A capture is about to be accepted; `most`: the budget.
    Spend {
        job_id: JobId,
        most: u32,
    },
    /// It was not made after all.
    GiveBack {
        job_id: JobId,
    },
    /// An alert was held back on this machine.
    HoldBack {
        job_id: JobId,
        machine: ResourceId,
    },
    /// Operators are about to be notified.
    Notify,
    Nothing,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spent {
    /// There is room, or the change needs none.
    Granted,
    /// The capture was taken from the budget before.
    Again,
    /// The budget is used up.
    Refused,
    /// This instance is to notify operators of what was held back.
    Notifies(HeldBack),
}

/// What was held back in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    pub begins_at: OffsetDateTime,
    pub alerts: u64,
    pub machines: u64,
    /// One of the machines.
    pub machine: Option<ResourceId>,
}

impl Hour {
    /// The alerts and the machines that were held back.
    pub fn counts(&self) -> (u64, u64) {
        let machines = u64::try_from(self.machines.len()).unwrap_or(u64::MAX);
        (self.held_back, machines)
    }

    pub fn new(begins_at: OffsetDateTime) -> Self {
        Self {
            version: VERSION,
            begins_at,
            captures: BTreeSet::new(),
            held_back: 0,
            held_back_jobs: BTreeSet::new(),
            machines: BTreeSet::new(),
            machine: None,
            notified: false,
        }
    }

    /// When the hour of `now` began.
    pub fn of(now: OffsetDateTime) -> OffsetDateTime {
        let into_it = now.unix_timestamp().rem_euclid(3_600);
        let begins = now.unix_timestamp().saturating_sub(into_it);
        OffsetDateTime::from_unix_timestamp(begins).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The name of its blob: `budgets/2026112807.json`.
    pub fn blob_name(begins_at: OffsetDateTime) -> String {
        format!(
            "budgets/{:04}{:02}{:02}{:02}.json",
            begins_at.year(),
            u8::from(begins_at.month()),
            begins_at.day(),
            begins_at.hour()
        )
    }

    /// Applies a change. The second value: whether the document has changed.
    pub fn apply(&mut self, change: &Spending) -> (Spent, bool) {
        match change {
            Spending::Spend { job_id, most } => {
                if self.captures.contains(job_id) {
                    return (Spent::Again, false);
                }
                let most = usize::try_from(*most).unwrap_or(usize::MAX);
                if self.captures.len() >= most {
                    return (Spent::Refused, false);
                }
                (Spent::Granted, self.captures.insert(*job_id))
            }
            Spending::GiveBack { job_id } => (Spent::Granted, self.captures.remove(job_id)),
            Spending::HoldBack { job_id, machine } => {
                let known = self.held_back_jobs.contains(job_id);
                if !known {
                    self.held_back = self.held_back.saturating_add(1);
                    if self.held_back_jobs.len() < MOST_NAMES {
                        self.held_back_jobs.insert(*job_id);
                    }
                    if self.machine.is_none() {
                        self.machine = Some(machine.clone());
                    }
                    if self.machines.len() < MOST_NAMES {
                        self.machines.insert(short_digest(machine));
                    }
                }
                (Spent::Granted, !known)
            }
            Spending::Nothing => (Spent::Granted, false),
            Spending::Notify if self.notified || self.held_back == 0 => (Spent::Refused, false),
            Spending::Notify => {
                self.notified = true;
                let spent = HeldBack {
                    begins_at: self.begins_at,
                    alerts: self.held_back,
                    machines: u64::try_from(self.machines.len()).unwrap_or(u64::MAX),
                    machine: self.machine.clone(),
                };
                (Spent::Notifies(spent), true)
            }
        }
    }
}

fn short_digest(machine: &ResourceId) -> Box<str> {
    let id = machine.to_string().to_ascii_lowercase();
    let digest = digest(&SHA256, id.as_bytes());
    super::machine::hex(&digest.as_ref()[..6]).into()
}

impl HeldBack {
    /// The sentence about it.
    pub fn sentence(&self) -> String {
        let plural = |count: u64, one: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {one}s"),
        };
        format!(
            "Held back: {} on {} in the hour from {:02}:00 UTC. The budget of packet captures (Budget__CapturesPerHour, \
             Budget__CapturesPerMachinePerDay) was used up.",
            plural(self.alerts, "alert"),
            plural(self.machines, "machine"),
            self.begins_at.hour(),
        )
    }

    /// A job that only delivers the notification of it; `None`: no machine is known. It has the same id whichever instance
    /// makes it.
    pub fn job(&self) -> Option<Job> {
        let target = Target::of(self.machine.clone()?)?;
        let key = format!("held back|{}", self.begins_at.unix_timestamp());
        let job_id = JobId::of(Action::Capture, &key, &target.id);
        Some(Job::of_notification(
            job_id,
            target,
            Report {
                status: Status::Skipped,
                reason: Some(Reason::BudgetExhausted.as_str().to_owned()),
                message: self.sentence(),
                ended_at: Some(self.begins_at.saturating_add(time::Duration::HOUR)),
                finished: true,
                ..Report::default()
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_budget_is_kept_whatever_is_applied_twice() {
        let jobs: Vec<JobId> = (0..4).map(|_| JobId::random()).collect();
        let mut hour = Hour::new(datetime!(2026-11-28 07:00 UTC));
        let spend = |job: usize| Spending::Spend {
            job_id: jobs[job],
            most: 2,
        };
        for (change, expected) in [
            (spend(0), (Spent::Granted, true)),
            (spend(0), (Spent::Again, false)),
            (spend(1), (Spent::Granted, true)),
            (spend(2), (Spent::Refused, false)),
            (
                Spending::GiveBack { job_id: jobs[0] },
                (Spent::Granted, true),
            ),
            (
                Spending::GiveBack { job_id: jobs[0] },
                (Spent::Granted, false),
            ),
            (spend(2), (Spent::Granted, true)),
            (spend(3), (Spent::Refused, false)),
        ] {
            assert_eq!(hour.apply(&change), expected, "{change:?}");
        }
    }

    #[test]
    fn what_was_held_back_is_counted_once_and_notified_once() {
        let machine = |name: &str| -> ResourceId {
            format!("/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}")
                .parse()
                .unwrap()
        };
        let mut hour = Hour::new(datetime!(2026-11-28 07:00 UTC));
        assert_eq!(hour.apply(&Spending::Notify), (Spent::Refused, false));
        let (one, two, three) = (JobId::random(), JobId::random(), JobId::random());
        for (job_id, name, changed) in [
            (one, "a", true),
            (one, "a", false),
            (two, "A", true),
            (three, "b", true),
        ] {
            let machine = machine(name);
            let change = Spending::HoldBack { job_id, machine };
            assert_eq!(hour.apply(&change), (Spent::Granted, changed));
        }
        let held_back = HeldBack {
            begins_at: hour.begins_at,
            alerts: 3,
            machines: 2,
            machine: Some(machine("a")),
        };
        let notifies = Spent::Notifies(held_back.clone());
        assert_eq!(hour.apply(&Spending::Notify), (notifies, true));
        assert_eq!(hour.apply(&Spending::Notify), (Spent::Refused, false));
        let job = held_back.job().unwrap();
        assert_eq!(job.job_id, held_back.job().unwrap().job_id);
        let message = &job.report.message;
        assert!(
            message.starts_with("Held back: 3 alerts on 2 machines in the hour from 07:00 UTC."),
            "{message}"
        );
        let one = HeldBack {
            alerts: 1,
            machines: 1,
            ..held_back
        };
        assert!(
            one.sentence()
                .starts_with("Held back: 1 alert on 1 machine in")
        );
    }

    #[test]
    fn hours_have_names() {
        let now = datetime!(2026-11-28 07:59:59.9 UTC);
        assert_eq!(Hour::of(now), datetime!(2026-11-28 07:00 UTC));
        assert_eq!(Hour::blob_name(Hour::of(now)), "budgets/2026112807.json");
    }
}
