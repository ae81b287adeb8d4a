//! The composition root: settings become clients, a queue, a worker and routes. Nothing else knows them all.

use crate::{
    azure::{
        client::{ArmClient, ArmOptions},
        credentials,
        entra_keys::EntraKeys,
        network_watcher::StorageLocation,
        resource_id::ResourceId,
        retry::RetryLimits,
        transport::{self, TransportError},
    },
    capture::{Allowed, CaptureName, Capturer, Ledger, Parameters, RemoveFinished},
    config::{
        self, AllowedSettings, AzureSettings, Problem, SecureWebhookSettings, Settings,
        SettingsError,
    },
    functions::{self, Expected, Intake, KeysUnavailable, Proof, SecureWebhook, SigningKeys},
    notify::LogNotifier,
    queue::{JobQueue, MemoryQueue},
    worker::Worker,
};
use jsonwebtoken::DecodingKey;
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
};

/// Calls to Azure at once.
const CONCURRENT_CALLS: usize = 16;
/// A token is renewed so long before its end, just inside the five minutes in which azure_identity asks Entra.
const TOKEN_AHEAD: Duration = Duration::from_secs(295);
/// Pause between two attempts to get a token ahead of need.
const TOKEN_PAUSE: Duration = Duration::from_secs(30);
/// The connection to Resource Manager is used so often. Some servers close one that is idle for two minutes.
const CONNECTION_USED_EVERY: Duration = Duration::from_secs(60);
/// A session that may be stopped from outside is looked at so often.
const STOPPED_SEEN_WITHIN: Duration = Duration::from_secs(60);
/// How long jobs and answers under way may take after a stop; the host kills after 10 s.
const DRAIN: Duration = Duration::from_secs(8);

/// How patient the app is. Tests are less so.
#[derive(Debug, Clone)]
pub struct Pace {
    pub retry: RetryLimits,
    /// The shortest and longest time between two polls of an operation.
    pub poll: (Duration, Duration),
    /// The pause before a failed job is tried again; it doubles.
    pub first_pause: Duration,
    /// The longest time until a running session is looked at.
    pub longest_look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry: RetryLimits::default(),
            poll: (Duration::from_secs(1), Duration::from_secs(60)),
            first_pause: Duration::from_secs(1),
            longest_look: Duration::MAX,
        }
    }
}

/// Why the app could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the identity's settings are not usable (AZURE_TENANT_ID, AZURE_AUTHORITY_HOST)")]
    Credential(#[source] azure_core::Error),
}

/// The app, built and not yet running.
pub struct App {
    intake: Arc<Intake>,
    worker: Option<Arc<Worker>>,
    arm: Option<ArmClient>,
    secure_webhook: Option<SecureWebhook>,
}

impl App {
    /// Makes all parts. No call leaves the process yet.
    ///
    /// # Errors
    /// Settings that do not fit together, or a CA file that cannot be read.
    pub fn build(settings: &Settings, pace: &Pace) -> Result<Self, BuildError> {
        let mut problems = Vec::new();
        let allowed = allowed(&settings.allowed, &mut problems);
        let storage = storage(settings, &mut problems);
        let name = capture_name(settings, &mut problems);
        if !problems.is_empty() {
            return Err(SettingsError { problems }.into());
        }
        let queue: Arc<dyn JobQueue> = Arc::new(MemoryQueue::new(settings.jobs.capacity));
        let ledger = Arc::new(Ledger::default());
        let arm = settings
            .azure
            .as_ref()
            .map(|azure| arm_client(azure, pace))
            .transpose()?;
        let worker = arm.clone().map(|arm| {
            let capture = &settings.capture;
            Arc::new(Worker {
                queue: queue.clone(),
                capturer: Capturer::new(
                    arm,
                    Parameters {
                        name,
                        storage,
                        time_limit_seconds: capture.time_limit_seconds,
                        bytes_per_packet: capture.bytes_per_packet,
                        total_bytes: capture.total_bytes,
                        filters: capture.filters.clone(),
                        limit: capture.limit,
                        remove_finished: match capture.remove_finished {
                            config::RemoveFinished::Never => RemoveFinished::Never,
                            config::RemoveFinished::AfterNotice => RemoveFinished::AfterNotice,
                            config::RemoveFinished::ToMakeRoom => RemoveFinished::ToMakeRoom,
                        },
                        poll: pace.poll,
                        longest_look: match capture.stop_on_resolved {
                            true => pace.longest_look.min(STOPPED_SEEN_WITHIN),
                            false => pace.longest_look,
                        },
                    },
                ),
                ledger: ledger.clone(),
                notifier: Arc::new(LogNotifier),
                max_attempts: settings.jobs.max_attempts,
                first_pause: pace.first_pause,
            })
        });
        let intake = Arc::new(Intake {
            queue,
            ledger,
            allowed,
            cooldown: settings.allowed.cooldown,
            capacity: settings.jobs.capacity,
            reply_wait: settings.capture.reply_wait,
            dry_run: settings.capture.dry_run,
            stop_on_resolved: settings.capture.stop_on_resolved,
        });
        let secure_webhook = settings
            .secure_webhook
            .as_ref()
            .map(|settings| secure_webhook(settings, pace))
            .transpose()?;
        Ok(Self {
            intake,
            worker,
            arm,
            secure_webhook,
        })
    }

    /// Serves on `listener` until `stop` is ready, then lets what is under way end.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        let (stop_serving, mut serving) = watch::channel(false);
        let (stop_working, working) = watch::channel(false);
        let mut ahead = JoinSet::new();
        if let Some(arm) = self.arm {
            let (asked, token_asked) = oneshot::channel();
            ahead.spawn(keep_token(arm.clone(), asked));
            ahead.spawn(keep_connected(arm, token_asked));
        }
        let queue = self.intake.queue.clone();
        let worker: Option<JoinHandle<()>> =
            self.worker.map(|worker| tokio::spawn(worker.run(working)));
        let router = functions::router(self.intake, self.secure_webhook);
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            let _ = serving.wait_for(|stop| *stop).await;
        });
        let server = tokio::spawn(server.into_future());
        stop.await;
        tracing::info!("stopping: finishing what is under way");
        let _ = stop_serving.send(true);
        let drained = async {
            // The worker stops last: callers that are still waiting have jobs in the queue.
            let served = server.await.unwrap_or(Ok(()));
            let _ = stop_working.send(true);
            if let Some(worker) = worker {
                let _ = worker.await;
            }
            served
        };
        let result = tokio::time::timeout(DRAIN, drained).await.unwrap_or(Ok(()));
        ahead.abort_all();
        let left = queue.waiting().await;
        if left > 0 {
            tracing::warn!(
                jobs = left,
                "stopped with jobs in the memory queue; they are lost with this process"
            );
        }
        result
    }
}

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
            tenant = azure.identity.tenant_id,
            client = azure.identity.client_id,
            "captures are made as a service principal from {}; jobs are kept in memory and lost with the process",
            azure.identity.source
        ),
        None => tracing::info!("no Azure settings: dry runs only"),
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
}

/// The check of callers. Keys that cannot be fetched are asked for again after `pace.first_pause`.
fn secure_webhook(
    settings: &SecureWebhookSettings,
    pace: &Pace,
) -> Result<SecureWebhook, TransportError> {
    let proof = match settings.trust_easy_auth {
        true => Proof::EasyAuth,
        false => Proof::Token(Arc::new(EntraKeys::new(
            transport::https_client(settings.ca_file.as_deref())?,
            &settings.authority_host,
            &settings.tenant_id,
            pace.first_pause,
        ))),
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

/// `functions` knows nothing of Azure's clients.
#[async_trait::async_trait]
impl SigningKeys for EntraKeys {
    async fn key(&self, id: &str) -> Result<Option<Arc<DecodingKey>>, KeysUnavailable> {
        EntraKeys::key(self, id).await.map_err(|_| KeysUnavailable)
    }
}

/// The client of Resource Manager, which signs in as the configured identity.
///
/// # Errors
/// A CA file that cannot be read, or a tenant with characters that no tenant has.
pub fn arm_client(azure: &AzureSettings, pace: &Pace) -> Result<ArmClient, BuildError> {
    let http = transport::https_client(azure.ca_file.as_deref())?;
    let credential = credentials::client_secret(
        &azure.authority_host,
        &azure.identity.tenant_id,
        &azure.identity.client_id,
        azure.identity.client_secret.expose().to_owned().into(),
        http.clone(),
    )
    .map_err(BuildError::Credential)?;
    let options = ArmOptions {
        endpoint: azure.resource_manager_endpoint.clone(),
        audience: azure.audience.clone(),
        retry: pace.retry,
        concurrent_calls: CONCURRENT_CALLS,
    };
    Ok(ArmClient::new(options, Arc::new(credential), http))
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

/// Opens the connection to Resource Manager ahead of the first alert and keeps it open.
///
/// The token comes first: a thread's first handshake takes some 40 ms, in which the other one shall answer the
/// host.
async fn keep_connected(arm: ArmClient, token_asked: oneshot::Receiver<()>) {
    let _ = token_asked.await;
    loop {
        if let Err(error) = arm.keep_connected().await {
            tracing::debug!("{}", crate::azure::error::chain(&error));
        }
        tokio::time::sleep(CONNECTION_USED_EVERY).await;
    }
}

/// Fetches the token ahead of the first alert and renews it ahead of its end.
/// `asked` is let go when it was tried once.
async fn keep_token(arm: ArmClient, asked: oneshot::Sender<()>) {
    let mut asked = Some(asked);
    loop {
        let fetched = arm.fetch_token().await;
        drop(asked.take());
        let wait = match fetched {
            Ok(expires) => {
                let left = expires
                    .duration_since(SystemTime::now())
                    .unwrap_or_default();
                tracing::debug!(seconds = left.as_secs(), "access token at hand");
                left.saturating_sub(TOKEN_AHEAD)
            }
            Err(error) => {
                tracing::warn!(
                    error.code = error.code(),
                    "{}",
                    crate::azure::error::chain(&error)
                );
                Duration::ZERO
            }
        };
        tokio::time::sleep(wait.max(TOKEN_PAUSE)).await;
    }
}
