//! The sentences of a report, one function each: what happened and, where something is to be done, what. They name
//! machines by their short names; the ids stand in fields beside them.

use crate::{
    advice,
    alert::Target,
    azure::{error::AzureError, network_watcher::PacketCaptureStatus},
    incident::{Report, Session, Status},
    resource_id::ResourceId,
};
use time::OffsetDateTime;

/// Azure accepted the create.
pub fn created(target: &Target, session: &Session, storage_path: Option<String>) -> Report {
    Report {
        status: Status::Created,
        message: format!("Packet capture created on {}", target.id.short_name()),
        name: Some(session.name.clone()),
        network_watcher: Some(session.watcher.clone()),
        storage_path,
        ..Report::default()
    }
}

/// Another alert's capture of this target is running.
pub fn joined(target: &Target, session: &Session, storage_path: Option<String>) -> Report {
    let Session { watcher, name } = session;
    Report {
        status: Status::Joined,
        reason: Some("already_running".to_owned()),
        message: format!(
            "Packet capture {name} is already running on {}; nothing was deleted",
            target.id.short_name()
        ),
        name: Some(name.to_owned()),
        network_watcher: Some(watcher.clone()),
        storage_path,
        joined: true,
        ..Report::default()
    }
}

pub fn limit_reached(watcher: &ResourceId, listed: usize, limit: usize) -> Report {
    Report {
        status: Status::Skipped,
        reason: Some("capture_limit_reached".to_owned()),
        message: format!(
            "No packet capture was created: {} lists {listed} packet captures, finished ones included, and \
             PacketCapture__Limit is {limit}. Delete packet captures that are no longer needed (az network watcher \
             packet-capture delete) or raise the limit.",
            watcher.short_name()
        ),
        network_watcher: Some(watcher.clone()),
        finished: true,
        ..Report::default()
    }
}

/// The name is taken by a capture that is still running on another target.
pub fn waiting(watcher: &ResourceId, name: &str, other_target: &str) -> Report {
    let other = match ResourceId::parse(other_target) {
        Ok(id) => id.short_name(),
        Err(_) => "another machine".to_owned(),
    };
    let message = format!(
        "Packet capture {name} is running on {other}; the new one starts when it has finished"
    );
    in_the_way(watcher, name, "waiting_for_capture", message)
}

/// The name is taken by a capture that Azure is deleting.
pub fn being_deleted(watcher: &ResourceId, name: &str) -> Report {
    let message = format!(
        "Azure is deleting an earlier packet capture {name}; the new one starts when it is gone"
    );
    in_the_way(watcher, name, "waiting_for_deletion", message)
}

/// A stale capture is being removed first.
pub fn removing_stale(watcher: &ResourceId, name: &str) -> Report {
    let message = format!(
        "The stale packet capture {name} is being deleted; the new one starts when it is gone"
    );
    in_the_way(watcher, name, "removing_stale_capture", message)
}

fn in_the_way(watcher: &ResourceId, name: &str, reason: &str, message: String) -> Report {
    Report {
        status: Status::Accepted,
        reason: Some(reason.to_owned()),
        message,
        name: Some(name.to_owned()),
        network_watcher: Some(watcher.clone()),
        ..Report::default()
    }
}

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

/// The session ended and its evidence is there. `early`: before its time limit, and how long it ran.
pub fn completed(
    report: Report,
    target: &ResourceId,
    status: &PacketCaptureStatus,
    early: Option<time::Duration>,
) -> Report {
    let why = reason_in_words(status.stop_reason.as_deref());
    let early = match early {
        Some(ran) => format!(
            " after {} s, before its time limit; if the byte limit was reached, raise \
             PacketCapture__TotalBytesPerSession",
            ran.whole_seconds()
        ),
        None => String::new(),
    };
    Report {
        status: Status::Completed,
        reason: None,
        message: format!(
            "Packet capture on {} finished ({why}){early}.{}",
            target.short_name(),
            file(&report)
        ),
        stop_reason: status.stop_reason.clone(),
        finished: true,
        ..report
    }
}

fn reason_in_words(reason: Option<&str>) -> String {
    let reason = reason.map(str::trim).unwrap_or_default();
    match reason.to_ascii_lowercase().as_str() {
        "" => "Azure gave no reason".to_owned(),
        "timeexceeded" => "time limit reached".to_owned(),
        "manual" => "stopped manually".to_owned(),
        _ => reason.trim_end_matches('.').to_owned(),
    }
}

/// The session ended and evidence is missing.
pub fn ended_badly(
    report: Report,
    target: &ResourceId,
    status: &PacketCaptureStatus,
    code: &str,
    errors: Vec<String>,
) -> Report {
    let why = match errors.as_slice() {
        [] => "Azure gave no reason".to_owned(),
        errors => errors.join("; "),
    };
    Report {
        status: Status::Failed,
        reason: Some(code.to_owned()),
        message: format!("Packet capture on {} failed: {why}", target.short_name()),
        stop_reason: status.stop_reason.clone(),
        errors,
        finished: true,
        ..report
    }
}

/// The session was deleted before its end was read. `in_time`: not before its time limit.
pub fn deleted_by_others(report: Report, target: &ResourceId, in_time: bool) -> Report {
    let name = report.name.as_deref().unwrap_or_default();
    let machine = target.short_name();
    if in_time {
        let message = format!(
            "Packet capture {name} on {machine} reached its time limit; its session was deleted before its end \
             could be read.{}",
            file(&report)
        );
        return Report {
            status: Status::Completed,
            reason: Some("session_removed".to_owned()),
            message,
            finished: true,
            ..report
        };
    }
    Report {
        status: Status::Failed,
        reason: Some("SessionRemoved".to_owned()),
        message: format!(
            "Packet capture {name} on {machine} was deleted by another user or program before its time limit; \
             packets captured before the deletion may still have been uploaded.{}",
            file(&report)
        ),
        finished: true,
        ..report
    }
}

/// The session does not end.
pub fn overdue(report: Report, target: &ResourceId) -> Report {
    let message = format!(
        "Packet capture on {} is still running 10 minutes past its time limit; check the Network Watcher agent \
         extension on the machine. Monitoring stopped.{}",
        target.short_name(),
        file(&report)
    );
    Report {
        status: Status::Failed,
        reason: Some("SessionOverdue".to_owned()),
        message,
        finished: true,
        ..report
    }
}

/// The alert is resolved, and so its capture was stopped.
pub fn stopped(target: &ResourceId, session: &Session) -> Report {
    Report {
        status: Status::Stopped,
        message: format!(
            "The alert is resolved; packet capture {} on {} was stopped",
            session.name,
            target.short_name()
        ),
        name: Some(session.name.clone()),
        network_watcher: Some(session.watcher.clone()),
        finished: true,
        ..Report::default()
    }
}

/// The alert was resolved before its capture was created.
pub fn resolved_before_create(target: &ResourceId, at: OffsetDateTime) -> Report {
    Report {
        status: Status::Ignored,
        reason: Some("resolved".to_owned()),
        message: format!(
            "The alert was resolved before a packet capture was created on {}; none is created",
            target.short_name()
        ),
        ended_at: Some(at),
        finished: true,
        ..Report::default()
    }
}

/// The alert is resolved and no capture that this function created is running.
pub fn nothing_to_stop(target: &ResourceId) -> Report {
    Report {
        status: Status::Ignored,
        reason: Some("resolved".to_owned()),
        message: format!(
            "The alert is resolved; no packet capture created by this function is running on {}",
            target.short_name()
        ),
        finished: true,
        ..Report::default()
    }
}

fn file(report: &Report) -> String {
    match &report.storage_path {
        Some(path) => format!(" File: {path}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    const WATCHER: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/net/providers/Microsoft.Network/networkWatchers/nw";

    #[test]
    fn the_sentences() {
        let watcher = ResourceId::parse(WATCHER).unwrap();
        let id = WATCHER.replace(
            "Network/networkWatchers/nw",
            "Compute/virtualMachines/web-01",
        );
        let target = Target::of(id.parse().unwrap()).unwrap();
        let name = "PSAzureFunction";
        let session = Session {
            watcher: watcher.clone(),
            name: name.to_owned(),
        };
        let file = Some("https://account.blob.core.windows.net/captures/a.cap".to_owned());
        let begun = created(&target, &session, file.clone());
        let status = |reason: &str| PacketCaptureStatus {
            status: "Stopped".to_owned(),
            started: None,
            stop_reason: Some(reason.to_owned()),
            errors: Vec::new(),
        };
        let errors = vec!["StorageFailed: the file could not be uploaded".to_owned()];
        let vm = &target.id;
        let over = |report: fn(Report, &ResourceId) -> Report| report(begun.clone(), vm);
        let reports = [
            begun.clone(),
            joined(&target, &session, file),
            waiting(&watcher, name, "another machine"),
            being_deleted(&watcher, name),
            removing_stale(&watcher, name),
            limit_reached(&watcher, 10, 10),
            no_network_watcher(&target, "westeurope"),
            abandoned(Report::default(), vm, "an internal error of the function"),
            create_failed(begun.clone(), "InternalServerError", "An error occurred."),
            completed(begun.clone(), vm, &status("TimeExceeded"), None),
            completed(
                begun.clone(),
                vm,
                &status(""),
                Some(time::Duration::seconds(4)),
            ),
            ended_badly(begun.clone(), vm, &status("Error"), "StorageFailed", errors),
            ended_badly(
                begun.clone(),
                vm,
                &status("Error"),
                "CaptureFailed",
                Vec::new(),
            ),
            over(|report, vm| deleted_by_others(report, vm, true)),
            over(|report, vm| deleted_by_others(report, vm, false)),
            over(overdue),
            not_created_in_time(removing_stale(&watcher, name), vm, None, 30, false),
            not_created_in_time(Report::default(), vm, None, 30, true),
            not_stopped_in_time(Report::default(), vm, None, 30),
            not_started_in_time(begun.clone(), vm),
            resolved_before_create(vm, OffsetDateTime::UNIX_EPOCH),
            stopped(vm, &session),
            nothing_to_stop(vm),
        ];
        let mut text = String::new();
        for report in reports {
            let reason = report.reason.as_deref().unwrap_or("-");
            let short = report.message.replace(&target.id.to_string(), "web-01");
            let short = short.replace(WATCHER, "nw");
            writeln!(text, "{} {reason}: {short}", report.status.as_str()).unwrap();
        }
        insta::assert_snapshot!(text);
    }
}
