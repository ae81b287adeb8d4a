//! The optional role is enough for every source; without it notifications say nothing of changes, the record names what is
//! missing, and the doctor shows it without calling it a fault.

use super::*;
use crate::support::practice::{Practice, faults};

fn actions(role: &str) -> Vec<String> {
    let role: Value = serde_json::from_str(role).unwrap();
    let listed = role["Actions"].as_array().unwrap().iter();
    listed.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// What the function has without the optional role.
fn base() -> Vec<String> {
    [
        include_str!("../../../../deploy/roles/watchers.json"),
        include_str!("../../../../deploy/roles/machines.json"),
        include_str!("../../../../deploy/roles/storage.json"),
    ]
    .into_iter()
    .flat_map(actions)
    .collect()
}

fn optional() -> Vec<String> {
    actions(include_str!("../../../../deploy/roles/changes.json"))
}

async fn with(granted: &[String]) -> (Story, Value) {
    let story = Story::with(&[("Changes__EffectiveRules", "true")]).await;
    let granted: Vec<&str> = granted.iter().map(String::as_str).collect();
    story.world.azure.grant_only(&granted);
    story.world.azure.change(deny_sql());
    let notice = story.notice().await;
    (story, notice)
}

#[tokio::test]
async fn the_optional_role_is_enough_for_every_source() {
    let (story, notice) = with(&[base(), optional()].concat()).await;
    assert_eq!(lines(&notice), [DENY_SQL]);
    let kept = story.until_kept(|kept| !kept.changes.is_empty()).await;
    assert!(kept.missing.is_empty(), "{:#?}", kept.missing);
    assert!(kept.health.is_some() && !kept.metrics.is_empty());
    assert!(kept.resources.iter().any(|id| id.ends_with("/nsg-web")));
    let calls = story.world.calls();
    assert!(
        !calls.iter().any(|line| line.contains(" 403")),
        "{calls:#?}"
    );
    story.world.end().await;
}

#[tokio::test]
async fn without_the_optional_role_the_record_names_what_is_missing_and_people_are_not_bothered() {
    let (story, notice) = with(&base()).await;
    assert_eq!(notice["data"]["event"], "completed");
    assert!(lines(&notice).is_empty());
    let kept = story.until_kept(|kept| kept.missing.len() > 3).await;
    for action in [
        "Microsoft.Insights/eventtypes/values/read",
        "Microsoft.Insights/metrics/read",
        "Microsoft.Network/networkInterfaces/read",
        "Microsoft.ResourceHealth/availabilityStatuses/read",
    ] {
        let named = kept.missing.iter().find(|it| &*it.action == action);
        assert_eq!(
            named.map(|it| it.cause),
            Some(alert_packet_capture::changes::Cause::Right)
        );
    }
    story.world.end().await;
}

/// The status and the message of the doctor's line.
async fn doctor(granted: &[String], effective: bool) -> (String, String) {
    let mut practice = Practice::open().await;
    if effective {
        practice.set("Changes__EffectiveRules", "true");
    }
    let granted: Vec<&str> = granted.iter().map(String::as_str).collect();
    practice.azure.grant_only(&granted);
    let (checks, code) = practice.checks().await;
    assert_eq!(
        (faults(&checks), code),
        (Vec::new(), Some(0)),
        "{checks:#?}"
    );
    let line = checks.iter().find(|it| it["check"] == "what changed");
    let text = |member: &str| line.unwrap()[member].as_str().unwrap().to_owned();
    (text("status"), text("message"))
}

#[tokio::test]
async fn the_doctor_shows_which_actions_are_missing() {
    let all = [base(), optional()].concat();
    let (status, message) = doctor(&all, true).await;
    assert_eq!(status, "ok", "{message}");
    for missing in optional() {
        let mut granted = all.clone();
        granted.retain(|action| *action != missing);
        let (status, message) = doctor(&granted, true).await;
        assert_eq!(status, "skipped", "{missing}");
        assert!(message.contains(&missing), "{missing}: {message}");
        // What only effective rules need is not asked for without them.
        let (status, _) = doctor(&granted, false).await;
        let effective = missing.contains("/effective");
        assert_eq!(status == "ok", effective, "{missing}");
    }
}
