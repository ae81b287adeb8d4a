//! What the caller meets before Azure is asked: routes, forms, limits, what is allowed, repeated alerts.

mod policy;
mod requests;

use crate::support::world::{World, common_alert, reply};
use azure_sandbox::{Call, Fault, FaultBody, What, samples};
use serde_json::{Value, json};

const FUNCTION: &str = "/api/AlertPacketCapture";
