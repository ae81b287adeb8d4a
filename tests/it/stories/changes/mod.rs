//! What changed around an alert is gathered beside the capture and said first; no source is asked before the create, and none
//! holds the notification up.

mod late;
mod many;
mod missing;
mod restart;
mod role;
mod sources;

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{World, common_alert},
};
use alert_packet_capture::{app::Pace, changes::ControlPlane};
use azure_sandbox::{Call, Fault, FaultBody, ResourceChange, What, samples};
use serde_json::Value;
use std::time::Duration;

/// How the journal's lines of the sources begin.
const SOURCES: [&str; 7] = [
    "POST Microsoft.ResourceGraph/resources",
    "GET activity log",
    "GET metrics",
    "GET virtualMachines/web-01/instanceView",
    "GET availabilityStatuses/current",
    "POST networkInterfaces/nic-web-01/effectiveNetworkSecurityGroups",
    "POST networkInterfaces/nic-web-01/effectiveRouteTable",
];
const CREATE: &str = "PUT packetCaptures/PSAzureFunction 201";
const CONTAINER: &str = "packet-capture-incidents";

/// An app that reads what changed, with jobs and record in storage, and a receiver of its notifications.
struct Story {
    world: World,
    told: Receiver,
}

impl Story {
    async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(Azure::start().await, settings).await
    }

    async fn on(azure: Azure, settings: &[(&str, &str)]) -> Self {
        Self::paced(azure, settings, World::pace()).await
    }

    /// One whose record is completed as soon as it has notified.
    async fn completing(azure: Azure, settings: &[(&str, &str)]) -> Self {
        let pace = Pace {
            complete_after: Duration::ZERO,
            ..World::pace()
        };
        Self::paced(azure, settings, pace).await
    }

    async fn paced(azure: Azure, settings: &[(&str, &str)], pace: Pace) -> Self {
        let told = Receiver::start().await;
        let mut all = told.settings_for("completed,failed");
        all.extend(azure.queue_settings());
        let mut all: Vec<(&str, &str)> = all.iter().map(|(n, v)| (&**n, &**v)).collect();
        all.push(("JobQueue__Receive", "poll"));
        all.push(("Changes__Enabled", "true"));
        all.extend(settings);
        let world = World::paced(azure, &all, pace).await;
        Self { world, told }
    }

    /// An alert whose capture is running.
    async fn alert(&self) {
        let reply = self.world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    }

    /// The notification of the end of its capture.
    async fn end(&self) -> Value {
        self.world.run_out();
        self.told.until(|notices| !notices.is_empty()).await;
        self.told.notices().remove(0)
    }

    /// An alert and the notification of its end.
    async fn notice(&self) -> Value {
        self.alert().await;
        self.end().await
    }

    /// What is kept beside the record; `None` as long as nothing is.
    fn kept(&self) -> Option<ControlPlane> {
        let azure = &self.world.azure;
        let names = azure.blob_names(CONTAINER);
        let name = names.iter().find(|name| name.ends_with(".changes.json"))?;
        let url = format!("{}/stcaptures/{CONTAINER}/{name}", azure.endpoint());
        ControlPlane::parse(&azure.blob(&url)?).ok()
    }

    /// Waits until what is kept is as the story wants it.
    async fn until_kept(&self, wanted: impl Fn(&ControlPlane) -> bool) -> ControlPlane {
        let wanted = |_: &[String]| self.kept().is_some_and(|kept| wanted(&kept));
        self.world.until(wanted).await;
        self.kept().unwrap()
    }

    /// The calls of this kind so far.
    fn count(&self, start: &str) -> usize {
        self.world.count(start)
    }

    /// Waits until this many calls of this kind were answered.
    async fn until(&self, start: &str, wanted: usize) {
        let answered = |lines: &[String]| {
            let lines = lines.iter().filter(|line| line.starts_with(start));
            lines.count() >= wanted
        };
        self.world.until(answered).await;
    }
}

/// The lines of a notification about changes.
fn lines(notice: &Value) -> Vec<&str> {
    let lines = notice["data"]["changes"]["lines"].as_array();
    let lines = lines.unwrap_or_else(|| panic!("no lines about changes"));
    lines.iter().map(|line| line.as_str().unwrap()).collect()
}

fn deny_sql() -> ResourceChange {
    ResourceChange::rule_added(samples::NSG_WEB, "deny-sql", 12)
}

const DENY_SQL: &str =
    "NSG nsg-web was changed 12 minutes before the alert by deploy-pipeline: rule deny-sql added.";
const NO_CHANGE: &str = "No change to web-01, nic-web-01, lb-front, nsg-web and 3 more in the six hours before the alert.";

#[tokio::test]
async fn the_notification_says_first_what_changed() {
    let story = Story::with(&[]).await;
    story.world.azure.change(deny_sql());
    let notice = story.notice().await;
    assert_eq!(lines(&notice), [DENY_SQL]);
    let kept = story.until_kept(|kept| !kept.changes.is_empty()).await;
    assert!(!kept.complete && kept.missing.is_empty(), "{kept:#?}");
    story.world.end().await;
}

#[tokio::test]
async fn nothing_found_is_said() {
    let story = Story::with(&[]).await;
    // Out of the span, and of another machine's group.
    let old = ResourceChange::rule_added(samples::NSG_WEB, "old", 6 * 60 + 5);
    story.world.azure.change(old);
    let elsewhere = samples::NSG_WEB.replace("rg-shop", "rg-data");
    let other = ResourceChange::rule_added(&elsewhere, "other", 5);
    story.world.azure.change(other);
    assert_eq!(lines(&story.notice().await), [NO_CHANGE]);
    story.world.end().await;
}

#[tokio::test]
async fn who_made_a_change_is_not_said_where_that_is_not_wanted() {
    let story = Story::with(&[("Changes__ShowCallers", "false")]).await;
    story.world.azure.change(deny_sql());
    let notice = story.notice().await;
    assert_eq!(
        lines(&notice),
        [DENY_SQL.replace(" by deploy-pipeline", "")]
    );
    let kept = story.until_kept(|kept| !kept.changes.is_empty()).await;
    assert!(!kept.to_json().contains("deploy-pipeline"), "{kept:#?}");
    story.world.end().await;
}

#[tokio::test]
async fn nothing_of_it_is_asked_before_the_create() {
    let azure = Azure::start().await;
    azure.fault(Fault {
        on: Call::PutCapture,
        times: 1,
        what: What::Late(Duration::from_millis(100)),
    });
    let story = Story::on(azure, &[("Changes__EffectiveRules", "true")]).await;
    story.notice().await;
    let calls = story.world.calls();
    let first = |start: &str| calls.iter().position(|line| line.starts_with(start));
    let create = first(CREATE).expect("a create");
    for source in SOURCES {
        let asked = first(source).unwrap_or_else(|| panic!("{source} not in {calls:#?}"));
        assert!(asked > create, "{source}: {calls:#?}");
    }
    story.world.end().await;
}

#[tokio::test]
async fn an_incident_costs_these_calls_to_the_sources() {
    let story = Story::completing(Azure::start().await, &[]).await;
    story.world.azure.change(deny_sql());
    story.alert().await;
    story.until_kept(|kept| kept.health.is_some()).await;
    // At the create: what is around the machine, what changed there, its metrics, and how it is.
    let at_create = SOURCES.map(|source| story.count(source));
    assert_eq!(at_create, [3, 1, 1, 1, 1, 0, 0]);
    story.end().await;
    story.until_kept(|kept| kept.complete).await;
    // At the end and once more later: changes and metrics.
    let in_all = SOURCES.map(|source| story.count(source));
    assert_eq!(in_all, [5, 3, 3, 1, 1, 0, 0]);
    story.world.end().await;
}

#[tokio::test]
async fn a_source_that_hangs_holds_no_notification_up() {
    let settings = [("Changes__NotifyWithinSeconds", "1")];
    let story = Story::with(&settings).await;
    let azure = &story.world.azure;
    azure.change(deny_sql());
    azure.hold(Call::ListMetrics);
    let notice = story.notice().await;
    assert_eq!(
        lines(&notice),
        [DENY_SQL],
        "the other sources have answered"
    );
    assert_eq!(story.count("GET metrics"), 0, "{:?}", story.world.calls());
    azure.release(Call::ListMetrics);
    story.world.end().await;
}

#[tokio::test]
async fn what_no_source_has_answered_is_said_to_be_not_known() {
    let settings = [("Changes__NotifyWithinSeconds", "0")];
    let story = Story::with(&settings).await;
    let azure = &story.world.azure;
    azure.change(deny_sql());
    azure.hold(Call::QueryResources);
    let notice = story.notice().await;
    let expected = "What changed before the alert is not known: Azure did not answer in time.";
    assert_eq!(lines(&notice), [expected]);
    // The record has it when it comes.
    azure.release(Call::QueryResources);
    story.until_kept(|kept| !kept.changes.is_empty()).await;
    story.world.end().await;
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let story = Story::with(&[("Changes__Enabled", "false")]).await;
    let notice = story.notice().await;
    assert_eq!(notice["data"]["changes"], Value::Null);
    for source in SOURCES {
        assert_eq!(story.count(source), 0, "{source}");
    }
    story.world.end().await;
}
