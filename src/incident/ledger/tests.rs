//! How long the ledger remembers, and in which order it tells.

use super::*;
use crate::{alert, incident::Phase};

fn job(machine: usize) -> Job {
    let id = format!(
        "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m{machine}"
    );
    let body = serde_json::json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": { "essentials": { "monitorCondition": "Fired", "alertTargetIDs": [id] }, "alertContext": {} }
    });
    let alert = alert::read(body.to_string().as_bytes()).unwrap();
    Job::new(Action::Capture, alert.targets[0].clone(), &alert)
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_known_for_an_hour() {
    let ledger = Ledger::default();
    let (first, second) = (job(1), job(1));
    assert_eq!(ledger.open(Some("k"), std::slice::from_ref(&first)), Ok(()));
    let known = Err(vec![first.job_id]);
    assert_eq!(ledger.open(Some("k"), std::slice::from_ref(&second)), known);
    tokio::time::advance(REMEMBERED).await;
    assert_eq!(
        ledger.open(Some("k"), std::slice::from_ref(&second)),
        Ok(())
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_is_known_as_long_as_it_goes_and_an_hour_longer() {
    let ledger = Ledger::default();
    let (mut followed, mut handed_over, silent) = (job(1), job(2), job(3));
    for job in [&followed, &handed_over, &silent] {
        ledger.open(None, std::slice::from_ref(job)).unwrap();
    }
    let known = |job: &Job| {
        ledger
            .page(None, 10)
            .0
            .iter()
            .any(|view| view.job_id == job.job_id)
    };
    tokio::time::advance(SILENT / 2).await;
    followed.phase = Phase::Notifying;
    ledger.record(&followed);
    ledger.leave(&handed_over.job_id, ELSEWHERE);
    assert_eq!(ledger.job(&handed_over.job_id).unwrap().phase, "elsewhere");
    assert!(known(&followed) && known(&handed_over) && known(&silent));
    tokio::time::advance(SILENT / 2).await;
    assert!(known(&followed) && !known(&handed_over) && !known(&silent));
    followed.report.finished = true;
    ledger.record(&followed);
    tokio::time::advance(REMEMBERED - Duration::from_secs(1)).await;
    assert_eq!(ledger.job(&followed.job_id).unwrap().phase, "telling");
    assert!(known(&followed));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!known(&followed));
    // It comes back from another instance.
    handed_over.failures = 2;
    ledger.record(&handed_over);
    assert_eq!(ledger.job(&handed_over.job_id).unwrap().failures, 2);
}

#[tokio::test(start_paused = true)]
async fn pages_are_not_disturbed_by_new_jobs() {
    let ledger = Ledger::default();
    let mut jobs: Vec<Job> = (0..5).map(job).collect();
    // Two of them at the same moment: their ids decide.
    jobs[1].taken_at = jobs[2].taken_at;
    ledger.open(None, &jobs).unwrap();
    let mut expected: Vec<_> = jobs.iter().map(|job| (job.taken_at, job.job_id)).collect();
    expected.sort();
    expected.reverse();
    let place = |view: &JobRecord| (view.taken_at, view.job_id);
    let (first, more) = ledger.page(None, 2);
    assert!(more);
    ledger.open(None, &[job(9)]).unwrap();
    let (second, more) = ledger.page(first.last().map(place).as_ref(), 3);
    assert!(!more);
    let seen: Vec<_> = first.iter().chain(&second).map(place).collect();
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn jobs_that_are_over_give_way_first() {
    let ledger = Ledger::default();
    let long = job(0);
    ledger.open(None, std::slice::from_ref(&long)).unwrap();
    for n in 1..MOST_ENTRIES + 50 {
        let mut short = job(n % 7);
        ledger.open(None, std::slice::from_ref(&short)).unwrap();
        short.report.finished = true;
        ledger.record(&short);
    }
    assert!(ledger.job(&long.job_id).is_some());
    assert!(ledger.state().jobs.len() <= MOST_ENTRIES);
}

#[tokio::test(start_paused = true)]
async fn a_target_is_remembered_unless_its_capture_failed() {
    let ledger = Ledger::default();
    let mut job = job(1);
    assert_eq!(ledger.accepted_at(&job.target.id), None);
    ledger.open(None, std::slice::from_ref(&job)).unwrap();
    assert_eq!(ledger.accepted_at(&job.target.id), Some(Instant::now()));
    job.report.status = Status::Failed;
    ledger.record(&job);
    assert_eq!(ledger.accepted_at(&job.target.id), None);
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded() {
    let ledger = Ledger::default();
    for n in 0..MOST_ENTRIES + 50 {
        ledger.open(Some(&n.to_string()), &[job(n)]).unwrap();
    }
    let state = ledger.state();
    assert!(state.jobs.len() <= MOST_ENTRIES && state.alerts.len() <= MOST_ENTRIES);
    assert!(state.targets.len() <= MOST_ENTRIES + 1);
    assert!(state.under_way.len() <= 2 * MOST_ENTRIES + 1);
}

#[tokio::test(start_paused = true)]
async fn alerts_that_are_sent_away_push_nothing_out() {
    let ledger = Ledger::default();
    let kept = job(1);
    ledger
        .open(Some("kept"), std::slice::from_ref(&kept))
        .unwrap();
    for _ in 0..MOST_ENTRIES + 50 {
        let away = [job(2)];
        ledger.open(Some("away"), &away).unwrap();
        ledger.withdraw(Some("away"), &away);
    }
    assert_eq!(ledger.known("kept"), Some(vec![kept.job_id]));
    assert!(ledger.report(&kept.job_id).is_some() && ledger.known("away").is_none());
}
