//! Azure on a bad night: throttled, cut off, slow, refusing.

mod calls;
mod delays;

use crate::support::world::{World, classic_alert, common_alert};
use azure_sandbox::{Call, Entry, ExistingCapture, Fault, FaultBody, SessionStatus, What, samples};

const PUT: &str = "PUT packetCaptures/PSAzureFunction";

fn status(code: u16, retry_after: Option<&str>, body: FaultBody) -> What {
    What::Status {
        code,
        retry_after: retry_after.map(str::to_owned),
        body,
    }
}

fn fault(on: Call, times: usize, what: What) -> Fault {
    Fault { on, times, what }
}

fn stale_capture() -> ExistingCapture {
    ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "PSAzureFunction".to_owned(),
        target: samples::WEB_02.to_owned(),
        status: SessionStatus::Stopped,
        started: None,
        time_limit_seconds: 10,
        stop_reason: None,
    }
}
