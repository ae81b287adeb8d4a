//! The composition root: settings become clients, a queue, a worker and routes. No other room knows all of them.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod checks;
pub mod identity;
mod news;
mod parts;
mod readiness;
mod start_log;

pub use checks::parts as checked_parts;
pub use parts::{arm_client, blob_store, capture_reader, entra_keys, receivers, storage_queue};
pub use start_log::log_settings;

use crate::{
    azure::{
        client::ArmClient,
        retry::RetryLimits,
        transport::{self, TransportError},
    },
    capture::{Capturer, Polling},
    config::{Settings, SettingsError},
    fleet::Start,
    functions::{self, Intake, SecureWebhook, Stop},
    incident::{Event, Ledger, Policy, Retry},
    notify::{Portal, Timeouts},
    record::Incidents,
    resource_id::ResourceId,
    telemetry::{Export, ExportError, Metrics},
    worker::Worker,
    write_back::WriteBack,
};
use news::Desk;
use parts::{Counted, job_queue, secure_webhook};
use readiness::Readiness;
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// Renew the token this long before it expires, just inside the five minutes in which azure_identity asks Entra.
const TOKEN_AHEAD: Duration = Duration::from_secs(295);
/// Interval between two attempts to fetch a token before it is needed.
const TOKEN_PAUSE: Duration = Duration::from_secs(30);
/// Interval between keep-alive requests to Resource Manager. Some servers close a connection that is idle for two minutes.
const CONNECTION_USED_EVERY: Duration = Duration::from_secs(60);
/// Interval between two reads of the network watchers and the machines that alerts may be about.
const PLACES_READ_EVERY: Duration = Duration::from_secs(15 * 60);
/// Interval between two checks whether an hour has passed whose budget held alerts back.
const BUDGET_INTERVAL: Duration = Duration::from_secs(60);
/// How long the steps of jobs in progress may take after a stop. This, `ANSWER` and `RECORD` add up to less than the 10 s after
/// which the host kills the process.
const DRAIN: Duration = Duration::from_millis(6_500);
/// How much of it the callers of alerts in a memory queue may take before the worker stops.
const CALLERS: Duration = Duration::from_secs(4);
/// How long the callers that wait for these jobs may take to get their answers after that.
const ANSWER: Duration = Duration::from_secs(1);
/// How long the incident record may take to be written after that.
const RECORD: Duration = Duration::from_millis(500);

/// Intervals and timeouts. Tests take shorter ones.
#[derive(Debug, Clone)]
pub struct Pace {
    pub retry: RetryLimits,
    /// How long one try of a call to Resource Manager may take, 20 s at most.
    pub try_timeout: Duration,
    /// The shortest and longest time between two polls of an operation.
    pub poll: (Duration, Duration),
    /// The pause before a failed job is tried again; it doubles.
    pub first_pause: Duration,
    /// Interval between the first status checks of a running session.
    pub first_look: Duration,
    /// Maximum interval between status checks of a running session.
    pub longest_look: Duration,
    /// How long a job may take until its create; `None`: what the settings say.
    pub create_within: Option<Duration>,
    /// How long Azure may take to finish a create after that.
    pub start_within: Duration,
    /// Interval between checks of the poison queue.
    pub poison_interval: Duration,
    /// How long the incident record's store may take where something waits for it.
    pub record_within: Duration,
    /// Interval between two checks of a store that did not answer.
    pub record_probe: Duration,
    /// How long a process may take to put a job into the queue once it has claimed it: longer than its calls do.
    pub claim: Duration,
    /// The first pause before a file of a capture is asked for again.
    pub file_pause: Duration,
    /// How long after the end of a capture its file may appear.
    pub file_within: Duration,
    /// How long after the end of a capture Azure is asked for the last time what changed. Activity log and Resource Graph
    /// are up to 20 minutes late.
    pub complete_after: Duration,
    /// How long a receiver of notifications may take.
    pub notification: Timeouts,
    /// How long the delivery of a drill's notification is retried.
    pub drill_period: Duration,
    pub readiness: ReadinessPace,
}

/// The pace of readiness runs.
#[derive(Debug, Clone, Copy)]
pub struct ReadinessPace {
    /// Interval between two calls to Azure: a sixth of what Resource Manager's token bucket refills.
    pub between_calls: Duration,
    /// How long after the start the run is continued that another process left.
    pub continue_after: Duration,
    /// A run whose progress was not written for this long was left.
    pub abandoned_after: Duration,
}

impl Default for ReadinessPace {
    fn default() -> Self {
        Self {
            between_calls: Duration::from_millis(250),
            continue_after: Duration::from_secs(60),
            abandoned_after: Duration::from_secs(300),
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry: RetryLimits::default(),
            try_timeout: transport::REQUEST_TIMEOUT,
            poll: (Duration::from_secs(1), Duration::from_secs(60)),
            first_pause: Duration::from_secs(1),
            first_look: Duration::from_secs(15),
            longest_look: Duration::MAX,
            create_within: None,
            start_within: Duration::from_secs(15 * 60),
            poison_interval: Duration::from_secs(60),
            record_within: Duration::from_secs(2),
            record_probe: Duration::from_secs(3),
            claim: Duration::from_secs(6),
            file_pause: Duration::from_secs(1),
            file_within: Duration::from_secs(120),
            complete_after: Duration::from_secs(20 * 60),
            notification: Timeouts::default(),
            drill_period: Duration::from_secs(120),
            readiness: ReadinessPace::default(),
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
    /// The Azure portal of the cloud, for links.
    portal: Portal,
    readiness: Readiness,
    /// The machines of the timer's drills.
    drill_targets: Arc<[ResourceId]>,
}

impl App {
    /// Makes all parts. No call leaves the process yet.
    ///
    /// # Errors
    /// Settings that do not fit together, or a CA file that cannot be read.
    pub fn build(settings: &Settings, pace: &Pace) -> Result<Self, BuildError> {
        let credential = parts::account_credential(settings)?;
        let queue = job_queue(settings, credential.clone())?;
        let ledger = Arc::new(Ledger::default());
        let incidents = parts::incidents(settings, pace, credential)?;
        let metrics = Arc::new(Metrics::default());
        let arm = settings
            .azure
            .as_ref()
            .map(|azure| arm_client(azure, pace))
            .transpose()?;
        let accounts = settings.storage_accounts();
        let receivers = receivers(settings.notification.as_ref(), &accounts, pace.notification)?;
        let closes = receivers.want(Event::Resolved, None);
        if let Some(arm) = &arm {
            arm.observe(Arc::new(Counted(metrics.clone())));
        }
        let profiles = parts::profiles(settings);
        let looks = parts::looks(settings, pace, &incidents)?;
        let surroundings = parts::surroundings(settings, pace, &incidents, arm.as_ref());
        let write_back = settings.write_back.as_ref();
        let worker = arm.clone().map(|arm| {
            let retry = Retry {
                max_attempts: settings.jobs.max_attempts,
                first_pause: pace.first_pause,
            };
            let polling = Polling {
                poll: pace.poll,
                first_look: pace.first_look,
                longest_look: pace.longest_look,
                start_within: pace.start_within,
            };
            Arc::new(Worker {
                write_back: write_back.map(|it| WriteBack::new(&arm, it.pages.clone())),
                queue: queue.clone(),
                capturer: Capturer::new(arm, parts::parameters(settings, pace), polling, retry),
                ledger: ledger.clone(),
                receivers: receivers.clone(),
                incidents: incidents.clone(),
                looks,
                profiles: profiles.clone(),
                surroundings,
                metrics: metrics.clone(),
                retry,
                poison_interval: pace.poison_interval,
                drill_period: pace.drill_period,
            })
        });
        let readiness = Readiness {
            settings: settings.clone(),
            pace: pace.clone(),
            arm: arm.clone(),
            worker: worker.clone(),
            incidents: incidents.clone(),
            start: Start::default(),
            desk: Desk {
                receivers: receivers.clone(),
                metrics: metrics.clone(),
                retry: Retry {
                    max_attempts: settings.jobs.max_attempts,
                    first_pause: pace.first_pause,
                },
                weekly: settings.readiness.weekly,
            },
        };
        let intake = Arc::new(Intake {
            queue,
            ledger,
            incidents,
            metrics,
            policy: Policy {
                allowed: settings.allowed.allowed.clone(),
                cooldown: settings.allowed.cooldown,
                max_targets: settings.allowed.max_targets,
                capacity: settings.jobs.capacity,
                stop_on_resolved: settings.capture.stop_on_resolved,
                dry_run: settings.capture.dry_run,
                profiles: profiles.clone(),
            },
            closes,
            reply_wait: settings.capture.reply_wait,
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
            portal: Portal::new(settings.portal.clone()).with_accounts(&accounts),
            readiness,
            drill_targets: settings.drill_targets.as_slice().into(),
        })
    }

    /// Asks for readiness runs.
    pub fn start_of_runs(&self) -> Start {
        self.readiness.start.clone()
    }

    /// The incident record, where runs are kept too.
    pub fn record(&self) -> Arc<Incidents> {
        self.intake.incidents.clone()
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
        let (stop_serving, asked) = watch::channel(false);
        let (stop_working, working) = watch::channel(false);
        let (worker_ended, worked) = watch::channel(false);
        let mut ahead = JoinSet::new();
        if let Some(arm) = self.arm {
            ahead.spawn(keep_token(arm.clone()));
            ahead.spawn(keep_connected(arm));
        }
        let runs = self.readiness.start.clone();
        ahead.spawn(self.readiness.run());
        let policy = &self.intake.policy;
        if let Some(worker) = self.worker.clone().filter(|_| !policy.dry_run) {
            ahead.spawn(keep_places(worker, policy.allowed.scopes.clone()));
        }
        if self.intake.incidents.has_budgets() {
            let intake = self.intake.clone();
            ahead.spawn(async move { intake.notify_held_back(BUDGET_INTERVAL).await });
        }
        let queue = self.intake.queue.clone();
        let incidents = self.intake.incidents.clone();
        let worker: Option<JoinHandle<()>> =
            self.worker.map(|worker| tokio::spawn(worker.run(working)));
        let stopping = Stop {
            asked: asked.clone(),
            worked,
        };
        let router = functions::router(
            self.intake,
            self.secure_webhook,
            self.portal,
            self.drill_targets,
            runs,
            stopping,
        );
        let mut server = tokio::spawn(functions::serve(listener, router, asked));
        stop.await;
        tracing::info!("stopping: finishing what is in progress");
        let _ = stop_serving.send(true);
        let drained = async {
            if !queue.is_durable() {
                // A memory queue is lost with this process, so an alert whose caller still waits gets its capture
                // first. Without such a caller the server has ended by now.
                let _ = tokio::time::timeout(CALLERS, &mut server).await;
            }
            let _ = stop_working.send(true);
            if let Some(worker) = worker {
                let _ = worker.await;
            }
        };
        let _ = tokio::time::timeout(DRAIN, drained).await;
        // Callers that still wait are answered now, with what is known.
        let _ = worker_ended.send(true);
        if !server.is_finished() {
            let _ = tokio::time::timeout(ANSWER, server).await;
        }
        ahead.abort_all();
        // What a finished job left to be written comes first: its message is in the queue until then.
        incidents.close(RECORD).await;
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
        Ok(())
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

/// Opens the connection to Resource Manager ahead of the first alert and keeps it open.
async fn keep_connected(arm: ArmClient) {
    loop {
        if let Err(error) = arm.keep_connected().await {
            tracing::debug!("{}", crate::azure::error::chain(&error));
        }
        tokio::time::sleep(CONNECTION_USED_EVERY).await;
    }
}

/// Reads where the allowed machines and their network watchers are, ahead of the first alert and from time to time.
async fn keep_places(worker: Arc<Worker>, scopes: Vec<ResourceId>) {
    while !scopes.is_empty() {
        worker.capturer.read_ahead(&scopes).await;
        tokio::time::sleep(PLACES_READ_EVERY).await;
    }
}

/// Fetches the token ahead of the first alert and renews it ahead of its end.
async fn keep_token(arm: ArmClient) {
    loop {
        let wait = match arm.fetch_token().await {
            Ok(expires) => {
                let left = expires
                    .duration_since(SystemTime::now())
                    .unwrap_or_default();
                tracing::debug!(seconds = left.as_secs(), "access token cached");
                left.saturating_sub(TOKEN_AHEAD)
            }
            Err(error) => {
                tracing::warn!(
                    error.code = error.code(),
                    "{}; what to do: {}",
                    crate::azure::error::chain(&error),
                    crate::advice::for_error(&error)
                        .as_deref()
                        .unwrap_or("see the message")
                );
                Duration::ZERO
            }
        };
        tokio::time::sleep(wait.max(TOKEN_PAUSE)).await;
    }
}
