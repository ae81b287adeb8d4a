//! Captures are followed to their end, and each alert ends in a notification.

mod notifications;
mod sessions;

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{World, common_alert},
};
use alert_packet_capture::{alert::Target, capture::CaptureName};
use azure_sandbox::{Call, ExistingCapture, Fault, FaultBody, SessionStatus, What, samples};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

const NAME: &str = "PSAzureFunction";
const WATCHER: &str = samples::WATCHER_WESTEUROPE;
const BY_MACHINE: (&str, &str) = ("PacketCapture__Name", "PSAzureFunction-{vm}");

/// An app and a receiver of all its notifications.
struct Story {
    world: World,
    told: Receiver,
}

impl Story {
    async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(Azure::start().await, &[], settings).await
    }

    /// Once with the memory queue, once with the storage queue.
    async fn on_both(settings: &[(&str, &str)]) -> [Self; 2] {
        let (memory, storage) = (Azure::start().await, Azure::start().await);
        let queue = storage.queue_settings();
        [
            Self::on(memory, &[], settings).await,
            Self::on(storage, &queue, settings).await,
        ]
    }

    async fn on(azure: Azure, queue: &[(String, String)], settings: &[(&str, &str)]) -> Self {
        let told = Receiver::start().await;
        let receiver = told.settings();
        let all = receiver.iter().chain(queue);
        let mut all: Vec<(&str, &str)> = all.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        all.extend(settings);
        let world = World::on(azure, &all).await;
        Self { world, told }
    }

    /// An alert that is created on this machine.
    async fn capture(&self, vm: &str) {
        let reply = self.world.post(&common_alert(&[vm])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    }

    /// The last notification, once this many came.
    async fn notice(&self, number: usize) -> Value {
        self.told.until(|notices| notices.len() >= number).await;
        let mut came = self.told.notices();
        assert_eq!(came.len(), number, "{came:#?}");
        came.remove(number - 1)
    }

    fn names(&self) -> Vec<String> {
        let captures = self.world.azure.captures(WATCHER);
        captures.into_iter().map(|capture| capture.name).collect()
    }

    async fn until_called(&self, start: &str, times: usize) {
        let seen = |lines: &[String]| lines.iter().filter(|it| it.starts_with(start)).count();
        self.world.until(|lines| seen(lines) >= times).await;
    }
}

fn existing(name: &str, target: &str, days: i64) -> ExistingCapture {
    ExistingCapture {
        watcher: WATCHER.to_owned(),
        name: name.to_owned(),
        target: target.to_owned(),
        status: SessionStatus::Stopped,
        started: Some(OffsetDateTime::now_utc() - Duration::days(days)),
        time_limit_seconds: 10,
        stop_reason: Some("TimeExceeded".to_owned()),
    }
}

fn event(notice: &Value) -> (&str, &str) {
    let text = |value: &'static str| notice["data"][value].as_str().unwrap_or_default();
    (text("event"), text("message"))
}
