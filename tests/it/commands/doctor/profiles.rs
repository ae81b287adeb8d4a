//! Profiles in the doctor: which alert gets which capture, and each storage account that they upload to.

use super::*;

const OTHER: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.Storage/storageAccounts/stother";

#[tokio::test]
async fn profiles_are_shown_and_each_of_their_accounts_is_checked() {
    let mut practice = Practice::open().await;
    practice.set("PacketCapture__Profiles__sql__Rules", "sql-*");
    practice.set("PacketCapture__Profiles__sql__TimeLimitInSeconds", "300");
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    assert_eq!(
        message(&checks, "profiles"),
        "sql: rules sql-*: all packets for 300 s"
    );
    practice.set("PacketCapture__Profiles__sql__StorageAccountId", OTHER);
    let (checks, code) = practice.checks().await;
    let accounts = checks.iter().filter(|it| it["check"] == "storage account");
    let messages: Vec<&str> = accounts.map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[0], "stcaptures exists");
    assert!(messages[1].contains("stother"), "{messages:?}");
    assert_eq!(code, Some(1));
}

#[tokio::test]
async fn a_profile_that_is_half_set_leaves_the_other_checks() {
    let mut practice = Practice::open().await;
    practice.set("PacketCapture__Profiles__sql__Rules", "sql-*");
    let (checks, code) = practice.checks().await;
    assert_eq!(code, Some(1));
    let problem = message(&checks, "app settings");
    assert!(
        problem.starts_with("PacketCapture__Profiles__sql__TimeLimitInSeconds: missing; the profile sql changes nothing"),
        "{problem}"
    );
    assert_eq!(found(&checks, "profiles")["status"], "skipped");
    assert_eq!(message(&checks, "storage account"), "stcaptures exists");
}
