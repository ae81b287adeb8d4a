//! Sentences of a capture that ended, well or badly, and of a resolved alert.

use crate::{
    azure::network_watcher::PacketCaptureStatus,
    incident::{Report, Session, Status},
    resource_id::ResourceId,
};
use time::OffsetDateTime;

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
