//! The tables of alert rules.

use super::*;
use serde_json::json;

const SUB: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";

fn vm(name: &str) -> String {
    format!("{SUB}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}")
}

fn insights(kind: &str, name: &str) -> String {
    format!("{SUB}/resourceGroups/g/providers/Microsoft.Insights/{kind}/{name}")
}

fn own() -> Own {
    Own {
        hosts: vec!["contoso.azurewebsites.net".to_owned()],
        site: Some("contoso".to_owned()),
        audiences: vec!["api://contoso".to_owned()],
    }
}

fn group(name: &str, receivers: Value) -> Value {
    let mut properties = receivers;
    properties["enabled"] = properties["enabled"].as_bool().unwrap_or(true).into();
    json!({ "id": insights("actionGroups", name), "type": "microsoft.insights/actiongroups", "properties": properties })
}

fn ours() -> Value {
    let uri = "https://Contoso.azurewebsites.net/api/alertpacketcapture?code=secret";
    group(
        "capture",
        json!({ "webhookReceivers": [{ "serviceUri": uri }] }),
    )
}

fn metric(name: &str, scopes: &[String], groups: &[&str]) -> Value {
    let actions: Vec<Value> = groups
        .iter()
        .map(|it| json!({ "actionGroupId": insights("actiongroups", it) }))
        .collect();
    json!({
        "id": insights("metricAlerts", name),
        "type": "microsoft.insights/metricalerts",
        "properties": { "enabled": true, "scopes": scopes, "actions": actions },
    })
}

fn messages(found: &Found) -> Vec<&str> {
    found
        .findings
        .iter()
        .map(|it| it.message.as_str())
        .collect()
}

#[test]
fn receivers_are_this_function_by_the_table() {
    let caller = |uri: &str| json!({ "webhookReceivers": [{ "serviceUri": uri }] });
    let function = |site: &str, name: &str| {
        let app = format!("{SUB}/resourceGroups/g/providers/Microsoft.Web/sites/{site}");
        json!({ "azureFunctionReceivers": [{ "functionAppResourceId": app, "functionName": name }] })
    };
    let token = |id: &str, uses: bool| json!({ "webhookReceivers": [{ "serviceUri": "https://proxy.example/x", "useAadAuth": uses, "identifierUri": id }] });
    for (receivers, expected) in [
        (
            caller("https://contoso.azurewebsites.net/api/AlertPacketCapture?code=x"),
            true,
        ),
        (
            caller("https://CONTOSO.azurewebsites.net/api/alertpacketcapture/"),
            true,
        ),
        (caller("https://contoso.azurewebsites.net/api/Other"), false),
        (
            caller("https://contoso.azurewebsites.net.evil.example/api/AlertPacketCapture"),
            false,
        ),
        (caller("not a url"), false),
        (function("Contoso", "alertPacketCapture"), true),
        (function("other", "AlertPacketCapture"), false),
        (function("contoso", "Other"), false),
        (token("api://contoso", true), true),
        (token("api://contoso", false), false),
        (token("api://other", true), false),
        (
            json!({ "emailReceivers": [{ "emailAddress": "a@example.com" }] }),
            false,
        ),
        (json!({ "webhookReceivers": "x" }), false),
    ] {
        let rows = [
            group("g1", receivers.clone()),
            metric("cpu", &[vm("a")], &["g1"]),
        ];
        let found = read(&rows, &own());
        assert_eq!(!found.scopes.is_empty(), expected, "{receivers}");
        let none = messages(&found) == ["no alert rule that can be read calls this function"];
        assert_eq!(none, !expected, "{found:?}");
    }
}

#[test]
fn what_a_rule_names_follows_the_table() {
    let workspace =
        format!("{SUB}/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w");
    let group_scope = format!("{SUB}/resourceGroups/g");
    let set = vm("x").replace("virtualMachines/x", "virtualMachineScaleSets/pool");
    let rule = |kind: &str, properties: Value| json!({ "id": insights(kind, "r"), "type": format!("Microsoft.Insights/{kind}"), "properties": properties });
    let to = insights("actionGroups", "capture");
    let metric = |scope: &str, target: &str| {
        rule(
            "metricAlerts",
            json!({ "scopes": [scope], "targetResourceType": target, "actions": [{ "actionGroupId": to }] }),
        )
    };
    let activity = |scope: &str, conditions: Value| {
        rule(
            "activityLogAlerts",
            json!({ "scopes": [scope], "condition": { "allOf": conditions }, "actions": { "actionGroups": [{ "actionGroupId": to }] } }),
        )
    };
    let log = |scope: &str, types: Value, column: Value| {
        rule(
            "scheduledQueryRules",
            json!({ "scopes": [scope], "targetResourceTypes": types, "criteria": { "allOf": [{ "resourceIdColumn": column }] }, "actions": { "actionGroups": [to] } }),
        )
    };
    let field = |field: &str, equals: &str| json!([{ "field": field, "equals": equals }]);
    const VMS: &str = "Microsoft.Compute/virtualMachines";
    for (row, expected) in [
        (metric(&vm("a"), ""), Names::Machines),
        (metric(&vm("a"), VMS), Names::Machines),
        (metric(&set, ""), Names::Machines),
        (metric(SUB, VMS), Names::Machines),
        (metric(SUB, "Microsoft.Sql/servers"), Names::Nothing),
        (metric(&workspace, ""), Names::Nothing),
        (metric(SUB, ""), Names::Nothing),
        (activity(SUB, json!([])), Names::Machines),
        (
            activity(SUB, field("category", "ServiceHealth")),
            Names::Nothing,
        ),
        (activity(SUB, field("resourceType", VMS)), Names::Machines),
        (
            activity(SUB, field("resourceType", "microsoft.web/sites")),
            Names::Nothing,
        ),
        (
            activity(SUB, field("resourceId", &vm("a"))),
            Names::Machines,
        ),
        (
            activity(SUB, field("resourceId", &workspace)),
            Names::Nothing,
        ),
        (log(&vm("a"), json!([]), json!(null)), Names::Machines),
        (
            log(&group_scope, json!([VMS]), json!(null)),
            Names::Machines,
        ),
        (
            log(&workspace, json!([]), json!("_ResourceId")),
            Names::AtRunTime,
        ),
        (log(&workspace, json!([]), json!("")), Names::Nothing),
        (log(&workspace, json!(null), json!(null)), Names::Nothing),
    ] {
        let found = read(&[ours(), row.clone()], &own());
        let names = match (found.scopes.is_empty(), messages(&found).first()) {
            (false, None) => Names::Machines,
            (true, Some(it)) if it.contains("no_vm_target") => Names::Nothing,
            (true, Some(it)) if it.contains("when it fires") => Names::AtRunTime,
            _ => panic!("{found:?}"),
        };
        assert_eq!(names, expected, "{row}");
    }
}

#[test]
fn rules_that_start_nothing_are_found_with_the_command_that_fixes_them() {
    let mut disabled = metric("off", &[vm("a")], &["capture"]);
    disabled["properties"]["enabled"] = false.into();
    let mut closed = group(
        "closed",
        json!({ "enabled": false, "webhookReceivers": [{ "serviceUri": "https://contoso.azurewebsites.net/api/AlertPacketCapture" }] }),
    );
    closed["properties"]["enabled"] = false.into();
    let mut bystander_off = metric("unused", &[vm("a")], &[]);
    bystander_off["properties"]["enabled"] = false.into();
    let rows = [
        ours(),
        closed,
        group("mail", json!({})),
        disabled,
        metric("good", &[vm("a"), vm("b"), vm("A")], &["capture"]),
        metric("mail", &[vm("c")], &["mail"]),
        metric("alone", &[vm("d")], &[]),
        metric("lost", &[vm("e")], &["gone"]),
        bystander_off,
    ];
    let found = read(&rows, &own());
    assert_eq!(
        found.scopes.len(),
        2,
        "each machine once: {:?}",
        found.scopes
    );
    assert_eq!(
        messages(&found),
        [
            "the action group closed is disabled: it calls nothing",
            "off is disabled: it starts no capture",
            "alone has no action group: it calls nothing",
            "lost has the action group gone, which does not exist or may not be read: it calls nothing",
        ]
    );
    let fixes: Vec<_> = found
        .findings
        .iter()
        .map(|it| it.fix.clone().unwrap())
        .collect();
    assert_eq!(
        fixes[1],
        format!(
            "az resource update --ids {} --set properties.enabled=true",
            insights("metricAlerts", "off")
        )
    );
    assert_eq!(
        fixes[2],
        format!(
            "az resource update --ids {} --add properties.actions 'actionGroupId={}'",
            insights("metricAlerts", "alone"),
            insights("actionGroups", "capture")
        )
    );
    assert!(
        !format!("{found:?}").contains("secret"),
        "the key of the address is not kept"
    );
}

#[test]
fn odd_rows_are_left_out_and_findings_are_bounded() {
    let rows = [
        json!(null),
        json!({}),
        json!({ "type": "microsoft.insights/metricalerts" }),
        json!([7]),
    ];
    assert_eq!(read(&rows, &own()).findings.len(), 1);
    let mut rows: Vec<Value> = (0..1_000)
        .map(|it| metric(&format!("m{it}"), &[vm("a")], &[]))
        .collect();
    rows.push(ours());
    assert_eq!(read(&rows, &own()).findings.len(), MAXIMUM_FINDINGS);
}
