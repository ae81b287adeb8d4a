//! Rights that are missing.

use super::*;
use alert_packet_capture::readiness::quote;

#[tokio::test]
async fn each_missing_permission_is_reported_with_the_role_that_has_it() {
    const NETWORK: &str = "Network Contributor";
    const STORAGE: &str = "Storage Account Contributor";
    for (action, status, role) in [
        ("Microsoft.Network/networkWatchers/read", "failed", NETWORK),
        (
            "Microsoft.Network/networkWatchers/packetCaptures/read",
            "failed",
            NETWORK,
        ),
        (
            "Microsoft.Network/networkWatchers/packetCaptures/write",
            "failed",
            NETWORK,
        ),
        (
            "Microsoft.Network/networkWatchers/packetCaptures/delete",
            "failed",
            NETWORK,
        ),
        (
            "Microsoft.Network/networkWatchers/packetCaptures/queryStatus/action",
            "failed",
            NETWORK,
        ),
        (
            "Microsoft.Network/locations/operations/read",
            "warning",
            NETWORK,
        ),
        ("Microsoft.Compute/virtualMachines/read", "failed", "Reader"),
        (
            "Microsoft.Compute/virtualMachines/extensions/read",
            "warning",
            "Reader",
        ),
        (
            "Microsoft.Compute/virtualMachines/instanceView/read",
            "warning",
            "Reader",
        ),
        ("Microsoft.Storage/storageAccounts/read", "failed", STORAGE),
        (
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "failed",
            STORAGE,
        ),
        (
            "Microsoft.Storage/storageAccounts/listServiceSas/action",
            "failed",
            STORAGE,
        ),
        (
            "Microsoft.Storage/storageAccounts/listAccountSas/action",
            "failed",
            STORAGE,
        ),
        (
            "Microsoft.Authorization/permissions/read",
            "warning",
            "Reader",
        ),
    ] {
        let practice = Practice::open().await;
        practice.azure.deny(action);
        let (checks, code) = practice.checks().await;
        let found = faults(&checks);
        assert!(!found.is_empty(), "{action}: {checks:#?}");
        let command = format!(
            "az role assignment create --assignee {} --role {}",
            samples::CLIENT_ID,
            quote(role)
        );
        for (check, found, fix) in &found {
            assert_eq!(
                (check.as_str(), found.as_str()),
                (format!("permission {action}").as_str(), status)
            );
            assert!(fix.starts_with(&command), "{fix}");
        }
        assert_eq!(code, Some(i32::from(status == "failed")), "{action}");
    }
}

#[tokio::test]
async fn the_permission_to_read_a_status_is_tried_where_there_is_an_own_capture() {
    let practice = Practice::open().await;
    let action = "Microsoft.Network/networkWatchers/packetCaptures/queryStatus/action";
    practice
        .azure
        .add_capture(capture("PSAzureFunction", SessionStatus::Stopped));
    practice.azure.deny(action);
    let (checks, code) = practice.checks().await;
    let found = faults(&checks);
    assert_eq!((found.len(), code), (1, Some(1)), "{checks:#?}");
    assert_eq!(found[0].0, format!("permission {action}"));
    assert!(
        practice
            .azure
            .journal_lines()
            .iter()
            .any(|it| it.starts_with("POST packetCaptures"))
    );
}
