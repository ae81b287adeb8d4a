//! Whether captures would start tonight: a run finds each cause on the machines that alert rules name, and the command that it
//! prints fixes it.

mod all;
mod causes;
mod continued;
mod rights;
mod rules;
mod setup;
mod shown;
mod thousands;

use crate::support::{operator, practice::Practice};
use alert_packet_capture::{
    app::{self, Pace},
    azure::retry::RetryLimits,
    config::AppSettings,
    fleet::{self, Machine, Run, Verdict},
    readiness::{Everywhere, FoundSettings, Hosting, Keep},
};
use azure_sandbox::samples;
use serde_json::json;
use std::{sync::Mutex, time::Duration};
use time::OffsetDateTime;

const HOST: &str = "contoso.azurewebsites.net";
/// The instances of the sample's scale set.
const INSTANCES: [&str; 3] = ["0", "1", "2"];

fn insights(kind: &str, name: &str) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/rg-shop/providers/Microsoft.Insights/{kind}/{name}",
        samples::SUBSCRIPTION_ID
    )
}

/// The sample world, in which a metric alert on everything calls this function, and all is well.
async fn healthy() -> Practice {
    let mut practice = Practice::open().await;
    practice.set("WEBSITE_HOSTNAME", HOST);
    practice.set("PacketCapture__Limit", "100");
    let uri = format!("https://{HOST}/api/AlertPacketCapture?code=secret");
    practice.azure.add_alert_resource(
        &insights("actionGroups", "capture"),
        "microsoft.insights/actiongroups",
        json!({ "enabled": true, "webhookReceivers": [{ "name": "f", "serviceUri": uri }] }),
    );
    add_rule(
        &practice,
        "tcp-burst",
        &[
            samples::WEB_01,
            samples::WEB_02,
            samples::SQL_01,
            samples::API_SET,
        ],
    );
    practice
}

/// A metric alert on these machines that calls this function.
fn add_rule(practice: &Practice, name: &str, scopes: &[&str]) {
    practice.azure.add_alert_resource(
        &insights("metricAlerts", name),
        "microsoft.insights/metricalerts",
        json!({
            "enabled": true,
            "scopes": scopes,
            "targetResourceType": "",
            "actions": [{ "actionGroupId": insights("actionGroups", "capture") }],
        }),
    );
}

/// Keeps runs as a store does, in this test.
#[derive(Default)]
struct Kept {
    last: Mutex<Option<Run>>,
    unfinished: Mutex<Option<Run>>,
}

#[async_trait::async_trait]
impl Keep for Kept {
    async fn last(&self) -> Option<Run> {
        self.last.lock().unwrap().clone()
    }

    async fn unfinished(&self) -> Option<Run> {
        self.unfinished.lock().unwrap().clone()
    }

    async fn keep(&self, run: &Run) -> bool {
        let slot = match run.finished {
            Some(_) => &self.last,
            None => &self.unfinished,
        };
        *slot.lock().unwrap() = Some(run.clone());
        if run.finished.is_some() {
            *self.unfinished.lock().unwrap() = None;
        }
        true
    }
}

/// A run that nothing is known before.
async fn run(practice: &Practice) -> Run {
    run_after(practice, &Kept::default()).await
}

async fn run_after(practice: &Practice, kept: &dyn Keep) -> Run {
    let settings: AppSettings = practice.settings.iter().cloned().collect();
    let pace = Pace {
        retry: RetryLimits {
            first_wait: Duration::from_millis(5),
            ..RetryLimits::default()
        },
        ..Pace::default()
    };
    let (found, hosting) = (FoundSettings::read(&settings), Hosting::of(&settings));
    let mut parts = app::checked_parts(found, hosting, &pace, None);
    parts.arm = parts.arm.map(|arm| arm.ahead());
    let everywhere = Everywhere {
        parts: &parts,
        quiet: &(),
        keep: kept,
        pace: Duration::ZERO,
    };
    everywhere
        .run(OffsetDateTime::now_utc())
        .await
        .expect("no other instance makes it")
}

/// The machine with this id.
fn machine<'r>(run: &'r Run, id: &str) -> &'r Machine {
    let found = run
        .machines()
        .iter()
        .find(|it| it.id.to_string().eq_ignore_ascii_case(id));
    found.unwrap_or_else(|| panic!("{id} is not in {}", run.sentence()))
}

fn causes(run: &Run, id: &str) -> Vec<String> {
    machine(run, id)
        .causes
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn instance(name: &str) -> String {
    format!("{}/virtualMachines/{name}", samples::API_SET)
}

/// What blocks, and what is not known.
fn findings(run: &Run) -> Vec<String> {
    let findings = run
        .findings
        .iter()
        .filter(|it| it.weight != fleet::Weight::Warns);
    findings
        .map(|it| format!("{}: {}", it.check, it.message))
        .collect()
}

/// Runs every command that the run prints.
fn fix(practice: &Practice, run: &Run) -> Vec<String> {
    let commands = fleet::fixes(run).into_iter().flat_map(|it| it.commands);
    let commands: Vec<String> = commands.collect();
    for command in &commands {
        operator::run(&practice.azure, command);
    }
    commands
}

#[tokio::test]
async fn all_machines_that_rules_name_are_ready_where_all_is_well() {
    let practice = healthy().await;
    let run = run(&practice).await;
    assert_eq!(run.sentence(), "6 of 6 machines ready.");
    assert_eq!(findings(&run), [""; 0]);
    assert!(
        run.finished.is_some() && run.calls < 20,
        "{} calls",
        run.calls
    );
    for id in [samples::WEB_01, samples::SQL_01, &instance("0")] {
        assert_eq!(run.verdict(machine(&run, id)), Verdict::Ready, "{id}");
    }
    let journal = format!("{:?}", run.to_json(1_000_000));
    assert!(
        !journal.contains("code="),
        "the key of the webhook is kept nowhere"
    );
}
