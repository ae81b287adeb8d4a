//! A store of incidents for the pages, with samples of each state and texts that only an attacker would write.

use super::changes::{almost_nothing, gathered, hostile};
use alert_packet_capture::{
    alert::{AlertFacts, Condition},
    changes::{ChangesNote, ControlPlane},
    functions::{Found, IncidentPage, Incidents, Unreadable},
    incident::{
        Action, Event, FileFinding, FileLook, JobId, PackedFacts, Report, Status,
        filter::Filter,
        record::{Entry, Incident, IncidentId, State, Step, Summary, VERSION, What},
    },
    record::LookPart,
};
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, Ordering};
use time::{Duration, OffsetDateTime, macros::datetime};

pub const SUBSCRIPTION: &str = "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c";
pub const ACCOUNT: &str = "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c/resourceGroups/rg-shop/providers/Microsoft.Storage/storageAccounts/stcaptures";
/// What an alert's author could try.
pub const HOSTILE: &str = "<script>alert(\"1\")</script> & 'more' ${x} </title></style>";
const T0: OffsetDateTime = datetime!(2026-11-28 07:30:12 UTC);

/// Incidents in memory, the newest first.
#[derive(Default)]
pub struct Samples {
    pub incidents: Vec<Found>,
    pub looks: Vec<(IncidentId, JobId, LookPart, String)>,
    /// Whether the store can be read.
    pub down: AtomicBool,
}

impl Samples {
    fn check(&self) -> Result<(), Unreadable> {
        match self.down.load(Ordering::Relaxed) {
            true => Err(Unreadable::Store(
                "the storage account did not answer".to_owned(),
            )),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Incidents for Samples {
    async fn page(
        &self,
        filter: &Filter,
        after: Option<&str>,
        top: usize,
    ) -> Result<IncidentPage, Unreadable> {
        self.check()?;
        let after = after.map(IncidentId::parse).transpose();
        let after = after.map_err(|_| Unreadable::Token)?;
        let found = self.incidents.iter().map(|found| &found.summary);
        let found = found.filter(|it| after.as_ref().is_none_or(|after| it.id < *after));
        let mut value: Vec<Summary> = found.filter(|it| filter.matches(it)).cloned().collect();
        let more = value.len() > top;
        value.truncate(top);
        Ok(IncidentPage {
            next: value
                .last()
                .filter(|_| more)
                .map(|last| last.id.to_string()),
            value,
            held_back: Some("Held back in the last hour: 214 alerts on 12 machines.".to_owned()),
        })
    }

    async fn get(&self, id: &IncidentId) -> Result<Option<Found>, Unreadable> {
        self.check()?;
        let found = self.incidents.iter().find(|it| it.summary.id == *id);
        Ok(found.cloned())
    }

    async fn look(
        &self,
        incident: &IncidentId,
        job: &JobId,
        part: LookPart,
    ) -> Result<Option<String>, Unreadable> {
        self.check()?;
        let found = self.looks.iter();
        let mut found = found.filter(|it| (&it.0, &it.1, it.2) == (incident, job, part));
        Ok(found.next().map(|it| it.3.clone()))
    }

    async fn of_job(&self, job: &JobId) -> Result<Option<IncidentId>, Unreadable> {
        self.check()?;
        let has = |it: &&Found| it.incident.entries.iter().any(|it| it.job_id == *job);
        let found = self.incidents.iter().find(has);
        Ok(found.map(|it| it.summary.id.clone()))
    }
}

/// One incident of each state, the newest first.
pub fn samples() -> Samples {
    let mut samples = Samples {
        incidents: vec![
            running(),
            captured(),
            failed(),
            held_back(),
            quiet_and_hostile(),
        ],
        looks: Vec::new(),
        down: AtomicBool::new(false),
    };
    samples.keep_changes(0, almost_nothing);
    samples.keep_changes(1, gathered);
    samples.keep_changes(4, hostile);
    // Only the lines of the notification are known of this one.
    let note = ChangesNote::of(&gathered(T0));
    samples.change_report(2, |report| report.changes = Some(Box::new(note)));
    samples
}

impl Samples {
    /// What changed a minute before the first alert of an incident was accepted is kept beside it.
    fn keep_changes(&mut self, incident: usize, of: fn(OffsetDateTime) -> ControlPlane) {
        let found = &self.incidents[incident].incident;
        let (id, entry) = (found.id.clone(), &found.entries[0]);
        let changes = of(entry.accepted_at - Duration::minutes(1));
        let part = (id, entry.job_id, LookPart::Changes, changes.to_json());
        let note = ChangesNote {
            kept: true,
            ..ChangesNote::of(&changes)
        };
        self.looks.push(part);
        self.change_report(incident, |report| report.changes = Some(Box::new(note)));
    }

    /// A report of the first look is kept beside the first job of an incident.
    pub fn keep_report(&mut self, incident: usize, html: String) {
        let found = &self.incidents[incident].incident;
        let part = (
            found.id.clone(),
            found.entries[0].job_id,
            LookPart::Report,
            html,
        );
        self.looks.push(part);
        self.change_report(incident, |report| {
            if let Some(look) = &mut report.look {
                look.report = true;
            }
        });
    }

    fn change_report(&mut self, incident: usize, change: impl FnOnce(&mut Report)) {
        let entry = &mut self.incidents[incident].incident.entries[0];
        let mut report = Report::clone(&entry.report);
        change(&mut report);
        entry.report = report.into();
    }
}

/// What a file shows in which a database did not answer.
fn look(at: OffsetDateTime) -> FileLook {
    FileLook {
        lines: vec![
            "168 packets (80.9 KiB) in 5.7 s; 214 TCP attempts: 16 answered, 198 not, 0 refused."
                .into(),
            "198 of 214 attempts to 10.1.2.3:1433 had no answer in this file.".into(),
        ],
        findings: vec![FileFinding {
            kind: "noAnswer".into(),
            count: 198,
            base: Some(214),
            endpoint: Some("10.1.2.3:1433".into()),
            is_own: false,
            filter: None,
        }],
        file_bytes: Some(14_680_064),
        ..FileLook::new(at)
    }
}

fn id(text: &str) -> IncidentId {
    serde_json::from_value(text.into()).unwrap()
}

fn vm(name: &str) -> String {
    format!(
        "{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/{name}"
    )
}

fn alert(rule: &str) -> AlertFacts {
    AlertFacts {
        id: Some(format!(
            "{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/9b0e27aa-0000-4000-8000-000000000001"
        )),
        rule: Some(rule.to_owned()),
        severity: Some("Sev2".to_owned()),
        signal: Some("Metric".to_owned()),
        fired_at: Some("2026-11-28T07:29:00.1234567Z".to_owned()),
        conditions: vec![Condition {
            metric: Some("TCP Segments Sent".to_owned()),
            operator: Some("GreaterThan".to_owned()),
            threshold: Some("100".to_owned()),
            value: Some("144".to_owned()),
            aggregation: Some("Total".to_owned()),
            window_seconds: Some(300),
        }],
    }
}

fn entry(rule: &str, at: OffsetDateTime, phase: &str, report: Report) -> Entry {
    Entry {
        job_id: JobId::random(),
        action: Action::Capture,
        alert: PackedFacts::from(&alert(rule)),
        profile: None,
        accepted_at: at,
        resolved_at: None,
        phase: phase.into(),
        failures: 0,
        updated_at: at,
        report: report.into(),
        file_bytes: None,
    }
}

fn report(status: Status, message: &str, name: Option<&str>) -> Report {
    Report {
        status,
        message: message.to_owned(),
        finished: !matches!(status, Status::Created | Status::Accepted),
        name: name.map(str::to_owned),
        network_watcher: name.map(|_| format!("{SUBSCRIPTION}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope").parse().unwrap()),
        ..Report::default()
    }
}

fn steps(start: OffsetDateTime, steps: &[(i64, What, &str)]) -> Vec<Step> {
    steps
        .iter()
        .map(|(seconds, what, text)| Step {
            at: start + Duration::seconds(*seconds),
            job_id: None,
            what: *what,
            text: (*text).into(),
        })
        .collect()
}

fn found(
    number: u32,
    machine: &str,
    state: State,
    outcome: &str,
    entries: Vec<Entry>,
    steps: Vec<Step>,
) -> Found {
    let day = 28 - number;
    let id = id(&format!("202611{day:02}-073012-3fa9c2d{number}"));
    let opened_at = T0 - Duration::days(number.into());
    let machine: alert_packet_capture::resource_id::ResourceId = vm(machine).parse().unwrap();
    let sizes = entries.iter().filter_map(|entry| entry.file_bytes);
    let file_bytes = sizes.reduce(|one, other| one + other);
    let alerts = entries.iter().filter(|it| it.action == Action::Capture);
    let summary = Summary {
        id: id.clone(),
        machine: machine.clone(),
        rule: entries
            .first()
            .and_then(|it| it.alert.rule())
            .map(Into::into),
        opened_at,
        updated_at: opened_at,
        state,
        outcome: outcome.into(),
        alerts: alerts.count() as u32,
        file_bytes,
        drill: false,
    };
    let incident = Incident {
        version: VERSION,
        id,
        machine,
        opened_at,
        updated_at: opened_at,
        entries,
        entries_left_out: 0,
        steps,
        steps_left_out: 0,
        threads: Vec::new(),
    };
    Found { incident, summary }
}

fn running() -> Found {
    let mut report = report(
        Status::Created,
        "Packet capture PSAzureFunction-web-01 is running on web-01.",
        Some("PSAzureFunction-web-01"),
    );
    report.began_at = Some(T0 + Duration::seconds(2));
    report.storage_path = Some(
        "https://stcaptures.blob.core.windows.net/network-watcher-logs/2026/11/28/web-01.cap"
            .to_owned(),
    );
    found(
        0,
        "web-01",
        State::InProgress,
        "The packet capture is running.",
        vec![entry("tcp-burst", T0, "running", report)],
        steps(
            T0,
            &[
                (-72, What::AlertFired, "Alert tcp-burst fired."),
                (0, What::Accepted, "The alert was accepted."),
                (2, What::Running, "The capture is running."),
            ],
        ),
    )
}

fn captured() -> Found {
    let start = T0 - Duration::days(1);
    let mut report = report(
        Status::Completed,
        "Packet capture PSAzureFunction-sql-01 on sql-01 finished (time limit reached).",
        Some("PSAzureFunction-sql-01"),
    );
    report.began_at = Some(start + Duration::seconds(2));
    report.ended_at = Some(start + Duration::seconds(3_602));
    report.stop_reason = Some("TimeExceeded".to_owned());
    report.storage_path = Some("https://stcaptures.blob.core.windows.net/network-watcher-logs/2026/11/27/packetcapture_07_30_14_123.cap".to_owned());
    let with_look = Report {
        look: Some(Box::new(look(start + Duration::seconds(3_640)))),
        ..report.clone()
    };
    let mut first = entry("tcp-burst", start, "done", with_look);
    first.file_bytes = Some(14_680_064);
    first.resolved_at = Some(start + Duration::seconds(900));
    let mut second = entry(
        "Percentage CPU above 90 for the whole of the shop's database tier",
        start + Duration::seconds(40),
        "done",
        report,
    );
    let report = Report {
        joined: true,
        ..Report::clone(&second.report)
    };
    second.report = report.into();
    found(
        1,
        "sql-01",
        State::Captured,
        "Captured for 1 h; the time limit was reached.",
        vec![first, second],
        steps(
            start,
            &[
                (-65, What::AlertFired, "Alert tcp-burst fired."),
                (0, What::Accepted, "The alert was accepted."),
                (2, What::Running, "The capture is running."),
                (
                    40,
                    What::Joined,
                    "Alert Percentage CPU above 90 joined the running capture.",
                ),
                (900, What::AlertResolved, "Alert tcp-burst was resolved."),
                (3_602, What::Ended, "The time limit was reached."),
                (3_640, What::Analyzed, "The file has 14 MiB."),
                (
                    3_641,
                    What::NotNotified(Event::Completed),
                    "hooks.slack.com answered 503; retrying in 2 s.",
                ),
                (
                    3_643,
                    What::Notified(Event::Completed),
                    "hooks.slack.com accepted the notification.",
                ),
            ],
        ),
    )
}

fn failed() -> Found {
    let start = T0 - Duration::days(2);
    let mut report = report(
        Status::Failed,
        "No packet capture on web-02: the Network Watcher extension is not installed.",
        None,
    );
    report.reason = Some("NetworkWatcherVmExtensionNotInstalled".to_owned());
    report.request_id = Some("0b6e4d1a-1111-4222-8333-944455556666".to_owned());
    report.errors = vec!["The agent did not answer".to_owned()];
    found(
        2,
        "web-02",
        State::Failed,
        "No capture: the Network Watcher extension is not installed.",
        vec![entry("tcp-burst", start, "done", report)],
        steps(
            start,
            &[
                (-65, What::AlertFired, "Alert tcp-burst fired."),
                (0, What::Accepted, "The alert was accepted."),
                (
                    3,
                    What::Failed,
                    "Azure refused the capture: NetworkWatcherVmExtensionNotInstalled.",
                ),
                (
                    4,
                    What::Notified(Event::Failed),
                    "hooks.slack.com accepted the notification.",
                ),
            ],
        ),
    )
}

fn held_back() -> Found {
    let start = T0 - Duration::days(3);
    let mut report = report(
        Status::Skipped,
        "No packet capture: the budget of this hour is used up.",
        None,
    );
    report.reason = Some("budget_exceeded".to_owned());
    found(
        3,
        "web-01",
        State::NotCaptured,
        "Held back: the budget of this hour is used up.",
        vec![entry("tcp-burst", start, "done", report)],
        steps(
            start,
            &[
                (0, What::Accepted, "The alert was accepted."),
                (0, What::HeldBack, "The budget of this hour is used up."),
            ],
        ),
    )
}

fn quiet_and_hostile() -> Found {
    let start = T0 - Duration::days(4);
    let long = format!("{HOSTILE} {}", "x".repeat(260));
    let mut report = report(Status::Completed, &long, Some("PSAzureFunction"));
    report.errors = vec![HOSTILE.to_owned(), long.clone()];
    report.storage_path = Some(format!(
        "https://stcaptures.blob.core.windows.net/logs/{}.cap",
        "y".repeat(300)
    ));
    report.file_path = Some(format!("/var/captures/{HOSTILE}"));
    report.stop_reason = Some(HOSTILE.to_owned());
    report.ended_at = Some(start);
    let mut entry = entry(&long, start, "done", report);
    let mut facts = entry.alert.read();
    facts.conditions[0].metric = Some(long.clone());
    entry.alert = PackedFacts::from(&facts);
    found(
        4,
        &format!("m{}", "n".repeat(62)),
        State::Quiet,
        &long,
        vec![entry],
        steps(
            start,
            &[(0, What::Ended, HOSTILE), (1, What::Waiting, &long)],
        ),
    )
}
