//! `handler doctor` about the function itself: its callers, its job queue and its notifications.

use super::*;
use crate::support::folder::Folder;
use azure_sandbox::{Call, Fault, FaultBody, What, samples};
use tokio::net::TcpListener;

const WEBHOOK: [(&str, &str); 2] = [
    ("SecureWebhook__TenantId", samples::TENANT_ID),
    (
        "SecureWebhook__Audience",
        "2f4a6c1e-9b3d-4e57-8a10-5c7e9d1f3b25, api://alerts.contoso.example",
    ),
];

/// How it is broken, the check that reports it, its status, words of the message, and a part of the command.
type Broken = (
    fn(&mut Practice, &Folder),
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

fn function_file(practice: &mut Practice, folder: &Folder, text: &str) {
    std::fs::create_dir_all(folder.0.join("AlertPacketCapture")).unwrap();
    folder.file("AlertPacketCapture/function.json", text);
    let root = folder.0.display().to_string();
    practice.set("FUNCTIONS_APP_ROOT_PATH", &root);
}

fn anonymous(practice: &mut Practice, folder: &Folder) {
    let text =
        r#"{"bindings":[{"type":"httpTrigger","authLevel":"anonymous","methods":["post"]}]}"#;
    function_file(practice, folder, text);
}

fn queue_by_identity(practice: &mut Practice) {
    practice.unset("AzureWebJobsStorage");
    for (name, value) in practice.azure.queue_settings_with_identity() {
        practice.set(&name, &value);
    }
}

fn connection(practice: &mut Practice, change: impl Fn(&str) -> String) {
    let settings = practice.azure.queue_settings();
    let (name, value) = settings
        .iter()
        .find(|(name, _)| name == "AzureWebJobsStorage")
        .unwrap();
    let changed = change(value);
    practice.set(name, &changed);
}

const BROKEN: [Broken; 17] = [
    (
        anonymous,
        "function key",
        "failed",
        "any caller can start captures",
        "func azure functionapp publish '<app>' --custom",
    ),
    (
        |it, folder| function_file(it, folder, "{"),
        "function key",
        "failed",
        "is not valid",
        "func azure functionapp publish",
    ),
    (
        |it, _| {
            it.set(WEBHOOK[0].0, "00000000-0000-4000-8000-000000000000");
            it.set(WEBHOOK[1].0, WEBHOOK[1].1);
        },
        "secure webhook",
        "failed",
        "answered with 503",
        "az account show --query tenantId   # the value goes in SecureWebhook__TenantId",
    ),
    (
        |it, _| {
            WEBHOOK.iter().for_each(|(name, value)| it.set(name, value));
            it.azure.fault(Fault {
                on: Call::Keys,
                times: 1,
                what: What::DropBefore,
            });
        },
        "secure webhook",
        "failed",
        "could not fetch",
        "az cloud show --query endpoints.activeDirectory   # the value goes in AZURE_AUTHORITY_HOST",
    ),
    (
        |it, _| {
            WEBHOOK.iter().for_each(|(name, value)| it.set(name, value));
            it.set("SecureWebhook__TrustEasyAuth", "true");
            it.set("WEBSITE_SITE_NAME", "shop-alerts");
        },
        "secure webhook",
        "failed",
        "App Service authentication is off",
        "az webapp auth update --name shop-alerts --resource-group '<group>' --enabled true",
    ),
    (
        |it, _| {
            it.set(
                "Notification__WebhookUrl",
                "http://127.0.0.1:1/wr0ng?sig=wr0ng",
            )
        },
        "notification",
        "warning",
        "could not connect to 127.0.0.1:1",
        "--settings 'Notification__WebhookUrl=https://...'",
    ),
    (
        |it, _| {
            let url = "https://hooks.slack.com/services/wr0ng";
            it.set("Notification__WebhookUrl", url);
        },
        "app settings",
        "failed",
        "is not set, so json is sent, needs slack: hooks.slack.com takes no other format",
        "--settings 'Notification__Format=...'",
    ),
    (
        |it, _| {
            WEBHOOK.iter().for_each(|(name, value)| it.set(name, value));
            it.set("SecureWebhook__Audience", "api://alerts.contoso.example");
        },
        "app settings",
        "warning",
        "tokens of version 2.0, which always carry the client id, are refused",
        "--settings 'SecureWebhook__Audience=...'",
    ),
    (
        |it, _| it.set("PacketCapture__AllowedScope", "/subscriptions/x"),
        "app settings",
        "failed",
        "PacketCapture__AllowedScope: is not a known setting; did you mean PacketCapture__AllowedScopes?",
        "--settings 'PacketCapture__AllowedScopes=...'",
    ),
    (
        |it, _| it.set("Notifications:WebhookUrl", "https://alerts.example/hook"),
        "app settings",
        "failed",
        "did you mean Notification__WebhookUrl?",
        "--settings 'Notification__WebhookUrl=...'",
    ),
    (
        |it, _| {
            it.unset("JobQueue__");
            it.unset("AzureWebJobsStorage");
        },
        "job queue",
        "warning",
        "lost when the process ends",
        "--settings 'JobQueue__Kind=storage'",
    ),
    (
        |it, _| {
            connection(it, |text| {
                text.replace("AccountKey=c2Fu", "AccountKey=d3Jv")
            })
        },
        "job queue",
        "failed",
        "403 AuthenticationFailed",
        "az storage account show-connection-string --name stcaptures   # the value goes in AzureWebJobsStorage",
    ),
    (
        |it, _| {
            connection(it, |_| {
                "AccountName=stcaptures;AccountKey=wr0ng!".to_owned()
            })
        },
        "app settings",
        "failed",
        "AzureWebJobsStorage: needs an AccountKey in base64",
        "--settings 'AzureWebJobsStorage=...'",
    ),
    (
        |it, _| {
            connection(it, |text| {
                let own = format!("QueueEndpoint={}", "https://127.0.0.1:1");
                let (_, rest) = text.rsplit_once("/stcaptures").unwrap();
                format!("{own}/stcaptures{rest}")
            });
        },
        "job queue",
        "failed",
        "read its properties",
        "az storage account show --name stcaptures --query",
    ),
    (
        |it, _| {
            queue_by_identity(it);
            it.azure.fault(Fault {
                on: Call::GetQueue,
                times: 1,
                what: What::Status {
                    code: 403,
                    retry_after: None,
                    body: FaultBody::Empty,
                },
            });
        },
        "job queue",
        "failed",
        "Azure answered 403",
        "--role 'Storage Queue Data Contributor' --scope \"$(az storage account show --name stcaptures --query id --output tsv)\"",
    ),
    (
        |it, _| it.unset("AzureWebJobsStorage"),
        "app settings",
        "failed",
        "the storage account whose queue holds the jobs",
        "--settings 'AzureWebJobsStorage=...'",
    ),
    (
        |it, _| {
            it.set("PacketCapture__StopOnResolved", "true");
            let action = "Microsoft.Network/networkWatchers/packetCaptures/stop/action";
            it.azure.deny(action);
        },
        "permission Microsoft.Network/networkWatchers/packetCaptures/stop/action",
        "failed",
        "missing on NetworkWatcher_westeurope2",
        "az role assignment create --assignee b3c6a1d2",
    ),
];

#[tokio::test]
async fn each_fault_of_the_function_itself_is_reported_with_its_fix() {
    for (break_it, check, status, words, command) in BROKEN {
        let (mut practice, folder) = (Practice::open().await, Folder::new());
        break_it(&mut practice, &folder);
        let (checks, code) = practice.checks().await;
        let faults = faults(&checks);
        assert_eq!(faults.len(), 1, "{check}: {checks:#?}");
        assert_eq!((&*faults[0].0, &*faults[0].1), (check, status));
        assert!(faults[0].2.contains(command), "{check}: {}", faults[0].2);
        let message = message(&checks, check);
        assert!(message.contains(words), "{check}: {message}");
        assert_eq!(code, Some(i32::from(status == "failed")), "{check}");
    }
}

#[tokio::test]
async fn a_complete_setup_is_confirmed_and_the_receiver_gets_nothing() {
    let (mut practice, folder) = (Practice::open().await, Folder::new());
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = receiver.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = receiver.accept().await.unwrap();
        let mut bytes = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes)
            .await
            .unwrap();
        bytes
    });
    let url = format!("http://{address}/wr0ng-key?sig=wr0ng");
    practice.set("Notification__WebhookUrl", &url);
    practice.set("PacketCapture__StopOnResolved", "true");
    WEBHOOK
        .iter()
        .for_each(|(name, value)| practice.set(name, value));
    // The token protects it then.
    anonymous(&mut practice, &folder);
    queue_by_identity(&mut practice);
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    assert!(checks.iter().all(|it| it["status"] == "ok"), "{checks:#?}");
    for (check, words) in [
        (
            "function key",
            "not required; the secure webhook requires a token".to_owned(),
        ),
        (
            "secure webhook",
            "its signing keys are available".to_owned(),
        ),
        (
            "notification",
            format!("{address} accepts connections; no notification was sent"),
        ),
        (
            "job queue",
            "packet-capture-jobs is created at first use".to_owned(),
        ),
        (
            "permission Microsoft.Network/networkWatchers/packetCaptures/stop/action",
            "in the roles on".to_owned(),
        ),
    ] {
        let message = message(&checks, check);
        assert!(message.contains(&words), "{check}: {message}");
    }
    assert!(heard.await.unwrap().is_empty());
}

#[tokio::test]
async fn each_receiver_of_notifications_has_a_line() {
    let mut practice = Practice::open().await;
    let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = open.local_addr().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = closed.local_addr().unwrap();
    drop(closed);
    let name = |number: u8, name: &str| format!("Notification__Receivers__{number}__{name}");
    practice.set(&name(0, "Url"), &format!("http://{address}/wr0ng-key"));
    practice.set(&name(4, "Url"), &format!("http://{gone}/v2/enqueue"));
    practice.set(&name(4, "PagerDutyRoutingKey"), &"wr0ngkey".repeat(4));
    let (checks, code) = practice.checks().await;
    let lines: Vec<(&str, String)> = checks
        .iter()
        .filter(|it| it["check"] == "notification")
        .map(|it| (it["status"].as_str().unwrap(), it.to_string()))
        .collect();
    assert_eq!((lines.len(), code), (2, Some(0)), "{lines:#?}");
    assert!(lines[0].0 == "ok" && lines[0].1.contains(&address.to_string()));
    assert!(lines[1].0 == "warning" && lines[1].1.contains(&gone.to_string()));
    let setting = "Notification__Receivers__4__PagerDutyRoutingKey=...";
    assert!(lines[1].1.contains(setting), "{}", lines[1].1);
    assert!(!checks_text(&checks).contains("wr0ng"));
}

fn checks_text(checks: &[Value]) -> String {
    checks.iter().map(Value::to_string).collect()
}

#[tokio::test]
async fn a_group_with_a_wrong_setting_is_left_out_and_the_rest_is_checked() {
    let mut practice = Practice::open().await;
    practice.set("SecureWebhook__Audience", "api://alerts.contoso.example");
    practice.set("Notification__Format", "pigeon");
    practice.set("JobQueue__Kind", "disk");
    practice.set("AzureApiVersion__Network", "latest");
    let (checks, code) = practice.checks().await;
    let found_faults = faults(&checks);
    assert!(
        found_faults.iter().all(|it| it.0 == "app settings"),
        "{found_faults:?}"
    );
    // The format is wrong, and there is no URL to use it for.
    assert_eq!((found_faults.len(), code), (5, Some(1)), "{found_faults:?}");
    for check in [
        "function key",
        "secure webhook",
        "notification",
        "job queue",
    ] {
        assert_eq!(found(&checks, check)["status"], "skipped", "{checks:#?}");
    }
    for check in ["access token", "network watchers", "agent"] {
        assert_eq!(found(&checks, check)["status"], "ok", "{checks:#?}");
    }
}

#[tokio::test]
async fn without_the_app_s_files_the_function_key_is_skipped() {
    let mut practice = Practice::open().await;
    practice.set("FUNCTIONS_APP_ROOT_PATH", "/nowhere");
    let (checks, code) = practice.checks().await;
    assert_eq!(code, Some(0));
    assert_eq!(found(&checks, "function key")["status"], "skipped");
    assert!(message(&checks, "function key").contains("FUNCTIONS_APP_ROOT_PATH"));
}
