//! `handler doctor` through the built executable: a healthy world, and worlds with one fault each.

use azure_sandbox::{Entry, ExistingCapture, Options, Sandbox, SessionStatus, samples};
use serde_json::Value;
use std::{
    path::PathBuf,
    process::{Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::process::Command;

/// A sandbox, the settings that point at it, and what is asked of the doctor.
pub struct Practice {
    pub azure: Sandbox,
    ca_file: PathBuf,
    pub settings: Vec<(String, String)>,
    pub arguments: Vec<String>,
}

impl Drop for Practice {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca_file);
    }
}

impl Practice {
    /// The sample world, all set up right, and a question about one of its machines.
    pub async fn open() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("apc-doctor-{}-{number}.pem", std::process::id());
        let ca_file = std::env::temp_dir().join(name);
        let options = Options {
            ca_file: Some(ca_file.clone()),
            ..Options::default()
        };
        let azure = Sandbox::start(options).await.unwrap();
        samples::populate(&azure);
        let mut settings = azure.app_settings();
        let subscription = format!("/subscriptions/{}", samples::SUBSCRIPTION_ID);
        settings.push(("PacketCapture__AllowedScopes".to_owned(), subscription));
        settings.push(("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()));
        settings.extend(azure.queue_settings());
        let root = env!("CARGO_MANIFEST_DIR").to_owned();
        settings.push(("FUNCTIONS_APP_ROOT_PATH".to_owned(), root));
        Self {
            azure,
            ca_file,
            settings,
            arguments: vec!["--vm".to_owned(), samples::WEB_01.to_owned()],
        }
    }

    pub fn unset(&mut self, start: &str) {
        self.settings.retain(|(known, _)| !known.starts_with(start));
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    pub async fn ask(&self, more: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_handler"))
            .env_clear()
            .envs(self.settings.iter().cloned())
            .arg("doctor")
            .args(&self.arguments)
            .args(more)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        self.no_harm_done(&output);
        output
    }

    /// Nothing was changed and nothing secret was told.
    fn no_harm_done(&self, output: &Output) {
        let reads = |entry: &Entry| {
            entry.method == "GET" || entry.short.ends_with("/queryStatus") || entry.short == "token"
        };
        for entry in self.azure.journal() {
            assert!(reads(&entry) && entry.note.is_none(), "{}", entry.line());
        }
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            for secret in [
                samples::CLIENT_SECRET,
                samples::STORAGE_KEY,
                "wr0ng",
                "Bearer ",
                "sandbox.",
                "sig=",
            ] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    }

    /// The checks, and the exit code.
    pub async fn checks(&self) -> (Vec<Value>, Option<i32>) {
        let output = self.ask(&["--json"]).await;
        let checks: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (checks.as_array().unwrap().clone(), output.status.code())
    }
}

/// What is neither ok nor skipped: check, status, mend.
pub fn faults(checks: &[Value]) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks
        .iter()
        .filter(|it| it["status"] == "failed" || it["status"] == "warning")
        .map(|it| (text(&it["check"]), text(&it["status"]), text(&it["mend"])))
        .collect()
}

fn capture(name: &str, status: SessionStatus) -> ExistingCapture {
    ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: name.to_owned(),
        target: samples::WEB_01.to_owned(),
        status,
        started: None,
        time_limit_seconds: 10,
        stop_reason: None,
    }
}

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
        "network watchers",
        "room",
        "leftovers",
        "right Microsoft.Network/networkWatchers/packetCaptures/write",
        "storage account",
        "shared keys",
        "performance tier",
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
async fn without_a_vm_the_allowed_scopes_are_looked_at() {
    let mut practice = Practice::open().await;
    practice.arguments.clear();
    let (checks, code) = practice.checks().await;
    assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    let machines = "right Microsoft.Compute/virtualMachines/read";
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

type Break = fn(&mut Practice);

/// A fault, the one check that tells it, whether that fails or warns, and a part of the mending command.
const FAULTS: [(&str, Break, &str, &str, &str); 14] = [
    (
        "wrong audience",
        |it| {
            it.set(
                "AZURE_RESOURCE_MANAGER_AUDIENCE",
                "https://elsewhere.example",
            )
        },
        "access token",
        "failed",
        "AZURE_RESOURCE_MANAGER_AUDIENCE",
    ),
    (
        "wrong secret",
        |it| it.set("AZURE_CLIENT_SECRET", "wr0ng"),
        "access token",
        "failed",
        "az ad app credential reset --id b3c6a1d2",
    ),
    (
        "expired secret",
        |it| it.azure.expire_secret(),
        "access token",
        "failed",
        "az ad app credential reset",
    ),
    (
        "unknown application",
        |it| it.set("AZURE_CLIENT_ID", "00000000-0000-4000-8000-000000000000"),
        "access token",
        "failed",
        "az ad app show --id 00000000",
    ),
    (
        "no watcher in the region",
        |it| {
            let id = samples::WEB_01.replace("web-01", "web-us");
            it.azure.add_vm(&id, "westus2");
            it.arguments[1] = id;
        },
        "watcher of its region",
        "failed",
        "az network watcher configure --resource-group NetworkWatcherRG --locations westus2 --enabled true",
    ),
    (
        "no agent",
        |it| it.azure.remove_agent(samples::WEB_01),
        "agent",
        "failed",
        "az vm extension set --publisher Microsoft.Azure.NetworkWatcher --name NetworkWatcherAgentLinux",
    ),
    (
        "no agent on Windows",
        |it| {
            it.azure.make_windows(samples::WEB_01);
            it.azure.remove_agent(samples::WEB_01);
        },
        "agent",
        "failed",
        "--name NetworkWatcherAgentWindows --vm-name web-01 --resource-group rg-shop",
    ),
    (
        "VM stopped",
        |it| it.azure.deallocate_vm(samples::WEB_01),
        "power",
        "failed",
        "az vm start --ids",
    ),
    (
        "VM not there",
        |it| it.arguments[1] = samples::WEB_01.replace("web-01", "web-09"),
        "virtual machine",
        "failed",
        "az vm list",
    ),
    (
        "shared keys off",
        |it| it.azure.forbid_shared_keys(samples::STORAGE_ACCOUNT),
        "shared keys",
        "failed",
        "--allow-shared-key-access true",
    ),
    (
        "premium account",
        |it| it.azure.make_premium(samples::STORAGE_ACCOUNT),
        "performance tier",
        "failed",
        "az storage account create",
    ),
    (
        "no such account",
        |it| {
            let id = samples::STORAGE_ACCOUNT.replace("stcaptures", "stgone");
            it.set("PacketCapture__StorageAccountId", &id);
        },
        "storage account",
        "failed",
        "az storage account create --name stgone",
    ),
    (
        "limit reached",
        |it| {
            it.set("PacketCapture__Limit", "2");
            for name in ["a", "b"] {
                it.azure.add_capture(capture(name, SessionStatus::Stopped));
            }
        },
        "room",
        "failed",
        "az network watcher packet-capture list --location westeurope",
    ),
    (
        "stale leftover",
        |it| {
            let stale = capture("psazurefunction", SessionStatus::Stopped);
            it.azure.add_capture(stale);
        },
        "leftovers",
        "warning",
        "az network watcher packet-capture delete --location westeurope --name psazurefunction",
    ),
];

#[tokio::test]
async fn a_single_fault_is_told_by_its_own_check() {
    for (fault, sicken, check, status, mend) in FAULTS {
        let mut practice = Practice::open().await;
        sicken(&mut practice);
        let (checks, code) = practice.checks().await;
        let found = faults(&checks);
        assert_eq!(found.len(), 1, "{fault}: {checks:#?}");
        assert_eq!((&*found[0].0, &*found[0].1), (check, status), "{fault}");
        assert!(found[0].2.contains(mend), "{fault}: {}", found[0].2);
        assert_eq!(code, Some(i32::from(status == "failed")), "{fault}");
    }
}

#[tokio::test]
async fn a_running_capture_of_ours_is_no_leftover_and_fills_no_room() {
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
async fn each_missing_right_is_told_with_the_role_that_gives_it() {
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
            "az role assignment create --assignee {} --role \"{role}\"",
            samples::CLIENT_ID
        );
        for (check, found, mend) in &found {
            assert_eq!(
                (check.as_str(), found.as_str()),
                (format!("right {action}").as_str(), status)
            );
            assert!(mend.starts_with(&command), "{mend}");
        }
        assert_eq!(code, Some(i32::from(status == "failed")), "{action}");
    }
}

#[tokio::test]
async fn the_right_to_ask_for_a_status_is_tried_where_there_is_a_capture_of_ours() {
    let practice = Practice::open().await;
    let action = "Microsoft.Network/networkWatchers/packetCaptures/queryStatus/action";
    practice
        .azure
        .add_capture(capture("PSAzureFunction", SessionStatus::Stopped));
    practice.azure.deny(action);
    let (checks, code) = practice.checks().await;
    let found = faults(&checks);
    assert_eq!((found.len(), code), (1, Some(1)), "{checks:#?}");
    assert_eq!(found[0].0, format!("right {action}"));
    assert!(
        practice
            .azure
            .journal_lines()
            .iter()
            .any(|it| it.starts_with("POST packetCaptures"))
    );
}

#[tokio::test]
async fn wrong_settings_are_each_named_and_the_rest_is_checked_all_the_same() {
    let mut practice = Practice::open().await;
    practice.set("PacketCapture__Limit", "ten");
    practice.set("PacketCapture__AllowedScopes", "rg-shop");
    practice.set("PacketCapture__ReplyWaitSeconds", "10");
    let (checks, code) = practice.checks().await;
    let found = faults(&checks);
    let told: Vec<(&str, &str)> = found.iter().map(|it| (&*it.0, &*it.1)).collect();
    assert_eq!(
        told,
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
async fn half_an_identity_calls_nobody() {
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
    assert_eq!(calls, ["GET queue packet-capture-jobs 404"]);
    let skipped = |check: &str| {
        checks
            .iter()
            .any(|it| it["check"] == check && it["status"] == "skipped")
    };
    assert!(skipped("identity") && skipped("access token") && skipped("storage account"));
}

/// The login host answers and Resource Manager does not: nothing hangs, and what failed is said.
#[tokio::test]
async fn a_resource_manager_that_is_not_there_is_said() {
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
async fn warnings_alone_are_no_failure() {
    let mut practice = Practice::open().await;
    practice
        .settings
        .retain(|(name, _)| name != "PacketCapture__AllowedScopes");
    practice.set("PacketCapture__DryRun", "true");
    let (checks, code) = practice.checks().await;
    let told: Vec<String> = faults(&checks).into_iter().map(|it| it.0).collect();
    assert_eq!(told, ["allowed scopes", "dry run"]);
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn bad_usage_is_said() {
    let mut practice = Practice::open().await;
    for wrong in [&["--fix"][..], &["--vm", "web-01"], &["--subscription"]] {
        practice.arguments = wrong.iter().map(|&it| it.to_owned()).collect();
        let output = practice.ask(&[]).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("usage: handler doctor"));
    }
    assert!(practice.azure.journal().is_empty());
}
