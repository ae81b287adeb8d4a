//! Misbehaviour on order: tests say which call fails next, how often, and how.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::storage_access;

/// An order of misbehaviour; orders are met first come, first served.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which call is hit.
    pub on: Call,
    /// How many of them.
    pub times: usize,
    /// What happens to it.
    pub what: What,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub enum What {
    /// The call is answered with this status and changes nothing.
    Status {
        /// The HTTP status.
        code: u16,
        /// The `Retry-After` header, seconds or an HTTP date.
        retry_after: Option<String>,
        /// The body.
        body: FaultBody,
    },
    /// It gets no answer until the sandbox stops.
    Hang,
    /// It is applied and gets no answer until the sandbox stops.
    HangAfterApplying,
    /// It is applied, then the connection is cut.
    DropAfterApplying,
    /// The connection is cut and nothing is applied.
    DropBefore,
    /// It is applied and answered as usual, but only after this time.
    Late(Duration),
}

/// The body of an ordered failure.
#[derive(Clone, Debug)]
pub enum FaultBody {
    /// An error envelope of Resource Manager.
    ArmError {
        /// Error code.
        code: String,
        /// Error message.
        message: String,
    },
    /// The page of a front end that lost its back end.
    Html,
    /// None.
    Empty,
    /// JSON that breaks off.
    TruncatedJson,
    /// An error of a storage account with this code.
    StorageError(&'static str),
    /// This JSON: an error with details, an odd list, the word null.
    Json(Value),
}

impl What {
    /// A status with a Resource Manager error, the commonest order.
    pub fn arm_error(status: u16, code: &str, message: &str) -> Self {
        Self::Status {
            code: status,
            retry_after: None,
            body: FaultBody::ArmError {
                code: code.to_owned(),
                message: message.to_owned(),
            },
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "ordered status",
            Self::Hang => "hangs",
            Self::HangAfterApplying => "applied, then hangs",
            Self::DropAfterApplying => "applied, then cut",
            Self::DropBefore => "cut",
            Self::Late(_) => "late",
        }
    }
}

pub(super) fn answer(code: u16, retry_after: Option<String>, body: FaultBody) -> Answer {
    const JSON: &str = "application/json; charset=utf-8";
    let answer = match body {
        FaultBody::ArmError {
            code: name,
            message,
        } => {
            let error: Value = json!({"error": {"code": name, "message": message, "details": []}});
            Answer::json(code, error)
        }
        FaultBody::Html => Answer::raw(
            code,
            "text/html",
            format!(
                "<html><head><title>{code}</title></head><body><h2>Our services aren't available right now</h2></body></html>"
            ),
        ),
        FaultBody::Empty => Answer::empty(code),
        FaultBody::StorageError(name) => storage_access::error(code, name),
        FaultBody::Json(value) => Answer::json(code, value),
        FaultBody::TruncatedJson => Answer::raw(code, JSON, r#"{"error":{"code":"Internal"#),
    };
    match retry_after {
        Some(value) => answer.with("retry-after", value),
        None => answer,
    }
}

/// Orders not yet met.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub fn order(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn take(&mut self, call: Call) -> Option<What> {
        let fault = self
            .0
            .iter_mut()
            .find(|fault| fault.times > 0 && (fault.on == call || fault.on == Call::Any))?;
        fault.times -= 1;
        Some(fault.what.clone())
    }

    pub fn unmet(&self) -> Vec<String> {
        let unmet = self.0.iter().filter(|fault| fault.times > 0);
        unmet
            .map(|fault| {
                let (call, times, what) = (fault.on, fault.times, fault.what.name());
                format!("no {call:?} met the fault \"{what}\", ordered {times} times more")
            })
            .collect()
    }
}
