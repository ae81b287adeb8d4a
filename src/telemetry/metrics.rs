//! Numbers for Prometheus, in its OpenMetrics text. All labels come out of closed sets: no rule, no machine, nothing
//! that an alert's sender chooses.
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// From a warm alert (two calls) to one that waits for another capture to end.
const CREATED_AFTER_SECONDS: [f64; 12] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlertLabels {
    schema: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    end: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NotificationLabels {
    event: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabels {
    cause: &'static str,
}

/// What is counted. Each counts from the start of the process.
pub struct Metrics {
    registry: Registry,
    alerts: Family<AlertLabels, Counter>,
    captures: Family<EndLabels, Counter>,
    drills: Family<EndLabels, Counter>,
    arm_requests: Family<CallLabels, Counter>,
    arm_retries: Family<OperationLabels, Counter>,
    created_after: Histogram,
    notifications: Family<NotificationLabels, Counter>,
    held_back: Family<ReasonLabels, Counter>,
    waiting: Gauge,
    ready: Family<VerdictLabels, Gauge>,
    causes: Family<CauseLabels, Gauge>,
    checked_at: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let metrics = Self {
            alerts: Family::default(),
            captures: Family::default(),
            drills: Family::default(),
            arm_requests: Family::default(),
            arm_retries: Family::default(),
            created_after: Histogram::new(CREATED_AFTER_SECONDS),
            notifications: Family::default(),
            held_back: Family::default(),
            waiting: Gauge::default(),
            ready: Family::default(),
            causes: Family::default(),
            checked_at: Gauge::default(),
            registry: Registry::default(),
        };
        // The crate ends each help with a full stop, and each counter's name with _total.
        registry.register(
            "apc_alerts",
            "Alerts by schema and by the answer to the caller",
            metrics.alerts.clone(),
        );
        registry.register(
            "apc_captures",
            "Finished jobs, by how they ended; joined ones followed a capture that another job made",
            metrics.captures.clone(),
        );
        registry.register(
            "apc_drills",
            "Finished drills, by how they ended",
            metrics.drills.clone(),
        );
        registry.register(
            "apc_arm_requests",
            "Requests to Resource Manager by operation and HTTP status; no_answer when there was none",
            metrics.arm_requests.clone(),
        );
        registry.register(
            "apc_arm_retries",
            "Requests to Resource Manager that repeated a failed one",
            metrics.arm_retries.clone(),
        );
        registry.register(
            "apc_capture_created_after_seconds",
            "Time from taking an alert until Azure accepted its capture",
            metrics.created_after.clone(),
        );
        registry.register(
            "apc_notices",
            "Attempts to send a notification, by event and result",
            metrics.notifications.clone(),
        );
        registry.register(
            "apc_held_back",
            "Alerts on a machine that were not captured, by what held them back: cool-down or budget",
            metrics.held_back.clone(),
        );
        registry.register(
            "apc_jobs_waiting",
            "Jobs in the queue, those in progress included",
            metrics.waiting.clone(),
        );
        registry.register(
            "apc_readiness_machines",
            "Machines of the last readiness run that this process knows: ready, not_ready, unknown",
            metrics.ready.clone(),
        );
        registry.register(
            "apc_readiness_causes",
            "Machines of that run by what was found on them; one with two causes counts twice",
            metrics.causes.clone(),
        );
        registry.register(
            "apc_readiness_finished_seconds",
            "End of that run since the Unix epoch; 0 when there was none",
            metrics.checked_at.clone(),
        );
        let started = Gauge::<i64>::default();
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        started.set(since.unwrap_or_default().as_secs() as i64);
        registry.register(
            "process_start_time_seconds",
            "Start of the process since the Unix epoch",
            started,
        );
        registry.register(
            "apc_build",
            "The version of the function",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self {
            registry,
            ..metrics
        }
    }
}

impl Metrics {
    /// The content type of [`Metrics::text`].
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Counts an alert, by the answer to its caller.
    pub fn alert(&self, schema: &'static str, outcome: &'static str) {
        self.alerts
            .get_or_create(&AlertLabels { schema, outcome })
            .inc();
    }

    /// Counts an alert on a machine that a cool-down or a budget held back.
    pub fn held_back(&self, reason: &'static str) {
        self.held_back.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Counts a finished job.
    pub fn ended(&self, end: &'static str) {
        self.captures.get_or_create(&EndLabels { end }).inc();
    }

    /// Counts a finished drill.
    pub fn drilled(&self, end: &'static str) {
        self.drills.get_or_create(&EndLabels { end }).inc();
    }

    /// Shows a finished readiness run: how many machines are ready, are not, and are unknown, and how many have each cause.
    pub fn readiness(
        &self,
        [ready, not_ready, unknown]: [usize; 3],
        causes: impl IntoIterator<Item = (&'static str, usize)>,
        finished: OffsetDateTime,
    ) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for (verdict, count) in [
            ("ready", ready),
            ("not_ready", not_ready),
            ("unknown", unknown),
        ] {
            let labels = VerdictLabels { verdict };
            self.ready.get_or_create(&labels).set(gauge(count));
        }
        // A cause that is fixed is none.
        self.causes.clear();
        for (cause, count) in causes {
            let labels = CauseLabels { cause };
            self.causes.get_or_create(&labels).set(gauge(count));
        }
        self.checked_at.set(finished.unix_timestamp());
    }

    /// One try of a call to Resource Manager; the first one is number 1.
    pub fn called(&self, operation: &'static str, status: Option<u16>, attempt: u32) {
        let status = status.map_or_else(|| "no_answer".to_owned(), |status| status.to_string());
        let labels = CallLabels { operation, status };
        self.arm_requests.get_or_create(&labels).inc();
        if attempt > 1 {
            let labels = OperationLabels { operation };
            self.arm_retries.get_or_create(&labels).inc();
        }
    }

    /// Records the time from taking an alert until Azure accepted its capture.
    pub fn created(&self, after: Duration) {
        self.created_after.observe(after.as_secs_f64());
    }

    /// Counts an attempt to send a notification.
    pub fn notification(&self, event: &'static str, result: &'static str) {
        self.notifications
            .get_or_create(&NotificationLabels { event, result })
            .inc();
    }

    /// All numbers. `waiting`: jobs in the queue now.
    pub fn text(&self, waiting: usize) -> String {
        self.waiting.set(waiting.try_into().unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}
