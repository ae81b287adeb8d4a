//! Killed at each step, once before Azure has applied the call and once after.

use super::*;

/// Where the executable is killed.
#[derive(Debug, Clone, Copy)]
enum At {
    Call(Call),
    /// The notification on its way.
    Notice,
}

/// One alert, one kill; what the second process makes of it.
async fn killed_at(at: At, applied: bool) {
    let stage = Stage::set().await;
    match at {
        At::Call(on) => stage.azure.fault(Fault {
            on,
            times: 1,
            what: match applied {
                true => What::HangAfterApplying,
                false => What::Hang,
            },
        }),
        At::Notice if applied => stage.receiver.be_silent(1),
        At::Notice => stage.receiver.lose(1),
    }
    let mut alert = Sent::new(machine(0));
    let first = stage.start().await;
    let hangs = async {
        match at {
            At::Call(call) => {
                let hangs = |entry: &Entry| entry.kind == call && entry.fault.is_some();
                stage
                    .until_journal(|entries| entries.iter().any(hangs))
                    .await;
            }
            At::Notice => stage.receiver.until_came(1).await,
        }
    };
    let post = stage.post(first.url.clone(), &alert.body);
    let answer = match at {
        // An alert is answered when it is in the queue.
        At::Call(Call::PutMessage) => tokio::select! {
            _ = post => panic!("an answer without a message"),
            () = hangs => None,
        },
        _ => tokio::join!(post, hangs).0,
    };
    first.kill().await;
    alert.answered(answer);

    let second = stage.start().await;
    let sent_again = alert.job.is_none();
    if sent_again {
        alert.answered(stage.post(second.url.clone(), &alert.body).await);
    }
    let case = format!("{at:?}, applied: {applied}");
    assert!(
        alert.job.is_some(),
        "{case}: no answer of the second process"
    );
    stage
        .receiver
        .until_within(GUARD, |notices| {
            notices.iter().any(|notice| alert.is_named_by(notice))
        })
        .await;
    stage.until_the_queue_is_empty().await;
    assert_eq!(stage.captures_of(&alert.machine), 1, "{case}");
    let failures: Vec<Value> = stage
        .receiver
        .notices()
        .into_iter()
        .filter(|notice| notice["data"]["event"] != "completed" && !alert.is_created_by(notice))
        .collect();
    assert!(failures.is_empty(), "{case}: {failures:#?}");
    let events = stage.receiver.notices();
    let created = events.iter().filter(|it| alert.is_created_by(it)).count();
    assert!(created <= 1, "{case}: {events:#?}");
    // A crash may repeat the final notification, with the same id.
    let ids: BTreeSet<&str> = events
        .iter()
        .filter(|it| alert.is_named_by(it))
        .filter_map(|it| it["id"].as_str())
        .collect();
    assert_eq!(ids.len(), 1, "{case}: {events:#?}");
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_step_an_alert_still_has_one_capture_and_a_notification() {
    let began = Instant::now();
    let steps = [
        At::Call(Call::Token),
        At::Call(Call::PutMessage),
        At::Call(Call::PutBlob),
        At::Call(Call::GetBlob),
        At::Call(Call::ListWatchers),
        At::Call(Call::GetVirtualMachine),
        At::Call(Call::ListCaptures),
        At::Call(Call::UpdateMessage),
        At::Call(Call::PutCapture),
        At::Call(Call::OperationStatus),
        At::Call(Call::QueryStatus),
        At::Notice,
        At::Call(Call::DeleteMessage),
    ];
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut stories = JoinSet::new();
    for at in steps {
        for applied in [false, true] {
            let gate = gate.clone();
            stories.spawn(async move {
                let _place = gate.acquire_owned().await;
                killed_at(at, applied).await;
            });
        }
    }
    let kills = stories.join_all().await.len();
    println!(
        "killed at each step: {kills} alerts, {kills} kills, {kills} captures, {:.1} s",
        began.elapsed().as_secs_f64()
    );
}
