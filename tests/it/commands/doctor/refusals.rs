//! Refusals whose reason is not in their first message.

use super::*;
use azure_sandbox::{Call, Fault, FaultBody, What};
use serde_json::json;

/// The call that is refused, the check that reports it, Azure's error, and its innermost reason.
fn refusals() -> [(Call, &'static str, Value, &'static str); 4] {
    [
        (
            Call::ListWatchers,
            "network watchers",
            json!({
                "code": "BadRequest",
                "message": "The request failed.",
                "details": [{
                    "code": "Middle",
                    "message": "passed on",
                    "details": [{
                        "code": "SubscriptionNotRegistered",
                        "message": "Register Microsoft.Network first.",
                    }],
                }],
            }),
            "SubscriptionNotRegistered: Register Microsoft.Network first.",
        ),
        (
            Call::ListCaptures,
            "packet captures",
            json!({
                "code": "BadRequest",
                "message": "The request failed.",
                "innererror": { "code": "WatcherIsUpdating", "message": "Wait for the update." },
            }),
            "WatcherIsUpdating: Wait for the update.",
        ),
        (
            Call::GetStorageAccount,
            "storage account",
            json!({
                "code": "RequestDisallowedByPolicy",
                "message": "A policy disallowed the request.",
                "additionalInfo": [{
                    "type": "PolicyViolation",
                    "info": { "policyDefinitionDisplayName": "No reads at night" },
                }],
            }),
            "PolicyViolation: policy \"No reads at night\"",
        ),
        (
            Call::GetVirtualMachine,
            "virtual machine",
            json!({
                "code": "Failed",
                "message": r#"{"error":{"code":"ZoneDown","message":"Zone 1 is down."}}"#,
            }),
            "ZoneDown: Zone 1 is down.",
        ),
    ]
}

#[tokio::test]
async fn the_innermost_reason_of_a_refusal_is_reported() {
    for (on, check, error, reason) in refusals() {
        let practice = Practice::open().await;
        practice.azure.fault(Fault {
            on,
            times: 1,
            what: What::Status {
                code: 400,
                retry_after: None,
                body: FaultBody::Json(json!({ "error": error })),
            },
        });
        let (checks, code) = practice.checks().await;
        let faults = faults(&checks);
        assert_eq!((faults.len(), code), (1, Some(1)), "{check}: {checks:#?}");
        assert_eq!((&*faults[0].0, &*faults[0].1), (check, "failed"));
        let message = message(&checks, check);
        assert!(message.contains(reason), "{check}: {message}");
        assert!(!message.contains("passed on"), "{check}: {message}");
    }
}

/// A 403 of a policy, a deny assignment or a firewall names no role: a role would not help.
#[tokio::test]
async fn a_403_that_no_role_resolves_is_reported_with_its_own_reason() {
    let policy = json!({ "error": {
        "code": "RequestDisallowedByPolicy",
        "message": "A policy disallowed the request.",
        "additionalInfo": [{
            "type": "PolicyViolation",
            "info": { "policyDefinitionDisplayName": "No reads at night" },
        }],
    } });
    let denied = json!({ "error": {
        "code": "DenyAssignmentAuthorizationFailed",
        "message": "A deny assignment of the managed application blocks the action.",
    } });
    let calls = [
        (Call::ListWatchers, "network watchers"),
        (Call::ListCaptures, "packet captures"),
        (Call::GetStorageAccount, "storage account"),
        (Call::GetVirtualMachine, "virtual machine"),
    ];
    for (body, reason) in [
        (
            FaultBody::Json(policy),
            "policy \"No reads at night\" (request id ",
        ),
        (
            FaultBody::Json(denied),
            "A deny assignment of the managed application",
        ),
        (FaultBody::Html, "Http403"),
    ] {
        for (on, check) in calls {
            let practice = Practice::open().await;
            practice.azure.fault(Fault {
                on,
                times: 1,
                what: What::Status {
                    code: 403,
                    retry_after: None,
                    body: body.clone(),
                },
            });
            let (checks, code) = practice.checks().await;
            let faults = faults(&checks);
            assert_eq!((faults.len(), code), (1, Some(1)), "{check}: {checks:#?}");
            assert_eq!((&*faults[0].0, &*faults[0].1), (check, "failed"));
            assert!(!faults[0].2.contains("role assignment"), "{faults:?}");
            let message = message(&checks, check);
            assert!(message.contains(reason), "{check}: {message}");
        }
    }
}
