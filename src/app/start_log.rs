//! What the log says at start, so that nobody has to guess what is set.

use crate::config::{QueueKind, Settings};

/// The start log: what this process will do and where.
pub fn log_settings(settings: &Settings) {
    let or_all = |list: &[String]| {
        if list.is_empty() {
            "all".to_owned()
        } else {
            list.join(", ")
        }
    };
    tracing::info!(
        scopes = or_all(&settings.allowed.scopes),
        rules = or_all(&settings.allowed.rules),
        signals = or_all(&settings.allowed.signals),
        cooldown_s = settings.allowed.cooldown.as_secs(),
        dry_run = settings.capture.dry_run,
        "alerts allowed to capture"
    );
    match &settings.azure {
        Some(azure) => tracing::info!(
            resource_manager = azure.resource_manager_endpoint.as_str(),
            tenant = azure.identity.tenant_id(),
            client = azure.identity.client_id(),
            "captures are made as {}, from {}",
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
            visibility_timeout_s = storage.visibility_timeout.as_secs(),
            "jobs are kept in the storage queue packet-capture-jobs; {}",
            match storage.poll {
                true => "this process looks for those that others leave",
                false => "the queue trigger of PacketCaptureJob brings those that others leave",
            }
        ),
    }
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
            tenant = webhook.tenant_id,
            caller = webhook.caller_app_id,
            role = webhook.role,
            trust_easy_auth = webhook.trust_easy_auth,
            "alerts are taken from this caller with this role only"
        );
    }
    if let Some(notification) = &settings.notification {
        tracing::info!(
            host = notification.webhook_url.host(),
            format = ?notification.format,
            events = ?notification.events,
            signed = notification.secret.is_some(),
            "a webhook is told how captures went"
        );
    }
}
