//! What is remembered of one machine across processes: its recent alerts, which copy of each job counts, its open incident,
//! its cool-down and its budget. The document is the only lock there is: all who want to capture a machine write it on a
//! condition, and an instance that loses reads it again and decides again. Pure.

mod change;
mod seen;

pub use change::{Admission, Change, Delivery, Verdict};
pub(crate) use seen::hex;
pub use seen::{CopyId, First, Seen, Stage};

use super::{
    job::{Action, JobId},
    record::{IncidentId, VERSION},
};
use crate::resource_id::ResourceId;
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::{Date, OffsetDateTime};

/// How long an alert is remembered after it was accepted, so that another delivery of it is recognized.
pub const REMEMBERED: Duration = Duration::from_secs(3600);
/// Maximum number of alerts remembered of one machine; finished ones give way first, the oldest of them first.
const MOST_SEEN: usize = 500;
/// A job without a change for this long was lost with its message: it keeps no incident open. The longest one captures for
/// five hours and then retries its notification for a day.
const LOST: Duration = Duration::from_secs(36 * 3600);

/// What the owner has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a machine is left alone after a capture of it was accepted; the longest of all profiles.
    pub cooldown: Duration,
    /// How long after its last capture an incident takes further alerts in.
    pub quiet: Duration,
    /// Maximum number of captures of one machine on one day (UTC).
    pub captures_per_day: Option<u32>,
    /// How long a process may take to put a job into the queue once it has claimed it. A claim that is older, and not
    /// followed by a queue message, was left by a process that ended.
    pub claim: Duration,
}

/// What is remembered of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    pub version: u32,
    pub machine: ResourceId,
    /// The newest incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// Until when its newest incident takes further alerts in, should no capture run.
    #[serde(
        with = "time::serde::rfc3339::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub quiet_until: Option<OffsetDateTime>,
    /// The last capture that was accepted, unless it failed: the cool-down counts from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Captured>,
    /// Captures accepted on the last day that had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// In the order in which they were accepted.
    pub seen: Vec<Seen>,
}

/// A capture that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Captured {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub job_id: JobId,
}

/// Captures accepted on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Day {
    #[serde(with = "readable")]
    pub date: Date,
    pub captures: u32,
}

time::serde::format_description!(readable, Date, "[year]-[month]-[day]");

impl Machine {
    /// A machine of which nothing is known.
    pub fn new(machine: ResourceId) -> Self {
        Self {
            version: VERSION,
            machine,
            incident: None,
            quiet_until: None,
            captured: None,
            day: None,
            seen: Vec::new(),
        }
    }

    /// The name of its blob: `machines/` and 32 hexadecimal digits of a digest of the machine's id, whose own characters
    /// and length no blob name takes.
    pub fn blob_name(machine: &ResourceId) -> String {
        let id = machine.to_string().to_ascii_lowercase();
        let digest = digest(&SHA256, id.as_bytes());
        format!("machines/{}.json", hex(&digest.as_ref()[..16]))
    }

    /// What is known of a job.
    pub fn find(&self, job: &JobId) -> Option<&Seen> {
        self.seen.iter().rev().find(|seen| seen.job_id == *job)
    }

    fn find_mut(&mut self, job: &JobId) -> Option<&mut Seen> {
        self.seen.iter_mut().rev().find(|seen| seen.job_id == *job)
    }

    /// The incident that an alert joins now.
    pub fn open_incident(&self, now: OffsetDateTime) -> Option<&IncidentId> {
        let incident = self.incident.as_ref()?;
        let quiet = self.quiet_until.is_some_and(|until| until > now);
        (quiet || self.is_in_progress(incident, now)).then_some(incident)
    }

    fn is_in_progress(&self, incident: &IncidentId, now: OffsetDateTime) -> bool {
        self.seen.iter().any(|seen| {
            seen.incident.as_ref() == Some(incident)
                && seen.action == Action::Capture
                && seen.stage < Stage::Ended
                && before(now, seen.updated_at) < LOST
        })
    }

    /// When the capture that cools the machine down was accepted; `None`: it may be captured.
    pub fn cools_down_since(
        &self,
        now: OffsetDateTime,
        cooldown: Duration,
    ) -> Option<OffsetDateTime> {
        let captured = self.captured?;
        (before(now, captured.at) < cooldown).then_some(captured.at)
    }

    /// Captures accepted on the day of `now`.
    pub fn captures_today(&self, now: OffsetDateTime) -> u32 {
        let today = self.day.filter(|day| day.date == now.date());
        today.map_or(0, |day| day.captures)
    }

    /// Whether nothing here decides about a later alert.
    pub fn is_forgettable(&self, now: OffsetDateTime, limits: &Limits) -> bool {
        let day = limits.captures_per_day.is_some() && self.captures_today(now) > 0;
        !day && self.open_incident(now).is_none()
            && self.cools_down_since(now, limits.cooldown).is_none()
            && self.seen.iter().all(|seen| is_old(seen, now))
    }

    /// When its last job finished; `None`: one is in progress.
    pub fn finished_at(&self) -> Option<OffsetDateTime> {
        let finished = self.seen.iter().all(|seen| seen.stage == Stage::Done);
        let last = self.seen.iter().map(|seen| seen.updated_at).max();
        finished.then(|| last.unwrap_or(OffsetDateTime::UNIX_EPOCH))
    }

    /// Forgets what no longer decides.
    fn forget(&mut self, now: OffsetDateTime) {
        self.seen.retain(|seen| !is_old(seen, now));
        // One more is about to be added.
        while self.seen.len() >= MOST_SEEN {
            let finished = |seen: &Seen| seen.stage == Stage::Done;
            let oldest = self.seen.iter().position(finished).unwrap_or_default();
            self.seen.remove(oldest);
        }
    }
}

/// Whether an alert is no longer recognized: an hour old and finished, or lost.
fn is_old(seen: &Seen, now: OffsetDateTime) -> bool {
    match seen.stage {
        Stage::Done => before(now, seen.at) >= REMEMBERED,
        _ => before(now, seen.updated_at) >= LOST.max(REMEMBERED),
    }
}

/// How long `at` was before `now`; zero when it was not, as clocks of two instances differ.
pub(crate) fn before(now: OffsetDateTime, at: OffsetDateTime) -> Duration {
    let nanos = now
        .unix_timestamp_nanos()
        .saturating_sub(at.unix_timestamp_nanos());
    let seconds = nanos.max(0).checked_div(1_000_000_000).unwrap_or_default();
    let rest = nanos.max(0).checked_rem(1_000_000_000).unwrap_or_default();
    Duration::new(
        u64::try_from(seconds).unwrap_or(u64::MAX),
        u32::try_from(rest).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests;
