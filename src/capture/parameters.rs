//! The parameters of the captures that this function creates, and the resource that each one captures.

use super::name::CaptureName;
use crate::incident::{Job, PacketFilters, Session, Status};
use crate::{
    alert::{Target, TargetKind},
    azure::network_watcher::{PacketCapture, PacketCaptureParameters, Scope, StorageLocation},
    resource_id::ResourceId,
};
use serde_json::Value;
use std::{borrow::Cow, time::Duration};

/// The parameters of every capture that this function creates.
#[derive(Debug, Clone)]
pub struct Parameters {
    pub name: CaptureName,
    pub storage: StorageLocation,
    pub time_limit_seconds: u32,
    pub bytes_per_packet: Option<u32>,
    pub total_bytes: Option<u32>,
    pub filters: PacketFilters,
    pub limit: usize,
    /// How long a job may take until its create, beside the time limit of one capture.
    pub create_within: Duration,
    /// Whether and when a finished session that this function created is removed.
    pub remove_finished: RemoveFinished,
    /// The region of the function app, normalised: its machines are likely to be there.
    pub home_region: Option<String>,
}

/// How often Azure is asked about a capture.
#[derive(Debug, Clone, Copy)]
pub struct Polling {
    /// The shortest and the longest time between two polls of an operation.
    pub poll: (Duration, Duration),
    /// Interval between the first checks of a running session.
    pub first_look: Duration,
    /// Maximum interval between checks of a running session.
    pub longest_look: Duration,
    /// How long Azure may take to finish a create, beside the time until it.
    pub start_within: Duration,
}

/// What happens to finished sessions that this function created. Their files stay in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveFinished {
    Never,
    /// Once the notification of its end is delivered.
    AfterNotice,
    /// When the limit is reached, the oldest first.
    ToMakeRoom,
}

impl Parameters {
    /// The session to remove after the notification of its end: one that this job has created.
    pub(super) fn removed_after(&self, job: &Job) -> Option<Session> {
        let report = &job.report;
        let over = report.status == Status::Completed || report.stop_reason.is_some();
        // A drill leaves nothing that it created, whatever became of it. A time limit is noted of what it created alone.
        let over = over || (job.is_drill() && report.time_limit_seconds.is_some());
        let removes = self.remove_finished == RemoveFinished::AfterNotice;
        if !removes || report.joined || !over {
            return None;
        }
        Some(Session {
            watcher: report.network_watcher.clone()?,
            name: report.name.clone()?,
        })
    }

    /// The filters of this job's capture; none, so that all packets are captured, when the alert has no value for one of
    /// their places.
    pub fn filters_of(&self, job: &Job) -> Vec<Value> {
        let profile = job.profile.as_deref();
        let filled = self.filters.fill(|place| profile?.value(place));
        filled.unwrap_or_default()
    }

    /// The body of this job's create.
    pub(super) fn body(&self, job: &Job) -> PacketCaptureParameters {
        let target = &job.target;
        let instance = (target.kind == TargetKind::ScaleSetInstance)
            .then(|| target.id.name().unwrap_or_default().to_owned());
        PacketCaptureParameters {
            target: capture_target(target).into_owned(),
            target_type: (target.kind != TargetKind::Vm).then_some("AzureVMSS"),
            scope: instance.map(|instance| Scope {
                include: vec![instance],
            }),
            storage_location: self.storage.clone(),
            time_limit_in_seconds: self.time_limit_seconds,
            bytes_to_capture_per_packet: self.bytes_per_packet,
            total_bytes_per_session: self.total_bytes,
            filters: self.filters_of(job),
        }
    }
}

/// The resource to capture: a scale set's instance is captured through its set, and is in the set's region.
pub(super) fn capture_target(target: &Target) -> Cow<'_, ResourceId> {
    match (target.kind, target.id.parent()) {
        (TargetKind::ScaleSetInstance, Some(set)) => Cow::Owned(set),
        _ => Cow::Borrowed(&target.id),
    }
}

/// The target that a capture was made for, as this function makes them: a machine, a scale set, or one instance.
pub(super) fn target_of(capture: &PacketCapture) -> Option<Target> {
    let id = ResourceId::parse(&capture.target).ok()?;
    match capture.included.as_slice() {
        [] => Target::of(id),
        [instance] => Target::of(id.child("virtualMachines", instance).ok()?),
        _ => None,
    }
}

/// Whether this function created a listed capture, by its name and its own target.
pub fn is_ours(name: &CaptureName, capture: &PacketCapture) -> bool {
    target_of(capture).is_some_and(|target| name.made(&capture.name, &target))
}

/// Whether a capture gathers the evidence that a target wants: all of it.
pub(super) fn covers(capture: &PacketCapture, target: &Target) -> bool {
    let same = ResourceId::parse(&capture.target).is_ok_and(|id| id == *capture_target(target));
    let included = &capture.included;
    same && match target.kind {
        TargetKind::Vm => true,
        TargetKind::ScaleSet => included.is_empty(),
        TargetKind::ScaleSetInstance => {
            let instance = target.id.name().unwrap_or_default();
            included.is_empty()
                || included
                    .iter()
                    .any(|one| one.eq_ignore_ascii_case(instance))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_covers_what_it_gathers() {
        const SET: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/pool";
        let machine = SET.replace("virtualMachineScaleSets/pool", "virtualMachines/m");
        let instance = format!("{SET}/virtualMachines/1");
        for (captured, included, wanted, expected) in [
            (machine.as_str(), &[][..], machine.as_str(), true),
            (&machine.to_uppercase(), &[], &machine, true),
            (&machine.replace("/m", "/n"), &[], &machine, false),
            ("", &[], &machine, false),
            (SET, &[], SET, true),
            (SET, &["1"], SET, false),
            (SET, &[], &instance, true),
            (SET, &["0", "1"], &instance, true),
            (SET, &["0"], &instance, false),
        ] {
            let capture = PacketCapture {
                target: captured.to_owned(),
                included: included.iter().map(|id| (*id).to_owned()).collect(),
                ..PacketCapture::default()
            };
            let target = Target::of(wanted.parse().unwrap()).unwrap();
            assert_eq!(
                covers(&capture, &target),
                expected,
                "{captured} {included:?} {wanted}"
            );
        }
    }
}
