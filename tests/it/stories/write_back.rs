//! `Alert__WriteBack=true`: the outcome becomes a comment on the Azure alert, once; whatever is in the way there changes
//! neither the notification nor how the job ends.

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{World, common_alert},
};
use azure_sandbox::{Call, Fault, FaultBody, What, samples};
use serde_json::Value;
use std::time::Duration;

const GUARD: Duration = Duration::from_secs(20);
const CHANGE_STATE: &str = "POST alert changestate";
const RIGHTS: [&str; 2] = [
    "Microsoft.AlertsManagement/alerts/read",
    "Microsoft.AlertsManagement/alerts/changestate/action",
];

/// An app, a receiver of its notifications, and an alert that Azure has.
struct Story {
    world: World,
    told: Receiver,
    alert: Value,
    id: String,
}

impl Story {
    async fn with(settings: &[(&str, &str)]) -> Self {
        let alert = common_alert(&[samples::WEB_01]);
        Self::of(Azure::start().await, alert, settings).await
    }

    async fn of(azure: Azure, alert: Value, settings: &[(&str, &str)]) -> Self {
        let told = Receiver::start().await;
        let id = alert["data"]["essentials"]["alertId"].as_str().unwrap();
        let id = id.to_owned();
        if id.contains("/providers/Microsoft.AlertsManagement/alerts/") {
            azure.add_alert(&id);
        }
        let receiver = told.settings();
        let mut all: Vec<(&str, &str)> = receiver.iter().map(|(n, v)| (&**n, &**v)).collect();
        all.push(("Alert__WriteBack", "true"));
        all.push((
            "Notification__PageBaseUrl",
            "https://app.example/api/PacketCaptures",
        ));
        all.extend(settings);
        let world = World::on(azure, &all).await;
        Self {
            world,
            told,
            alert,
            id,
        }
    }

    /// Posts the alert, lets its capture run out, and returns the incident once its job is done.
    async fn incident(&self) -> Value {
        let job = self.capture().await;
        self.done(&job).await
    }

    async fn capture(&self) -> String {
        let reply = self.world.post(&self.alert).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        self.world.run_out();
        reply.body["captures"][0]["jobId"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn done(&self, job: &str) -> Value {
        let read = async {
            loop {
                let job = self.get(job).await;
                if job["phase"] == "done" {
                    return job;
                }
            }
        };
        let job = tokio::time::timeout(GUARD, read)
            .await
            .expect("the job ends");
        assert_eq!(job["status"], "completed", "{job:#}");
        self.get(job["incidentId"].as_str().unwrap()).await
    }

    async fn get(&self, id: &str) -> Value {
        let url = format!("{}/api/PacketCaptures/{id}", self.world.url);
        let read = self.world.http.get(url).send().await.unwrap();
        read.json().await.unwrap()
    }

    /// The events that people were notified of.
    fn events(&self) -> Vec<Value> {
        let notices = self.told.notices();
        notices
            .iter()
            .map(|it| it["data"]["event"].clone())
            .collect()
    }

    fn comments(&self) -> Vec<String> {
        self.world.azure.alert(&self.id).1
    }
}

/// The steps of an incident about the comment: what, and the sentence.
fn steps(incident: &Value) -> Vec<(&str, &str)> {
    let steps = incident["steps"].as_array().unwrap().iter();
    let text = |step: &'_ Value, member: &str| step[member].as_str().unwrap_or_default().to_owned();
    steps
        .filter(|step| text(step, "what").ends_with("written_back"))
        .map(|step| {
            (
                step["what"].as_str().unwrap(),
                step["text"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn nothing_is_written_back_unless_that_is_switched_on() {
    let story = Story::with(&[("Alert__WriteBack", "false")]).await;
    let incident = story.incident().await;
    assert!(steps(&incident).is_empty());
    assert_eq!(story.world.azure.alert(&story.id).0, "New");
    assert_eq!(
        story.world.count("GET alert") + story.world.count(CHANGE_STATE),
        0
    );
    story.world.end().await;
}

#[tokio::test]
async fn the_outcome_the_page_and_the_file_become_a_comment_after_the_notification() {
    let story = Story::with(&[]).await;
    let incident = story.incident().await;
    let (state, comments) = story.world.azure.alert(&story.id);
    assert_eq!((state, comments.len()), ("Acknowledged", 1));
    let id = incident["id"].as_str().unwrap();
    let url = incident["entries"][0]["report"]["storagePath"].as_str();
    for part in [
        "Packet capture on web-01",
        &format!("File: {}", url.unwrap()),
        &format!("Incident: https://app.example/api/PacketCaptures/{id}"),
    ] {
        assert!(comments[0].contains(part), "{comments:?}");
    }
    assert_eq!(steps(&incident).len(), 1);
    assert_eq!(steps(&incident)[0].0, "written_back");
    assert_eq!(story.events(), ["created", "completed"]);
    let steps = incident["steps"].as_array().unwrap();
    let at = |what: &dyn Fn(&Value) -> bool| steps.iter().position(what).unwrap();
    let notified = at(&|step| step["what"]["notified"] == "completed");
    assert!(notified < at(&|step| step["what"] == "written_back"));
    story.world.end().await;
}

/// Changes that come late are asked for 20 minutes after the end: the comment does not wait for them.
#[tokio::test]
async fn the_comment_does_not_wait_until_the_record_is_complete() {
    let story = Story::with(&[("Changes__Enabled", "true")]).await;
    let job = story.capture().await;
    let waits = async {
        loop {
            let job = story.get(&job).await;
            if job["phase"] == "completing" {
                return job;
            }
        }
    };
    let waiting = tokio::time::timeout(GUARD, waits).await;
    waiting.expect("the job waits for what comes late");
    assert_eq!(story.comments().len(), 1);
    story.world.end().await;
}

#[tokio::test]
async fn an_alert_of_several_machines_and_one_that_joins_have_one_comment() {
    let alert = common_alert(&[samples::WEB_01, samples::SQL_01]);
    let story = Story::of(Azure::start().await, alert, &[]).await;
    let reply = story.world.post(&story.alert).await;
    // Another alert joins the capture of web-01.
    let joined = common_alert(&[samples::WEB_01]);
    let joined_id = joined["data"]["essentials"]["alertId"].as_str().unwrap();
    story.world.azure.add_alert(joined_id);
    let second = story.world.post(&joined).await;
    assert_eq!(second.body["outcome"], "joined", "{:?}", second.body);
    story.world.run_out();
    let all = [
        &reply.body["captures"][0],
        &reply.body["captures"][1],
        &second.body["captures"][0],
    ];
    for capture in all {
        story.done(capture["jobId"].as_str().unwrap()).await;
    }
    let comments = story.comments();
    assert_eq!(comments.len(), 1, "{comments:?}");
    let other = "The alert names 1 other machine, which has an incident of its own";
    assert!(comments[0].contains(other), "{comments:?}");
    assert_eq!(story.world.azure.alert(joined_id), ("New", Vec::new()));
    story.world.end().await;
}

#[tokio::test]
async fn a_missing_right_is_a_line_in_the_record_with_its_name() {
    for right in RIGHTS {
        let story = Story::with(&[]).await;
        story.world.azure.deny(right);
        let incident = story.incident().await;
        let steps = steps(&incident);
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert_eq!(steps[0].0, "not_written_back");
        assert!(steps[0].1.contains(right), "{steps:?}");
        assert_eq!(story.events(), ["created", "completed"]);
        // Tried once: a right that is missing is not there a moment later.
        assert!(story.world.count("GET alert") + story.world.count(CHANGE_STATE) <= 2);
        story.world.end().await;
    }
}

#[tokio::test]
async fn a_throttled_comment_is_tried_once_more_and_holds_up_no_capture() {
    for (times, written) in [(1, true), (2, false)] {
        let story = Story::with(&[]).await;
        story.world.azure.fault(Fault {
            on: Call::ChangeAlertState,
            times,
            what: What::Status {
                code: 429,
                retry_after: Some("1".to_owned()),
                body: FaultBody::Empty,
            },
        });
        let job = story.capture().await;
        let throttled = |lines: &[String]| lines.iter().any(|it| it.starts_with(CHANGE_STATE));
        story.world.until(throttled).await;
        // The same kind of call in the same subscription: it is not paused.
        let reply = story.world.post(&common_alert(&[samples::SQL_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        story.world.run_out();
        let incident = story.done(&job).await;
        assert_eq!(story.comments().len(), usize::from(written));
        let expected = if written {
            "written_back"
        } else {
            "not_written_back"
        };
        assert_eq!(steps(&incident).last().unwrap().0, expected);
        assert_eq!(story.world.count(CHANGE_STATE), 2);
        story.world.end().await;
    }
}

#[tokio::test]
async fn a_cloud_that_lags_behind_names_the_setting_and_takes_the_version_that_is_set() {
    let version = "2026-01-01-preview";
    for (settings, expected) in [
        (&[][..], "not_written_back"),
        (
            &[("AzureApiVersion__AlertsManagement", version)][..],
            "written_back",
        ),
    ] {
        let story = Story::with(settings).await;
        let azure = &story.world.azure;
        azure.support_only("Microsoft.AlertsManagement", &[version]);
        let incident = story.incident().await;
        let (what, text) = steps(&incident)[0];
        assert_eq!(what, expected, "{text}");
        let names = text.contains("set AzureApiVersion__AlertsManagement");
        assert_eq!(names, expected == "not_written_back", "{text}");
        story.world.end().await;
    }
}

#[tokio::test]
async fn an_alert_that_is_gone_or_closed_stays_as_it_is() {
    let closed = Story::with(&[]).await;
    closed.world.azure.close_alert(&closed.id);
    let incident = closed.incident().await;
    assert!(steps(&incident)[0].1.contains("would open it again"));
    assert_eq!(closed.world.azure.alert(&closed.id), ("Closed", Vec::new()));
    closed.world.end().await;

    let gone = Story::with(&[]).await;
    gone.world.azure.fault(Fault {
        on: Call::GetAlert,
        times: 1,
        what: What::arm_error(404, "AlertNotFound", "The alert was not found."),
    });
    let incident = gone.incident().await;
    assert!(
        steps(&incident)[0]
            .1
            .contains("does not have the alert any more")
    );
    assert_eq!(gone.world.count(CHANGE_STATE), 0);
    gone.world.end().await;
}

#[tokio::test]
async fn a_hostile_alert_id_is_never_called() {
    let machine = samples::WEB_02;
    for id in [
        format!("{machine}/restart?x=/providers/Microsoft.AlertsManagement/alerts/1"),
        "/subscriptions/22222222-1111-1111-1111-111111111111/providers/Microsoft.AlertsManagement/alerts/9b0e27aa-0000-4000-8000-000000000001".to_owned(),
        format!("{machine}/providers/Microsoft.Authorization/locks/9b0e27aa-0000-4000-8000-000000000001"),
        format!("/subscriptions/{}/providers/Microsoft.AlertsManagement/alerts/../../x", samples::SUBSCRIPTION_ID),
        "Test_Alert".to_owned(),
    ] {
        let mut alert = common_alert(&[samples::WEB_01]);
        alert["data"]["essentials"]["alertId"] = id.as_str().into();
        let azure = Azure::start().await;
        let told = Receiver::start().await;
        let world = World::on(azure, &[("Alert__WriteBack", "true")]).await;
        let story = Story { world, told, alert, id: id.clone() };
        let incident = story.incident().await;
        assert!(steps(&incident).is_empty(), "{id}");
        let called = story.world.calls();
        let called = called.iter().any(|line| line.contains("alert") || line.contains("restart") || line.contains("locks"));
        assert!(!called, "{id}");
        story.world.end().await;
    }
}

/// The process ends in the call, so that it cannot know whether Azure carried it out.
#[tokio::test]
async fn a_comment_is_sent_again_after_one_restart_and_no_more() {
    let azure = Azure::start().await;
    let mut settings = azure.queue_settings();
    settings.push(("JobQueue__Receive".to_owned(), "poll".to_owned()));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    let alert = common_alert(&[samples::WEB_01]);
    let mut story = Story::of(azure.clone(), alert, &settings).await;
    let mut restarted = settings.clone();
    restarted.push(("Alert__WriteBack", "true"));
    let hang = Fault {
        on: Call::ChangeAlertState,
        times: 2,
        what: What::HangAfterApplying,
    };
    azure.fault(hang);
    let job = story.capture().await;
    for restarts in 1..=2 {
        let written = |_: &[String]| azure.alert(&story.id).1.len() == restarts;
        story.world.until(written).await;
        story.world.end().await;
        story.world = World::on(azure.clone(), &restarted).await;
    }
    let incident = story.done(&job).await;
    assert_eq!(story.comments().len(), 2);
    let steps = steps(&incident);
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert!(steps[0].1.starts_with("Not known whether"), "{steps:?}");
    assert_eq!(story.events(), ["created", "completed"]);
    story.world.end().await;
}
