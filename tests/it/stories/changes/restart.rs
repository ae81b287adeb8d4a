//! The process ends before the record is complete: the next one completes it.

use super::*;

#[tokio::test]
async fn another_process_completes_the_record() {
    let azure = Azure::start().await;
    azure.change(deny_sql());
    let story = Story::completing(azure.clone(), &[]).await;
    story.alert().await;
    story.until_kept(|_| true).await;
    // The call at the end is answered, and the last one is not.
    for what in [What::Late(Duration::ZERO), What::Hang] {
        azure.fault(Fault {
            on: Call::ListActivityLog,
            times: 1,
            what,
        });
    }
    let notice = story.end().await;
    assert_eq!(lines(&notice), [DENY_SQL]);
    story.until("GET activity log", 3).await;
    assert!(!story.kept().unwrap().complete);
    story.world.end().await;
    let left = azure.queue_messages("packet-capture-jobs");
    assert_eq!(left.len(), 1, "{left:#?}");
    assert!(left[0].contains("completing"), "{left:#?}");

    let next = Story::completing(azure.clone(), &[]).await;
    let kept = next.until_kept(|kept| kept.complete).await;
    assert_eq!(kept.told(), [DENY_SQL]);
    assert!(kept.health.is_some(), "what the first process read stays");
    assert_eq!(next.count("GET virtualMachines/web-01/instanceView"), 1);
    let gone = |_: &[String]| azure.queue_messages("packet-capture-jobs").is_empty();
    next.world.until(gone).await;
    assert!(
        next.told.notices().is_empty(),
        "people were notified before"
    );
    next.world.end().await;
}

/// What is switched off by then is not promised on the page.
#[tokio::test]
async fn a_process_that_asks_no_more_promises_nothing() {
    let azure = Azure::start().await;
    azure.change(deny_sql());
    let story = Story::completing(azure.clone(), &[]).await;
    story.alert().await;
    story.until_kept(|_| true).await;
    for what in [What::Late(Duration::ZERO), What::Hang] {
        azure.fault(Fault {
            on: Call::ListActivityLog,
            times: 1,
            what,
        });
    }
    let notice = story.end().await;
    story.until("GET activity log", 3).await;
    story.world.end().await;

    let next = Story::completing(azure.clone(), &[("Changes__Enabled", "false")]).await;
    let gone = |_: &[String]| azure.queue_messages("packet-capture-jobs").is_empty();
    next.world.until(gone).await;
    let incident = notice["data"]["incident"]["id"].as_str().unwrap();
    let url = format!("{}/api/PacketCaptures/{incident}", next.world.url);
    let page = next.world.http.get(url).header("accept", "text/html");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Azure was asked at"), "{page}");
    assert!(!page.contains("is asked again"), "{page}");
    next.world.end().await;
}
