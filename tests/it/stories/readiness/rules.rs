//! Alert rules that would start nothing.

use super::{HOST, add_rule, findings, fix, healthy, insights, run};
use alert_packet_capture::fleet::{Weight, fixes};
use azure_sandbox::samples;
use serde_json::json;

#[tokio::test]
async fn a_disabled_rule_and_a_disabled_action_group_are_found_and_enabled() {
    let practice = healthy().await;
    for (id, message) in [
        (
            insights("metricAlerts", "tcp-burst"),
            "alert rules: tcp-burst is disabled: it starts no capture",
        ),
        (
            insights("actionGroups", "capture"),
            "alert rules: the action group capture is disabled: it calls nothing",
        ),
    ] {
        practice
            .azure
            .change_alert_resource(&id, |it| it["enabled"] = false.into());
        let before = run(&practice).await;
        assert_eq!(findings(&before), [message]);
        assert_eq!(
            before.counts().ready,
            6,
            "the machines are ready all the same"
        );
        fix(&practice, &before);
        assert_eq!(findings(&run(&practice).await), [""; 0]);
    }
}

#[tokio::test]
async fn a_rule_without_an_action_group_gets_this_function_s() {
    let practice = healthy().await;
    let id = insights("metricAlerts", "cpu");
    practice.azure.add_alert_resource(
        &id,
        "microsoft.insights/metricalerts",
        json!({ "enabled": true, "scopes": [samples::WEB_01], "actions": [] }),
    );
    let before = run(&practice).await;
    let warned = |run: &alert_packet_capture::fleet::Run| {
        let mut findings = run.findings.iter().filter(|it| it.weight == Weight::Warns);
        findings.any(|it| it.message == "cpu has no action group: it calls nothing")
    };
    assert!(warned(&before), "{:?}", before.findings);
    fix(&practice, &before);
    assert!(!warned(&run(&practice).await));
}

#[tokio::test]
async fn rules_that_name_no_machine_or_name_it_when_they_fire_are_found() {
    let practice = healthy().await;
    let workspace = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.OperationalInsights/workspaces/logs";
    for (name, column) in [("heartbeat", ""), ("errors", "_ResourceId")] {
        practice.azure.add_alert_resource(
            &insights("scheduledQueryRules", name),
            "microsoft.insights/scheduledqueryrules",
            json!({
                "enabled": true,
                "scopes": [workspace],
                "criteria": { "allOf": [{ "query": "Heartbeat", "resourceIdColumn": column }] },
                "actions": { "actionGroups": [insights("actionGroups", "capture")] },
            }),
        );
    }
    let run = run(&practice).await;
    let found = findings(&run).join("\n");
    assert!(found.contains("heartbeat names no machine"), "{found}");
    assert!(
        found.contains("no_vm_target") && found.contains("errors names its machines when it fires")
    );
    assert_eq!(run.counts().ready, 6);
}

#[tokio::test]
async fn without_a_rule_that_calls_this_function_there_is_nothing_to_check() {
    let practice = healthy().await;
    practice
        .azure
        .change_alert_resource(&insights("actionGroups", "capture"), |it| {
            it["webhookReceivers"] =
                json!([{ "serviceUri": "https://other.example/api/AlertPacketCapture" }]);
        });
    let none = run(&practice).await;
    assert_eq!(
        none.sentence(),
        "No machines to check. alert rules: no alert rule that can be read calls this function."
    );
    assert_eq!(
        fixes(&none)[0].commands,
        ["az monitor action-group list --output table"]
    );
    // An Azure Function receiver instead of a webhook.
    let app = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.Web/sites/contoso";
    practice
        .azure
        .change_alert_resource(&insights("actionGroups", "capture"), |it| {
            it["azureFunctionReceivers"] =
                json!([{ "functionAppResourceId": app, "functionName": "AlertPacketCapture" }]);
        });
    let mut practice = practice;
    practice.set("WEBSITE_SITE_NAME", HOST.split('.').next().unwrap());
    add_rule(&practice, "more", &[samples::WEB_01]);
    assert_eq!(run(&practice).await.sentence(), "6 of 6 machines ready.");
}
