//! From settings to parts: each function makes one of them.

use super::{BuildError, Pace};
use crate::{
    app::identity,
    azure::{
        client::{ArmClient, ArmOptions, CallObserver},
        entra_keys::EntraKeys,
        transport::{self, TransportError},
    },
    capture::{JobParameters, Parameters},
    config::{
        AzureSettings, Destination, Identity, NotificationSettings, Problem, QueueAccount,
        QueueKind, ReceiverSettings, SecureWebhookSettings, Settings, SettingsError,
        StorageQueueSettings,
    },
    functions::{KeysUnavailable, Proof, SecureWebhook, SigningKeys},
    gather::{self, Gatherer},
    incident::{Event, Limits, Profiles},
    look::{self, CaptureReader},
    notify::{
        Links, Notifier, PagerDuty, PagerDutyOptions, Portal, Receiver, Receivers, Signer,
        SlackBot, SlackOptions, Timeouts, WebhookNotifier, WebhookOptions,
    },
    queue::{JobQueue, MemoryQueue, StorageQueue},
    record::{BlobStore, Incidents, RecordOptions, Store},
    telemetry::Metrics,
    worker::{Looks, Rounds, Running, Surroundings},
};
use azure_core::credentials::TokenCredential;
use jsonwebtoken::DecodingKey;
use std::sync::Arc;

/// Maximum number of concurrent calls to Azure, up to the create and after it, each.
const CONCURRENT_CALLS: usize = 32;

/// The check of callers. Keys that could not be fetched are fetched again after `pace.first_pause`.
pub(super) fn secure_webhook(
    settings: &SecureWebhookSettings,
    pace: &Pace,
) -> Result<SecureWebhook, TransportError> {
    let proof = match settings.trust_easy_auth {
        true => Proof::EasyAuth,
        false => Proof::Token(Arc::new(entra_keys(settings, pace)?)),
    };
    Ok(SecureWebhook {
        expected: settings.expected.clone(),
        proof,
    })
}

/// The keys that callers' tokens are signed with.
///
/// # Errors
/// A CA file that cannot be read.
pub fn entra_keys(
    settings: &SecureWebhookSettings,
    pace: &Pace,
) -> Result<EntraKeys, TransportError> {
    Ok(EntraKeys::new(
        transport::https_client(settings.ca_file.as_deref())?,
        &settings.authority_host,
        &settings.expected.tenant_id,
        pace.first_pause,
    ))
}

/// Where notifications go: to each receiver that is set; without one, to the log only. `accounts` are the storage accounts
/// of the capture files, for links to them.
///
/// # Errors
/// A CA file that cannot be read, or no certificate authorities at all.
pub fn receivers(
    settings: Option<&NotificationSettings>,
    accounts: &[&str],
    timeouts: Timeouts,
) -> Result<Arc<Receivers>, TransportError> {
    let Some(settings) = settings else {
        return Ok(Arc::default());
    };
    let links = Links {
        portal: Portal::new(settings.portal.clone()).with_accounts(accounts),
        pages: settings.pages.clone(),
        source: settings.source.clone(),
    };
    let receiver = |it: &ReceiverSettings| {
        let http = transport::trusting(settings.ca_file.as_deref())?;
        let notifier = notifier(it, links.clone(), http, timeouts)?;
        Ok(Receiver {
            name: it.name,
            host: it.destination.url().host(),
            notifier,
        })
    };
    let receivers: Result<_, TransportError> = settings.receivers.iter().map(receiver).collect();
    Ok(Arc::new(Receivers::new(receivers?)))
}

fn notifier(
    settings: &ReceiverSettings,
    links: Links,
    http: reqwest::ClientBuilder,
    timeouts: Timeouts,
) -> Result<Arc<dyn Notifier>, reqwest::Error> {
    let url = settings.destination.url().expose();
    let setting = settings.destination.setting();
    let events: Vec<Event> = settings.events.clone();
    Ok(match &settings.destination {
        Destination::Webhook { format, secret, .. } => {
            Arc::new(WebhookNotifier::new(WebhookOptions {
                url,
                setting,
                format: *format,
                signer: secret.as_ref().map(|secret| Signer::new(secret.expose())),
                events,
                links,
                http,
                timeouts,
            })?)
        }
        Destination::PagerDuty { routing_key, .. } => Arc::new(PagerDuty::new(PagerDutyOptions {
            url,
            setting,
            routing_key: routing_key.expose(),
            events,
            links,
            http,
            timeouts,
        })?),
        Destination::Slack { token, channel, .. } => Arc::new(SlackBot::new(SlackOptions {
            url,
            name: settings.name,
            setting,
            token: token.expose(),
            channel: channel.clone(),
            events,
            links,
            http,
            timeouts,
        })?),
    })
}

/// `functions` knows nothing of Azure's clients.
#[async_trait::async_trait]
impl SigningKeys for EntraKeys {
    async fn key(&self, id: &str) -> Result<Option<Arc<DecodingKey>>, KeysUnavailable> {
        EntraKeys::key(self, id).await.map_err(|_| KeysUnavailable)
    }
}

/// Where jobs wait.
pub(super) fn job_queue(
    settings: &Settings,
    credential: Option<Arc<dyn TokenCredential>>,
) -> Result<Arc<dyn JobQueue>, BuildError> {
    match &settings.jobs.kind {
        QueueKind::Memory => Ok(Arc::new(MemoryQueue::default())),
        QueueKind::Storage(storage) => Ok(Arc::new(queue_with(storage, credential)?)),
    }
}

/// The credential that opens the storage account of queue and record: one for both, so that both use one token. `None`:
/// its connection string does.
pub(super) fn account_credential(
    settings: &Settings,
) -> Result<Option<Arc<dyn TokenCredential>>, BuildError> {
    match &settings.jobs.kind {
        QueueKind::Memory => Ok(None),
        QueueKind::Storage(storage) => credential_of(storage, settings.azure.as_ref()),
    }
}

/// The incident record: in the storage account of the queue where jobs are kept there, in this process otherwise.
pub(super) fn incidents(
    settings: &Settings,
    pace: &Pace,
    credential: Option<Arc<dyn TokenCredential>>,
) -> Result<Arc<Incidents>, BuildError> {
    let store = match &settings.jobs.kind {
        QueueKind::Memory => None,
        QueueKind::Storage(storage) => {
            blobs_with(storage, credential)?.map(|store| Arc::new(store) as Arc<dyn Store>)
        }
    };
    let options = RecordOptions {
        limits: Limits {
            cooldown: profiles(settings).longest_cooldown(),
            quiet: settings.incidents.quiet,
            captures_per_day: settings.incidents.captures_per_machine_per_day,
            claim: pace.claim,
        },
        captures_per_hour: settings.incidents.captures_per_hour,
        answer_within: pace.record_within,
        probe_every: pace.record_probe,
        ..RecordOptions::default()
    };
    Ok(Incidents::new(store, options))
}

/// The queue in a storage account. `azure` has the identity that opens it, where its own settings name none.
///
/// # Errors
/// An identity or a CA file that cannot be used.
pub fn storage_queue(
    settings: &StorageQueueSettings,
    azure: Option<&AzureSettings>,
) -> Result<StorageQueue, BuildError> {
    queue_with(settings, credential_of(settings, azure)?)
}

fn queue_with(
    settings: &StorageQueueSettings,
    credential: Option<Arc<dyn TokenCredential>>,
) -> Result<StorageQueue, BuildError> {
    let https = || transport::https_client(settings.ca_file.as_deref());
    let queue = match (&settings.account, credential) {
        (QueueAccount::Service { url, .. }, Some(credential)) => {
            StorageQueue::with_identity(url.clone(), credential, https()?, settings.options)
        }
        (QueueAccount::Connection(connection), _) => {
            let http = match connection.endpoint.scheme() {
                "http" => transport::emulator_client()?,
                _ => https()?,
            };
            StorageQueue::connect(connection.clone(), http, settings.options)
        }
        (QueueAccount::Service { .. }, None) => return Err(no_identity()),
    };
    queue.map_err(BuildError::Queue)
}

/// The incident record in the storage account of the jobs. `None` when the settings name no blob service there.
///
/// # Errors
/// As [`storage_queue`].
pub fn blob_store(
    settings: &StorageQueueSettings,
    azure: Option<&AzureSettings>,
) -> Result<Option<BlobStore>, BuildError> {
    blobs_with(settings, credential_of(settings, azure)?)
}

fn blobs_with(
    settings: &StorageQueueSettings,
    credential: Option<Arc<dyn TokenCredential>>,
) -> Result<Option<BlobStore>, BuildError> {
    let Some(blobs) = settings.blobs.clone() else {
        return Ok(None);
    };
    let https = || transport::https_client(settings.ca_file.as_deref());
    let store = match (&settings.account, credential) {
        (QueueAccount::Service { .. }, Some(credential)) => {
            BlobStore::with_identity(blobs, credential, https()?).map(Some)
        }
        (QueueAccount::Connection(connection), _) => {
            let http = match blobs.scheme() {
                "http" => transport::emulator_client()?,
                _ => https()?,
            };
            BlobStore::connect(connection.clone(), http)
        }
        (QueueAccount::Service { .. }, None) => return Err(no_identity()),
    };
    store.map_err(BuildError::Queue)
}

/// `None`: the account's connection string opens it.
fn credential_of(
    settings: &StorageQueueSettings,
    azure: Option<&AzureSettings>,
) -> Result<Option<Arc<dyn TokenCredential>>, BuildError> {
    let QueueAccount::Service { identity, .. } = &settings.account else {
        return Ok(None);
    };
    let http = transport::https_client(settings.ca_file.as_deref())?;
    storage_credential(identity.as_deref(), azure, &http).map(Some)
}

fn no_identity() -> BuildError {
    let needed = "missing; needs the identity that opens the storage account";
    SettingsError::from(Problem::new("AZURE_CLIENT_ID", needed)).into()
}

/// The credential of the identity that opens the storage account: the account's own, else that of the Azure settings.
fn storage_credential(
    own: Option<&Identity>,
    azure: Option<&AzureSettings>,
    http: &reqwest::Client,
) -> Result<Arc<dyn TokenCredential>, BuildError> {
    let identity = own.or(azure.map(|azure| &azure.identity));
    let identity = identity.ok_or_else(no_identity)?;
    Ok(Arc::new(identity::credential(identity, http.clone())?))
}

/// The reader of finished captures, which signs in as the configured identity.
///
/// # Errors
/// As [`arm_client`].
pub fn capture_reader(
    azure: &AzureSettings,
    options: look::Options,
) -> Result<CaptureReader, BuildError> {
    let http = transport::https_client(azure.ca_file.as_deref())?;
    let credential = identity::credential(&azure.identity, http.clone())?;
    Ok(CaptureReader::new(Arc::new(credential), http, options))
}

/// The readings of finished captures, where their files go to a storage account.
pub(super) fn looks(
    settings: &Settings,
    pace: &Pace,
    incidents: &Arc<Incidents>,
) -> Result<Option<Arc<Looks>>, BuildError> {
    let look = &settings.first_look;
    let reads = look.enabled && !settings.storage_accounts().is_empty();
    let Some(azure) = settings.azure.as_ref().filter(|_| reads) else {
        return Ok(None);
    };
    let options = look::Options {
        most_time: look.most_time,
        first_pause: pace.file_pause,
        appears_within: pace.file_within,
        ..look::Options::new(azure.captures.clone())
    };
    Ok(Some(Arc::new(Looks {
        reader: capture_reader(azure, options)?,
        notify_within: look.notify_within,
        in_notice: look.in_notice,
        report_beside_capture: look.report_beside_capture,
        parameters: self::parameters(settings, pace),
        identity: azure.identity.client_id().map(str::to_owned),
        incidents: incidents.clone(),
        running: Running::default(),
    })))
}

/// The parameters of captures, by profile.
pub fn parameters(settings: &Settings, pace: &Pace) -> JobParameters {
    let paced = |parameters: &Parameters| Parameters {
        create_within: pace.create_within.unwrap_or(parameters.create_within),
        ..parameters.clone()
    };
    let default = JobParameters::from(paced(&settings.capture.parameters));
    let profiles = settings.profiles.iter();
    profiles.fold(default, |all, it| {
        all.with(&it.profile.name, paced(&it.parameters))
    })
}

/// The profiles in their order.
pub(super) fn profiles(settings: &Settings) -> Arc<Profiles> {
    let profiles = settings.profiles.iter();
    Arc::new(Profiles {
        all: profiles.map(|it| it.profile.clone()).collect(),
        cooldown: settings.allowed.cooldown,
    })
}

/// What changed around alerts, where that is to be read.
pub(super) fn surroundings(
    settings: &Settings,
    pace: &Pace,
    incidents: &Arc<Incidents>,
    arm: Option<&ArmClient>,
) -> Option<Arc<Surroundings>> {
    let changes = &settings.changes;
    let arm = arm.filter(|_| changes.enabled)?;
    let options = gather::Options {
        effective_rules: changes.effective_rules,
        callers: changes.show_callers,
        poll: pace.poll,
    };
    Some(Arc::new(Surroundings {
        gatherer: Gatherer::new(arm, options),
        notify_within: changes.notify_within,
        complete_after: pace.complete_after,
        incidents: incidents.clone(),
        running: Rounds::default(),
    }))
}

/// `azure` knows nothing of metrics.
pub(super) struct Counted(pub(super) Arc<Metrics>);

impl CallObserver for Counted {
    fn called(&self, operation: &'static str, status: Option<u16>, attempt: u32) {
        self.0.called(operation, status, attempt);
    }
}

/// The client of Resource Manager, which signs in as the configured identity.
///
/// # Errors
/// A CA file that cannot be read, or a tenant with characters that no tenant has.
pub fn arm_client(azure: &AzureSettings, pace: &Pace) -> Result<ArmClient, BuildError> {
    let http = transport::https_client(azure.ca_file.as_deref())?;
    let credential = identity::credential(&azure.identity, http.clone())?;
    let options = ArmOptions {
        endpoint: azure.resource_manager_endpoint.clone(),
        audience: azure.audience.clone(),
        retry: pace.retry,
        try_timeout: pace.try_timeout,
        concurrent_calls: CONCURRENT_CALLS,
        api_versions: azure.api_versions.clone(),
    };
    Ok(ArmClient::new(options, Arc::new(credential), http))
}
