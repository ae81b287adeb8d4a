//! The sentences of a report, one function each: what happened and, where something is to be done, what. They name
//! machines by their short names; the ids stand in fields beside them. Here up to the capture's start; `ended` and `failed`
//! have the rest.

mod ended;
mod failed;

pub use ended::{
    completed, deleted_by_others, ended_badly, nothing_to_stop, overdue, resolved_before_create,
    stopped,
};
pub use failed::{
    abandoned, create_failed, failed, no_network_watcher, not_created_in_time, not_started_in_time,
    not_stopped_in_time,
};

use crate::{
    alert::Target,
    incident::{Report, Session, Status},
    resource_id::ResourceId,
};

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

/// A drill finds no room beside the place that it leaves to an alert. `limit`: that of drills.
pub fn no_room_for_drill(watcher: &ResourceId, listed: usize, limit: usize) -> Report {
    let of_alerts = limit.saturating_add(1);
    let report = limit_reached(watcher, listed, of_alerts);
    match listed >= of_alerts {
        // An alert would find the same.
        true => report,
        false => Report {
            message: format!(
                "No drill: {} lists {listed} packet captures and PacketCapture__Limit is {of_alerts}; a drill leaves the last \
                 place to an alert. Delete packet captures that are no longer needed (az network watcher packet-capture \
                 delete) or raise the limit.",
                watcher.short_name()
            ),
            ..report
        },
    }
}

/// A capture of another machine has the name of this machine's drills.
pub fn drill_name_taken(session: &Session) -> Report {
    let Session { watcher, name } = session;
    Report {
        status: Status::Skipped,
        reason: Some("drill_name_taken".to_owned()),
        message: format!(
            "No drill: packet capture {name} on {} is of another machine, and a drill deletes only what drills of this \
             machine created. Delete it with az network watcher packet-capture delete.",
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

#[cfg(test)]
mod tests;
