//! A sandbox and the settings that point at it, for `handler doctor` of the built executable.

use crate::support::azure::Azure;
use azure_sandbox::{Call, Entry, Options, samples};
use serde_json::Value;
use std::{
    path::PathBuf,
    process::{Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::process::Command;

/// A sandbox, the settings that point at it, and what is asked of the doctor.
pub struct Practice {
    pub azure: Azure,
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
        let azure = Azure::with(options).await;
        // The templates create the container of the incident record.
        let record = format!(
            "{}/packet-capture-incidents/1.json",
            azure.storage_endpoint()
        );
        azure.put_blob(&record, "{}");
        let mut settings = azure.app_settings();
        let subscription = format!("/subscriptions/{}", samples::SUBSCRIPTION_ID);
        settings.push(("PacketCapture__AllowedScopes".to_owned(), subscription));
        settings.push(("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()));
        settings.extend(azure.queue_settings());
        // The sandbox has one account for everything.
        let account = samples::STORAGE_ACCOUNT.to_owned();
        settings.push(("JobQueue__StorageAccountId".to_owned(), account));
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
        let since = self.azure.journal().len();
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
        self.no_harm_done(since, &output);
        output
    }

    /// Nothing was changed since this entry of the journal, and no secret was printed.
    fn no_harm_done(&self, since: usize, output: &Output) {
        let reads = |entry: &Entry| {
            // A conditional write that is refused changes nothing.
            let tried = entry.kind == Call::PutBlob && entry.status != Some(201);
            ["GET", "HEAD"].contains(&entry.method.as_str())
                || entry.kind == Call::QueryResources
                || entry.short.ends_with("/queryStatus")
                || entry.short == "token"
                || tried
        };
        for entry in self.azure.journal().iter().skip(since) {
            assert!(reads(entry) && entry.note.is_none(), "{}", entry.line());
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

/// What is neither ok nor skipped: check, status, fix.
pub fn faults(checks: &[Value]) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks
        .iter()
        .filter(|it| it["status"] == "failed" || it["status"] == "warning")
        .map(|it| (text(&it["check"]), text(&it["status"]), text(&it["fix"])))
        .collect()
}
