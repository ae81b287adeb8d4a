//! A world without a fault, and what is asked of it.

use super::*;

#[tokio::test]
async fn a_healthy_world_is_all_ok() {
    let practice = Practice::open().await;
    let (checks, code) = practice.checks().await;
    assert_eq!(code, Some(0), "{checks:#?}");
    assert!(checks.iter().all(|it| it["status"] == "ok"), "{checks:#?}");
    for check in [
        "app settings",
        "identity",
        "access token",
        "function key",
        "secure webhook",
        "notification",
        "job queue",
        "poison queue",
        "incident record",
        "conditional writes",
        "storage clock",
        "network watchers",
        "capture slots",
        "stale captures",
        "permission Microsoft.Network/networkWatchers/packetCaptures/write",
        "storage account",
        "shared keys",
        "performance tier",
        "capture retention",
        "record retention",
        "first look",
        "virtual machine",
        "watcher of its region",
        "agent",
        "power",
    ] {
        assert!(checks.iter().any(|it| it["check"] == check), "{check}");
    }
    let text = String::from_utf8(practice.ask(&[]).await.stdout).unwrap();
    assert!(!text.contains('\x1b'), "a pipe is no terminal: {text}");
    assert!(text.contains("AZURE_CLIENT_SECRET"), "{text}");
    assert!(
        text.ends_with(" ok, 0 warnings, 0 failed, 0 skipped\n"),
        "{text}"
    );
}

#[tokio::test]
async fn without_a_vm_the_allowed_scopes_are_checked() {
    let mut practice = Practice::open().await;
    practice.arguments.clear();
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    let machines = "permission Microsoft.Compute/virtualMachines/read";
    assert!(checks.iter().any(|it| it["check"] == machines));
    practice.arguments = vec![
        "--subscription".to_owned(),
        samples::SUBSCRIPTION_ID.to_owned(),
    ];
    assert_eq!(practice.checks().await.1, Some(0));
    let elsewhere = "00000000-0000-4000-8000-000000000000";
    practice.arguments[1] = elsewhere.to_owned();
    let (checks, code) = practice.checks().await;
    let found = faults(&checks);
    assert_eq!(code, Some(1));
    assert_eq!(found[0].0, "network watchers", "{found:?}");
    assert!(found[0].2.contains(elsewhere), "{found:?}");
}

#[tokio::test]
async fn an_own_running_capture_is_not_stale_and_takes_no_slot() {
    let mut practice = Practice::open().await;
    practice.set("PacketCapture__Limit", "1");
    let started = Some(time::OffsetDateTime::now_utc());
    practice.azure.add_capture(ExistingCapture {
        started,
        ..capture("PSAzureFunction", SessionStatus::Running)
    });
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
}

#[tokio::test]
async fn warnings_alone_are_no_failure() {
    let mut practice = Practice::open().await;
    practice
        .settings
        .retain(|(name, _)| name != "PacketCapture__AllowedScopes");
    practice.set("PacketCapture__DryRun", "true");
    let (checks, code) = practice.checks().await;
    let reported: Vec<String> = faults(&checks).into_iter().map(|it| it.0).collect();
    assert_eq!(reported, ["allowed scopes", "dry run"]);
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn wrong_usage_gets_a_usage_line() {
    let mut practice = Practice::open().await;
    for wrong in [&["--fix"][..], &["--vm", "web-01"], &["--subscription"]] {
        practice.arguments = wrong.iter().map(|&it| it.to_owned()).collect();
        let output = practice.ask(&[]).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("Usage: handler doctor"));
    }
    assert!(practice.azure.journal().is_empty());
}
