//! A right that is missing, or a source that throttles, is a line in the record with the action's name, and no failure.

use super::*;
use alert_packet_capture::changes::Cause;

/// The optional role's actions whose lack an answer of Azure shows. Resource Graph leaves rows out instead.
const REFUSED: [&str; 6] = [
    "Microsoft.Insights/eventtypes/values/read",
    "Microsoft.Insights/metrics/read",
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.Compute/virtualMachines/instanceView/read",
    "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action",
    "Microsoft.Network/networkInterfaces/effectiveRouteTable/action",
];

async fn without(actions: &[&str]) -> (Story, Value, ControlPlane) {
    let story = Story::with(&[("Changes__EffectiveRules", "true")]).await;
    for action in actions {
        story.world.azure.deny(action);
    }
    story.world.azure.change(deny_sql());
    let notice = story.notice().await;
    assert_eq!(notice["data"]["event"], "completed");
    let kept = story.until_kept(|kept| !kept.missing.is_empty()).await;
    (story, notice, kept)
}

#[tokio::test]
async fn each_right_that_is_missing_is_named_in_the_record() {
    for action in REFUSED {
        let (story, notice, kept) = without(&[action]).await;
        assert_eq!(lines(&notice), [DENY_SQL], "{action}");
        let [missing] = &*kept.missing else {
            panic!("{action}: {:#?}", kept.missing)
        };
        assert_eq!((&*missing.action, missing.cause), (action, Cause::Right));
        assert!(missing.sentence().contains(action));
        story.world.end().await;
    }
}

#[tokio::test]
async fn an_interface_that_is_not_shown_is_a_missing_right() {
    let action = "Microsoft.Network/networkInterfaces/read";
    let (story, notice, kept) = without(&[action]).await;
    // The NSG is in the machine's group.
    assert_eq!(lines(&notice), [DENY_SQL]);
    assert_eq!(&*kept.missing[0].action, action);
    assert_eq!(story.count("POST networkInterfaces"), 0);
    story.world.end().await;
}

#[tokio::test]
async fn without_any_right_people_are_notified_as_ever() {
    let (story, notice, kept) = without(&REFUSED).await;
    // Resource Graph refuses nothing.
    assert_eq!(lines(&notice), [DENY_SQL]);
    assert_eq!(kept.missing.len(), REFUSED.len(), "{:#?}", kept.missing);
    story.world.end().await;
}

#[tokio::test]
async fn a_source_that_throttles_is_asked_again_at_the_end_and_slows_nothing() {
    let azure = Azure::start().await;
    for on in [
        Call::QueryResources,
        Call::ListActivityLog,
        Call::ListMetrics,
    ] {
        azure.fault(Fault {
            on,
            times: 1,
            what: What::Status {
                code: 429,
                retry_after: Some("600".to_owned()),
                body: FaultBody::ArmError {
                    code: "RateLimiting".to_owned(),
                    message: "Please provide less requests".to_owned(),
                },
            },
        });
    }
    let story = Story::on(azure, &[]).await;
    story.world.azure.change(deny_sql());
    story.alert().await;
    // The calls of the capture continue: the pause is not theirs.
    let first = story.until_kept(|_| true).await;
    let throttled = first
        .missing
        .iter()
        .filter(|it| it.cause == Cause::Throttled);
    assert_eq!(throttled.count(), 3, "{:#?}", first.missing);
    let calls = story.world.calls();
    let refused = calls.iter().filter(|line| line.contains(" 429"));
    assert_eq!(refused.count(), 3, "none is repeated at once: {calls:#?}");
    let notice = story.end().await;
    assert_eq!(lines(&notice), [DENY_SQL]);
    let kept = story.until_kept(|kept| kept.missing.len() < 3).await;
    assert!(!kept.metrics.is_empty(), "{kept:#?}");
    story.world.end().await;
}
