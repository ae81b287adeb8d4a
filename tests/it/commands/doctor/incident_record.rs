//! `handler doctor` about the incident record and the first look.

use super::*;
use azure_sandbox::{BlobRole, Call, Fault, FaultBody, What};
use time::Duration;

fn by_identity(practice: &mut Practice) {
    practice.unset("AzureWebJobsStorage");
    let settings = practice.azure.queue_settings_with_identity();
    practice.settings.extend(settings);
}

type Case = (
    fn(&mut Practice),
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const CASES: [Case; 6] = [
    (
        |it| {
            by_identity(it);
            it.azure
                .set_blob_role(samples::STORAGE_ACCOUNT, BlobRole::Reader);
        },
        "incident record",
        "failed",
        "no role for the blobs",
        "--role 'Storage Blob Data Contributor' --scope \"$(az storage account show --name stcaptures --query id --output tsv)\"",
    ),
    (
        |it| {
            it.azure
                .set_blob_role(samples::STORAGE_ACCOUNT, BlobRole::None)
        },
        "first look",
        "warning",
        "no role for the blobs",
        "--role 'Storage Blob Data Reader' --scope",
    ),
    (
        |it| it.azure.forbid_shared_keys(samples::STORAGE_ACCOUNT),
        "incident record",
        "failed",
        "does not allow keys",
        "az storage account show-connection-string",
    ),
    (
        |it| it.azure.set_storage_clock(Duration::minutes(7)),
        "storage clock",
        "failed",
        "behind the storage service's",
        "timedatectl",
    ),
    (
        |it| it.azure.set_storage_clock(Duration::minutes(-7)),
        "storage clock",
        "failed",
        "ahead of the storage service's",
        "timedatectl",
    ),
    (
        |it| {
            it.azure.fault(Fault {
                on: Call::GetContainer,
                times: 4,
                what: What::Status {
                    code: 503,
                    retry_after: None,
                    body: FaultBody::StorageError("ServerBusy"),
                },
            });
        },
        "incident record",
        "failed",
        "503 ServerBusy",
        "az storage account show --name stcaptures",
    ),
];

#[tokio::test]
async fn each_fault_of_the_record_has_its_fix() {
    for (break_it, check, status, words, fix) in CASES {
        let mut practice = Practice::open().await;
        break_it(&mut practice);
        let (checks, _) = practice.checks().await;
        let faults = faults(&checks);
        let own = faults.iter().find(|it| it.0 == check);
        let own = own.unwrap_or_else(|| panic!("no {check}: {checks:#?}"));
        assert_eq!(own.1, status, "{check}");
        assert!(own.2.contains(fix), "{check}: {}", own.2);
        let text = message(&checks, check);
        assert!(text.contains(words), "{check}: {text}");
        // Only forbidden keys are a fault of the captures' account too, which here is the same one.
        let others = faults.len() - 1;
        assert_eq!(others, usize::from(words.contains("keys")), "{faults:?}");
    }
}

#[tokio::test]
async fn a_firewall_is_named_for_both_accounts() {
    let practice = Practice::open().await;
    practice.azure.set_firewall(samples::STORAGE_ACCOUNT, true);
    let (checks, code) = practice.checks().await;
    assert_eq!(code, Some(1));
    for (check, status) in [("incident record", "failed"), ("first look", "warning")] {
        assert_eq!(found(&checks, check)["status"], status);
        let text = message(&checks, check);
        assert!(text.contains("firewall"), "{text}");
        let fix = found(&checks, check)["fix"].as_str().unwrap();
        assert!(fix.contains("networkRuleSet"), "{fix}");
    }
    for check in ["conditional writes", "storage clock"] {
        assert_eq!(found(&checks, check)["status"], "skipped");
    }
}

#[tokio::test]
async fn a_container_that_is_not_there_yet_and_a_blob_service_that_is_not_named() {
    let mut practice = Practice::open().await;
    practice.azure.remove_container("packet-capture-incidents");
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    let text = message(&checks, "incident record");
    assert!(text.contains("created at the first write"), "{text}");
    assert_eq!(found(&checks, "conditional writes")["status"], "skipped");

    by_identity(&mut practice);
    practice.unset("AzureWebJobsStorage__blobServiceUri");
    let (checks, code) = practice.checks().await;
    assert_eq!(code, Some(0));
    let text = message(&checks, "incident record");
    assert!(text.contains("in memory"), "{text}");
    let fix = found(&checks, "incident record")["fix"].as_str().unwrap();
    assert!(fix.contains("AzureWebJobsStorage__blobServiceUri"), "{fix}");
}

#[tokio::test]
async fn a_look_that_is_switched_off_is_not_checked() {
    let mut practice = Practice::open().await;
    practice.set("FirstLook__Enabled", "false");
    practice
        .azure
        .set_blob_role(samples::STORAGE_ACCOUNT, BlobRole::None);
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    assert_eq!(found(&checks, "first look")["status"], "skipped");
}
