//! From an alert to a capture: the usual course, and what is in the way.

mod create;
mod existing;
mod flexible;
mod guesses;
mod parameters;

use crate::support::azure::Azure;
use crate::support::world::{World, classic_alert, common_alert};
use azure_sandbox::{
    Call, ExistingCapture, Fault, FaultBody, Options, SessionStatus, What, samples,
};
use time::{Duration, OffsetDateTime};

const PUT: &str = "PUT packetCaptures/PSAzureFunction";

fn existing(
    target: &str,
    status: SessionStatus,
    started: Option<OffsetDateTime>,
) -> ExistingCapture {
    ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "psazurefunction".to_owned(),
        target: target.to_owned(),
        status,
        started,
        time_limit_seconds: 10,
        stop_reason: None,
    }
}

fn ago(seconds: f64) -> Option<OffsetDateTime> {
    Some(OffsetDateTime::now_utc() - Duration::seconds_f64(seconds))
}
