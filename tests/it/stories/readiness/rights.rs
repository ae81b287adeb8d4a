//! What may not be read is unknown, never ready, and the run says which right is missing. Throttling is waited for.

use super::{Kept, add_rule, causes, findings, fix, healthy, insights, machine, run, run_after};
use crate::stories::role::{actions_of_runs, readiness_actions};
use alert_packet_capture::fleet::{Change, Verdict};
use azure_sandbox::{Call, Fault, FaultBody, What, samples};

#[tokio::test]
async fn a_missing_right_leaves_machines_unknown_and_is_named_with_the_command_that_gives_it() {
    for (action, machines) in [
        ("Microsoft.Compute/virtualMachines/instanceView/read", 3),
        (
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
            1,
        ),
    ] {
        let practice = healthy().await;
        practice.azure.deny(action);
        let before = run(&practice).await;
        let counts = before.counts();
        assert_eq!(
            (counts.not_ready, counts.unknown),
            (0, machines),
            "{}",
            before.sentence()
        );
        assert!(before.sentence().contains(action), "{}", before.sentence());
        let found = findings(&before).join("\n");
        assert!(
            found.contains(&format!("permission {action}: missing on")),
            "{found}"
        );
        let commands = fix(&practice, &before);
        assert!(
            commands
                .iter()
                .all(|it| it.starts_with("az role assignment create")),
            "{commands:?}"
        );
        assert_eq!(run(&practice).await.sentence(), "6 of 6 machines ready.");
    }
}

#[tokio::test]
async fn a_right_that_is_missing_in_one_group_leaves_its_machines_unknown() {
    let practice = healthy().await;
    let group = format!(
        "/subscriptions/{}/resourceGroups/rg-data",
        samples::SUBSCRIPTION_ID
    );
    practice.azure.deny_at(
        "Microsoft.Compute/virtualMachines/instanceView/read",
        &group,
    );
    let run = run(&practice).await;
    assert_eq!(
        run.verdict(machine(&run, samples::SQL_01)),
        Verdict::Unknown
    );
    assert_eq!((run.counts().ready, run.counts().unknown), (5, 1));
}

#[tokio::test]
async fn rules_and_quotas_that_may_not_be_read_are_not_known() {
    for action in [
        "Microsoft.Insights/metricAlerts/read",
        "Microsoft.Insights/actionGroups/read",
        "Microsoft.Network/locations/usages/read",
    ] {
        let practice = healthy().await;
        practice.azure.deny(action);
        let before = run(&practice).await;
        let found = findings(&before).join("\n");
        assert!(found.contains(action), "{action}: {found}");
        if action.ends_with("usages/read") {
            let counts = before.counts();
            assert_eq!(
                (counts.ready, counts.unknown),
                (0, 6),
                "no machine is ready"
            );
        }
    }
}

/// Resource Graph leaves out what may not be read: a machine without an agent in its list may have one.
#[tokio::test]
async fn extensions_that_may_not_be_read_are_not_taken_for_missing_ones() {
    let practice = healthy().await;
    practice
        .azure
        .deny("Microsoft.Compute/virtualMachines/extensions/read");
    assert_eq!(
        run(&practice).await.counts().ready,
        6,
        "the machines report their agents themselves"
    );
    practice.azure.deallocate_vm(samples::WEB_01);
    let run = run(&practice).await;
    let found = causes(&run, samples::WEB_01);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[1].contains("virtualMachines/extensions/read is missing"),
        "{found:?}"
    );
}

#[tokio::test]
async fn outbound_rules_that_may_not_be_read_are_not_known() {
    let mut practice = healthy().await;
    practice.set("Readiness__EffectiveRules", "true");
    let action = "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action";
    practice.azure.deny(action);
    let before = run(&practice).await;
    assert_eq!(
        (before.counts().ready, before.counts().unknown),
        (3, 3),
        "{}",
        before.sentence()
    );
    assert!(findings(&before).join("\n").contains(action));
    fix(&practice, &before);
    assert_eq!(run(&practice).await.counts().ready, 6);
}

/// With exactly the roles nothing is unknown, and without any one of the actions the run names it.
#[tokio::test]
async fn exactly_the_roles_are_enough_for_a_run_and_each_missing_right_is_named() {
    let mut practice = healthy().await;
    practice.set("Readiness__EffectiveRules", "true");
    let all = actions_of_runs();
    let grant = |actions: &[&str]| practice.azure.grant_only(actions);
    let with: Vec<&str> = all.iter().map(String::as_str).collect();
    grant(&with);
    let whole = run(&practice).await;
    assert_eq!(
        (whole.sentence().as_str(), findings(&whole)),
        ("6 of 6 machines ready.", vec![])
    );
    for missing in readiness_actions() {
        let without: Vec<&str> = with.iter().copied().filter(|it| *it != missing).collect();
        grant(&without);
        let run = run(&practice).await;
        let found = findings(&run).join("\n");
        assert!(found.contains(&missing), "{missing}: {found}");
    }
}

fn throttle(practice: &crate::support::practice::Practice, times: usize) {
    practice.azure.fault(Fault {
        on: Call::GetInstanceView,
        times,
        what: What::Status {
            code: 429,
            retry_after: Some("0".to_owned()),
            body: FaultBody::ArmError {
                code: "OperationNotAllowed".to_owned(),
                message:
                    "The server rejected the request because too many requests have been received."
                        .to_owned(),
            },
        },
    });
}

#[tokio::test]
async fn a_throttled_call_is_made_again_and_one_that_stays_throttled_changes_nothing() {
    let practice = healthy().await;
    let kept = Kept::default();
    practice.azure.remove_agent(samples::SQL_01);
    let first = run_after(&practice, &kept).await;
    assert_eq!(
        (first.counts().ready, first.change.clone()),
        (5, Change::default())
    );
    throttle(&practice, 2);
    let patient = run_after(&practice, &kept).await;
    assert_eq!(
        (patient.counts().ready, patient.change.clone()),
        (5, Change::default())
    );

    throttle(&practice, 9);
    let throttled = run_after(&practice, &kept).await;
    assert_eq!(throttled.counts().unknown, 3, "{}", throttled.sentence());
    assert!(
        throttled.sentence().contains("Azure throttled the call"),
        "{}",
        throttled.sentence()
    );
    assert_eq!(throttled.change, Change::default());
    // What was known before it still is.
    let after = run_after(&practice, &kept).await;
    assert_eq!(after.change, Change::default());
    fix(&practice, &after);
    let recovered = run_after(&practice, &kept).await;
    let names: Vec<String> = recovered
        .change
        .recovered
        .iter()
        .map(|it| it.short_name())
        .collect();
    assert_eq!(names, ["sql-01"]);
    practice.azure.deallocate_vm(samples::WEB_01);
    let worse = run_after(&practice, &kept).await;
    assert!(worse.change.is_worse() && worse.change.worse.len() == 1);
}

/// Azure that throttles every machine is left alone: the others are not asked for.
#[tokio::test]
async fn a_run_ends_when_many_machines_in_a_row_get_no_answer() {
    let practice = healthy().await;
    let group = format!(
        "/subscriptions/{}/resourceGroups/rg-many",
        samples::SUBSCRIPTION_ID
    );
    practice.azure.add_vms(&group, "vm", "westeurope", 60);
    add_rule(&practice, "many", &[&group]);
    let rule = insights("metricAlerts", "many");
    practice.azure.change_alert_resource(&rule, |it| {
        it["targetResourceType"] = "Microsoft.Compute/virtualMachines".into();
    });
    throttle(&practice, 1_000);
    let run = run(&practice).await;
    practice.azure.withdraw_faults();
    assert_eq!(
        (run.counts().ready, run.counts().unknown),
        (3, 63),
        "{}",
        run.sentence()
    );
    assert!(
        run.sentence().contains("the run ended before"),
        "{}",
        run.sentence()
    );
    let journal = practice.azure.journal();
    let asked = journal.iter().filter(|it| it.kind == Call::GetInstanceView);
    assert_eq!(asked.count(), 20 * 3, "three tries each");
}

#[tokio::test]
async fn when_the_machines_cannot_be_listed_those_of_the_last_run_are_unknown() {
    let practice = healthy().await;
    let kept = Kept::default();
    run_after(&practice, &kept).await;
    practice.azure.fault(Fault {
        on: Call::QueryResources,
        times: 1,
        what: What::Status {
            code: 403,
            retry_after: None,
            body: FaultBody::ArmError {
                code: "AuthorizationFailed".to_owned(),
                message: "no".to_owned(),
            },
        },
    });
    let run = run_after(&practice, &kept).await;
    assert_eq!(
        (run.counts().ready, run.counts().unknown),
        (0, 6),
        "{}",
        run.sentence()
    );
}
