//! From settings to the parts that are checked. A part that cannot be made is a finding, not an end.

use crate::{
    app::{self, Pace},
    azure::error::chain,
    config::{AppSettings, Problem, QueueKind, Settings},
    look,
    readiness::{FoundSettings, Hosting, Part, Parts},
    record::BlobStore,
};
use std::error::Error;

/// A person waits for the answer: each call is retried once.
fn pace() -> Pace {
    let mut pace = Pace::default();
    pace.retry.tries = 2;
    pace
}

pub fn parts(settings: &AppSettings) -> Parts {
    let mut parts = Parts {
        hosting: Hosting::of(settings),
        found: FoundSettings::read(settings),
        arm: None,
        queue: None,
        record: None,
        reader: None,
        keys: None,
    };
    let Some(mut settings) = parts.found.settings.take() else {
        return parts;
    };
    if let Some(azure) = &settings.azure {
        match app::arm_client(azure, &pace()) {
            Ok(arm) => parts.arm = Some(arm),
            Err(error) => {
                parts.found.problems.push(problem(&error));
                settings.azure = None;
            }
        }
    }
    parts.queue = queue(&settings);
    parts.record = record(&settings);
    parts.reader = settings.azure.as_ref().map(|azure| {
        let options = look::Options::new(azure.captures.clone());
        app::capture_reader(azure, options).map_err(|error| chain(&error))
    });
    parts.keys = settings
        .secure_webhook
        .as_ref()
        .filter(|webhook| !webhook.trust_easy_auth)
        .map(|webhook| app::entra_keys(webhook, &pace()).map_err(|error| chain(&error)));
    parts.found.settings = Some(settings);
    parts
}

fn queue(settings: &Settings) -> Part<crate::queue::StorageQueue> {
    let QueueKind::Storage(storage) = &settings.jobs.kind else {
        return None;
    };
    let queue = app::storage_queue(storage, settings.azure.as_ref());
    Some(queue.map_err(|error| chain(&error)))
}

fn record(settings: &Settings) -> Part<BlobStore> {
    let QueueKind::Storage(storage) = &settings.jobs.kind else {
        return None;
    };
    let store = app::blob_store(storage, settings.azure.as_ref());
    store.map_err(|error| chain(&error)).transpose()
}

/// An identity that no client can be made for is a problem of a setting, which the message names.
fn problem(error: &(dyn Error + 'static)) -> Problem {
    let text = chain(error);
    let (name, expected) = text.split_once(": ").unwrap_or(("AZURE_TENANT_ID", &text));
    Problem::new(name, expected)
}
