//! What the function knows of a capture beside its file, in plain values, and what it says of the file afterwards: lines,
//! findings, the report, the manifest. Other rooms use these and not the package `first-look` itself.

use super::Look;
use azure_core::time::OffsetDateTime;
use first_look::{
    Alert, AlertEntry, CaptureEntry, Context, Counted, Digest, Manifest, Metric, NamePolicy,
};
use serde_json::Value;

/// What is known of a capture beside its file.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The machine's name as it is to be shown.
    pub machine: String,
    /// The machine's resource id.
    pub machine_id: String,
    /// The capture's resource id.
    pub capture_id: Option<String>,
    pub alert_id: Option<String>,
    pub rule: Option<String>,
    /// When the alert fired, as the alert has it.
    pub fired: Option<String>,
    pub fired_at: Option<OffsetDateTime>,
    /// The metrics that the alert counted.
    pub metrics: Vec<CountedMetric>,
    /// What was asked for: the properties of the packet capture.
    pub parameters: Value,
    pub time_limit_seconds: Option<u64>,
    pub bytes_per_session: Option<u64>,
    pub bytes_per_packet: Option<u64>,
    pub filtered: bool,
    /// As RFC 3339 has them.
    pub began: Option<String>,
    pub ended: Option<String>,
    pub stop_reason: Option<String>,
    /// The client id of the identity that created the capture.
    pub identity: Option<String>,
}

/// A metric that an alert counted.
#[derive(Debug, Clone)]
pub struct CountedMetric {
    pub name: String,
    pub value: String,
    /// Such as `Average` or `Total`.
    pub aggregation: Option<String>,
    pub window_seconds: Option<u32>,
}

impl CountedMetric {
    /// The same for the package that reads the file; `None` when a file cannot be compared with it.
    fn for_reader(&self) -> Option<Metric> {
        let mut metric = Metric::new(self.value.clone(), Counted::of_metric(&self.name)?);
        metric.aggregation.clone_from(&self.aggregation);
        metric.window_seconds = self.window_seconds.map(u64::from);
        Some(metric)
    }
}

impl About {
    /// The same for the package that reads the file.
    pub fn context(&self, storage_path: &str) -> Context {
        let mut context = Context::default();
        context.name = file_name(storage_path).to_owned();
        context.vm_name = Some(self.machine.clone());
        context.alert = self.fired_at.and_then(|at| {
            let counted = self.metrics.iter().find_map(CountedMetric::for_reader);
            Some(Alert {
                at: i64::try_from(at.unix_timestamp_nanos()).ok()?,
                metric: counted,
            })
        });
        context.time_limit_seconds = self.time_limit_seconds;
        context.bytes_per_session = self.bytes_per_session;
        context.bytes_per_packet = self.bytes_per_packet;
        context.filtered = self.filtered;
        context
    }
}

/// One thing that stands out in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As the JSON names it.
    pub kind: String,
    pub count: u64,
    pub base: Option<u64>,
    pub endpoint: Option<String>,
    /// Whether the endpoint is the machine's own.
    pub is_own: bool,
    pub filter: String,
}

impl Look {
    /// What is in the file and what stands out, with addresses and names: at most eight lines.
    pub fn lines(&self) -> Vec<String> {
        self.seen.notice_lines(NamePolicy::Full)
    }

    /// The same lines with counts and ports only.
    pub fn counts(&self) -> Vec<String> {
        self.seen.notice_lines(NamePolicy::Counts)
    }

    /// What stands out.
    pub fn findings(&self) -> Vec<Found> {
        let findings = self.seen.findings().iter();
        let kind = |kind| match serde_json::to_value(kind) {
            Ok(Value::String(kind)) => kind,
            _ => String::new(),
        };
        findings
            .map(|finding| Found {
                kind: kind(finding.kind),
                count: finding.count,
                base: finding.base,
                endpoint: finding.endpoint.clone(),
                is_own: finding.is_own,
                filter: finding.filter.clone(),
            })
            .collect()
    }

    /// The report, one page.
    pub fn report(&self) -> String {
        self.seen.html()
    }

    /// The manifest of the file; `None` when it was not read to its end.
    pub fn manifest(&self, storage_path: &str, about: &About, written: String) -> Option<String> {
        let sha256 = Digest::try_from(self.sha256.clone()?).ok()?;
        let mut manifest = Manifest::new(file_name(storage_path), self.size, sha256);
        manifest.file.url = Some(storage_path.to_owned());
        manifest.file.packets = Some(self.seen.packets());
        let mut capture = CaptureEntry::default();
        capture.id.clone_from(&about.capture_id);
        capture.target = Some(about.machine_id.clone());
        capture.parameters = about.parameters.clone();
        capture.started.clone_from(&about.began);
        capture.finished.clone_from(&about.ended);
        capture.stop_reason.clone_from(&about.stop_reason);
        manifest.capture = capture;
        let mut alert = AlertEntry::default();
        alert.id.clone_from(&about.alert_id);
        alert.rule.clone_from(&about.rule);
        alert.fired.clone_from(&about.fired);
        manifest.alert = Some(alert);
        manifest.identity.clone_from(&about.identity);
        manifest.written = Some(written);
        Some(manifest.text())
    }
}

fn file_name(storage_path: &str) -> &str {
    storage_path.rsplit('/').next().unwrap_or(storage_path)
}
