//! Wrong settings, and addresses where nothing answers.

use super::*;

#[tokio::test]
async fn each_invalid_setting_is_named_and_the_rest_is_still_checked() {
    let mut practice = Practice::open().await;
    practice.set("PacketCapture__Limit", "ten");
    practice.set("PacketCapture__AllowedScopes", "rg-shop");
    practice.set("PacketCapture__ReplyWaitSeconds", "10");
    let (checks, code) = practice.checks().await;
    let found = faults(&checks);
    let reported: Vec<(&str, &str)> = found.iter().map(|it| (&*it.0, &*it.1)).collect();
    assert_eq!(
        reported,
        [
            ("app settings", "failed"),
            ("app settings", "failed"),
            ("reply wait", "warning")
        ],
        "{checks:#?}"
    );
    assert!(found[0].2.contains("PacketCapture__Limit="), "{found:?}");
    assert!(
        found[1].2.contains("PacketCapture__AllowedScopes="),
        "{found:?}"
    );
    assert_eq!(code, Some(1));
    assert!(
        checks
            .iter()
            .any(|it| it["check"] == "agent" && it["status"] == "ok")
    );
}

#[tokio::test]
async fn half_an_identity_sends_nothing() {
    let mut practice = Practice::open().await;
    practice
        .settings
        .retain(|(name, _)| name != "AZURE_CLIENT_ID");
    practice.set("AZURE_AUTHORITY_HOST", "http://login.example");
    let (checks, code) = practice.checks().await;
    let found = faults(&checks);
    assert_eq!((found.len(), code), (2, Some(1)), "{checks:#?}");
    assert!(found.iter().all(|it| it.0 == "app settings"));
    // The queue's key has nothing to do with the identity.
    let calls = practice.azure.journal_lines();
    assert_eq!(
        calls,
        [
            "GET queue packet-capture-jobs 404",
            "GET queue packet-capture-jobs-poison 404",
            "GET container packet-capture-incidents 200",
            "PUT blob check 412",
        ]
    );
    let skipped = |check: &str| {
        checks
            .iter()
            .any(|it| it["check"] == check && it["status"] == "skipped")
    };
    assert!(skipped("identity") && skipped("access token") && skipped("storage account"));
}

/// The login host answers and Resource Manager does not: nothing hangs, and what failed is said.
#[tokio::test]
async fn an_unreachable_resource_manager_is_reported() {
    let mut practice = Practice::open().await;
    practice.set(
        "AZURE_RESOURCE_MANAGER_AUDIENCE",
        &practice.azure.endpoint(),
    );
    practice.set("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://127.0.0.1:1");
    let (checks, code) = practice.checks().await;
    let found = faults(&checks);
    assert_eq!(code, Some(1), "{checks:#?}");
    assert_eq!(
        (found.len(), &*found[0].0),
        (1, "network watchers"),
        "{checks:#?}"
    );
    assert!(
        found[0].2.contains("AZURE_RESOURCE_MANAGER_ENDPOINT"),
        "{checks:#?}"
    );
}

#[tokio::test]
async fn a_warning_about_a_valid_setting_is_shown_beside_an_invalid_one() {
    let mut practice = Practice::open().await;
    practice.set("PacketCapture__Limit", "ten");
    practice.set("SecureWebhook__TenantId", samples::TENANT_ID);
    practice.set("SecureWebhook__Audience", samples::CLIENT_ID);
    let (checks, code) = practice.checks().await;
    let about_settings = checks.iter().filter(|it| it["check"] == "app settings");
    let [invalid, unintended] = about_settings.collect::<Vec<_>>()[..] else {
        panic!("{checks:#?}");
    };
    assert_eq!((&invalid["status"], code), (&"failed".into(), Some(1)));
    assert_eq!(unintended["status"], "warning");
    let message = unintended["message"].as_str().unwrap();
    let words = "SecureWebhook__Audience: has no Application ID URI: tokens of version 1.0";
    assert!(message.starts_with(words), "{message}");
    let fix = "az functionapp config appsettings set --name '<app>' --resource-group '<group>' --settings 'SecureWebhook__Audience=...'";
    assert_eq!(unintended["fix"], fix);
    // The setting is valid, so what it configures is checked.
    assert_eq!(found(&checks, "secure webhook")["status"], "ok");
}
