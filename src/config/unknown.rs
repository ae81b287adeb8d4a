//! Names that look like this program's settings and are not read by it: a mistyped `AllowedScopes` would silently allow
//! everything. Pure.

use super::{
    AppSettings, Problem,
    known::{Group, SETTINGS, Setting, canonical},
};
use strsim::osa_distance;

/// Prefixes of this program alone.
const PREFIXES: [&str; 5] = [
    "PacketCapture__",
    "JobQueue__",
    "Notification__",
    "SecureWebhook__",
    "AzureApiVersion__",
];
/// Maximum number of typing errors in a prefix that still counts as this function's.
const MAX_PREFIX_ERRORS: usize = 2;

/// A problem for each setting that this function would not read.
pub(super) fn check(settings: &AppSettings) -> Vec<Problem> {
    let unknown = |(name, _)| is_unknown(name).then(|| problem(name));
    settings.iter().filter_map(unknown).collect()
}

fn is_unknown(name: &str) -> bool {
    if Setting::find(name).is_some() {
        return false;
    }
    let name = canonical(name);
    let (head, below) = match name.split_once("__") {
        Some((head, _)) => (head, true),
        None => (name.as_str(), false),
    };
    PREFIXES.iter().any(|prefix| {
        let prefix = prefix.trim_end_matches('_').to_ascii_lowercase();
        let rest = head.strip_prefix(&prefix);
        let errors = osa_distance(head, &prefix);
        // App Service on Linux turns a dot into one underscore.
        below && errors <= MAX_PREFIX_ERRORS || rest.is_some_and(|it| it.starts_with(['_', '.']))
    })
}

fn problem(name: &str) -> Problem {
    let nearest = nearest(name);
    let text = match nearest {
        Some(nearest) => format!("is not a known setting; did you mean {nearest}?"),
        None => "is not a known setting; remove it".to_owned(),
    };
    // The name comes from outside as well, and goes to the log.
    let shown = name.chars().filter(|c| !c.is_control()).take(100);
    let mut problem = Problem::new(shown.collect::<String>(), text);
    problem.nearest = nearest;
    problem
}

/// The known name with the fewest typing errors, if it is near enough to be the one that was meant.
fn nearest(name: &str) -> Option<&'static str> {
    let name = canonical(name);
    let of_people = SETTINGS.iter().filter(|it| it.group != Group::Platform);
    let rated = of_people.map(|it| (osa_distance(&name, &canonical(it.name)), it.name));
    let (errors, nearest) = rated.min_by_key(|(errors, _)| *errors)?;
    (errors <= name.chars().count() / 3).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_reported_with_the_nearest_one() {
        for (name, expected) in [
            (
                "PacketCapture__AllowedScope",
                Some(Some("PacketCapture__AllowedScopes")),
            ),
            (
                "PACKETCAPTURE:ALLOWEDSCOPE",
                Some(Some("PacketCapture__AllowedScopes")),
            ),
            (
                "PacketCapture__TimeLimitSeconds",
                Some(Some("PacketCapture__TimeLimitInSeconds")),
            ),
            ("PacketCapture_Limit", Some(Some("PacketCapture__Limit"))),
            ("PacketCapture.Limit", Some(Some("PacketCapture__Limit"))),
            (
                "Notifications__WebhookUrl",
                Some(Some("Notification__WebhookUrl")),
            ),
            (
                "SecureWebhook__Tenant",
                Some(Some("SecureWebhook__TenantId")),
            ),
            ("JobQueues:Kind", Some(Some("JobQueue__Kind"))),
            (
                "AzureApiVersions__Network",
                Some(Some("AzureApiVersion__Network")),
            ),
            ("JobQueue__", Some(None)),
            ("PacketCapture__Quux__Corge__Grault__Garply", Some(None)),
            ("PacketCapture__Limit", None),
            ("packetcapture:limit", None),
            ("AzureWebJobsStorage__blobServiceUri", None),
            ("AzureWebJobs.PacketCaptureJob.Disabled", None),
            ("AzureFunctionsJobHost__logging__console", None),
            ("APPSETTING_PacketCapture__AllowedScope", None),
            ("PACKETCAPTURES", None),
            ("Logging__LogLevel__Default", None),
            ("PATH", None),
        ] {
            let settings = [(name.to_owned(), "x".to_owned())].into_iter().collect();
            let found = check(&settings);
            assert_eq!(found.first().map(|it| it.nearest), expected, "{name}");
        }
    }
}
