//! A thousand changes, and what only an attacker would name a resource.

use super::*;

#[tokio::test]
async fn of_a_thousand_changes_the_newest_on_the_path_are_said_and_the_others_counted() {
    let story = Story::with(&[]).await;
    let azure = &story.world.azure;
    azure.set_event_page(200);
    let site = samples::NSG_WEB.replace("networkSecurityGroups/nsg-web", "ddosProtectionPlans/p");
    for number in 0..1_000 {
        let id = format!("{site}-{number}");
        let operation = "Microsoft.Network/ddosProtectionPlans/write";
        azure.change(ResourceChange::new(&id, operation, 1 + number % 300));
    }
    azure.change(deny_sql());
    let notice = story.notice().await;
    let lines = lines(&notice);
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert_eq!(lines[0], DENY_SQL);
    assert_eq!(lines[4], "997 more changes are in the incident's record.");
    assert_eq!(notice["data"]["changes"]["count"], 1_001);
    // Both sources report each of them, and it counts once.
    let kept = story.until_kept(|kept| kept.changes_left_out > 0).await;
    assert_eq!((kept.changes.len(), kept.changes_left_out), (200, 801));
    assert_eq!(kept.missing, [], "each page of both was read");
    story.world.end().await;
}

#[tokio::test]
async fn foreign_texts_are_one_bounded_line_each() {
    let story = Story::with(&[]).await;
    let hostile = "x\r\n\u{202e}<script>".repeat(3_000);
    story.world.azure.change(ResourceChange {
        by: hostile.clone(),
        ..ResourceChange::rule_added(samples::NSG_WEB, &hostile, 3)
    });
    let notice = story.notice().await;
    let text = notice["data"]["changes"].to_string();
    assert!(text.len() < 1_000, "{}", text.len());
    assert!(
        !text.contains("\\n") && !text.contains('\u{202e}'),
        "{text}"
    );
    story.world.end().await;
}
