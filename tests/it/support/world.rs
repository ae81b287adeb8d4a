//! The stage of the stories: a sandbox Azure, the real app against it over HTTPS, and a caller with HTTP.

use crate::support::azure::Azure;
use alert_packet_capture::{
    app::{App, Pace},
    azure::retry::RetryLimits,
    config::Settings,
    fleet::Start,
    record::Incidents,
};
use azure_sandbox::{Entry, Options, Sandbox, samples};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A running app and the Azure that it talks to.
pub struct World {
    pub azure: Azure,
    pub url: String,
    pub http: reqwest::Client,
    /// Asks for readiness runs.
    pub start: Start,
    pub record: Arc<Incidents>,
    /// Readiness runs make clients of their own.
    _ca_file: Removed,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

/// A file that goes with its world.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What the function answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl World {
    /// The sample world, where nothing moves until the story says so.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same with some app settings changed.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::furnished(Options::default(), settings).await
    }

    /// The same in a sandbox that is set up in another way.
    pub async fn furnished(options: Options, settings: &[(&str, &str)]) -> Self {
        let azure = Azure::with(options).await;
        Self::on(azure, settings).await
    }

    /// The same with something done to Azure first, and the settings that come of it.
    pub async fn prepared(prepare: impl FnOnce(&Sandbox) -> Vec<(String, String)>) -> Self {
        let azure = Azure::start().await;
        let changed = prepare(&azure);
        let changed: Vec<(&str, &str)> = changed.iter().map(|(n, v)| (&**n, &**v)).collect();
        Self::on(azure, &changed).await
    }

    /// An app in a world that is there already.
    pub async fn on(azure: Azure, changed: &[(&str, &str)]) -> Self {
        Self::paced(azure, changed, Self::pace()).await
    }

    /// The pace of stories: never waits for long.
    pub fn pace() -> Pace {
        Pace {
            retry: RetryLimits {
                first_wait: Duration::from_millis(5),
                ..RetryLimits::default()
            },
            poll: (Duration::from_millis(20), Duration::from_secs(1)),
            first_pause: Duration::from_millis(20),
            longest_look: Duration::from_millis(100),
            poison_interval: Duration::from_secs(3600),
            // A loaded machine is no store that is down.
            record_within: Duration::from_secs(10),
            record_probe: Duration::from_millis(50),
            file_pause: Duration::from_millis(5),
            ..Pace::default()
        }
    }

    /// The same at another pace.
    pub async fn paced(azure: Azure, changed: &[(&str, &str)], pace: Pace) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("apc-story-{}-{number}.pem", std::process::id());
        let ca_file = std::env::temp_dir().join(name);
        std::fs::write(&ca_file, azure.ca_pem()).expect("a file");
        let mut pairs = azure.app_settings();
        pairs.push(("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()));
        // Stories about other things count calls to storage.
        pairs.push(("FirstLook__Enabled".to_owned(), "false".to_owned()));
        // And calls to Resource Manager.
        pairs.push(("Changes__Enabled".to_owned(), "false".to_owned()));
        pairs.extend(
            changed
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string())),
        );
        let settings = Settings::read(&pairs.into_iter().collect()).expect("good settings");
        let app = App::build(&settings, &pace).expect("the app is built");
        let (start, record) = (app.start_of_runs(), app.record());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            app.serve(listener, stopped).await.expect("the app serves");
        });
        Self {
            azure,
            url,
            http: reqwest::Client::new(),
            start,
            record,
            _ca_file: Removed(ca_file),
            stop: Some(stop),
            served,
        }
    }

    /// Posts an alert as an action group does.
    pub async fn post(&self, alert: &Value) -> Reply {
        self.post_to("/api/AlertPacketCapture", alert).await
    }

    /// Posts an alert whose answer comes once the story has moved on.
    pub fn post_later(&self, alert: &Value) -> JoinHandle<Reply> {
        let url = format!("{}/api/AlertPacketCapture", self.url);
        let request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .body(alert.to_string());
        tokio::spawn(async move { reply(request.send().await.expect("an answer")).await })
    }

    pub async fn post_to(&self, path: &str, body: &Value) -> Reply {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_string());
        reply(request.send().await.expect("an answer")).await
    }

    /// Azure gets on: what was accepted is done, and sessions reach their time limit.
    pub fn run_out(&self) {
        self.azure.complete_operations();
        self.azure.finish_sessions();
    }

    /// Waits until the journal of Azure's calls is as the story wants it.
    pub async fn until(&self, seen: impl Fn(&[String]) -> bool) {
        self.azure
            .wait_for(|entries: &[Entry]| {
                let lines: Vec<String> = entries.iter().map(Entry::line).collect();
                seen(&lines)
            })
            .await;
    }

    /// The calls to Resource Manager so far, without what is done ahead of alerts: tokens and the connection.
    pub fn calls(&self) -> Vec<String> {
        let lines = self.azure.journal_lines();
        lines
            .into_iter()
            .filter(|line| !line.contains("token") && !line.contains("metadata/endpoints"))
            .collect()
    }

    /// How many calls of this kind there were.
    pub fn count(&self, start: &str) -> usize {
        self.calls()
            .iter()
            .filter(|line| line.starts_with(start))
            .count()
    }

    /// The app ends at once, as after a SIGKILL.
    pub async fn kill(self) {
        self.served.abort();
        let _ = self.served.await;
    }

    /// The app stops and finishes what is in progress, and the sandbox checks what is left over.
    pub async fn end(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        (&mut self.served).await.expect("the app stops");
    }
}

pub async fn reply(response: reqwest::Response) -> Reply {
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.json().await.unwrap_or(Value::Null),
    }
}

/// A fired metric alert in the common schema, on these targets.
pub fn common_alert(targets: &[&str]) -> Value {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": format!("/subscriptions/{}/providers/Microsoft.AlertsManagement/alerts/9b0e27aa-0000-4000-8000-{number:012}", samples::SUBSCRIPTION_ID),
                "alertRule": "tcp-burst",
                "severity": "Sev2",
                "signalType": "Metric",
                "monitorCondition": "Fired",
                "monitoringService": "Platform",
                "alertTargetIDs": targets,
                "firedDateTime": "2026-11-23T01:02:03.4567891Z",
                "essentialsVersion": "1.0",
                "alertContextVersion": "1.0"
            },
            "alertContext": { "conditionType": "SingleResourceMultipleMetricCriteria", "condition": { "allOf": [] } }
        }
    })
}

/// An activated classic alert that says its region.
pub fn classic_alert(target: &str, region: &str) -> Value {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    json!({
        "status": "Activated",
        "context": {
            "timestamp": format!("2026-11-23T01:02:03.{number:07}Z"),
            "id": format!("/subscriptions/{}/resourceGroups/rg-ops/providers/microsoft.insights/alertrules/tcp-burst", samples::SUBSCRIPTION_ID),
            "name": "tcp-burst",
            "conditionType": "Metric",
            "condition": { "metricName": "TCP Segments Sent", "metricValue": "171", "threshold": "100", "operator": "GreaterThan" },
            "resourceType": "Microsoft.Compute/virtualMachines",
            "resourceId": target,
            "resourceRegion": region
        },
        "properties": {}
    })
}
