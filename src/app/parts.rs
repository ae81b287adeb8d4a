//! From settings to parts: each function makes one of them, or says which setting stands against it.

use super::{BuildError, Pace};
use crate::{
    app::identity,
    azure::{
        api_versions::ApiVersions,
        client::{ArmClient, ArmOptions, CallObserver},
        entra_keys::EntraKeys,
        network_watcher::StorageLocation,
        transport::{self, TransportError},
    },
    capture::CaptureName,
    config::{
        AllowedSettings, ApiVersionSettings, AzureSettings, NotificationEvent, NotificationFormat,
        NotificationSettings, Problem, QueueAccount, QueueKind, SecureWebhookSettings, Settings,
        SettingsError, StorageQueueSettings,
    },
    functions::{Expected, KeysUnavailable, Proof, SecureWebhook, SigningKeys},
    incident::{Allowed, Event},
    notify::{
        Format, LogNotifier, Notifier, Portal, Signer, Timeouts, WebhookNotifier, WebhookOptions,
    },
    queue::{self, JobQueue, MemoryQueue, StorageOptions, StorageQueue},
    resource_id::ResourceId,
    telemetry::Metrics,
};
use jsonwebtoken::DecodingKey;
use std::sync::Arc;

/// Calls to Azure at once, up to the create and after it, each.
const CONCURRENT_CALLS: usize = 32;

/// The check of callers. Keys that cannot be fetched are asked for again after `pace.first_pause`.
pub(super) fn secure_webhook(
    settings: &SecureWebhookSettings,
    pace: &Pace,
) -> Result<SecureWebhook, TransportError> {
    let proof = match settings.trust_easy_auth {
        true => Proof::EasyAuth,
        false => Proof::Token(Arc::new(entra_keys(settings, pace)?)),
    };
    let expected = Expected {
        tenant_id: settings.tenant_id.clone(),
        audiences: settings.audiences.clone(),
        issuers: settings.issuers.clone(),
        caller_app_id: settings.caller_app_id.clone(),
        role: settings.role.clone(),
    };
    Ok(SecureWebhook { expected, proof })
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
        &settings.tenant_id,
        pace.first_pause,
    ))
}

/// Who is told how captures went: the webhook that is set, else the log alone.
///
/// # Errors
/// A CA file that cannot be read, or no certificate authorities at all.
pub fn notifier(
    settings: Option<&NotificationSettings>,
    timeouts: Timeouts,
) -> Result<Arc<dyn Notifier>, TransportError> {
    let Some(settings) = settings else {
        return Ok(Arc::new(LogNotifier));
    };
    let format = match settings.format {
        NotificationFormat::Json => Format::Json,
        NotificationFormat::Teams => Format::Teams,
        NotificationFormat::Slack => Format::Slack,
    };
    let event = |event: &NotificationEvent| match event {
        NotificationEvent::Created => Event::Created,
        NotificationEvent::Completed => Event::Completed,
        NotificationEvent::Failed => Event::Failed,
        NotificationEvent::Skipped => Event::Skipped,
    };
    let options = WebhookOptions {
        url: settings.webhook_url.expose(),
        format,
        signer: settings
            .secret
            .as_ref()
            .map(|secret| Signer::new(secret.expose())),
        events: settings.events.iter().map(event).collect(),
        portal: Portal::new(settings.portal.clone()),
        source: settings.source.clone(),
        http: transport::trusting(settings.ca_file.as_deref())?,
        timeouts,
    };
    Ok(Arc::new(WebhookNotifier::new(options)?))
}

/// `functions` knows nothing of Azure's clients.
#[async_trait::async_trait]
impl SigningKeys for EntraKeys {
    async fn key(&self, id: &str) -> Result<Option<Arc<DecodingKey>>, KeysUnavailable> {
        EntraKeys::key(self, id).await.map_err(|_| KeysUnavailable)
    }
}

/// Where jobs wait.
pub(super) fn job_queue(settings: &Settings) -> Result<Arc<dyn JobQueue>, BuildError> {
    let capacity = settings.jobs.capacity;
    match &settings.jobs.kind {
        QueueKind::Memory => Ok(Arc::new(MemoryQueue::new(capacity))),
        QueueKind::Storage(storage) => {
            let queue = storage_queue(storage, capacity, settings.azure.as_ref())?;
            Ok(Arc::new(queue))
        }
    }
}

/// The queue in a storage account. `azure` has the identity that opens it where no connection string does.
///
/// # Errors
/// A connection string that is not one, an identity or a CA file that is of no use.
pub fn storage_queue(
    settings: &StorageQueueSettings,
    capacity: usize,
    azure: Option<&AzureSettings>,
) -> Result<StorageQueue, BuildError> {
    let StorageQueueSettings {
        account,
        visibility_timeout,
        poll,
        ca_file,
    } = settings;
    let options = StorageOptions {
        capacity,
        visibility_timeout: *visibility_timeout,
        poll: *poll,
    };
    let problem = |name: &str, expected: &str| SettingsError {
        problems: vec![Problem {
            name: name.to_owned(),
            expected: expected.to_owned(),
        }],
    };
    let queue = match account {
        QueueAccount::ConnectionString(text) => {
            let connection = queue::Connection::parse(text.expose())
                .map_err(|expected| problem("AzureWebJobsStorage", expected))?;
            let http = match connection.endpoint.scheme() {
                "http" => transport::emulator_client()?,
                _ => transport::https_client(ca_file.as_deref())?,
            };
            StorageQueue::connect(connection, http, options)
        }
        QueueAccount::Identity(service) => {
            let azure = azure.ok_or_else(|| {
                problem(
                    "AZURE_CLIENT_ID",
                    "the identity that opens the storage account",
                )
            })?;
            let http = transport::https_client(ca_file.as_deref())?;
            let credential = Arc::new(identity::credential(azure, http.clone())?);
            StorageQueue::with_identity(service.clone(), credential, http, options)
        }
    };
    queue.map_err(BuildError::Queue)
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
    let credential = identity::credential(azure, http.clone())?;
    let options = ArmOptions {
        endpoint: azure.resource_manager_endpoint.clone(),
        audience: azure.audience.clone(),
        retry: pace.retry,
        try_timeout: pace.try_timeout,
        concurrent_calls: CONCURRENT_CALLS,
        api_versions: api_versions(&azure.api_versions),
    };
    Ok(ArmClient::new(options, Arc::new(credential), http))
}

/// Those that are set, and the defaults of the others.
fn api_versions(set: &ApiVersionSettings) -> ApiVersions {
    let default = ApiVersions::default();
    let or = |set: &Option<String>, default| set.clone().unwrap_or(default);
    ApiVersions {
        network: or(&set.network, default.network),
        compute: or(&set.compute, default.compute),
        storage: or(&set.storage, default.storage),
        authorization: or(&set.authorization, default.authorization),
    }
}

/// The allowed scopes as ids.
pub fn allowed(settings: &AllowedSettings, problems: &mut Vec<Problem>) -> Allowed {
    let mut scopes = Vec::new();
    for scope in &settings.scopes {
        match ResourceId::parse(scope.trim_end_matches('/')) {
            Ok(id) => scopes.push(id),
            Err(error) => problems.push(Problem {
                name: "PacketCapture__AllowedScopes".to_owned(),
                expected: format!(
                    "subscription, resource group or resource ids, separated by commas ({error})"
                ),
            }),
        }
    }
    Allowed {
        scopes,
        rules: settings.rules.clone(),
        signals: settings.signals.clone(),
    }
}

/// The name of our captures, checked.
pub(crate) fn capture_name(settings: &Settings, problems: &mut Vec<Problem>) -> CaptureName {
    CaptureName::parse(&settings.capture.name).unwrap_or_else(|expected| {
        problems.push(Problem {
            name: "PacketCapture__Name".to_owned(),
            expected: expected.to_owned(),
        });
        CaptureName::default()
    })
}

/// Where captures go, the account's id checked.
pub(crate) fn storage(settings: &Settings, problems: &mut Vec<Problem>) -> StorageLocation {
    let storage_id = settings.capture.storage_account_id.as_ref().and_then(|text| {
        match ResourceId::parse(text) {
            Ok(id) if id.is_type("Microsoft.Storage/storageAccounts") => Some(id.to_string()),
            _ => {
                problems.push(Problem {
                    name: "PacketCapture__StorageAccountId".to_owned(),
                    expected: "the id of a storage account: /subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/…".to_owned(),
                });
                None
            }
        }
    });
    StorageLocation {
        storage_id,
        file_path: settings.capture.file_path.clone(),
    }
}
