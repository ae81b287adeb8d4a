//! The app settings: each problem is a check of its own, then what is valid but hardly intended.

use super::{Parts, Report, Targets, azure::names};
use crate::{
    config::{self, AppSettings, Problem, ProfileSettings, SETTINGS, Setting, Settings},
    resource_id::ResourceId,
};
use std::time::Duration;

/// Action groups stop waiting after 10 s; a second is left for the network.
const MAXIMUM_REPLY_WAIT: Duration = Duration::from_secs(9);
const APP_SETTINGS: &str = "app settings";
const ALLOWED_SCOPES: &str = "PacketCapture__AllowedScopes";

/// The settings as far as they are valid, and the problems of the others.
pub struct FoundSettings {
    /// `None` when nothing is left to check with.
    pub settings: Option<Settings>,
    pub problems: Vec<Problem>,
    /// Whether alerts only get dry runs, as the settings say. Missing ones are read as for a dry run.
    pub dry_run: bool,
}

/// Settings that are checked together or not at all: with one of them invalid, the others would be half a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    SecureWebhook,
    Notification,
    JobQueue,
}

impl Group {
    const ALL: [Self; 3] = [Self::SecureWebhook, Self::Notification, Self::JobQueue];

    /// How the names begin whose problems are the group's.
    const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::SecureWebhook => &["SecureWebhook__"],
            Self::Notification => &["Notification__"],
            Self::JobQueue => &["JobQueue__Kind", "AzureWebJobsStorage"],
        }
    }

    fn claims(self, name: &str) -> bool {
        self.prefixes().iter().any(|it| name.starts_with(it))
    }

    /// What is left out when one of them is invalid.
    fn members(self) -> impl Iterator<Item = &'static str> {
        let names = SETTINGS.iter().map(|setting| setting.name);
        names.filter(move |name| self.claims(name))
    }
}

impl FoundSettings {
    /// Invalid settings are left out, so that the others can still be checked. With an invalid endpoint or half an
    /// identity nothing is called: the secret must not go to a default in place of the intended host.
    pub fn read(settings: &AppSettings) -> Self {
        let problems = match Settings::read(settings) {
            Ok(settings) => {
                return Self {
                    dry_run: settings.capture.dry_run,
                    settings: Some(settings),
                    problems: Vec::new(),
                };
            }
            Err(error) => error.problems,
        };
        let mut found = Self {
            settings: None,
            problems,
            dry_run: false,
        };
        let invalid: Vec<&str> = found.problems.iter().map(|it| it.name.as_str()).collect();
        let wrong = Group::ALL.iter().filter(|group| found.is_wrong(**group));
        let halves: Vec<&str> = wrong.flat_map(|group| group.members()).collect();
        let rest = settings.without(&invalid).without(&halves);
        // One that is left out would change which alerts the others are for.
        let rest = match invalid.iter().any(|name| is_of_profile(name)) {
            true => rest.without_profiles(),
            false => rest,
        };
        let mut rest = Settings::read_for_dry_run(&rest).ok();
        if let Some(rest) = rest
            .as_mut()
            .filter(|_| found.problems.iter().any(is_of_azure))
        {
            rest.azure = None;
        }
        found.settings = rest;
        found
    }

    /// Whether a setting of the group is invalid, or an unknown name was meant to be one of them.
    pub fn is_wrong(&self, group: Group) -> bool {
        let of_group =
            |problem: &Problem| group.claims(&problem.name) || group.claims(problem.to_set());
        self.problems.iter().any(of_group)
    }
}

/// Whether the setting is one of a profile.
fn is_of_profile(name: &str) -> bool {
    let name = name.replace(':', "__").to_ascii_lowercase();
    name.starts_with("packetcapture__profiles__")
}

/// Whether the problem is about the identity or an endpoint of Azure.
fn is_of_azure(problem: &Problem) -> bool {
    let group = Setting::find(problem.to_set()).map(|setting| setting.group);
    matches!(group, Some(config::Group::Identity | config::Group::Cloud))
}

pub fn check(parts: &Parts, targets: &Targets, report: &mut Report) {
    let Parts { hosting, found, .. } = parts;
    let warnings = found.settings.as_ref().map(Settings::warnings);
    let warnings = warnings.unwrap_or_default();
    if found.problems.is_empty() && warnings.is_empty() {
        report.ok(APP_SETTINGS, "complete and valid");
    }
    for problem in &found.problems {
        let message = format!("{}: {}", problem.name, problem.expected);
        let fix = hosting.set(&format!("{}=...", problem.to_set()));
        report.failed(APP_SETTINGS, message, fix);
    }
    for warning in &warnings {
        let fix = hosting.set(&format!("{}=...", warning.name));
        report.warning(APP_SETTINGS, warning.to_string(), fix);
    }
    let Some(settings) = &found.settings else {
        return;
    };
    reply_wait(parts, settings, report);
    allowed_scopes(parts, settings, targets, report);
    profiles(parts, settings, report);
    if found.dry_run {
        report.warning(
            "dry run",
            "all alerts are dry runs: no capture is started",
            hosting.set("PacketCapture__DryRun=false"),
        );
    }
}

fn reply_wait(parts: &Parts, settings: &Settings, report: &mut Report) {
    const CHECK: &str = "reply wait";
    let wait = settings.capture.reply_wait;
    let seconds = format!("{} s", wait.as_secs());
    if wait <= MAXIMUM_REPLY_WAIT {
        return report.ok(CHECK, seconds);
    }
    report.warning(
        CHECK,
        format!("{seconds}, but action groups stop waiting after 10 s"),
        parts.hosting.set("PacketCapture__ReplyWaitSeconds=8"),
    );
}

/// Which alert gets which capture, one line a profile in their order.
fn profiles(parts: &Parts, settings: &Settings, report: &mut Report) {
    const CHECK: &str = "profiles";
    let problems = &parts.found.problems;
    if problems.iter().any(|it| is_of_profile(&it.name)) {
        return report.skipped(CHECK, "an app setting of a profile is invalid");
    }
    for ProfileSettings {
        profile,
        parameters,
        ..
    } in &settings.profiles
    {
        let seconds = parameters.time_limit_seconds;
        let filtered = match parameters.filters.is_empty() {
            true => "all packets",
            false => "filtered packets",
        };
        let words = format!(
            "{}: {}: {filtered} for {seconds} s",
            profile.name,
            profile.in_words()
        );
        report.ok(CHECK, words);
    }
}

fn allowed_scopes(parts: &Parts, settings: &Settings, targets: &Targets, report: &mut Report) {
    const CHECK: &str = "allowed scopes";
    let scopes = &settings.allowed.allowed.scopes;
    let invalid = |problem: &Problem| problem.to_set() == ALLOWED_SCOPES;
    if parts.found.problems.iter().any(invalid) {
        return report.skipped(CHECK, "its app setting is invalid");
    }
    if scopes.is_empty() {
        return report.warning(
            CHECK,
            "not set: an alert can start a capture on any machine that it names",
            parts
                .hosting
                .set(&format!("{ALLOWED_SCOPES}=/subscriptions/...")),
        );
    }
    let shown: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    report.ok(CHECK, shown.join(", "));
    let outside = |machine: &&ResourceId| !scopes.iter().any(|scope| scope.contains(machine));
    for machine in targets.machines.iter().filter(outside) {
        let pair = format!("{ALLOWED_SCOPES}={machine},...");
        report.warning(
            CHECK,
            format!("alerts on {} are ignored", names(&[machine])),
            parts.hosting.set(&pair),
        );
    }
}
