//! `handler doctor` through the built executable: a healthy world, and worlds with one fault each.

mod faults;
mod front_page;
mod function;
mod healthy;
mod hostile;
mod incident_record;
mod permissions;
mod poison;
mod profiles;
mod refusals;
mod retention;
mod settings;

use crate::support::practice::{Practice, faults};
use azure_sandbox::{ExistingCapture, SessionStatus, samples};
use serde_json::Value;

fn found<'a>(checks: &'a [Value], check: &str) -> &'a Value {
    let found = checks.iter().find(|it| it["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {checks:#?}"))
}

fn message(checks: &[Value], check: &str) -> String {
    found(checks, check)["message"].as_str().unwrap().to_owned()
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
