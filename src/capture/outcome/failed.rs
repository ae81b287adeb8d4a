//! Sentences of a job that failed before its capture ran, or that was given up.

use crate::{
    advice,
    alert::Target,
    azure::error::AzureError,
    incident::{Report, Status},
    resource_id::ResourceId,
};

/// A network watcher is needed in each region.
pub fn no_network_watcher(target: &Target, region: &str) -> Report {
    Report {
        status: Status::Failed,
        reason: Some("NetworkWatcherNotFound".to_owned()),
        message: format!(
            "Subscription {} has no network watcher in region {region}. Enable it with: az network watcher \
             configure --resource-group NetworkWatcherRG --locations {region} --enabled true",
            target.id.subscription()
        ),
        finished: true,
        ..Report::default()
    }
}

/// The function could not carry the job out, through no answer of Azure's.
pub fn abandoned(report: Report, target: &ResourceId, cause: &str) -> Report {
    Report {
        status: Status::Failed,
        reason: Some("InternalError".to_owned()),
        message: format!(
            "The packet capture on {} was given up: {cause}. The function's log has the details; the job is kept in \
             the poison queue where there is one.",
            target.short_name()
        ),
        finished: true,
        ..report
    }
}

/// The deadline before the create has passed. `error`: of the last step. `minutes`: since the alert was taken.
/// `unconfirmed`: a create was sent and its answer was lost.
pub fn not_created_in_time(
    report: Report,
    target: &ResourceId,
    error: Option<&AzureError>,
    minutes: u64,
    unconfirmed: bool,
) -> Report {
    let machine = target.short_name();
    let what = match unconfirmed {
        true => format!(
            "Azure did not confirm the packet capture on {machine} within {minutes} minutes; it may be running. Check it \
             with: az network watcher packet-capture list."
        ),
        false => format!("No packet capture was created on {machine} within {minutes} minutes."),
    };
    too_late(report, "CreateDeadlineExceeded", error, what)
}

/// The deadline of a job that is to stop the capture of a resolved alert has passed. `error`: of the last step.
pub fn not_stopped_in_time(
    report: Report,
    target: &ResourceId,
    error: Option<&AzureError>,
    minutes: u64,
) -> Report {
    let machine = target.short_name();
    let what = format!(
        "The alert is resolved, and the packet capture on {machine} was not stopped within {minutes} minutes; it ends at \
         its time limit."
    );
    too_late(report, "StopDeadlineExceeded", error, what)
}

fn too_late(report: Report, reason: &str, error: Option<&AzureError>, what: String) -> Report {
    let cause = match (error, report.message.as_str()) {
        (Some(error), _) => error.to_string(),
        (None, "") => "Azure gave no usable answer".to_owned(),
        (None, message) => message.to_owned(),
    };
    Report {
        status: Status::Failed,
        reason: Some(reason.to_owned()),
        message: format!(
            "{what} Last state: {cause}. PacketCapture__CreateWithinSeconds sets how long the function keeps trying."
        ),
        finished: true,
        ..report
    }
}

/// Azure accepted the create and has not reported a result in time.
pub fn not_started_in_time(report: Report, target: &ResourceId) -> Report {
    Report {
        status: Status::Failed,
        reason: Some("StartDeadlineExceeded".to_owned()),
        message: format!(
            "Azure accepted the packet capture on {} and has not finished creating it. Monitoring stopped. Check it \
             with: az network watcher packet-capture list",
            target.short_name()
        ),
        finished: true,
        ..report
    }
}

/// A call that failed for good, or too often. What is known of the capture stays.
pub fn failed(report: Report, error: &AzureError) -> Report {
    let advice = match advice::for_error(error) {
        Some(advice) => format!(" What to do: {advice}."),
        None => String::new(),
    };
    Report {
        status: Status::Failed,
        reason: Some(error.code().to_owned()),
        message: format!("{error}.{advice}"),
        request_id: error.request_id().map(str::to_owned),
        finished: true,
        ..report
    }
}

/// Azure accepted the create and could not carry it out.
pub fn create_failed(mut report: Report, code: &str, message: &str) -> Report {
    report.status = Status::Failed;
    report.reason = Some(code.to_owned());
    report.message =
        format!("Azure accepted the packet capture and could not start it: {code}: {message}");
    report.finished = true;
    report
}
