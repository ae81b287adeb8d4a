//! How long capture files and records are kept.

use super::*;
use azure_sandbox::{Call, Fault, What};

const CHECKS: [(&str, &str); 2] = [
    ("capture retention", "network-watcher-logs"),
    ("record retention", "packet-capture-incidents"),
];

#[tokio::test]
async fn the_rules_of_both_containers_are_shown() {
    let practice = Practice::open().await;
    let (checks, _) = practice.checks().await;
    for (check, container) in CHECKS {
        let message = message(&checks, check);
        let expected = format!("no lifecycle rule deletes all files in {container} of stcaptures");
        assert_eq!(message, expected);
    }
    for (prefix, days) in [
        ("network-watcher-logs/", 30),
        ("packet-capture-incidents/", 90),
        ("packet-capture-incidents/machines/", 1),
    ] {
        let account = samples::STORAGE_ACCOUNT;
        practice.azure.delete_blobs_after(account, prefix, days);
    }
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    for ((check, container), days) in CHECKS.into_iter().zip([30, 90]) {
        let expected = format!(
            "files in {container} of stcaptures are deleted {days} days after their last change"
        );
        assert_eq!(message(&checks, check), expected);
        assert_eq!(found(&checks, check)["status"], "ok");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown_and_no_fault() {
    let practice = Practice::open().await;
    practice.azure.fault(Fault {
        on: Call::GetManagementPolicy,
        times: 1,
        what: What::Status {
            code: 400,
            retry_after: None,
            body: azure_sandbox::FaultBody::Empty,
        },
    });
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    let first = found(&checks, CHECKS[0].0);
    assert_eq!(first["status"], "skipped", "{first}");
    let message = first["message"].as_str().unwrap();
    assert!(message.starts_with("unknown: "), "{message}");
}

#[tokio::test]
async fn without_the_account_s_id_the_records_are_skipped() {
    let mut practice = Practice::open().await;
    practice.unset("JobQueue__StorageAccountId");
    let (checks, _) = practice.checks().await;
    assert_eq!(found(&checks, CHECKS[0].0)["status"], "ok");
    assert_eq!(
        message(&checks, CHECKS[1].0),
        "JobQueue__StorageAccountId is not set"
    );
    // Records in memory are not kept at all.
    practice.unset("JobQueue__");
    let (checks, _) = practice.checks().await;
    assert!(!checks.iter().any(|it| it["check"] == CHECKS[1].0));
}
