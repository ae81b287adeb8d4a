//! How long the ledger remembers, and in which order it lists.

use super::{
    state::{MOST_JOBS, SILENT},
    *,
};
use crate::{
    alert,
    incident::{Action, Phase, Session},
};
use std::time::Duration;

const CAPACITY: usize = 50_000;

fn job(machine: usize) -> Arc<Job> {
    let id = format!(
        "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m{machine}"
    );
    let body = serde_json::json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": { "essentials": { "monitorCondition": "Fired", "alertTargetIDs": [id] }, "alertContext": {} }
    });
    let alert = alert::read(body.to_string().as_bytes()).unwrap();
    Arc::new(Job::new(Action::Capture, alert.targets[0].clone(), &alert))
}

#[tokio::test(start_paused = true)]
async fn a_job_is_known_as_long_as_it_goes_and_an_hour_longer() {
    let ledger = Ledger::default();
    let (mut followed, mut handed_over, silent) = (job(1), job(2), job(3));
    for job in [&followed, &handed_over, &silent] {
        ledger.open(std::slice::from_ref(job), CAPACITY).unwrap();
    }
    let known = |job: &Arc<Job>| {
        ledger
            .page(None, 10)
            .0
            .iter()
            .any(|view| view.job_id == job.job_id)
    };
    tokio::time::advance(SILENT / 2).await;
    Arc::make_mut(&mut followed).phase = Phase::Notifying;
    ledger.record(&followed);
    ledger.leave(&handed_over.job_id, ELSEWHERE);
    assert_eq!(ledger.job(&handed_over.job_id).unwrap().phase, "elsewhere");
    assert!(known(&followed) && known(&handed_over) && known(&silent));
    tokio::time::advance(SILENT / 2).await;
    assert!(known(&followed) && !known(&handed_over) && !known(&silent));
    Arc::make_mut(&mut followed).report.finished = true;
    ledger.record(&followed);
    tokio::time::advance(REMEMBERED - Duration::from_secs(1)).await;
    assert_eq!(ledger.job(&followed.job_id).unwrap().phase, "notifying");
    assert!(known(&followed));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!known(&followed));
    // It comes back from another instance.
    Arc::make_mut(&mut handed_over).failures = 2;
    ledger.record(&handed_over);
    assert_eq!(ledger.job(&handed_over.job_id).unwrap().failures, 2);
}

#[tokio::test(start_paused = true)]
async fn pages_are_not_disturbed_by_new_jobs() {
    let ledger = Ledger::default();
    let mut jobs: Vec<Arc<Job>> = (0..5).map(job).collect();
    // Two of them at the same moment: their ids decide.
    Arc::make_mut(&mut jobs[1]).taken_at = jobs[2].taken_at;
    ledger.open(&jobs, CAPACITY).unwrap();
    let mut expected: Vec<_> = jobs.iter().map(|job| (job.taken_at, job.job_id)).collect();
    expected.sort();
    expected.reverse();
    let place = |view: &JobRecord| (view.taken_at, view.job_id);
    let (first, more) = ledger.page(None, 2);
    assert!(more);
    ledger.open(&[job(9)], CAPACITY).unwrap();
    let (second, more) = ledger.page(first.last().map(place).as_ref(), 3);
    assert!(!more);
    let seen: Vec<_> = first.iter().chain(&second).map(place).collect();
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn finished_jobs_give_way_first() {
    let ledger = Ledger::default();
    let long = job(0);
    ledger.open(std::slice::from_ref(&long), CAPACITY).unwrap();
    for n in 1..MOST_JOBS + 50 {
        let mut short = job(n % 7);
        ledger.open(std::slice::from_ref(&short), CAPACITY).unwrap();
        Arc::make_mut(&mut short).report.finished = true;
        ledger.record(&short);
    }
    assert!(ledger.job(&long.job_id).is_some());
    assert!(ledger.state().jobs.len() <= MOST_JOBS);
}

/// A job whose capture runs.
fn running(machine: usize) -> Arc<Job> {
    let mut job = job(machine);
    let (watcher, ends_at) = (job.target.id.clone(), job.taken_at);
    Arc::make_mut(&mut job).phase = Phase::Running {
        session: Session {
            watcher,
            name: "c".to_owned(),
        },
        ends_at,
        looks: 0,
    };
    job
}

#[tokio::test(start_paused = true)]
async fn only_jobs_that_wait_for_their_create_count_against_the_capacity() {
    let ledger = Ledger::default();
    let (mut first, second, third) = (job(1), job(2), job(3));
    let open = |job: &Arc<Job>| ledger.open(std::slice::from_ref(job), 2);
    assert_eq!((open(&first), open(&second)), (Ok(()), Ok(())));
    assert_eq!(open(&third), Err(Full { waiting: 2 }));
    // Its capture runs; later its notification cannot be delivered for a day.
    for phase in [running(1).phase.clone(), Phase::Notifying] {
        Arc::make_mut(&mut first).phase = phase;
        ledger.record(&first);
        assert_eq!(open(&third), Ok(()));
        ledger.withdraw(&third.job_id);
    }
    ledger.leave(&second.job_id, ELSEWHERE);
    assert_eq!((open(&third), open(&job(4))), (Ok(()), Ok(())));
    assert_eq!(open(&job(5)), Err(Full { waiting: 2 }));
}

#[tokio::test(start_paused = true)]
async fn a_large_capacity_holds_too() {
    const LARGE: usize = 25_000;
    let ledger = Ledger::default();
    for n in 0..LARGE {
        assert_eq!(ledger.open(&[job(n)], LARGE), Ok(()));
    }
    let full = Err(Full { waiting: LARGE });
    assert_eq!(ledger.open(&[job(LARGE)], LARGE), full);
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded() {
    let ledger = Ledger::default();
    let mut refused = 0;
    for n in 0..MOST_RUNNING + 50 {
        let job = running(n);
        match ledger.open(std::slice::from_ref(&job), 100) {
            Ok(()) => ledger.record(&job),
            Err(_) => refused += 1,
        }
    }
    assert_eq!(refused, 50, "as many as are followed");
    let state = ledger.state();
    assert!(state.jobs.len() <= MOST_UNDER_WAY);
    assert!(state.under_way.len() <= 2 * MOST_UNDER_WAY + 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_waits_leaves_nothing_behind() {
    let ledger = Ledger::default();
    let job = job(1);
    ledger.open(std::slice::from_ref(&job), CAPACITY).unwrap();
    let followed = |ledger: &Ledger| ledger.state().jobs[&job.job_id].followed.is_some();
    let mut status = ledger.follow(&job.job_id).unwrap();
    assert_eq!(
        (*status.borrow(), followed(&ledger)),
        (Status::Accepted, true)
    );
    let mut created = job.clone();
    Arc::make_mut(&mut created).report.status = Status::Created;
    ledger.record(&created);
    assert!(!followed(&ledger), "the capture may run for hours");
    let decided = status.wait_for(|status| *status != Status::Accepted);
    assert_eq!(*decided.await.unwrap(), Status::Created);
    // One that comes later is not waited for either.
    let late = ledger.follow(&job.job_id).unwrap();
    assert_eq!(
        (*late.borrow(), followed(&ledger)),
        (Status::Created, false)
    );
}

/// 10,000 running captures are to fit into 24 MiB with their texts: 2.5 KB each.
#[test]
fn what_is_kept_of_a_job_stays_small() {
    for (what, bytes, most) in [
        ("job", size_of::<Job>(), 552),
        (
            "entry of the ledger",
            size_of::<(JobId, known::Known)>(),
            96,
        ),
    ] {
        assert!(bytes <= most, "{what}: {bytes} bytes");
    }
}
