//! The parts that the doctor and readiness runs check. A part that cannot be made is a finding, not an end.

use super::Pace;
use crate::{
    azure::{client::ArmClient, error::chain},
    config::{Problem, QueueKind, Settings},
    look,
    readiness::{FoundSettings, Hosting, Part, Parts},
    record::BlobStore,
};
use std::error::Error;

/// Makes the parts that these settings ask for. `arm`: the client to use; one is made without it.
pub fn parts(
    mut found: FoundSettings,
    hosting: Hosting,
    pace: &Pace,
    arm: Option<ArmClient>,
) -> Parts {
    let mut parts = Parts {
        hosting,
        found: FoundSettings {
            settings: None,
            problems: Vec::new(),
            dry_run: found.dry_run,
        },
        arm,
        queue: None,
        record: None,
        reader: None,
        keys: None,
    };
    let Some(mut settings) = found.settings.take() else {
        parts.found = found;
        return parts;
    };
    if let (Some(azure), None) = (&settings.azure, &parts.arm) {
        match super::arm_client(azure, pace) {
            Ok(arm) => parts.arm = Some(arm),
            Err(error) => {
                found.problems.push(problem(&error));
                settings.azure = None;
            }
        }
    }
    parts.queue = queue(&settings);
    parts.record = record(&settings);
    parts.reader = settings.azure.as_ref().map(|azure| {
        let options = look::Options::new(azure.captures.clone());
        super::capture_reader(azure, options).map_err(|error| chain(&error))
    });
    parts.keys = settings
        .secure_webhook
        .as_ref()
        .filter(|webhook| !webhook.trust_easy_auth)
        .map(|webhook| super::entra_keys(webhook, pace).map_err(|error| chain(&error)));
    found.settings = Some(settings);
    parts.found = found;
    parts
}

fn queue(settings: &Settings) -> Part<crate::queue::StorageQueue> {
    let QueueKind::Storage(storage) = &settings.jobs.kind else {
        return None;
    };
    let queue = super::storage_queue(storage, settings.azure.as_ref());
    Some(queue.map_err(|error| chain(&error)))
}

fn record(settings: &Settings) -> Part<BlobStore> {
    let QueueKind::Storage(storage) = &settings.jobs.kind else {
        return None;
    };
    let store = super::blob_store(storage, settings.azure.as_ref());
    store.map_err(|error| chain(&error)).transpose()
}

/// An identity that no client can be made for is a problem of a setting, which the message names.
fn problem(error: &(dyn Error + 'static)) -> Problem {
    let text = chain(error);
    let (name, expected) = text.split_once(": ").unwrap_or(("AZURE_TENANT_ID", &text));
    Problem::new(name, expected)
}
