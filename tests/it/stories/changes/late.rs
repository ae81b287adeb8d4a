//! Activity log and Resource Graph come minutes late: they are asked again at the end, and once more when they have caught up.

use super::*;

fn late(log: usize, graph: usize) -> ResourceChange {
    ResourceChange {
        late_in_log: log,
        late_in_graph: graph,
        ..deny_sql()
    }
}

#[tokio::test]
async fn what_comes_during_the_capture_is_in_the_notification() {
    for (log, graph) in [(1, 1), (1, 9), (9, 1)] {
        let story = Story::with(&[]).await;
        story.world.azure.change(late(log, graph));
        story.alert().await;
        let first = story.until_kept(|_| true).await;
        assert!(first.changes.is_empty(), "{first:#?}");
        let notice = story.end().await;
        assert_eq!(lines(&notice), [DENY_SQL], "{log} {graph}");
        story.world.end().await;
    }
}

#[tokio::test]
async fn what_comes_later_completes_the_record() {
    let story = Story::completing(Azure::start().await, &[]).await;
    story.world.azure.change(late(2, 2));
    story.alert().await;
    story.until_kept(|_| true).await;
    let notice = story.end().await;
    assert_eq!(lines(&notice), [NO_CHANGE]);
    let kept = story.until_kept(|kept| kept.complete).await;
    assert_eq!(kept.told(), [DENY_SQL]);
    assert_eq!(story.told.notices().len(), 1, "it is not notified again");
    story.world.end().await;
}

#[tokio::test]
async fn what_one_source_knows_later_is_added_to_what_the_other_knew() {
    let story = Story::completing(Azure::start().await, &[]).await;
    story.world.azure.change(late(0, 2));
    story.alert().await;
    let first = story.until_kept(|kept| !kept.changes.is_empty()).await;
    assert!(first.changes[0].values.is_empty());
    story.end().await;
    let kept = story.until_kept(|kept| kept.complete).await;
    let [change] = &*kept.changes else {
        panic!("{kept:#?}")
    };
    assert_eq!(change.what.as_deref(), Some("rule deny-sql added"));
    assert_eq!(change.by.as_deref(), Some("deploy-pipeline"));
    story.world.end().await;
}
