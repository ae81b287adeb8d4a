//! A drill on each kind of broken machine: what failed, and what to do. Nothing is left that the drill created.

use super::*;
use azure_sandbox::BlobRole;

/// Which step failed, why, and Azure's code.
fn failure(drill: &Drill) -> (&str, &str, &str) {
    match &drill.verdict {
        Verdict::Failed {
            step, cause, code, ..
        } => (step, cause, code.as_deref().unwrap_or("-")),
        verdict => panic!("{verdict:?}"),
    }
}

#[tokio::test]
async fn each_broken_machine_is_named() {
    // What breaks it, the step that fails, a word of the cause, Azure's code.
    type Break = fn(&Azure);
    let far = samples::WEB_01.replace("web-01", "far-01");
    let rows: [(&str, Break, &str, &str, &str); 6] = [
        (
            samples::WEB_01,
            |azure| azure.remove_agent(samples::WEB_01),
            "create",
            "extension is not installed",
            "NetworkWatcherVmExtensionNotInstalled",
        ),
        (
            samples::WEB_01,
            |azure| {
                azure.deallocate_vm(samples::WEB_01);
                // What Azure says of a stopped machine is not published; the create fails after it was accepted.
                azure.fail_next_operation("AgentNotReady", "The agent on the VM did not answer.");
            },
            "start",
            "did not answer",
            "AgentNotReady",
        ),
        (
            samples::WEB_01,
            |azure| azure.deny("Microsoft.Network/networkWatchers/packetCaptures/write"),
            "create",
            "packetCaptures/write",
            "AuthorizationFailed",
        ),
        (
            &far,
            |azure| azure.add_vm(&samples::WEB_01.replace("web-01", "far-01"), "westeurope3"),
            "create",
            "has no network watcher in region westeurope3",
            "NetworkWatcherNotFound",
        ),
        (
            samples::WEB_01,
            |azure| azure.set_blob_role(samples::STORAGE_ACCOUNT, BlobRole::None),
            "file",
            "has no role for the blobs",
            "-",
        ),
        (
            &samples::WEB_01.replace("web-01", "gone-01"),
            |_| {},
            "create",
            "gone-01",
            "ResourceNotFound",
        ),
    ];
    for (machine, break_it, step, word, code) in rows {
        let story = Story::with(&[]).await;
        break_it(&story.world.azure);
        let (drill, incident) = story.drill(machine).await;
        let found = failure(&drill);
        assert_eq!((found.0, found.2), (step, code), "{drill:#?} {incident:#}");
        assert!(found.1.contains(word), "{word} is not in {found:?}");
        let left = story.world.azure.captures(samples::WATCHER_WESTEUROPE);
        assert!(left.is_empty(), "{word}: {left:?}");
        story.world.end().await;
    }
}

#[tokio::test]
async fn an_upload_that_storage_refuses_is_found() {
    let story = Story::with(&[]).await;
    let reply = story.start(samples::WEB_01).await;
    let name = reply.body["captures"][0]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    story.world.azure.complete_operations();
    story.world.azure.finish_session_with(
        samples::WATCHER_WESTEUROPE,
        &name,
        "Error",
        &["StorageFailed"],
    );
    let (drill, _) = story.end_of(&reply).await;
    let found = failure(&drill);
    assert_eq!(
        (found.0, found.2),
        ("capture", "StorageFailed"),
        "{drill:#?}"
    );
    assert!(
        story
            .world
            .azure
            .captures(samples::WATCHER_WESTEUROPE)
            .is_empty()
    );
    story.world.end().await;
}

#[tokio::test]
async fn a_receiver_that_stays_down_is_found_and_the_session_is_removed() {
    let story = Story::with(&[]).await;
    story.receiver.down(1_000);
    let (drill, _) = story.drill(samples::WEB_01).await;
    let found = failure(&drill);
    assert_eq!(found.0, "notification", "{drill:#?}");
    assert!(found.1.contains("503"), "{found:?}");
    assert!(
        story
            .world
            .azure
            .captures(samples::WATCHER_WESTEUROPE)
            .is_empty()
    );
    story.receiver.up();
    story.world.end().await;
}

#[tokio::test]
async fn what_keeps_alerts_from_starting_is_said_at_the_door() {
    let elsewhere = samples::WEB_01.replace(
        "rg-shop/providers/Microsoft.Compute/virtualMachines/web-01",
        "rg-other",
    );
    for (setting, value, outcome, reason) in [
        (
            "PacketCapture__AllowedScopes",
            elsewhere.as_str(),
            "ignored",
            "scope_not_allowed",
        ),
        ("PacketCapture__DryRun", "true", "dry_run", ""),
    ] {
        let story = Story::with(&[(setting, value)]).await;
        let reply = story.start(samples::WEB_01).await;
        assert_eq!(reply.body["outcome"], outcome, "{:?}", reply.body);
        assert_eq!(reply.body["reason"].as_str().unwrap_or_default(), reason);
        assert!(story.world.azure.captures_made().is_empty());
        story.world.end().await;
    }
}
