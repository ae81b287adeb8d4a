//! `handler doctor` through the built executable: a healthy world, and worlds with one fault each.

mod faults;
mod function;
mod healthy;
mod permissions;
mod settings;

use crate::support::practice::{Practice, faults};
use azure_sandbox::{ExistingCapture, SessionStatus, samples};

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
