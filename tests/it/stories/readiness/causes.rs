//! Each cause on a machine is found, named, and fixed by the printed command.

use super::{INSTANCES, causes, findings, fix, healthy, instance, machine, run};
use crate::support::practice::Practice;
use alert_packet_capture::fleet::Verdict;
use azure_sandbox::{Call, Entry, ExistingCapture, SessionStatus, samples};

const NSG: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.Network/networkSecurityGroups/nsg-web";

type Break = fn(&Practice);

#[tokio::test]
async fn each_cause_is_found_and_fixed_by_the_printed_command() {
    let table: [(&str, Break); 11] = [
        ("deallocated", |it| it.azure.deallocate_vm(samples::WEB_01)),
        ("agent not installed", |it| {
            it.azure.remove_agent(samples::WEB_01)
        }),
        ("agent not installed", |it| {
            it.azure.make_windows(samples::WEB_01);
            it.azure.remove_agent(samples::WEB_01);
        }),
        ("agent installation: failed", |it| {
            it.azure.set_agent_state(samples::WEB_01, "Failed");
        }),
        ("VM agent: Not Ready", |it| {
            it.azure.set_vm_agent(samples::WEB_01, "Not Ready");
        }),
        ("extensions not allowed", |it| {
            it.azure.allow_extensions(samples::WEB_01, false);
        }),
        ("no network watcher in francecentral", |it| {
            it.azure.move_vm(samples::WEB_01, "francecentral");
        }),
        ("deny-agent of nsg-web blocks 168.63.129.16:8037", |it| {
            it.azure.add_security_group(NSG, samples::WEB_01);
            it.azure
                .add_security_rule(NSG, "deny-agent", 200, "Deny", "168.63.129.16", "8037");
        }),
        ("deny-all of nsg-web blocks 169.254.169.254:80", |it| {
            it.azure.add_security_group(NSG, samples::WEB_01);
            it.azure
                .add_security_rule(NSG, "deny-all", 300, "Deny", "0.0.0.0/0", "80");
        }),
        ("no-uploads of nsg-web blocks Storage:443", |it| {
            it.azure.add_security_group(NSG, samples::WEB_01);
            it.azure
                .add_security_rule(NSG, "no-uploads", 300, "Deny", "Internet", "443-443");
        }),
        ("agent 1.3.1 is too old", |it| {
            it.azure.set_agent_version(samples::WEB_01, "1.3.1");
        }),
    ];
    let mut practice = healthy().await;
    practice.set("Readiness__EffectiveRules", "true");
    for (cause, breaks) in table {
        breaks(&practice);
        let before = run(&practice).await;
        let found = causes(&before, samples::WEB_01);
        assert!(found.iter().any(|it| it == cause), "{cause}: {found:?}");
        let warns = cause.contains("too old");
        let expected = if warns {
            Verdict::Ready
        } else {
            Verdict::NotReady
        };
        assert_eq!(
            before.verdict(machine(&before, samples::WEB_01)),
            expected,
            "{cause}"
        );
        if !warns {
            let named = format!("5 of 6 machines ready. Not ready: web-01 ({cause}).");
            assert_eq!(before.sentence(), named);
        }
        let commands = fix(&practice, &before);
        assert_eq!(commands.len(), 1, "{cause}: {commands:?}");
        let after = run(&practice).await;
        let left = causes(&after, samples::WEB_01);
        assert!(!left.iter().any(|it| it == cause), "{cause}: {commands:?}");
        assert_eq!(
            after.sentence(),
            "6 of 6 machines ready.",
            "{cause}: {left:?}"
        );
    }
}

#[tokio::test]
async fn instances_of_scale_sets_are_fixed_through_their_set() {
    let practice = healthy().await;
    practice
        .azure
        .set_instance_running(samples::API_SET, "2", false);
    let stopped = run(&practice).await;
    assert_eq!(causes(&stopped, &instance("2")), ["deallocated"]);
    assert_eq!(fix(&practice, &stopped).len(), 1);
    assert_eq!(run(&practice).await.counts().ready, 6);

    practice.azure.set_agent_in_model(samples::API_SET, false);
    practice
        .azure
        .update_instances(samples::API_SET, &INSTANCES);
    let missing = run(&practice).await;
    assert_eq!(
        missing.sentence(),
        "3 of 6 machines ready. Not ready: api-vmss, instance 0 (agent not installed), api-vmss, instance 1 (agent not installed), api-vmss, instance 2 (agent not installed)."
    );
    assert_eq!(fix(&practice, &missing).len(), 1, "one command for the set");
    let outdated = run(&practice).await;
    for name in INSTANCES {
        let found = causes(&outdated, &instance(name));
        assert_eq!(found, ["not at the scale set's latest model"]);
    }
    assert_eq!(fix(&practice, &outdated).len(), 1);
    assert_eq!(run(&practice).await.sentence(), "6 of 6 machines ready.");
}

#[tokio::test]
async fn a_watcher_without_room_concerns_the_machines_of_its_region() {
    let mut practice = healthy().await;
    practice.set("PacketCapture__Limit", "1");
    practice.azure.add_capture(ExistingCapture {
        watcher: samples::WATCHER_NORTHEUROPE.to_owned(),
        name: "of-another".to_owned(),
        target: samples::SQL_01.to_owned(),
        status: SessionStatus::Running,
        started: None,
        time_limit_seconds: 600,
        stop_reason: None,
    });
    let full = run(&practice).await;
    assert_eq!(
        full.sentence(),
        "5 of 6 machines ready. Not ready: sql-01 (no room for a capture in northeurope)."
    );
    // By the quota of the subscription alone.
    practice.set("PacketCapture__Limit", "100");
    practice.azure.set_capture_limit(1);
    assert_eq!(run(&practice).await.sentence(), full.sentence());
    practice
        .azure
        .remove_capture(samples::WATCHER_NORTHEUROPE, "of-another");
    let fixed = run(&practice).await;
    assert_eq!((fixed.counts().ready, findings(&fixed).len()), (6, 0));
}

#[tokio::test]
async fn a_machine_that_is_gone_or_not_allowed_is_named() {
    let mut practice = healthy().await;
    practice.azure.delete_vm(samples::WEB_02);
    let gone = run(&practice).await;
    assert_eq!(causes(&gone, samples::WEB_02), ["does not exist"]);
    let group = format!(
        "/subscriptions/{}/resourceGroups/rg-shop",
        samples::SUBSCRIPTION_ID
    );
    practice.set("PacketCapture__AllowedScopes", &group);
    let outside = run(&practice).await;
    let found = causes(&outside, samples::SQL_01);
    assert!(
        found.contains(&"outside PacketCapture__AllowedScopes".to_owned()),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_machine_that_is_deleted_during_the_run_is_no_fault() {
    let practice = healthy().await;
    practice.azure.hold(Call::GetInstanceView);
    // The quotas of both regions are read after the list of machines.
    let listed = |entries: &[Entry]| {
        let quotas = entries.iter().filter(|it| it.kind == Call::ListUsages);
        quotas.count() >= 2
    };
    let deleted = async {
        practice.azure.wait_for(listed).await;
        practice.azure.delete_vm(samples::WEB_02);
        practice.azure.release(Call::GetInstanceView);
    };
    let (during, ()) = tokio::join!(run(&practice), deleted);
    assert_eq!(during.sentence(), "5 of 5 machines ready.");
}

#[tokio::test]
async fn several_causes_are_found_and_fixed_together() {
    let practice = healthy().await;
    practice.azure.remove_agent(samples::WEB_01);
    practice.azure.remove_agent(samples::WEB_02);
    practice.azure.deallocate_vm(samples::SQL_01);
    practice
        .azure
        .set_instance_running(samples::API_SET, "1", false);
    let before = run(&practice).await;
    assert_eq!(
        before.sentence(),
        "2 of 6 machines ready. Not ready: web-01 (agent not installed), web-02 (agent not installed), sql-01 (deallocated), api-vmss, instance 1 (deallocated)."
    );
    let commands = fix(&practice, &before);
    assert_eq!(commands.len(), 3, "one for both agents: {commands:?}");
    assert_eq!(run(&practice).await.sentence(), "6 of 6 machines ready.");
}
