//! A look that takes longer than the notification may wait, and one that hangs.

use super::*;

#[tokio::test]
async fn a_look_that_takes_longer_follows_as_an_event_of_its_own() {
    let at_once = ("FirstLook__NotifyWithinSeconds", "0");
    for story in [
        Story::with(&[at_once]).await,
        Story::in_storage(&[at_once]).await,
    ] {
        story.capture(samples::WEB_01).await;
        let analyzed = story.notice("analyzed", samples::WEB_01).await;
        let plain = story.notice("completed", samples::WEB_01).await;
        assert_eq!(story.events(), ["created", "completed", "analyzed"]);
        assert_eq!(plain["data"]["look"], Value::Null);
        assert!(lines(&analyzed)[0].contains(" packets ("));
        let job = plain["data"]["jobId"].as_str().unwrap();
        assert_eq!(analyzed["id"], format!("{job}-analyzed"));
        assert_eq!(analyzed["data"]["jobId"], plain["data"]["jobId"]);
        story.world.end().await;
    }
}

#[tokio::test]
async fn a_plain_notification_that_is_tried_again_delays_and_loses_no_look() {
    let story = Story::with(&[("FirstLook__NotifyWithinSeconds", "0")]).await;
    let reply = story.world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created");
    story.told.until_came(1).await;
    story.told.down(2);
    story.world.run_out();
    let analyzed = story.notice("analyzed", samples::WEB_01).await;
    assert!(!lines(&analyzed).is_empty());
    assert_eq!(story.events(), ["created", "completed", "analyzed"]);
    assert_eq!(story.told.came(), 5);
    story.world.end().await;
}

/// Two looks hang, and a third one has no place.
#[tokio::test]
async fn a_hanging_file_holds_up_no_create_and_no_other_notification() {
    let story = Story::with(&[("FirstLook__NotifyWithinSeconds", "1")]).await;
    story.world.azure.fault(Fault {
        on: Call::GetBlob,
        times: 2,
        what: What::Hang,
    });
    for vm in [samples::WEB_01, samples::WEB_02] {
        story.capture(vm).await;
    }
    let hang = |lines: &[String]| {
        let blobs = lines.iter().filter(|line| line.starts_with("GET blob"));
        blobs.count() >= 2
    };
    story.world.until(hang).await;
    story.capture(samples::SQL_01).await;
    for vm in [samples::WEB_01, samples::WEB_02, samples::SQL_01] {
        let notice = story.notice("completed", vm).await;
        assert_eq!(notice["data"]["look"], Value::Null, "{vm}");
    }
    assert!(!story.events().contains(&"analyzed".to_owned()));
    story.world.end().await;
}

/// A network watcher gives 64 jobs their turn at a time; those whose files are read keep none.
#[tokio::test]
async fn files_that_hang_hold_up_no_other_capture_at_the_same_watcher() {
    let azure = azure().await;
    let machines = (0..70).map(|number| samples::WEB_01.replace("web-01", &format!("vm-{number}")));
    let machines: Vec<String> = machines.collect();
    for machine in &machines {
        azure.add_vm(machine, "westeurope");
    }
    let settings = [
        ("FirstLook__NotifyWithinSeconds", "600"),
        ("PacketCapture__Limit", "1000"),
    ];
    let story = Story::on(azure, &[], &settings).await;
    story.world.azure.fault(Fault {
        on: Call::GetBlob,
        times: 10_000,
        what: What::Hang,
    });
    let mut jobs = Vec::new();
    for machine in &machines {
        let reply = story.world.post(&common_alert(&[machine])).await;
        jobs.push(
            reply.body["captures"][0]["jobId"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    // The readings themselves give up after two minutes, and the turns would be free then.
    let all_ended = async {
        for job in jobs {
            loop {
                story.world.run_out();
                let (_, job) = story.get(&format!("/{job}"), "application/json").await;
                let job: Value = serde_json::from_str(&job).unwrap();
                if job["status"] == "completed" {
                    break;
                }
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(110), all_ended).await;
    ended.expect("captures wait for no file of others");
    story.world.azure.withdraw_faults();
    story.world.end().await;
}
