//! The function reads the file of a finished capture, and says in the notification what is in it; when that takes long or
//! is refused, the notification comes nevertheless.

mod joined;
mod kept;
mod slow;

use crate::support::{
    azure::Azure,
    log::Log,
    receiver::Receiver,
    world::{World, common_alert},
};
use alert_packet_capture::app::Pace;
use azure_sandbox::{Arrival, BlobRole, Call, Fault, Options, Traffic, What, samples};
use serde_json::Value;
use std::time::Duration;

const EVENTS: &str = "created,completed,failed,skipped,analyzed";

/// The sample world, whose captures have more than one machine in them.
async fn azure() -> Azure {
    Azure::with(Options {
        traffic: Traffic::Incident,
        ..Options::default()
    })
    .await
}

/// An app that reads captures, and a receiver of all its notifications.
struct Story {
    world: World,
    told: Receiver,
}

impl Story {
    async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(azure().await, &[], settings).await
    }

    /// With jobs and the incident record in storage.
    async fn in_storage(settings: &[(&str, &str)]) -> Self {
        let azure = azure().await;
        let mut storage = azure.queue_settings();
        storage.push(("JobQueue__Receive".to_owned(), "poll".to_owned()));
        Self::on(azure, &storage, settings).await
    }

    async fn on(azure: Azure, storage: &[(String, String)], settings: &[(&str, &str)]) -> Self {
        Self::paced(azure, storage, settings, World::pace()).await
    }

    async fn paced(
        azure: Azure,
        storage: &[(String, String)],
        settings: &[(&str, &str)],
        pace: Pace,
    ) -> Self {
        let told = Receiver::start().await;
        let receiver = told.settings_for(EVENTS);
        let all = receiver.iter().chain(storage);
        let mut all: Vec<(&str, &str)> = all.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        all.push(("FirstLook__Enabled", "true"));
        all.push(("PacketCapture__Name", "PSAzureFunction-{vm}"));
        all.extend(settings);
        let world = World::paced(azure, &all, pace).await;
        Self { world, told }
    }

    /// A capture of this machine that has ended.
    async fn capture(&self, vm: &str) {
        let reply = self.world.post(&common_alert(&[vm])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        self.world.run_out();
    }

    /// The notification of this event about this machine.
    async fn notice(&self, event: &str, vm: &str) -> Value {
        let is = |notice: &&Value| {
            let data = &notice["data"];
            data["event"] == event && data["target"] == vm
        };
        self.told
            .until(|notices| notices.iter().any(|it| is(&it)))
            .await;
        self.told.notices().iter().find(is).unwrap().clone()
    }

    fn events(&self) -> Vec<String> {
        let notices = self.told.notices();
        let events = notices.iter().map(|it| it["data"]["event"].as_str());
        events.map(|it| it.unwrap().to_owned()).collect()
    }

    /// The status and the body of an answer below the list of incidents.
    async fn get(&self, path: &str, accept: &str) -> (u16, String) {
        let url = format!("{}/api/PacketCaptures{path}", self.world.url);
        let request = self.world.http.get(url).header("accept", accept);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// The report about the file of a capture in which a database does not answer.
pub(super) async fn report_of_a_capture() -> String {
    let story = Story::with(&[]).await;
    story.capture(samples::WEB_01).await;
    let notice = story.notice("completed", samples::WEB_01).await;
    let text = |pointer: &str| notice.pointer(pointer).unwrap().as_str().unwrap();
    let (incident, job) = (text("/data/incident/id"), text("/data/jobId"));
    let below = format!("/{incident}/looks/{job}");
    let (status, report) = story.get(&below, "text/html").await;
    assert_eq!(status, 200, "{report}");
    story.world.end().await;
    report
}

/// The lines of a notification.
fn lines(notice: &Value) -> Vec<&str> {
    let lines = notice["data"]["look"]["lines"].as_array();
    let lines = lines.expect("a look");
    lines.iter().map(|line| line.as_str().unwrap()).collect()
}

fn problem(notice: &Value) -> (&str, &str) {
    let problem = &notice["data"]["look"]["problem"];
    let text = |value: &str| problem[value].as_str().unwrap_or_default();
    (text("message"), text("fix"))
}

/// Whether a text has an IPv4 address.
fn has_address(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    words
        .map(|word| word.trim_matches('.'))
        .any(|word| word.parse::<std::net::Ipv4Addr>().is_ok())
}

#[tokio::test]
async fn a_notification_says_what_is_in_the_file() {
    let story = Story::with(&[]).await;
    story.capture(samples::WEB_01).await;
    let notice = story.notice("completed", samples::WEB_01).await;
    let lines = lines(&notice);
    assert!((2..=8).contains(&lines.len()), "{lines:#?}");
    assert!(lines[0].contains(" packets ("), "{lines:#?}");
    assert!(lines.iter().any(|line| has_address(line)), "{lines:#?}");
    let file = notice["data"]["capture"]["storagePath"].as_str().unwrap();
    let file = story.world.azure.blob(file).unwrap();
    assert_eq!(notice["data"]["look"]["fileBytes"], file.len());
    assert_eq!(notice["data"]["look"]["problem"], Value::Null);
    assert!(notice["data"]["look"]["findings"][0]["count"].is_u64());
    assert_eq!(story.events(), ["created", "completed"]);
    // The list has the file's size, the job what was found.
    let (_, list) = story.get("", "application/json").await;
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["value"][0]["fileBytes"], file.len());
    let job = notice["data"]["jobId"].as_str().unwrap();
    let (_, job) = story.get(&format!("/{job}"), "application/json").await;
    let job: Value = serde_json::from_str(&job).unwrap();
    assert_eq!(job["look"]["lines"], notice["data"]["look"]["lines"]);
    story.world.end().await;
}

#[tokio::test]
async fn a_missing_role_or_a_firewall_is_one_line_with_what_to_do() {
    for (closed, sentence, fix) in [
        (false, "no role", "Storage Blob Data Reader"),
        (true, "firewall", "network"),
    ] {
        let story = Story::with(&[]).await;
        let account = samples::STORAGE_ACCOUNT;
        match closed {
            true => story.world.azure.set_firewall(account, true),
            false => story.world.azure.set_blob_role(account, BlobRole::None),
        }
        story.capture(samples::WEB_01).await;
        let notice = story.notice("completed", samples::WEB_01).await;
        let said = problem(&notice);
        assert!(
            said.0.contains(sentence) && said.1.contains(fix),
            "{said:?}"
        );
        assert!(lines(&notice).is_empty());
        assert_eq!(story.events(), ["created", "completed"]);
        story.world.end().await;
    }
}

#[tokio::test]
async fn a_file_that_comes_late_is_waited_for() {
    let story = Story::with(&[]).await;
    story.world.azure.set_arrival(Arrival {
        late_for: 3,
        ..Arrival::default()
    });
    story.capture(samples::WEB_01).await;
    let notice = story.notice("completed", samples::WEB_01).await;
    assert!(lines(&notice)[0].contains(" packets ("));
    story.world.end().await;
}

#[tokio::test]
async fn a_file_that_never_comes_is_one_line_with_what_to_do() {
    let pace = Pace {
        file_within: Duration::from_millis(20),
        ..World::pace()
    };
    let story = Story::paced(azure().await, &[], &[], pace).await;
    story.world.azure.set_arrival(Arrival {
        lost: true,
        ..Arrival::default()
    });
    story.capture(samples::WEB_01).await;
    let notice = story.notice("completed", samples::WEB_01).await;
    let (message, fix) = problem(&notice);
    assert!(
        message.contains("is not in the storage account"),
        "{message}"
    );
    assert!(fix.contains("port 443"), "{fix}");
    story.world.end().await;
}

#[tokio::test]
async fn names_of_hosts_are_kept_out_of_notifications_where_that_is_set() {
    for (policy, has_lines) in [("counts", true), ("none", false)] {
        let story = Story::with(&[("FirstLook__InNotice", policy)]).await;
        story.capture(samples::WEB_01).await;
        let notice = story.notice("completed", samples::WEB_01).await;
        let look = &notice["data"]["look"];
        assert!(!has_address(&look.to_string()), "{look:#}");
        assert_eq!(!lines(&notice).is_empty(), has_lines, "{policy}");
        // The page has them: who opens it has the key.
        let incident = notice["data"]["incident"]["id"].as_str().unwrap();
        let (_, page) = story.get(&format!("/{incident}"), "text/html").await;
        assert!(page.contains("In the file"), "{page}");
        story.world.end().await;
    }
}

#[tokio::test]
async fn the_log_says_no_more_of_a_file_than_the_notification() {
    for (policy, has_lines, has_names) in [
        ("full", true, true),
        ("counts", true, false),
        ("none", false, false),
    ] {
        let (log, _guard) = Log::of_this_thread(tracing::Level::INFO);
        let story = Story::with(&[("FirstLook__InNotice", policy)]).await;
        story.capture(samples::WEB_01).await;
        story.notice("completed", samples::WEB_01).await;
        let log = log.text();
        let said = log
            .lines()
            .filter_map(|line| line.split_once("first look: "));
        let said: Vec<&str> = said.map(|(_, line)| line).collect();
        assert_eq!(!said.is_empty(), has_lines, "{policy}: {said:#?}");
        let names = said.iter().any(|line| has_address(line));
        assert_eq!(names, has_names, "{policy}: {said:#?}");
        story.world.end().await;
    }
}

#[tokio::test]
async fn a_switched_off_look_reads_nothing() {
    let story = Story::with(&[("FirstLook__Enabled", "false")]).await;
    story.capture(samples::WEB_01).await;
    let notice = story.notice("completed", samples::WEB_01).await;
    assert_eq!(notice["data"]["look"], Value::Null);
    assert_eq!(
        story.world.count("HEAD blob") + story.world.count("GET blob"),
        0
    );
    story.world.end().await;
}

#[tokio::test]
async fn the_files_of_a_whole_scale_set_are_not_read() {
    let story = Story::with(&[]).await;
    story.capture(samples::API_SET).await;
    let notice = story.notice("completed", samples::API_SET).await;
    assert_eq!(notice["data"]["look"], Value::Null);
    story.world.end().await;
}
