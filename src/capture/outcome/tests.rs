//! The sentences of all reports, as people read them.

use super::*;
use crate::azure::network_watcher::PacketCaptureStatus;
use std::fmt::Write;
use time::OffsetDateTime;

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
