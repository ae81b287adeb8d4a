//! The walk that looks for secrets: each way to sign in, through a start, alerts, failures of Entra, Azure and the
//! webhook, the commands, and everything that prints.

mod executable;
mod values;

use crate::support::{
    identities::{Certificate, instead, pairs},
    secrets::Secrets,
    walk::{Prepare, Running, WAYS, Walk, original},
    world::{World, common_alert},
};
use alert_packet_capture::{
    alert::AlertFacts,
    app::{self, Pace},
    azure::{network_watcher::NetworkWatcherClient, operation},
    config::{AppSettings, QueueKind, Settings},
    incident::{Event, JobId, Notification, Report},
    resource_id::ResourceId,
};
use azure_sandbox::{Call, Fault, FaultBody, Signing, What, samples};
use p12_keystore::EncryptionAlgorithm;
use serde_json::json;
use time::OffsetDateTime;
use tokio::task::JoinSet;
