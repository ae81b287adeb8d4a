//! Two instances over one store.

use super::{faulty::Fault, *};
use crate::incident::{
    budget::{Hour, Spent},
    record::State,
};
use futures_util::future::join_all;
use std::{collections::BTreeSet, sync::atomic::Ordering};

type Shared = Arc<Faulty<MemoryStore>>;

fn two() -> (Arc<Incidents>, Arc<Incidents>, Shared) {
    two_with(options())
}

fn two_with(options: RecordOptions) -> (Arc<Incidents>, Arc<Incidents>, Shared) {
    let store = Arc::new(Faulty::over(MemoryStore::default()));
    let instance = || Incidents::new(Some(store.clone()), options);
    (instance(), instance(), store.clone())
}

async fn settle(incidents: &Incidents) {
    incidents.close(Duration::from_secs(60)).await;
}

async fn claim(incidents: &Incidents, job: &Job) -> Verdict {
    let claim = incidents.claim(&job.target.id, admission(incidents, job));
    claim.confirmed().await
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_accepted_by_one_of_two_instances() {
    let (one, other, _) = two();
    let mut first = job("a", "web-01");
    accept(&one, &mut first, "1").await.unwrap();
    settle(&one).await;
    let second = job("a", "web-01");
    let verdict = claim(&other, &second).await;
    assert!(matches!(&verdict, Verdict::Duplicate(it) if it.job_id == first.job_id));
    // What became of the first.
    one.open(&Arc::new(first.clone()));
    end(&one, &mut first, Status::Completed);
    assert!(one.finish(&Arc::new(first.clone())).await);
    other.refresh([machine("web-01")].into_iter()).await;
    tokio::time::advance(Duration::from_secs(2)).await;
    other.refresh([machine("web-01")].into_iter()).await;
    let known = other.known(&first.target.id, Some(&first.job_id));
    let Some(KnownAlert::Before(it)) = known else {
        panic!("{known:?}")
    };
    assert_eq!((it.status, &*it.outcome), (Status::Completed, "it ended"));
    let id = first.incident.as_ref().unwrap();
    assert_eq!(it.incident.as_ref(), Some(id));
    assert_eq!(other.get(id).await.unwrap().unwrap().entries.len(), 1);
    // A second message of the same copy, and one of another.
    for (job, message) in [(&first, "2"), (&second, "3")] {
        let received = other.receive(delivery(&other, job, message), &job.target.id, false);
        assert_eq!(received.await, Verdict::Finished);
    }
}

#[tokio::test(start_paused = true)]
async fn an_incident_opened_for_a_copy_that_does_not_count_ends() {
    let (one, other, store) = two();
    let mut first = job("a", "web-01");
    accept(&one, &mut first, "1").await.unwrap();
    one.open(&Arc::new(first.clone()));
    settle(&one).await;
    // The other instance accepts the same alert while the store does not answer.
    tokio::time::advance(Duration::from_secs(1)).await;
    store.set_down(true);
    let mut second = job("a", "web-01");
    let Verdict::New { incident, .. } = claim(&other, &second).await else {
        panic!("nothing is known of the first")
    };
    second.incident = incident;
    assert_ne!(second.incident, first.incident);
    other.open(&Arc::new(second.clone()));
    store.set_down(false);
    tokio::time::advance(Duration::from_secs(10)).await;
    settle(&other).await;
    let received = other.receive(delivery(&other, &second, "2"), &second.target.id, false);
    assert_eq!(received.await, Verdict::Elsewhere);
    let state = async || {
        let found = one.get(second.incident.as_ref().unwrap()).await;
        let found = found.unwrap().unwrap();
        let message = found.entries[0].report.message.clone();
        (found.state(one.now(), Duration::ZERO), message)
    };
    assert_eq!(state().await.0, State::InProgress);
    // The instance that receives the message is neither the one that put it nor the one that opened the incident.
    one.leave(&second).await;
    settle(&one).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let (state, message) = state().await;
    assert_eq!(state, State::NotCaptured);
    assert!(
        message.contains(&first.incident.unwrap().to_string()),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_claims_at_once_one_is_new() {
    let (one, other, _) = two();
    for round in 0..50 {
        let key = round.to_string();
        let jobs = [job(&key, "web-01"), job(&key, "web-01")];
        let claims = tokio::join!(claim(&one, &jobs[0]), claim(&other, &jobs[1]));
        let is_new = |verdict: &Verdict| matches!(verdict, Verdict::New { .. });
        let is_pending = |verdict: &Verdict| matches!(verdict, Verdict::Pending(_));
        let claims = [claims.0, claims.1];
        assert!(
            claims.iter().any(is_new) && claims.iter().any(is_pending),
            "{claims:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_a_process_left_is_taken_over_and_its_message_ends() {
    let (killed, other, _) = two();
    let first = job("a", "web-01");
    assert!(matches!(claim(&killed, &first).await, Verdict::New { .. }));
    drop(killed);
    let second = job("a", "web-01");
    assert!(matches!(claim(&other, &second).await, Verdict::Pending(_)));
    let received = other.receive(delivery(&other, &second, "2"), &second.target.id, true);
    let Verdict::Wait(wait) = received.await else {
        panic!("it is not known whether the first is in the queue")
    };
    tokio::time::advance(wait).await;
    let received = other.receive(delivery(&other, &second, "2"), &second.target.id, false);
    let received = received.await;
    assert!(
        matches!(
            received,
            Verdict::Ours {
                superseded: true,
                ..
            }
        ),
        "{received:?}"
    );
    // It was in the queue after all.
    let late = other.receive(delivery(&other, &first, "1"), &first.target.id, false);
    assert_eq!(late.await, Verdict::Elsewhere);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_or_late_changes_nothing() {
    for fault in [
        Fault::Lost,
        Fault::AnswerLost,
        Fault::Late(Duration::from_secs(1)),
        Fault::Late(Duration::from_secs(5)),
    ] {
        let (one, other, store) = two();
        let mut first = job("a", "web-01");
        store.fault("machines/", fault);
        accept(&one, &mut first, "1").await.unwrap();
        one.open(&Arc::new(first.clone()));
        store.fault("incidents/", fault);
        end(&one, &mut first, Status::Completed);
        while !one.finish(&Arc::new(first.clone())).await {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        settle(&one).await;
        let second = claim(&other, &job("a", "web-01")).await;
        assert!(
            matches!(second, Verdict::Duplicate(_)),
            "{fault:?}: {second:?}"
        );
        let rows = other.list(&Filter::default(), None, 10).await.unwrap().rows;
        assert_eq!(rows.len(), 1, "{fault:?}");
        assert_eq!(
            (rows[0].alerts, rows[0].state),
            (1, State::Quiet),
            "{fault:?}"
        );
        let incident = other.get(&rows[0].id).await.unwrap().unwrap();
        let kinds: BTreeSet<_> = incident.steps.iter().map(|step| step.what).collect();
        assert_eq!(
            kinds.len(),
            incident.steps.len(),
            "{fault:?}: {incident:#?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_alerts_are_accepted_and_written_later() {
    let (one, other, store) = two();
    store.set_down(true);
    let start = Instant::now();
    let mut jobs: Vec<Job> = (0..300)
        .map(|n| job("a", &format!("m{}", n % 30)))
        .collect();
    let mut accepted = 0;
    for job in &mut jobs {
        if accept(&one, job, "1").await.is_some() {
            accepted += 1;
            one.open(&Arc::new(job.clone()));
        }
    }
    // What this process knows still decides.
    assert_eq!(accepted, 30);
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    assert!(
        store.calls.load(Ordering::Relaxed) < 20,
        "nothing waits for a store that is down"
    );
    let job = &mut jobs[0];
    end(&one, job, Status::Completed);
    assert!(
        !one.finish(&Arc::new(job.clone())).await,
        "it is not recorded"
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    store.set_down(false);
    tokio::time::sleep(Duration::from_secs(10)).await;
    settle(&one).await;
    assert!(one.finish(&Arc::new(job.clone())).await);
    let rows = other
        .list(&Filter::default(), None, 100)
        .await
        .unwrap()
        .rows;
    assert_eq!(rows.len(), 30);
    for n in 0..30 {
        let again = claim(&other, &super::job("a", &format!("m{n}"))).await;
        assert!(matches!(again, Verdict::Duplicate(_)), "m{n}: {again:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn thousands_of_alerts_at_two_instances_are_as_many_incidents_as_machines() {
    const MACHINES: usize = 20;
    const ALERTS: usize = 600;
    let (one, other, store) = two();
    let accept_one = |number: usize| {
        let incidents = if number.is_multiple_of(2) {
            one.clone()
        } else {
            other.clone()
        };
        async move {
            // Each alert is sent to both instances.
            let key = (number / 2).to_string();
            let mut job = job(&key, &format!("m{}", number / 2 % MACHINES));
            let claim = incidents.claim(&job.target.id, admission(&incidents, &job));
            let verdict = claim.confirmed().await;
            let Verdict::New {
                incident, opened, ..
            } = &verdict
            else {
                return 0;
            };
            job.incident = incident.clone();
            incidents.claimed(&job, true, &verdict);
            match *opened {
                true => incidents.open(&Arc::new(job.clone())),
                false => incidents.record(&Arc::new(job.clone())),
            }
            end(&incidents, &mut job, Status::Completed);
            assert!(incidents.finish(&Arc::new(job.clone())).await);
            1
        }
    };
    let accepted: usize = join_all((0..2 * ALERTS).map(accept_one)).await.iter().sum();
    assert_eq!(accepted, ALERTS, "each alert once");
    settle(&one).await;
    settle(&other).await;
    let rows = one
        .list(&Filter::default(), None, 1_000)
        .await
        .unwrap()
        .rows;
    assert_eq!(rows.len(), MACHINES);
    let alerts: u32 = rows.iter().map(|row| row.alerts).sum();
    assert_eq!(alerts as usize, ALERTS);
    let calls = store.calls.load(Ordering::Relaxed);
    assert!(
        calls < ALERTS,
        "{calls} calls for {ALERTS} alerts: they are written together"
    );
}

#[tokio::test(start_paused = true)]
async fn the_budget_of_an_hour_is_shared() {
    let (one, other, _) = two_with(RecordOptions {
        captures_per_hour: Some(5),
        ..options()
    });
    let mut granted = 0;
    let mut refused = Vec::new();
    for number in 0..20 {
        let instance = if number % 2 == 0 { &one } else { &other };
        let job = job(&number.to_string(), &format!("m{number}"));
        match instance.take_from_budget(job.job_id).await {
            Spent::Granted => granted += 1,
            _ => refused.push((instance.clone(), job)),
        }
    }
    assert_eq!((granted, refused.len()), (5, 15));
    for (instance, job) in &refused {
        let id = crate::incident::IncidentId::new(instance.now(), &job.target.id, &job.job_id);
        let reason = crate::incident::Reason::BudgetExhausted;
        instance.hold_back(
            &id,
            &job.target.id,
            job.job_id,
            crate::incident::PackedFacts::default(),
            reason,
        );
    }
    settle(&one).await;
    settle(&other).await;
    let later = Hour::of(one.now()) + time::Duration::minutes(61);
    let (first, second) = (
        one.held_back_before(later).await,
        other.held_back_before(later).await,
    );
    let first = first.unwrap();
    assert_eq!((first.alerts, first.machines), (15, 15));
    assert_eq!(second, None, "one of them notifies");
}

#[tokio::test(start_paused = true)]
async fn pages_continue_where_they_ended() {
    let (one, other, _) = two();
    for number in 0..25 {
        let mut job = job("a", &format!("m{number}"));
        accept(&one, &mut job, "1").await.unwrap();
        one.open(&Arc::new(job.clone()));
        if number % 2 == 0 {
            end(&one, &mut job, Status::Failed);
        }
        tokio::time::advance(Duration::from_secs(7_200)).await;
    }
    settle(&one).await;
    let first_day = Some(datetime!(2026-11-28 00:00 UTC).date());
    let failed = Filter {
        state: Some(State::Failed),
        ..Filter::default()
    };
    let of_day = Filter {
        day: first_day,
        ..Filter::default()
    };
    for (filter, expected) in [(Filter::default(), 25), (failed, 13), (of_day, 9)] {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = other.list(&filter, after.as_deref(), 4).await.unwrap();
            assert!(page.rows.len() <= 4);
            ids.extend(page.rows.into_iter().map(|row| row.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(ids.len(), expected, "{filter:?}");
        assert!(
            ids.is_sorted_by(|one, other| one > other),
            "the newest first"
        );
    }
    let wrong = other.list(&Filter::default(), Some("x"), 4).await;
    assert!(matches!(wrong, Err(ReadError::InvalidToken)));
}
