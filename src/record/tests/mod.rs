//! Two keepers over one store are two instances: what one writes the other knows, however answers are lost or late and
//! while the store is down.

mod faulty;
mod two;

use super::*;
use crate::{
    alert,
    incident::{
        Action, CopyId, Job, JobId, KnownAlert, Limits, Machine, Status,
        filter::Filter,
        machine::{Admission, Delivery, Verdict},
        record::What,
    },
    resource_id::ResourceId,
};
use faulty::Faulty;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use time::macros::datetime;
use tokio::time::Instant;

fn options() -> RecordOptions {
    RecordOptions {
        limits: Limits {
            cooldown: Duration::ZERO,
            quiet: Duration::from_secs(900),
            captures_per_day: None,
            claim: Duration::from_secs(6),
        },
        captures_per_hour: None,
        answer_within: Duration::from_secs(2),
        probe_every: Duration::from_secs(3),
        gather: Duration::from_millis(50),
        clock: Clock::From(datetime!(2026-11-28 07:30:00 UTC), Instant::now()),
    }
}

/// A job for an alert with this key on this machine.
fn job(key: &str, machine: &str) -> Job {
    let id = format!(
        "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{machine}"
    );
    let body = serde_json::json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": { "essentials": { "monitorCondition": "Fired", "alertRule": "cpu", "alertTargetIDs": [id] }, "alertContext": {} }
    });
    let alert = alert::read(body.to_string().as_bytes()).unwrap();
    let mut job = Job::new(Action::Capture, alert.targets[0].clone(), &alert);
    job.job_id = JobId::of(Action::Capture, key, &job.target.id);
    job.copy = CopyId::new(rand::random());
    job
}

fn admission(incidents: &Incidents, job: &Job) -> Admission {
    Admission {
        at: incidents.now(),
        ..Admission::of(job)
    }
}

fn delivery(incidents: &Incidents, job: &Job, message: &str) -> Delivery {
    Delivery {
        admission: admission(incidents, job),
        ..Delivery::of(job, Some(message), None)
    }
}

/// An alert that is claimed, queued and received as its own process does. `None`: it was not new.
async fn accept(incidents: &Incidents, job: &mut Job, message: &str) -> Option<Verdict> {
    let machine = job.target.id.clone();
    let claim = incidents.claim(&machine, admission(incidents, job));
    let verdict = claim.confirmed().await;
    let Verdict::New { incident, .. } = &verdict else {
        return None;
    };
    job.incident = incident.clone();
    incidents.claimed(job, true, &verdict);
    let delivery = delivery(incidents, job, message);
    let received = incidents.receive(delivery, &machine, true).await;
    assert!(matches!(received, Verdict::Ours { .. }), "{received:?}");
    Some(verdict)
}

fn end(incidents: &Incidents, job: &mut Job, status: Status) {
    job.report.status = status;
    job.report.message = "it ended".to_owned();
    job.report.ended_at = Some(incidents.now());
    job.report.finished = true;
    incidents.record(&Arc::new(job.clone()));
}

fn machine(name: &str) -> ResourceId {
    job("", name).target.id
}

#[tokio::test(start_paused = true)]
async fn a_storm_does_not_fill_the_memory_with_what_is_quiet() {
    let incidents = Incidents::new(None, options());
    let mut running = job("a", "running");
    accept(&incidents, &mut running, "0").await.unwrap();
    incidents.open(&Arc::new(running.clone()));
    let mut last = None;
    for number in 0..13_000 {
        let mut job = job("a", &format!("m{number}"));
        accept(&incidents, &mut job, "1").await.unwrap();
        incidents.open(&Arc::new(job.clone()));
        end(&incidents, &mut job, Status::Failed);
        assert!(incidents.finish(&Arc::new(job.clone())).await);
        tokio::time::advance(Duration::from_millis(10)).await;
        last = job.incident;
    }
    let mut ids = BTreeSet::new();
    incidents.incidents.each(None, |_, incident| {
        ids.insert(incident.id.clone());
        true
    });
    // A sweep comes when a quarter more is there.
    assert!((4_000..=5_000).contains(&ids.len()), "{}", ids.len());
    assert!(ids.contains(running.incident.as_ref().unwrap()));
    assert!(ids.contains(&last.unwrap()), "the newest ones stay");
    let machines = |name: &str| {
        let name = Machine::blob_name(&machine(name));
        incidents.machines.with(&name, |_| ()).is_some()
    };
    let kept = (0..13_000).filter(|number| machines(&format!("m{number}")));
    let kept: Vec<u32> = kept.collect();
    assert!((9_999..12_500).contains(&kept.len()), "{}", kept.len());
    let newest = 13_000 - u32::try_from(kept.len()).unwrap();
    assert_eq!(kept[0], newest, "the oldest gave way");
    assert!(machines("running"), "what is in progress stays");
}

#[tokio::test(start_paused = true)]
async fn in_one_process_everything_is_decided_at_once() {
    let incidents = Incidents::new(None, options());
    let mut first = job("a", "web-01");
    accept(&incidents, &mut first, "1").await.unwrap();
    let mut second = job("a", "web-01");
    assert_eq!(accept(&incidents, &mut second, "2").await, None);
    let known = incidents.known(&first.target.id, Some(&first.job_id));
    assert!(matches!(known, Some(KnownAlert::Before(_))), "{known:?}");
    incidents.open(&Arc::new(first.clone()));
    end(&incidents, &mut first, Status::Completed);
    assert!(incidents.finish(&Arc::new(first.clone())).await);
    let rows = incidents.list(&Filter::default(), None, 10).await.unwrap();
    assert_eq!((rows.rows.len(), rows.next), (1, None));
    assert_eq!(&*rows.rows[0].outcome, "it ended");
    let found = incidents.get(first.incident.as_ref().unwrap()).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.entries.len(), 1);
    // What follows from the job is not kept, and shown all the same.
    let kinds: BTreeSet<What> = found.steps.iter().map(|step| step.what).collect();
    assert_eq!(kinds, BTreeSet::from([What::Accepted, What::Ended]));
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_what_is_in_progress_stays() {
    let incidents = Incidents::new(None, options());
    let mut running = job("a", "running");
    accept(&incidents, &mut running, "0").await.unwrap();
    incidents.open(&Arc::new(running.clone()));
    for number in 0..3_000 {
        let mut job = job("a", &format!("m{number}"));
        accept(&incidents, &mut job, "1").await.unwrap();
        incidents.open(&Arc::new(job.clone()));
        end(&incidents, &mut job, Status::Completed);
        assert!(incidents.finish(&Arc::new(job.clone())).await);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let mut ids = Vec::new();
    incidents.incidents.each(None, |_, incident| {
        ids.push(incident.id.clone());
        true
    });
    // Those that alerts can still join are kept, too.
    assert!(ids.len() <= 3_000, "{}", ids.len());
    assert!(ids.contains(running.incident.as_ref().unwrap()));
    let page = |after: Option<String>| {
        let incidents = incidents.clone();
        async move {
            let filter = Filter {
                machine: Some("m2990".into()),
                ..Filter::default()
            };
            incidents.list(&filter, after.as_deref(), 1).await.unwrap()
        }
    };
    let found = page(None).await;
    assert_eq!((found.rows.len(), found.next), (1, None));
}
