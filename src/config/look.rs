//! Whether and how the function reads the files of finished captures.

use super::reader::Reader;
use crate::incident::InNotice;
use std::time::Duration;

/// Whether and how the function reads the files of finished captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstLookSettings {
    /// It reads only files in a storage account, whatever this says.
    pub enabled: bool,
    /// What notifications may say of a file.
    pub in_notice: InNotice,
    /// How long after the end of a capture its notification waits for the look.
    pub notify_within: Duration,
    /// How long the reading of a file may take.
    pub most_time: Duration,
    /// Whether the report is written beside the file, too.
    pub report_beside_capture: bool,
}

pub(super) fn read(reader: &mut Reader<'_>) -> FirstLookSettings {
    let in_notice = [
        ("full", InNotice::Full),
        ("counts", InNotice::Counts),
        ("none", InNotice::None),
    ];
    FirstLookSettings {
        enabled: reader.flag("FirstLook__Enabled"),
        in_notice: reader
            .word("FirstLook__InNotice", &in_notice)
            .unwrap_or(InNotice::None),
        notify_within: Duration::from_secs(reader.number("FirstLook__NotifyWithinSeconds")),
        most_time: Duration::from_secs(reader.number("FirstLook__MaxSeconds")),
        report_beside_capture: reader.flag("FirstLook__ReportBesideCapture"),
    }
}
