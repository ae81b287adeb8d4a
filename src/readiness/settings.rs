//! The app settings: each problem a line of its own, then what is allowed but hardly meant.

use super::{mend, report::Report};
use crate::{
    app::{self, Pace},
    azure::{client::ArmClient, error::chain},
    capture::CaptureName,
    config::{AppSettings, AzureSettings, Group, Problem, Setting, Settings},
    resource_id::ResourceId,
};
use std::time::Duration;

const CHECK: &str = "app settings";
const SCOPES: &str = "PacketCapture__AllowedScopes";
/// Action groups stop waiting after 10 s; a second is left for the way.
const LONGEST_REPLY_WAIT: Duration = Duration::from_secs(9);

/// The settings as far as they can be used.
pub struct Usable {
    pub settings: Settings,
    /// The identity and the client that uses it, if both are well-formed.
    pub azure: Option<(AzureSettings, ArmClient)>,
    pub scopes: Vec<ResourceId>,
    pub name: CaptureName,
    pub storage: Option<ResourceId>,
    /// Groups that are left out because a setting of theirs is wrong.
    pub wrong_groups: Vec<&'static str>,
}

pub const SECURE_WEBHOOK: &str = "SecureWebhook__";
pub const NOTIFICATION: &str = "Notification__";
pub const JOB_QUEUE: &str = "JobQueue__Kind";

/// Settings that are left out together: the rest of a group whose one setting is wrong would be half a set.
const GROUPS: [(&str, &[&str]); 3] = [
    (
        SECURE_WEBHOOK,
        &[
            "SecureWebhook__TenantId",
            "SecureWebhook__Audience",
            "SecureWebhook__Role",
            "SecureWebhook__CallerAppId",
            "SecureWebhook__Issuer",
            "SecureWebhook__TrustEasyAuth",
        ],
    ),
    (
        NOTIFICATION,
        &[
            "Notification__WebhookUrl",
            "Notification__Format",
            "Notification__Secret",
            "Notification__Events",
        ],
    ),
    (JOB_QUEUE, &["JobQueue__Kind"]),
];

/// Checks them all. `None` when nothing can be read at all.
pub fn check(environment: &AppSettings, report: &mut Report) -> Option<Usable> {
    let (settings, mut problems) = read(environment);
    let Some(mut settings) = settings else {
        tell(environment, &problems, report);
        return None;
    };
    let scopes = settings.allowed.allowed.scopes.clone();
    let parameters = &settings.capture.parameters;
    let storage = parameters.storage.storage_id.clone();
    let name = parameters.name.clone();
    let azure = settings
        .azure
        .take()
        .and_then(|azure| match app::arm_client(&azure, &pace()) {
            Ok(arm) => Some((azure, arm)),
            Err(error) => {
                let text = chain(&error);
                let (name, expected) = text.split_once(": ").unwrap_or(("AZURE_TENANT_ID", &text));
                problems.push(Problem::new(name, expected));
                None
            }
        });
    tell(environment, &problems, report);
    for warning in settings.warnings() {
        let mend = mend::app_setting(environment, &format!("{}=...", warning.name));
        report.warning(CHECK, warning.to_string(), mend);
    }
    if problems.is_empty() && settings.warnings().is_empty() {
        report.ok(CHECK, "complete and well-formed");
    }
    let wrong_groups = wrong_groups(&problems);
    let scopes_are_wrong = problems.iter().any(|it| it.to_set() == SCOPES);
    sanity(environment, &settings, scopes_are_wrong, report);
    Some(Usable {
        settings,
        azure,
        scopes,
        name,
        wrong_groups,
        storage: storage.and_then(|id| ResourceId::parse(&id).ok()),
    })
}

/// Somebody sits and waits: one more try is enough.
pub fn pace() -> Pace {
    let mut pace = Pace::default();
    pace.retry.tries = 2;
    pace
}

/// Wrong settings are left out, so that the others can still be checked. With a wrong endpoint or half an
/// identity nothing is called: the secret must not go to a default in place of what was meant.
fn read(environment: &AppSettings) -> (Option<Settings>, Vec<Problem>) {
    let problems = match Settings::read(environment) {
        Ok(settings) => return (Some(settings), Vec::new()),
        Err(error) => error.problems,
    };
    let names: Vec<&str> = problems.iter().map(|it| it.name.as_str()).collect();
    let mut left_out = names.clone();
    for group in wrong_groups(&problems) {
        let members = GROUPS.iter().find(|(name, _)| *name == group);
        left_out.extend(members.map_or(&[][..], |(_, members)| *members));
    }
    let mut settings = Settings::read_for_dry_run(&environment.without(&left_out)).ok();
    let of_azure = |problem: &Problem| {
        let setting = Setting::find(problem.to_set());
        setting.is_some_and(|it| matches!(it.group, Group::Identity | Group::Cloud))
    };
    if let Some(settings) = settings.as_mut().filter(|_| problems.iter().any(of_azure)) {
        settings.azure = None;
    }
    (settings, problems)
}

/// The groups that these problems are about.
fn wrong_groups(problems: &[Problem]) -> Vec<&'static str> {
    let about = |group: &str| {
        problems.iter().any(|problem| {
            let storage = group == JOB_QUEUE && problem.name.starts_with("AzureWebJobsStorage");
            storage || problem.name.starts_with(group)
        })
    };
    let groups = GROUPS.iter().map(|(name, _)| *name);
    groups.filter(|group| about(group)).collect()
}

fn tell(environment: &AppSettings, problems: &[Problem], report: &mut Report) {
    for problem in problems {
        let Problem { name, expected, .. } = problem;
        let mend = mend::app_setting(environment, &format!("{}=...", problem.to_set()));
        report.failed(CHECK, format!("{name}: {expected}"), mend);
    }
}

/// What is legal and yet hardly meant.
fn sanity(
    environment: &AppSettings,
    settings: &Settings,
    scopes_are_wrong: bool,
    report: &mut Report,
) {
    let wait = settings.capture.reply_wait;
    if wait > LONGEST_REPLY_WAIT {
        report.warning(
            "reply wait",
            format!(
                "{} s, but action groups stop waiting after 10 s",
                wait.as_secs()
            ),
            mend::app_setting(environment, "PacketCapture__ReplyWaitSeconds=8"),
        );
    } else {
        report.ok("reply wait", format!("{} s", wait.as_secs()));
    }
    let scopes: Vec<String> = settings
        .allowed
        .allowed
        .scopes
        .iter()
        .map(ToString::to_string)
        .collect();
    if scopes_are_wrong {
        report.skipped("allowed scopes", "their app setting is wrong");
    } else if scopes.is_empty() {
        report.warning(
            "allowed scopes",
            "none set: any machine that an alert names is captured",
            mend::app_setting(
                environment,
                "PacketCapture__AllowedScopes=/subscriptions/...",
            ),
        );
    } else {
        report.ok("allowed scopes", scopes.join(", "));
    }
    // Whoever left a setting out has not asked for a dry run.
    if Settings::read(environment).is_ok_and(|it| it.capture.dry_run) {
        report.warning(
            "dry run",
            "all alerts are dry runs: nothing is captured",
            mend::app_setting(environment, "PacketCapture__DryRun=false"),
        );
    }
}
