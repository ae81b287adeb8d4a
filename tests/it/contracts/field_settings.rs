//! App settings that people had trouble with, kept beside this package: what is said of each.

use crate::support::beside::field;
use alert_packet_capture::config::{QueueAccount, QueueKind, Settings, SettingsError};
use serde_json::Value;

/// The cases of an input with all else set that is needed, read.
fn read(input: &Value) -> Vec<Result<Settings, SettingsError>> {
    let one = [input.clone()];
    let cases = input.as_array().map_or(&one[..], Vec::as_slice);
    let read = |case: &Value| {
        let values = case["Values"].as_object().expect("app settings").iter();
        let own: Vec<(String, String)> = values
            .map(|(name, value)| {
                let value = value.as_str().expect("a text").replace("PORT", "41");
                (name.clone(), value)
            })
            .collect();
        let base = [
            ("AZURE_TENANT_ID", "9f0c7a3e-41d2-4c86-b7a5-2d8e60f1b943"),
            ("AZURE_CLIENT_ID", "2f4a6c1e-9b3d-4e57-8a10-5c7e9d1f3b25"),
            ("AZURE_CLIENT_SECRET", "s3cr3t-value"),
            ("PacketCapture__FilePath", "/var/captures/a.cap"),
        ];
        let base = base.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = base.into_iter().chain(own);
        Settings::read(&settings.collect())
    };
    cases.iter().map(read).collect()
}

/// The errors and the warnings of each case, in words.
fn said(file: &str) -> Option<Vec<Result<Vec<String>, String>>> {
    let words = |read: Result<Settings, SettingsError>| {
        let warnings = |it: Settings| it.warnings().iter().map(ToString::to_string).collect();
        read.map(warnings).map_err(|error| error.to_string())
    };
    Some(read(&field(file)?).into_iter().map(words).collect())
}

#[test]
fn mistyped_names_are_errors_with_the_nearest_known_one() {
    let Some(said) = said("c01-settings-mistyped") else {
        return;
    };
    let text = said[0].as_ref().unwrap_err();
    assert!(text.starts_with("4 invalid app settings"), "{text}");
    for (name, nearest) in [
        (
            "PacketCapture__AllowedScope",
            "PacketCapture__AllowedScopes",
        ),
        (
            "PacketCapture__TimeLimitSeconds",
            "PacketCapture__TimeLimitInSeconds",
        ),
        ("Notifications__WebhookUrl", "Notification__WebhookUrl"),
        ("SecureWebhook__Tenant", "SecureWebhook__TenantId"),
    ] {
        let words = format!("{name}: is not a known setting; did you mean {nearest}?");
        assert!(text.contains(&words), "{text}");
    }
}

#[test]
fn an_unresolved_reference_is_named_whatever_the_setting() {
    let Some(said) = said("c03-key-vault-reference-unresolved") else {
        return;
    };
    let names = [
        "AzureWebJobsStorage",
        "SecureWebhook__Audience",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "AZURE_CLIENT_ID",
        "PacketCapture__StorageAccountId",
        "AZURE_CLIENT_SECRET",
        "Notification__Secret",
    ];
    assert_eq!(said.len(), names.len());
    for (said, name) in said.iter().zip(names) {
        let text = said.as_ref().unwrap_err();
        let words = format!("1 invalid app setting; {name}: a Key Vault reference");
        assert!(text.starts_with(&words), "{text}");
    }
}

#[test]
fn the_queue_uses_the_host_s_own_identity() {
    let Some(input) = field("c04-queue-by-user-assigned-identity") else {
        return;
    };
    let settings = read(&input).remove(0).unwrap();
    let QueueKind::Storage(storage) = settings.jobs.kind else {
        panic!("not a storage queue");
    };
    let QueueAccount::Service { url, identity } = storage.account else {
        panic!("not opened with an identity");
    };
    assert_eq!(url.host_str(), Some("stjobs01.queue.core.windows.net"));
    let client = input["Values"]["AzureWebJobsStorage__clientId"].as_str();
    assert_eq!(identity.unwrap().client_id(), client);
}

#[test]
fn values_in_a_wrong_form_are_refused_with_the_form() {
    const ACCOUNT: Option<&str> = Some("AzureWebJobsStorage__accountName: needs the name of");
    const FILE: Option<&str> = Some("PacketCapture__FilePath: needs a path on the captured");
    const STORAGE: Option<&str> = Some("PacketCapture__StorageAccountId: needs the id of a");
    for (file, expected) in [
        ("c05-queue-account-name-with-prefix", &[ACCOUNT][..]),
        ("c08-file-paths", &[FILE, None, None, FILE]),
        (
            "c11-storage-ids",
            &[STORAGE, STORAGE, STORAGE, None, STORAGE],
        ),
    ] {
        let Some(said) = said(file) else {
            return;
        };
        assert_eq!(said.len(), expected.len(), "{file}");
        for (said, expected) in said.iter().zip(expected) {
            match (said, expected) {
                (Ok(warnings), None) => assert!(warnings.is_empty(), "{file}: {warnings:?}"),
                (Err(text), Some(words)) => assert!(text.contains(words), "{file}: {text}"),
                _ => panic!("{file}: {said:?}"),
            }
        }
    }
}

#[test]
fn what_is_half_right_is_a_warning() {
    let Some(flows) = said("c07-teams-flow-without-format") else {
        return;
    };
    for flow in &flows[..2] {
        let [warning] = &flow.as_ref().unwrap()[..] else {
            panic!("{flow:?}");
        };
        assert!(warning.contains("Notification__Format=teams"), "{warning}");
        assert!(!warning.contains("placeholder"), "{warning}");
    }
    let slack = flows[2].as_ref().unwrap_err();
    let words = "Notification__Format: is not set, so json is sent, needs slack";
    assert!(slack.contains(words), "{slack}");
    let halves = said("c10-secure-webhook-audience-half").unwrap();
    for (half, words) in halves.iter().zip(["version 1.0", "version 2.0"]) {
        let [warning] = &half.as_ref().unwrap()[..] else {
            panic!("{half:?}");
        };
        let start = "SecureWebhook__Audience: has no ";
        assert!(
            warning.starts_with(start) && warning.contains(words),
            "{warning}"
        );
    }
}
