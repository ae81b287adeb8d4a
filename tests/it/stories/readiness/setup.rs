//! What concerns all machines: the storage account, permissions of captures, and the settings of a run.

use super::{add_rule, causes, findings, fix, healthy, run};
use crate::support::operator;
use alert_packet_capture::fleet::{self, Weight};
use azure_sandbox::samples;

#[tokio::test]
async fn an_account_without_shared_keys_keeps_every_machine_from_being_ready() {
    let mut practice = healthy().await;
    // The sandbox has one account for everything: the jobs are not in it here.
    for setting in ["AzureWebJobsStorage", "JobQueue__"] {
        practice.unset(setting);
    }
    practice.azure.forbid_shared_keys(samples::STORAGE_ACCOUNT);
    let before = run(&practice).await;
    let start = "0 of 6 machines ready. Not ready: 6 machines (shared keys: disabled on stcaptures";
    assert!(
        before.sentence().starts_with(start),
        "{}",
        before.sentence()
    );
    assert_eq!(before.by_cause().get("setup"), Some(&6));
    let allow = "az storage account update --ids";
    let commands = fleet::fixes(&before).into_iter().flat_map(|it| it.commands);
    let commands: Vec<String> = commands.filter(|it| it.starts_with(allow)).collect();
    assert_eq!(commands.len(), 1, "once for all machines: {commands:?}");
    operator::run(&practice.azure, &commands[0]);
    assert_eq!(run(&practice).await.sentence(), "6 of 6 machines ready.");
}

#[tokio::test]
async fn a_missing_right_of_captures_concerns_the_machines_of_its_subscription() {
    let practice = healthy().await;
    let action = "Microsoft.Network/networkWatchers/packetCaptures/write";
    practice.azure.deny(action);
    let before = run(&practice).await;
    assert_eq!(before.counts().ready, 0, "{}", before.sentence());
    assert!(before.sentence().contains(action), "{}", before.sentence());
    assert_eq!(fix(&practice, &before).len(), 1);
    assert_eq!(run(&practice).await.counts().ready, 6);
}

#[tokio::test]
async fn an_account_elsewhere_or_behind_a_firewall_is_a_warning() {
    let practice = healthy().await;
    practice.azure.restrict_network(samples::STORAGE_ACCOUNT);
    practice
        .azure
        .move_account(samples::STORAGE_ACCOUNT, "northeurope");
    let run = run(&practice).await;
    assert_eq!(run.sentence(), "6 of 6 machines ready.");
    let mut warnings = run.findings.iter().filter(|it| it.weight == Weight::Warns);
    assert!(
        warnings.any(|it| it.check == "account network"),
        "{:?}",
        run.findings
    );
    let region = "in westeurope, the storage account in northeurope";
    assert_eq!(causes(&run, samples::WEB_01), [region]);
    assert_eq!(causes(&run, samples::SQL_01), [""; 0]);
}

#[tokio::test]
async fn the_machines_come_from_where_the_setting_says() {
    let mut practice = healthy().await;
    practice
        .azure
        .add_vm(&samples::WEB_01.replace("web-01", "idle"), "westeurope");
    for (targets, machines) in [
        ("rules", 6),
        ("scopes", 7),
        (samples::WEB_01, 1),
        (samples::API_SET, 3),
        (&format!("{}, {}", super::instance("1"), samples::SQL_01), 2),
    ] {
        practice.set("Readiness__Targets", targets);
        let run = run(&practice).await;
        assert_eq!(
            run.counts().ready,
            machines,
            "{targets}: {}",
            run.sentence()
        );
        assert_eq!(run.counts().machines(), machines, "{targets}");
    }
    // A rule over the whole subscription names them all.
    practice.set("Readiness__Targets", "rules");
    let subscription = format!("/subscriptions/{}", samples::SUBSCRIPTION_ID);
    add_rule(&practice, "everything", &[&subscription]);
    practice
        .azure
        .change_alert_resource(&super::insights("metricAlerts", "everything"), |it| {
            it["targetResourceType"] = "Microsoft.Compute/virtualMachines".into();
        });
    assert_eq!(run(&practice).await.counts().machines(), 7);
}

#[tokio::test]
async fn without_its_own_address_the_allowed_scopes_are_checked_and_the_run_says_so() {
    let mut practice = healthy().await;
    for empty in [true, false] {
        practice.unset("WEBSITE_HOSTNAME");
        if empty {
            practice.set("WEBSITE_HOSTNAME", "");
        }
        let run = run(&practice).await;
        assert_eq!(run.counts().ready, 6);
        let found = findings(&run);
        assert!(
            matches!(&found[..], [one] if one.contains("address is not known")),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn a_target_without_a_machine_is_named() {
    let mut practice = healthy().await;
    let nowhere = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
    let targets = format!("{nowhere}, {}", samples::WEB_01);
    practice.set("Readiness__Targets", &targets);
    let run = run(&practice).await;
    assert_eq!(run.sentence(), "1 of 1 machine ready.");
    let message = format!("readiness targets: no machine that can be read is in {nowhere}");
    assert_eq!(findings(&run), [message]);
}
