//! Outcomes and sentences of an answer, as a table.

use super::*;
use crate::incident::{Action, Job, JobRecord};
use serde_json::json;
use std::sync::Arc;

fn alert() -> Alert {
    let machine = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web-01";
    let body = json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": { "essentials": { "monitorCondition": "Fired", "alertTargetIDs": [machine] } }
    });
    crate::alert::read(body.to_string().as_bytes()).unwrap()
}

fn job(action: Action, status: Status, message: &str) -> Entry {
    let alert = alert();
    let mut job = Job::new(action, alert.targets[0].clone(), &alert);
    job.report.status = status;
    job.report.message = message.to_owned();
    Entry::Job(JobRecord::from(Arc::new(job)))
}

fn left_out(reason: Reason) -> Entry {
    let target = alert().targets.remove(0);
    Entry::LeftOut(LeftOut::because(reason)(target))
}

#[test]
fn the_outcome_of_an_alert_follows_the_table() {
    use Status::*;
    let of = |statuses: &[Status], left: Option<Reason>| {
        let jobs = statuses.iter();
        let jobs = jobs.map(|status| job(Action::Capture, *status, "done"));
        let captures = jobs.chain(left.map(left_out)).collect();
        let answer = Answer::of_captures(alert(), captures);
        answer.map_or("azure_refused", |answer| answer.outcome.as_str())
    };
    let beyond = Some(Reason::MaxTargetsReached);
    for (statuses, left, expected) in [
        (&[Created][..], None, "created"),
        (&[Completed], None, "created"),
        (&[Failed, Joined, Accepted, Created], None, "accepted"),
        (&[Failed, Skipped, Joined], None, "joined"),
        (&[Ignored, Stopped], None, "stopped"),
        (&[Ignored], None, "ignored"),
        (&[Failed, Skipped], None, "skipped"),
        (&[Ignored, Failed], None, "azure_refused"),
        (&[Created], beyond, "created"),
        // Machines without a job do not hide that all jobs failed.
        (&[Failed], beyond, "azure_refused"),
    ] {
        assert_eq!(of(statuses, left), expected, "{statuses:?} {left:?}");
    }
}

#[test]
fn an_undecided_answer_names_the_machine_and_what_is_done() {
    for (action, expected) in [
        (
            Action::Capture,
            "Alert accepted; the packet capture on web-01 is in progress",
        ),
        (
            Action::Stop,
            "Alert accepted; the packet capture on web-01 is being stopped",
        ),
    ] {
        let captures = vec![job(action, Status::Accepted, "")];
        let answer = Answer::of_captures(alert(), captures).unwrap();
        assert_eq!(answer.message, expected);
    }
}
