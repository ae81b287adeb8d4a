//! What came of a night: what must hold of it, and its figures.

use super::{
    Plan, Receiver,
    azure::{Azure, POISON},
    senders::{Record, Sent},
};
use azure_sandbox::Entry;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

/// Most calls a second that Resource Manager may see on average over any minute. It gives a subscription and principal
/// 25 reads a second, and takes a sudden rush out of a bucket of 250.
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>
pub const CALLS_PER_SECOND: usize = 25;
const BUCKET: usize = 250;

/// What is judged.
pub struct Night<'a> {
    pub plan: &'a Plan,
    pub sent: &'a Sent,
    pub azure: &'a Azure,
    pub receiver: &'a Receiver,
    pub healed: usize,
    pub drained: Duration,
    pub stuck: Vec<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Everything that must not be; none after a good night.
    pub wrong: Vec<String>,
    figures: Vec<(&'static str, String)>,
}

impl Verdict {
    /// Adds a figure.
    pub fn figure(&mut self, name: &'static str, value: impl fmt::Display) {
        self.figures.push((name, value.to_string()));
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.figures {
            writeln!(f, "{name:34} {value}")?;
        }
        for wrong in &self.wrong {
            writeln!(f, "WRONG: {wrong}")?;
        }
        Ok(())
    }
}

/// The ids of the final notifications of each job.
fn ends(notices: &[Value]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut ends: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for notice in notices.iter().filter(|it| it["data"]["event"] != "created") {
        if let (Some(job), Some(id)) = (notice["data"]["jobId"].as_str(), notice["id"].as_str()) {
            ends.entry(job).or_default().insert(id);
        }
    }
    ends
}

/// Jobs of alerts that were not resolved, and have no final notification yet.
pub fn open(sent: &Sent, notices: &[Value]) -> usize {
    let ends = ends(notices);
    let records = sent.records();
    let due = records.iter().filter(|record| !record.resolved);
    let due = due.flat_map(|record| record.jobs.keys());
    due.filter(|job| !ends.contains_key(job.as_str())).count()
}

pub fn of(night: Night<'_>) -> Verdict {
    let Night {
        plan,
        sent,
        azure,
        receiver,
        healed,
        drained,
        stuck,
    } = night;
    let mut verdict = Verdict {
        wrong: stuck,
        ..Verdict::default()
    };
    verdict.wrong.extend(sent.strange());
    let notices = receiver.notices();
    let ends = ends(&notices);
    let records = sent.records();

    let jobs = sent.jobs();
    let mut resolved_before = 0;
    for record in &records {
        for (job, target) in &record.jobs {
            match ends.get(job.as_str()) {
                Some(ids) if ids.len() == 1 => {}
                Some(ids) => verdict
                    .wrong
                    .push(format!("job {job} has the ends {ids:?}")),
                // Resolved before its create: there is nothing to report.
                None if record.resolved => resolved_before += 1,
                None => verdict
                    .wrong
                    .push(format!("job {job} of {target} has no end")),
            }
        }
        // What a killed process knew of earlier deliveries is lost, and so is what an unanswered sender did not receive.
        let targets: BTreeSet<&String> = record.jobs.values().collect();
        if targets.len() < record.jobs.len() && record.unanswered == 0 && !plan.kills {
            verdict.wrong.push(format!(
                "one alert, several jobs for one machine: {:?}",
                record.jobs
            ));
        }
    }
    // A sender that got no answer or a 503 does not know that the queue has its alert: it sends it again.
    let unanswered: usize = records.iter().map(|record| record.unanswered).sum();
    let refused = sent.refused();
    let unknown = ends.keys().filter(|job| !jobs.contains(**job)).count();
    if unknown > 0 && unanswered + refused == 0 {
        let text = format!("{unknown} jobs that no answer has named");
        verdict.wrong.push(text);
    }
    verdict
        .wrong
        .extend(too_many_sessions(azure, &jobs_of(&records, &notices)));
    let harmed = azure.harmed();
    if !harmed.is_empty() {
        verdict
            .wrong
            .push(format!("captures of others were changed: {harmed:?}"));
    }
    let cut_short = azure.cut_short();
    if !cut_short.is_empty() {
        verdict
            .wrong
            .push(format!("running captures were deleted: {cut_short:?}"));
    }
    for poisoned in azure.queue_messages(POISON) {
        let job: Value = serde_json::from_str(&poisoned).unwrap_or_default();
        let told = job["jobId"]
            .as_str()
            .is_some_and(|job| ends.contains_key(job));
        if !told {
            verdict.wrong.push(format!(
                "in the poison queue without a notification: {poisoned}"
            ));
        }
    }

    let repeated = notices.len() - ends.values().map(BTreeSet::len).sum::<usize>();
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for notice in notices.iter().filter(|it| ids.insert(it["id"].to_string())) {
        let data = &notice["data"];
        let event = data["event"].as_str().unwrap_or_default();
        let code = data["failure"]["code"].as_str().unwrap_or_default();
        *events
            .entry(format!("{event} {code}").trim().to_owned())
            .or_default() += 1;
    }
    let journal = azure.journal();
    let calls: Vec<&Entry> = journal
        .iter()
        .filter(|it| it.path.starts_with("/subscriptions"))
        .collect();
    let seconds: Vec<usize> = per_second(&calls);
    let busiest = seconds.iter().max().copied().unwrap_or_default();
    let minute = busiest_run(&seconds, 60);
    let deepest = deepest(&seconds);
    if deepest > BUCKET {
        verdict.wrong.push(format!(
            "Resource Manager would have refused calls: {deepest} more than {CALLS_PER_SECOND} a second allow"
        ));
    }
    let failed = calls.iter().filter(|it| it.fault.is_some()).count();
    let repeats = azure.repeats();
    verdict.figure("alerts", records.len());
    verdict.figure("  sent again after a 503", refused);
    verdict.figure("  sent again without an answer", unanswered);
    verdict.figure("jobs", jobs.len());
    verdict.figure("  resolved before their create", resolved_before);
    verdict.figure("  that no answer has named", unknown);
    verdict.figure("final notifications", ends.len());
    for (event, count) in events {
        verdict.figure("  of these", format!("{count} {event}"));
    }
    verdict.figure("  delivered again", repeated);
    verdict.figure("  deliveries in all", receiver.came());
    verdict.figure("sessions that ran", azure.sessions_run().len());
    verdict.figure("captures with a mishap at the end", healed);
    verdict.figure(
        "messages received again",
        azure.messages_given_out(super::azure::QUEUE),
    );
    verdict.figure(
        "messages in the poison queue",
        azure.queue_messages(POISON).len(),
    );
    verdict.figure(
        "calls to Resource Manager",
        format!("{} ({failed} of them failed)", calls.len()),
    );
    verdict.figure("  in the busiest second", busiest);
    verdict.figure(
        "  a second in the busiest minute",
        format!("{:.1} (limit {CALLS_PER_SECOND})", minute as f64 / 60.0),
    );
    verdict.figure(
        "  beyond that limit at once",
        format!("{deepest} (limit {BUCKET})"),
    );
    verdict.figure(
        "  after a Retry-After",
        format!("{} ({} too early)", repeats.patient, repeats.impatient),
    );
    if repeats.impatient > 0 {
        verdict.wrong.push(format!(
            "{} calls came before their Retry-After",
            repeats.impatient
        ));
    }
    verdict.figure(
        "s until all jobs had ended",
        format!("{:.1}", drained.as_secs_f64()),
    );
    verdict
}

/// How many jobs there were for each target, in lower case.
fn jobs_of(records: &[Record], notices: &[Value]) -> BTreeMap<String, usize> {
    let mut jobs: BTreeMap<&str, String> = BTreeMap::new();
    for notice in notices {
        let data = &notice["data"];
        if let (Some(job), Some(target)) = (data["jobId"].as_str(), data["target"].as_str()) {
            jobs.insert(job, target.to_lowercase());
        }
    }
    let answered = records.iter().flat_map(|record| &record.jobs);
    jobs.extend(answered.map(|(job, target)| (job.as_str(), target.clone())));
    let mut of: BTreeMap<String, usize> = BTreeMap::new();
    for target in jobs.into_values() {
        *of.entry(target).or_default() += 1;
    }
    of
}

/// Machines on which more sessions ran than there were jobs: something was captured twice for one alert.
fn too_many_sessions(azure: &Azure, jobs: &BTreeMap<String, usize>) -> Vec<String> {
    let mut ran: BTreeMap<String, usize> = BTreeMap::new();
    for target in azure.sessions_run() {
        *ran.entry(target.to_lowercase()).or_default() += 1;
    }
    let mut wrong = Vec::new();
    for (target, ran) in ran {
        // Sessions of instances run on their scale set.
        let instances = format!("{target}/");
        let due = jobs.iter();
        let due = due.filter(|(known, _)| **known == target || known.starts_with(&instances));
        let due: usize = due.map(|(_, jobs)| jobs).sum();
        if ran > due {
            wrong.push(format!("{ran} sessions ran on {target} for {due} jobs"));
        }
    }
    wrong
}

fn per_second(calls: &[&Entry]) -> Vec<usize> {
    let Some(first) = calls.first().map(|it| it.time.unix_timestamp()) else {
        return Vec::new();
    };
    let mut seconds = Vec::new();
    for call in calls {
        let second = usize::try_from(call.time.unix_timestamp() - first).unwrap_or_default();
        if seconds.len() <= second {
            seconds.resize(second + 1, 0);
        }
        seconds[second] += 1;
    }
    seconds
}

fn busiest_run(seconds: &[usize], length: usize) -> usize {
    let runs = seconds.windows(length.min(seconds.len()).max(1));
    runs.map(|run| run.iter().sum()).max().unwrap_or_default()
}

/// How far the calls got below a bucket that is refilled at the limit.
fn deepest(seconds: &[usize]) -> usize {
    let mut taken = 0_usize;
    let mut deepest = 0;
    for calls in seconds {
        taken = (taken + calls).saturating_sub(CALLS_PER_SECOND);
        deepest = deepest.max(taken);
    }
    deepest
}
