//! The composition root: settings become clients, a queue, a worker and routes. Nothing else knows them all.

use crate::{
    azure::{
        api_versions::ApiVersions,
        client::{ArmClient, ArmOptions, CallObserver},
        entra_keys::EntraKeys,
        network_watcher::StorageLocation,
        resource_id::ResourceId,
        retry::RetryLimits,
        transport::{self, TransportError},
    },
    capture::{Allowed, CaptureName, Capturer, Ledger, Parameters, RemoveFinished},
    config::{
        self, AllowedSettings, ApiVersionSettings, AzureSettings, NotificationEvent,
        NotificationFormat, NotificationSettings, Problem, QueueAccount, QueueKind,
        SecureWebhookSettings, Settings, SettingsError, StorageQueueSettings,
    },
    functions::{self, Expected, Intake, KeysUnavailable, Proof, SecureWebhook, SigningKeys},
    notify::{
        Event, Format, LogNotifier, Notifier, Patience, Portal, Signer, WebhookNotifier,
        WebhookOptions,
    },
    queue::{self, JobQueue, MemoryQueue, StorageOptions, StorageQueue},
    sign_in,
    telemetry::{Export, ExportError, Metrics},
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
    /// How long one try of a call to Resource Manager may take, 20 s at most.
    pub try_timeout: Duration,
    /// The shortest and longest time between two polls of an operation.
    pub poll: (Duration, Duration),
    /// The pause before a failed job is tried again; it doubles.
    pub first_pause: Duration,
    /// The longest time until a running session is looked at.
    pub longest_look: Duration,
    /// How long a receiver of notices may take.
    pub notice: Patience,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry: RetryLimits::default(),
            try_timeout: transport::REQUEST_TIMEOUT,
            poll: (Duration::from_secs(1), Duration::from_secs(60)),
            first_pause: Duration::from_secs(1),
            longest_look: Duration::MAX,
            notice: Patience::default(),
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
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("the identity's settings are not usable (AZURE_TENANT_ID, AZURE_AUTHORITY_HOST)")]
    Credential(#[source] azure_core::Error),
    #[error("the storage account's settings are not usable (AzureWebJobsStorage)")]
    Queue(#[source] azure_core::Error),
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
        let queue = job_queue(settings)?;
        let ledger = Arc::new(Ledger::default());
        let metrics = Arc::new(Metrics::default());
        let arm = settings
            .azure
            .as_ref()
            .map(|azure| arm_client(azure, pace))
            .transpose()?;
        let notifier = notifier(settings.notification.as_ref(), pace.notice)?;
        if let Some(arm) = &arm {
            arm.observe(Arc::new(Counted(metrics.clone())));
        }
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
                notifier,
                metrics: metrics.clone(),
                max_attempts: settings.jobs.max_attempts,
                first_pause: pace.first_pause,
            })
        });
        let intake = Arc::new(Intake {
            queue,
            ledger,
            metrics,
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
        queue.close().await;
        let left = match queue.is_durable() {
            true => 0,
            false => queue.waiting().await,
        };
        if left > 0 {
            tracing::warn!(
                jobs = left,
                "stopped with jobs in the memory queue; they are lost with this process"
            );
        }
        result
    }
}

/// The way of traces to a collector, where one is set. Within the runtime only.
///
/// # Errors
/// A CA file that cannot be read, or settings that OpenTelemetry does not take.
pub fn export(settings: &Settings) -> Result<Option<Export>, BuildError> {
    let Some(traces) = &settings.traces else {
        return Ok(None);
    };
    let http = transport::http_client(traces.ca_file.as_deref())?;
    let export = Export::new(&traces.endpoint, &traces.service_name, http)?;
    Ok(Some(export))
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

/// The check of callers. Keys that cannot be fetched are asked for again after `pace.first_pause`.
fn secure_webhook(
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
    patience: Patience,
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
        roots: transport::certificates(settings.ca_file.as_deref())?,
        patience,
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
fn job_queue(settings: &Settings) -> Result<Arc<dyn JobQueue>, BuildError> {
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
            let credential = Arc::new(sign_in::credential(azure, http.clone())?);
            StorageQueue::with_identity(service.clone(), credential, http, options)
        }
    };
    queue.map_err(BuildError::Queue)
}

/// `azure` knows nothing of metrics.
struct Counted(Arc<Metrics>);

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
    let credential = sign_in::credential(azure, http.clone())?;
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
                    "{}; what to do: {}",
                    crate::azure::error::chain(&error),
                    error.advice().unwrap_or("see the message")
                );
                Duration::ZERO
            }
        };
        tokio::time::sleep(wait.max(TOKEN_PAUSE)).await;
    }
}
