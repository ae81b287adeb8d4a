//! What the log says at start: what this process does, where, and which settings are probably not meant.

use crate::config::{QueueKind, Settings};

/// The start log: what this process will do and where.
pub fn log_settings(settings: &Settings) {
    let or_all = |list: &[String]| match list.is_empty() {
        true => "all".to_owned(),
        false => list.join(", "),
    };
    let allowed = &settings.allowed.allowed;
    let scopes: Vec<String> = allowed.scopes.iter().map(ToString::to_string).collect();
    tracing::info!(
        scopes = or_all(&scopes),
        rules = or_all(&allowed.rules),
        signals = or_all(&allowed.signals),
        cooldown_s = settings.allowed.cooldown.as_secs(),
        dry_run = settings.capture.dry_run,
        "alerts allowed to capture"
    );
    match &settings.azure {
        Some(azure) => tracing::info!(
            resource_manager = azure.resource_manager_endpoint.as_str(),
            "captures are created as {}, from {}",
            azure.identity,
            azure.identity.source
        ),
        None => tracing::info!("no Azure settings: dry runs only"),
    }
    match &settings.jobs.kind {
        QueueKind::Memory => {
            tracing::info!("jobs are kept in memory and lost with the process");
        }
        QueueKind::Storage(storage) => tracing::info!(
            visibility_timeout_s = storage.options.visibility_timeout.as_secs(),
            "jobs are kept in the storage queue packet-capture-jobs; {}",
            match storage.options.poll {
                true => "this instance polls for jobs abandoned by other instances",
                false =>
                    "the queue trigger of PacketCaptureJob delivers jobs abandoned by other instances",
            }
        ),
    }
    let incidents = &settings.incidents;
    tracing::info!(
        quiet_s = incidents.quiet.as_secs(),
        captures_per_hour = incidents.captures_per_hour,
        captures_per_machine_per_day = incidents.captures_per_machine_per_day,
        "incidents are kept {}",
        match &settings.jobs.kind {
            QueueKind::Storage(storage) if storage.blobs.is_some() =>
                "in the container packet-capture-incidents",
            _ => "in memory and lost with the process",
        }
    );
    if let Some(traces) = &settings.traces {
        tracing::info!(
            collector = traces.endpoint.host_str(),
            service = traces.service_name,
            "traces are exported"
        );
    }
    let identity = settings.azure.as_ref().map(|azure| &azure.identity);
    if let Some(warning) = identity.and_then(|identity| identity.source.warning()) {
        tracing::warn!("{warning}");
    }
    if let Some(webhook) = &settings.secure_webhook {
        tracing::info!(
            tenant = webhook.expected.tenant_id,
            caller = webhook.expected.caller_app_id,
            role = webhook.expected.role,
            trust_easy_auth = webhook.trust_easy_auth,
            "alerts are accepted only from this caller with this role"
        );
    }
    let receivers = settings.notification.iter().flat_map(|it| &it.receivers);
    for receiver in receivers {
        let destination = &receiver.destination;
        tracing::info!(
            receiver = receiver.name,
            host = destination.url().host(),
            format = ?destination.format(),
            events = ?receiver.events,
            signed = destination.is_signed(),
            "notifications are sent to a webhook"
        );
    }
    for warning in settings.warnings() {
        tracing::warn!(app_setting = warning.name, "{warning}");
    }
}
