//! Names that look like this program's settings and are not read by it: a mistyped `AllowedScopes` would silently allow
//! everything. Pure.

use super::{
    AppSettings, Problem, Warning,
    known::{Group, PROFILE_NAME, PROFILES, SETTINGS, Setting, canonical, is_profile_name},
};
use crate::text;
use strsim::osa_distance;

/// Prefixes of this program alone.
const PREFIXES: [&str; 10] = [
    "Alert__",
    "PacketCapture__",
    "Incidents__",
    "Budget__",
    "FirstLook__",
    "JobQueue__",
    "Notification__",
    "Readiness__",
    "SecureWebhook__",
    "AzureApiVersion__",
];
/// Maximum number of typing errors in a prefix that still counts as this function's.
const MAX_PREFIX_ERRORS: usize = 2;
/// Maximum characters of a name that is shown, or compared with those that have no prefix.
const MAX_SHOWN: usize = 100;

/// A name without such a prefix with this many typing errors is still taken for one of an identity's, the cloud's or the
/// queue's account.
const MAX_NAME_ERRORS: usize = 2;

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
    let (nearest, meant) = match below_profiles(name) {
        Below::No => {
            let nearest = nearest(name, "");
            (nearest, nearest.map(str::to_owned))
        }
        Below::OfProfile { profile, setting } => {
            let nearest = nearest(setting, &format!("{PROFILES}{PROFILE_NAME}__"));
            let meant = nearest.map(|it| it.replacen(PROFILE_NAME, profile, 1));
            (nearest, meant)
        }
        Below::Nameless => (None, None),
    };
    let text = match (meant, canonical(name).starts_with(&canonical(PROFILES))) {
        (Some(meant), _) => format!("is not a known setting; did you mean {meant}?"),
        (None, true) => "is not a setting of a profile; needs the name of a profile (letters, digits, '-' and single '_', 40 at most) and of a setting, such as PacketCapture__Profiles__NAME__Rules".to_owned(),
        (None, false) => "is not a known setting; remove it".to_owned(),
    };
    let mut problem = Problem::new(name, text);
    problem.nearest = nearest;
    problem
}

/// What follows in a name after that of all profiles.
enum Below<'n> {
    No,
    OfProfile {
        profile: &'n str,
        setting: &'n str,
    },
    /// No profile can have the name.
    Nameless,
}

fn below_profiles(name: &str) -> Below<'_> {
    let is_one = |it: &&str| canonical(it) == canonical(PROFILES);
    // The prefix is as long with `:` in the place of one `__` or of both.
    let lengths = PROFILES.len().saturating_sub(2)..=PROFILES.len();
    let Some(prefix) = lengths.rev().filter_map(|it| name.get(..it)).find(is_one) else {
        return Below::No;
    };
    let rest = &name[prefix.len()..];
    let parts = rest.split_once("__").or_else(|| rest.split_once(':'));
    match parts {
        Some((profile, setting)) if is_profile_name(profile) => {
            Below::OfProfile { profile, setting }
        }
        _ => Below::Nameless,
    }
}

/// The known name with this prefix and the fewest typing errors after it, if it is near enough to be the one that was
/// meant.
fn nearest(name: &str, prefix: &str) -> Option<&'static str> {
    let name = canonical(name);
    let of_people = SETTINGS.iter().filter(|it| it.group != Group::Platform);
    let rated = of_people.filter_map(|it| {
        let rest = it.name.strip_prefix(prefix)?;
        Some((osa_distance(&name, &canonical(rest)), it.name))
    });
    let (errors, nearest) = rated.min_by_key(|(errors, _)| *errors)?;
    (errors <= name.chars().count() / 3).then_some(nearest)
}

/// Names that look like the settings of the identity, the cloud or the queue's account and are not read. They have no
/// prefix of this program and may belong to another one, so they are no errors by themselves.
pub(super) fn near_misses(settings: &AppSettings) -> Vec<Warning> {
    let near = |(name, _)| {
        let nearest = near_miss(name)?;
        let shown = text::excerpt(name, MAX_SHOWN);
        Some(Warning {
            name: nearest,
            text: format!("{shown} is set and not read; did you mean {nearest}?"),
        })
    };
    settings.iter().filter_map(near).collect()
}

/// The known name that an unread one without a prefix nearly is.
fn near_miss(name: &str) -> Option<&'static str> {
    let canonical_name = canonical(name);
    if Setting::find(name).is_some() || canonical_name.len() > MAX_SHOWN {
        return None;
    }
    let prefixed = |it: &Setting| PREFIXES.iter().any(|prefix| it.name.starts_with(prefix));
    let rated = SETTINGS
        .iter()
        .filter(|it| matches!(it.group, Group::Identity | Group::Cloud | Group::JobQueue))
        .filter(|it| !prefixed(it))
        .map(|it| (osa_distance(&canonical_name, &canonical(it.name)), it.name));
    let (errors, nearest) = rated.min_by_key(|(errors, _)| *errors)?;
    (errors <= MAX_NAME_ERRORS).then_some(nearest)
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
            (
                "Budget__CapturePerHour",
                Some(Some("Budget__CapturesPerHour")),
            ),
            (
                "Incident__QuietMinutes",
                Some(Some("Incidents__QuietMinutes")),
            ),
            ("FirstLook:Enable", Some(Some("FirstLook__Enabled"))),
            (
                "PacketCapture__Profiles__deep__TimeLimitInSecond",
                Some(Some("PacketCapture__Profiles__NAME__TimeLimitInSeconds")),
            ),
            (
                "packetcapture:profiles:deep:Filter",
                Some(Some("PacketCapture__Profiles__NAME__Filters")),
            ),
            ("PacketCapture:Profiles:deep:Filters", None),
            ("PacketCapture__Profiles__Rules", Some(None)),
            ("PacketCapture__Profiles__deep__Quux", Some(None)),
            ("PacketCapture__Profiles__a b__Filters", Some(None)),
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

    #[test]
    fn names_without_a_prefix_that_are_nearly_known_are_warnings() {
        for (name, expected) in [
            ("AzureCredPasword", Some("AzureCredPassword")),
            ("AzureClientIDs", Some("AzureClientID")),
            ("AzureTennant", Some("AzureTenant")),
            ("AZURE_TENANT", Some("AzureTenant")),
            ("AZURE_CLIENTID", Some("AZURE_CLIENT_ID")),
            ("AZURE_CLIENT_SECERT", Some("AZURE_CLIENT_SECRET")),
            ("AzureEnviroment", Some("AzureEnvironment")),
            (
                "AzureWebJobsStorage__acountName",
                Some("AzureWebJobsStorage__accountName"),
            ),
            (
                "AzureWebJobsStorage:clentid",
                Some("AzureWebJobsStorage__clientId"),
            ),
            ("AzureWebJobsStorage__blobServiceUri", None),
            ("AzureWebJobsStorage__tableServiceUri", None),
            ("AzureWebJobsStorage__clientSecret", None),
            ("APPSETTING_AzureCredPasword", None),
            ("azureclientid", None),
            ("AZURE_USERNAME", None),
            ("AZURE_SUBSCRIPTION_ID", None),
            ("AzureWebJobsFeatureFlags", None),
            ("SSL_CERT_DIR", None),
            ("PATH", None),
        ] {
            assert_eq!(near_miss(name), expected, "{name}");
        }
    }
}
