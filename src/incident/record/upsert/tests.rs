//! What becomes of an incident as its jobs proceed, and in which order it does not matter.

use super::*;
use crate::{
    alert,
    incident::{FileLook, Phase},
};
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);

pub(in crate::incident::record) fn job() -> Job {
    let body = serde_json::json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": { "essentials": {
            "monitorCondition": "Fired", "alertRule": "cpu", "firedDateTime": "2026-11-28T07:29:00Z",
            "alertTargetIDs": ["/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-01"],
        }, "alertContext": {} }
    });
    let alert = alert::read(body.to_string().as_bytes()).unwrap();
    let mut job = Job::new(Action::Capture, alert.targets[0].clone(), &alert);
    job.taken_at = NOW;
    // Each one as if its alert were another.
    job.job_id = JobId::random();
    job
}

pub(in crate::incident::record) fn incident(job: &Job) -> Incident {
    let id = IncidentId::new(NOW, &job.target.id, &job.job_id);
    Incident::open(id, job.target.id.clone())
}

fn seconds(after: i64) -> OffsetDateTime {
    NOW + time::Duration::seconds(after)
}

fn kinds(incident: &Incident) -> Vec<What> {
    incident.steps.iter().map(|step| step.what).collect()
}

/// The additions of a job that waits, is created, runs and ends.
fn course(incident: &mut Incident, job: &mut Job) -> Vec<Addition> {
    let mut additions = Vec::new();
    let mut take = |incident: &mut Incident, job: &Job, after| {
        let addition = incident.news_of(&Arc::new(job.clone()), seconds(after));
        assert!(incident.add(&addition));
        assert!(!incident.add(&addition), "a second time it is no news");
        additions.push(addition);
    };
    take(incident, job, 0);
    job.report.message = "it waits".into();
    job.report.reason = Some("waiting_for_capture".into());
    take(incident, job, 1);
    job.failures = 1;
    take(incident, job, 2);
    job.failures = 0;
    job.report.status = Status::Created;
    job.report.message = "it is created".into();
    take(incident, job, 3);
    job.report.began_at = Some(seconds(4));
    take(incident, job, 5);
    job.report.status = Status::Completed;
    job.report.message = "it is complete".into();
    job.report.ended_at = Some(seconds(14));
    job.report.finished = true;
    job.phase = Phase::Notifying;
    take(incident, job, 15);
    additions
}

#[test]
fn the_steps_of_a_capture() {
    let mut job = job();
    let mut incident = incident(&job);
    course(&mut incident, &mut job);
    let steps: Vec<_> = incident
        .steps
        .iter()
        .map(|step| (step.at, step.what, &*step.text))
        .collect();
    assert_eq!(
        steps,
        [
            (seconds(-60), What::AlertFired, "Alert cpu fired"),
            (seconds(0), What::Accepted, "Alert cpu was accepted"),
            (seconds(1), What::Waiting, "it waits"),
            (seconds(2), What::Failed, "Attempt 1 failed; it is retried"),
            (
                seconds(4),
                What::Running,
                "Azure started the packet capture"
            ),
            (seconds(14), What::Ended, "it is complete"),
        ]
    );
    assert_eq!(incident.entries.len(), 1);
    assert_eq!(&*incident.entries[0].phase, Phase::Notifying.as_str());
}

#[test]
fn what_is_added_again_or_in_another_order_ends_alike() {
    let mut job = job();
    let mut one = incident(&job);
    let additions = course(&mut one, &mut job);
    // Another process wrote about another alert meanwhile, and an old write of this one came late.
    let mut second = self::job();
    second.taken_at = seconds(6);
    let news = one.news_of(&Arc::new(second.clone()), seconds(7));
    let mut other = incident(&job);
    other.add(&news);
    for addition in additions.iter().chain(&additions[..2]) {
        other.add(addition);
    }
    one.add(&news);
    assert_eq!(other, one);
    assert_eq!(one.entries.len(), 2);
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<Incident>(&text).unwrap(), one);
}

#[test]
fn a_resolution_is_noted_once() {
    let mut job = job();
    let mut incident = incident(&job);
    course(&mut incident, &mut job);
    let resolved = |job_id, rule: &str| {
        Addition::of_resolved(Resolved {
            job_id,
            rule: Some(rule.into()),
            at: seconds(20),
        })
    };
    assert!(!incident.add(&resolved(Some(JobId::random()), "other")));
    assert!(incident.add(&resolved(None, "cpu")));
    assert!(!incident.add(&resolved(Some(job.job_id), "cpu")));
    assert_eq!(kinds(&incident).last(), Some(&What::AlertResolved));
    assert_eq!(incident.entries[0].resolved_at, Some(seconds(20)));
    // A later write of the job does not take it back.
    job.report.message = "more".into();
    let news = incident.news_of(&Arc::new(job.clone()), seconds(21));
    assert!(incident.add(&news));
    assert_eq!(incident.entries[0].resolved_at, Some(seconds(20)));
}

#[test]
fn an_alert_that_is_held_back_is_an_entry() {
    let job = job();
    let mut incident = incident(&job);
    let facts = job.alert.clone();
    let machine = &job.target.id;
    let addition = Addition::held_back(job.job_id, facts, machine, Reason::Cooldown, NOW);
    assert!(incident.add(&addition));
    assert!(!incident.add(&addition));
    assert_eq!(kinds(&incident), [What::AlertFired, What::HeldBack]);
    let report = &incident.entries[0].report;
    assert_eq!(report.status, Status::Skipped);
    assert!(
        report
            .message
            .starts_with("web-01 is not captured: a packet capture")
    );
}

#[test]
fn a_long_incident_keeps_its_newest_entries_and_steps() {
    let mut incident = incident(&job());
    for number in 0..MOST_STEPS + 5 {
        let mut job = job();
        let number = i64::try_from(number).unwrap();
        job.taken_at = seconds(number);
        job.report.finished = number > 0;
        incident.add(&incident.news_of(&Arc::new(job.clone()), seconds(number)));
    }
    assert_eq!(incident.entries.len(), MOST_ENTRIES);
    assert_eq!(
        incident.entries_left_out as usize,
        MOST_STEPS + 5 - MOST_ENTRIES
    );
    assert_eq!(incident.entries[0].accepted_at, seconds(0), "in progress");
    assert_eq!(incident.steps.len(), MOST_STEPS);
    assert!(incident.steps_left_out > 0);
    let text = serde_json::to_string(&incident).unwrap();
    assert!(text.len() < 512 * 1024, "{}", text.len());
}

#[test]
fn lines_about_files_give_way_before_a_record_is_too_large() {
    let first = job();
    let mut incident = incident(&first);
    let look = FileLook {
        lines: vec!["x".repeat(390).into(); 8],
        counts: vec!["y".repeat(390).into(); 8],
        file_bytes: Some(7),
        ..FileLook::new(NOW)
    };
    for number in 0..200 {
        let mut job = job();
        job.taken_at = seconds(number);
        job.report.finished = true;
        job.report.look = Some(Box::new(look.clone()));
        let news = incident.news_of(&Arc::new(job), seconds(number));
        assert!(incident.add(&news));
    }
    let lines = |entry: &Entry| entry.report.look.as_ref().unwrap().lines.len();
    assert_eq!(lines(&incident.entries[0]), 1);
    assert_eq!(lines(&incident.entries[199]), 8);
    let analyzed = incident.steps.iter().filter(|it| it.what == What::Analyzed);
    assert_eq!(analyzed.count(), 200);
    let size = serde_json::to_vec(&incident).unwrap().len();
    assert!(size < 900_000, "{size}");
    assert_eq!(incident.entries[0].file_bytes, Some(7));
}
