//! What people are told, one function a sentence. Each says what happened and, where something is to be done,
//! what.

use crate::incident::{Report, Session, Status};
use crate::{
    alert::Target,
    azure::{error::AzureError, network_watcher::PacketCaptureStatus},
    resource_id::ResourceId,
};

pub fn created(target: &Target, session: &Session, storage_path: Option<String>) -> Report {
    Report {
        status: Status::Created,
        message: format!("Packet Capture created on {}", target.id),
        name: Some(session.name.clone()),
        network_watcher: Some(session.watcher.clone()),
        storage_path,
        ..Report::default()
    }
}

pub fn joined(target: &Target, session: &Session, storage_path: Option<String>) -> Report {
    let Session { watcher, name } = session;
    Report {
        status: Status::Joined,
        reason: Some("already_running".to_owned()),
        message: format!(
            "Packet Capture {name} is already running on {}; nothing was deleted",
            target.id
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
            "No Packet Capture was created: {watcher} lists {listed} captures, ended ones included, and \
             PacketCapture__Limit is {limit}. Delete captures that are no longer needed (az network watcher \
             packet-capture delete) or raise the limit."
        ),
        network_watcher: Some(watcher.clone()),
        finished: true,
        ..Report::default()
    }
}

/// Still waiting for another capture to end.
pub fn waiting(watcher: &ResourceId, name: &str, other_target: &str) -> Report {
    let message = format!(
        "Packet Capture {name} is gathering evidence on {other_target}; this one starts when it has ended"
    );
    in_the_way(watcher, name, "waiting_for_capture", message)
}

/// A stale capture is being removed first.
pub fn removing_stale(watcher: &ResourceId, name: &str) -> Report {
    let message = format!(
        "A stale Packet Capture {name} is being deleted; the new one starts when it is gone"
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
            "Subscription {} has no Network Watcher in region {region}. Enable it with: az network watcher \
             configure --resource-group NetworkWatcherRG --locations {region} --enabled true",
            target.id.subscription()
        ),
        finished: true,
        ..Report::default()
    }
}

/// A call that failed for good, or too often. What is known of the capture stays.
pub fn failed(report: Report, error: &AzureError) -> Report {
    let advice = match error.code() {
        "AuthorizationFailed" | "LinkedAuthorizationFailed" => {
            " Assign the function's identity a role with that action, at that scope."
        }
        "NetworkWatcherVmExtensionNotInstalled" => {
            " Install the Network Watcher agent extension on the machine."
        }
        _ => "",
    };
    let advice = match error.advice() {
        Some(advice) => format!(" What to do: {advice}."),
        None => advice.to_owned(),
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
        format!("Azure accepted the Packet Capture and could not start it: {code}: {message}");
    report.finished = true;
    report
}

/// The session is over and its evidence is there.
pub fn completed(report: Report, target: &ResourceId, status: &PacketCaptureStatus) -> Report {
    let stop_reason = status.stop_reason.clone();
    let why = stop_reason.as_deref().unwrap_or("no reason was given");
    Report {
        status: Status::Completed,
        reason: None,
        message: format!(
            "The Packet Capture on {target} is over ({}){}",
            why.trim(),
            file(&report)
        ),
        stop_reason,
        finished: true,
        ..report
    }
}

/// The session is over and evidence is missing.
pub fn ended_badly(
    report: Report,
    target: &ResourceId,
    status: &PacketCaptureStatus,
    code: &str,
    errors: Vec<String>,
) -> Report {
    let why = match errors.as_slice() {
        [] => "Azure does not say why".to_owned(),
        errors => errors.join("; "),
    };
    Report {
        status: Status::Failed,
        reason: Some(code.to_owned()),
        message: format!("The Packet Capture on {target} failed: {why}"),
        stop_reason: status.stop_reason.clone(),
        errors,
        finished: true,
        ..report
    }
}

/// Somebody removed the session before its end was read. `in_time`: not before its time limit.
pub fn removed_by_somebody(report: Report, target: &ResourceId, in_time: bool) -> Report {
    let name = report.name.as_deref().unwrap_or_default();
    if in_time {
        let message = format!(
            "The Packet Capture {name} on {target} reached its time limit; its session was deleted before \
             its end could be read{}",
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
            "The Packet Capture {name} on {target} was deleted by somebody before its time limit; what it \
             had gathered may lie where it should{}",
            file(&report)
        ),
        finished: true,
        ..report
    }
}

/// The session does not end.
pub fn overdue(report: Report, target: &ResourceId) -> Report {
    let message = format!(
        "The Packet Capture on {target} still runs long after its time limit; see to its Network Watcher agent \
         extension. It is no longer followed{}",
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

/// The alert is resolved, and so its capture was told to end.
pub fn stopped(target: &ResourceId, session: &Session) -> Report {
    Report {
        status: Status::Stopped,
        message: format!(
            "The alert is resolved; the Packet Capture {} on {target} was stopped",
            session.name
        ),
        name: Some(session.name.clone()),
        network_watcher: Some(session.watcher.clone()),
        finished: true,
        ..Report::default()
    }
}

/// The alert is resolved and nothing of ours runs.
pub fn nothing_to_stop(target: &ResourceId) -> Report {
    Report {
        status: Status::Ignored,
        reason: Some("resolved".to_owned()),
        message: format!("The alert is resolved; no Packet Capture of ours runs on {target}"),
        finished: true,
        ..Report::default()
    }
}

fn file(report: &Report) -> String {
    match &report.storage_path {
        Some(path) => format!("; its file: {path}"),
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
            removing_stale(&watcher, name),
            limit_reached(&watcher, 10, 10),
            no_network_watcher(&target, "westeurope"),
            create_failed(begun.clone(), "InternalServerError", "An error occurred."),
            completed(begun.clone(), vm, &status("TimeExceeded")),
            ended_badly(begun.clone(), vm, &status("Error"), "StorageFailed", errors),
            ended_badly(
                begun.clone(),
                vm,
                &status("Error"),
                "CaptureFailed",
                Vec::new(),
            ),
            over(|report, vm| removed_by_somebody(report, vm, true)),
            over(|report, vm| removed_by_somebody(report, vm, false)),
            over(overdue),
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
