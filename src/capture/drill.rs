//! The capture of a drill: short, with a name and a file of its own, and with no claim on what an alert may need. A capture of
//! an alert is never joined, waited for, deleted or kept out because of a drill.

use super::{
    name::CaptureName,
    parameters::{Parameters, RemoveFinished},
};
use crate::azure::network_watcher::StorageLocation;
use std::time::Duration;

/// The time limit of a drill's capture.
pub const SECONDS: u32 = 5;
/// What the name of a drill's capture begins with.
pub const PREFIX: &str = "apc-drill-";
/// How long a drill may take until its create.
const CREATE_WITHIN: Duration = Duration::from_secs(4 * 60);

/// The parameters of a drill, where an alert's captures have these.
pub(super) fn parameters(of_alerts: &Parameters) -> Parameters {
    Parameters {
        name: CaptureName::of_drills(),
        storage: storage(&of_alerts.storage),
        time_limit_seconds: SECONDS,
        // One place stays free for an alert.
        limit: of_alerts.limit.saturating_sub(1),
        create_within: of_alerts.create_within.min(CREATE_WITHIN),
        remove_finished: RemoveFinished::AfterNotice,
        ..of_alerts.clone()
    }
}

/// The storage account where there is one; a file on the machine has another name than that of an alert's capture, which
/// would overwrite it or be overwritten.
fn storage(of_alerts: &StorageLocation) -> StorageLocation {
    if of_alerts.storage_id.is_some() {
        return StorageLocation {
            file_path: None,
            ..of_alerts.clone()
        };
    }
    let beside = |path: &String| {
        let (folder, file) =
            path.split_at(path.rfind(['/', '\\']).map_or(0, |at| at.saturating_add(1)));
        format!("{folder}{PREFIX}{file}")
    };
    StorageLocation {
        storage_id: None,
        file_path: of_alerts.file_path.as_ref().map(beside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_drill_is_never_that_of_an_alert() {
        let account = Some("/subscriptions/x".to_owned());
        for (storage_id, file_path, expected) in [
            (
                None,
                "/var/captures/web.cap",
                Some("/var/captures/apc-drill-web.cap"),
            ),
            (
                None,
                r"C:\Captures\web.cap",
                Some(r"C:\Captures\apc-drill-web.cap"),
            ),
            (None, "web.cap", Some("apc-drill-web.cap")),
            (account.clone(), "/var/captures/web.cap", None),
        ] {
            let of_alerts = StorageLocation {
                storage_id: storage_id.clone(),
                file_path: Some(file_path.to_owned()),
            };
            let of_drill = storage(&of_alerts);
            assert_eq!(of_drill.file_path.as_deref(), expected, "{file_path}");
            assert_eq!(of_drill.storage_id, storage_id);
        }
    }
}
