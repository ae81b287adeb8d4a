//! What people are told, one function a sentence. Each says what happened and, where something is to be done,
//! what.

use super::job::{Report, Status};
use crate::{alert::Target, azure::error::AzureError, azure::resource_id::ResourceId};

pub fn created(
    target: &Target,
    watcher: &ResourceId,
    name: &str,
    storage_path: Option<String>,
) -> Report {
    Report {
        status: Status::Created,
        message: format!("Packet Capture created on {}", target.id),
        name: Some(name.to_owned()),
        network_watcher: Some(watcher.clone()),
        storage_path,
        ..Report::default()
    }
}

pub fn joined(
    target: &Target,
    watcher: &ResourceId,
    name: &str,
    storage_path: Option<String>,
) -> Report {
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
        finished: true,
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

/// A call that failed for good, or too often.
pub fn failed(error: &AzureError) -> Report {
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
        ..Report::default()
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

/// The create came through.
pub fn started(mut report: Report) -> Report {
    report.finished = true;
    report
}
