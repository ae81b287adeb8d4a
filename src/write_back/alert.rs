//! Which alert a job's outcome is written to. Pure. The id stands in the body of a request, and the call carries this
//! function's token: an id that is not an alert of the machine's own subscription is never called.

use crate::{
    incident::{Action, Job, Status},
    resource_id::ResourceId,
};

const ALERTS: &str = "Microsoft.AlertsManagement/alerts";

/// The alert that a finished job's outcome is written to; `None`: to none.
///
/// One comment an incident at most, and one an alert: of an alert that names several machines the first one's job writes it,
/// and an alert that joined a running capture has none of its own.
pub fn alert_of(job: &Job) -> Option<ResourceId> {
    let report = &job.report;
    let ended = matches!(report.status, Status::Completed | Status::Failed);
    // The alert of a drill is not one of Azure's.
    let writes = job.action == Action::Capture && ended && !report.joined && !job.is_drill();
    job.write_back.others.filter(|_| writes)?;
    let alert = ResourceId::parse(job.alert.id()?).ok()?;
    let good = alert.is_type(ALERTS)
        && alert.name().is_some_and(is_alert_name)
        && alert.subscription() == job.target.id.subscription();
    good.then_some(alert)
}

/// A GUID, or the 64 hexadecimal digits of alerts on the health of services.
fn is_alert_name(name: &str) -> bool {
    let digits = |name: &str| name.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.len() {
        36 => uuid::Uuid::try_parse(name).is_ok(),
        64 => digits(name),
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        alert::{AlertFacts, Target},
        incident::{JobId, Report},
    };

    const SUBSCRIPTION: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
    const GUID: &str = "9b0e27aa-0000-4000-8000-000000000001";

    /// A job whose capture was completed, of an alert with this id.
    pub fn job(alert: Option<&str>) -> Job {
        let id = format!(
            "{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-01"
        );
        let target = Target::of(id.parse().unwrap()).unwrap();
        let report = Report {
            status: Status::Completed,
            message: "Packet capture on web-01 finished (time limit reached)".to_owned(),
            finished: true,
            ..Report::default()
        };
        let facts = AlertFacts {
            id: alert.map(str::to_owned),
            ..AlertFacts::default()
        };
        let mut job = Job::of_notification(JobId::random(), target, report);
        job.alert = (&facts).into();
        job.write_back.others = Some(0);
        job
    }

    #[test]
    fn only_an_alert_of_the_machine_s_own_subscription_is_written_to() {
        let of = |provider: &str, name: &str| format!("{SUBSCRIPTION}/providers/{provider}/{name}");
        let hex = "0f".repeat(32);
        for (id, good) in [
            (of(ALERTS, GUID), true),
            (of("microsoft.alertsmanagement/ALERTS", GUID), true),
            (of(ALERTS, &hex), true),
            (
                format!(
                    "{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-01/providers/{ALERTS}/{GUID}"
                ),
                true,
            ),
            (of(ALERTS, "Test_Alert"), false),
            (of(ALERTS, &"z".repeat(64)), false),
            (of(ALERTS, &format!("{GUID}/changestate")), false),
            (of(ALERTS, &format!("{GUID}?newState=Closed&x=")), false),
            (of(ALERTS, &format!("..%2f..%2f{GUID}")), false),
            (of("Microsoft.CostManagement/alerts", GUID), false),
            (of("Microsoft.Compute/virtualMachines", GUID), false),
            (
                format!(
                    "/subscriptions/11111111-1111-1111-1111-111111111111/providers/{ALERTS}/{GUID}"
                ),
                false,
            ),
            (GUID.to_owned(), false),
            (format!("https://evil.example{}", of(ALERTS, GUID)), false),
            (String::new(), false),
        ] {
            assert_eq!(alert_of(&job(Some(&id))).is_some(), good, "{id}");
        }
        assert_eq!(alert_of(&job(None)), None);
    }

    #[test]
    fn one_job_of_an_alert_writes_and_only_of_a_capture_of_its_own() {
        let id = format!("{SUBSCRIPTION}/providers/{ALERTS}/{GUID}");
        type Change = fn(&mut Job);
        let cases: [(&str, Change, bool); 7] = [
            ("as it is", |_| {}, true),
            ("failed", |job| job.report.status = Status::Failed, true),
            (
                "not captured",
                |job| job.report.status = Status::Skipped,
                false,
            ),
            (
                "resolved before",
                |job| job.report.status = Status::Ignored,
                false,
            ),
            ("joined", |job| job.report.joined = true, false),
            ("a stop", |job| job.action = Action::Stop, false),
            (
                "another machine's",
                |job| job.write_back.others = None,
                false,
            ),
        ];
        for (name, change, expected) in cases {
            let mut job = job(Some(&id));
            change(&mut job);
            assert_eq!(alert_of(&job).is_some(), expected, "{name}");
        }
    }
}
