//! `handler doctor`: whether the function is set up right, as a checklist with the command that mends each
//! fault. It changes nothing: it reads, asks a capture of ours for its status, and tells nobody.

mod arguments;
mod function_key;
mod identity;
mod job_queue;
mod machine;
mod mend;
mod notification;
mod permissions;
mod report;
mod rights;
mod secure_webhook;
mod settings;
mod storage;
mod watchers;

use crate::{
    azure::client::ArmClient,
    capture::CaptureName,
    config::{AppSettings, AzureSettings, CaptureSettings},
    resource_id::ResourceId,
};
use arguments::Arguments;
use report::Report;
use rights::{INSTANCES_READ, MACHINES_READ, SCALE_SETS_READ};
use settings::Usable;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Checks and prints. The exit code is 0 when nothing fails, 1 when something does, 2 for bad usage.
/// `terminal` is whether standard output is one.
pub async fn main(arguments: &[String], environment: &AppSettings, terminal: bool) -> ExitCode {
    let arguments = match arguments::parse(arguments) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("error: {message}; {}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let report = run(&arguments, environment).await;
    // https://no-color.org
    let plain = environment.get("NO_COLOR").is_some_and(|it| !it.is_empty());
    let text = match arguments.json {
        true => report.to_json(),
        false => report.to_text(terminal && !plain && !arguments.no_color),
    };
    // A closed pipe (`| head`) is no reason to panic.
    let _ = writeln!(io::stdout(), "{text}");
    ExitCode::from(report.exit_code())
}

/// What the checks of Azure share.
struct Doctor<'a> {
    arm: ArmClient,
    environment: &'a AppSettings,
    capture: &'a CaptureSettings,
    /// The name of our captures.
    name: CaptureName,
    /// Whom missing roles belong to, as a shell would read it.
    assignee: String,
    report: Report,
    /// Resource Manager gave no answer: asking on would only take time.
    unreachable: bool,
}

async fn run(arguments: &Arguments, environment: &AppSettings) -> Report {
    let mut report = Report::default();
    let Some(usable) = settings::check(environment, &mut report) else {
        return without_azure(report, "the app settings are wrong");
    };
    outside_scopes(arguments, environment, &usable, &mut report);
    callers(environment, &usable, &mut report).await;
    let Some((azure, arm)) = &usable.azure else {
        waiting_jobs(environment, &usable, None, &mut report).await;
        report.skipped("identity", "its app settings are missing or wrong");
        report.skipped("access token", "there is no identity");
        return without_azure(report, "there is no identity");
    };
    identity::describe(azure, environment, &mut report);
    if let Err(error) = arm.fetch_token().await {
        let mend = identity::mend_token(azure, environment, &error);
        report.failed("access token", identity::refusal(&error), mend);
        waiting_jobs(environment, &usable, None, &mut report).await;
        return without_azure(report, "there is no access token");
    }
    report.ok("access token", format!("given by {}", arm.token_issuer()));
    let assignee = identity::assignee(azure, environment);
    let opener = Some((azure, assignee.as_str()));
    waiting_jobs(environment, &usable, opener, &mut report).await;
    let doctor = Doctor {
        arm: arm.clone(),
        environment,
        capture: &usable.settings.capture,
        name: usable.name.clone(),
        assignee,
        report,
        unreachable: false,
    };
    doctor.examine(arguments, &usable).await
}

/// Who comes in, and who is told: what needs nothing of Resource Manager.
async fn callers(environment: &AppSettings, usable: &Usable, report: &mut Report) {
    let settings = &usable.settings;
    let wrong = |group: &str| usable.wrong_groups.contains(&group);
    if wrong(settings::SECURE_WEBHOOK) {
        let reason = "the app settings of the secure webhook are wrong";
        report.skipped("function key", reason);
        report.skipped("secure webhook", reason);
    } else {
        let webhook = settings.secure_webhook.as_ref();
        function_key::check(environment, webhook.is_some(), report);
        secure_webhook::check(environment, webhook, &settings::pace(), report).await;
    }
    if wrong(settings::NOTIFICATION) {
        report.skipped("notification", "its app settings are wrong");
    } else {
        notification::check(environment, settings.notification.as_ref(), report).await;
    }
}

async fn waiting_jobs(
    environment: &AppSettings,
    usable: &Usable,
    opener: Option<(&AzureSettings, &str)>,
    report: &mut Report,
) {
    match usable.wrong_groups.contains(&settings::JOB_QUEUE) {
        true => report.skipped("job queue", "its app settings are wrong"),
        false => job_queue::check(environment, &usable.settings, opener, report).await,
    }
}

impl Doctor<'_> {
    async fn examine(mut self, arguments: &Arguments, usable: &Usable) -> Report {
        let scopes = scopes(arguments, usable);
        if scopes.is_empty() && arguments.machines.is_empty() {
            self.report.skipped(
                "network watchers",
                "no subscription is known; --subscription names one",
            );
        }
        let mut subscriptions: Vec<ResourceId> = Vec::new();
        for scope in scopes.iter().chain(&arguments.machines) {
            let subscription = scope.subscription_id();
            if !subscriptions.contains(&subscription) {
                subscriptions.push(subscription);
            }
        }
        let mut known = Vec::new();
        for subscription in &subscriptions {
            known.push((subscription, self.subscription(subscription).await));
            if self.unreachable {
                return self.silence();
            }
        }
        for scope in &scopes {
            let rights = [MACHINES_READ, SCALE_SETS_READ, INSTANCES_READ];
            self.look_up(&rights, &[scope], scope).await;
        }
        match &usable.storage {
            Some(account) => self.storage_account(account).await,
            None => self.report.skipped(
                "storage account",
                "PacketCapture__StorageAccountId names none",
            ),
        }
        for machine in &arguments.machines {
            let watchers = known
                .iter()
                .find(|(subscription, _)| subscription.contains(machine))
                .and_then(|(_, watchers)| watchers.as_deref());
            self.machine(machine, watchers).await;
        }
        self.report
    }

    fn silence(mut self) -> Report {
        for check in ["storage account", "virtual machine"] {
            self.report
                .skipped(check, "Azure Resource Manager does not answer");
        }
        self.report
    }
}

/// Where machines may be captured: as asked for, else as allowed, else next to the storage account. Machines
/// that are asked for are looked at themselves.
fn scopes(arguments: &Arguments, usable: &Usable) -> Vec<ResourceId> {
    if !arguments.subscriptions.is_empty() || !arguments.machines.is_empty() {
        return arguments.subscriptions.clone();
    }
    if !usable.scopes.is_empty() {
        return usable.scopes.clone();
    }
    let account = usable.storage.as_ref();
    account
        .map(ResourceId::subscription_id)
        .into_iter()
        .collect()
}

/// A machine that somebody asks about and whose alerts are ignored is worth a word.
fn outside_scopes(
    arguments: &Arguments,
    environment: &AppSettings,
    usable: &Usable,
    report: &mut Report,
) {
    for machine in &arguments.machines {
        let inside = |scope: &ResourceId| scope.contains(machine);
        if !usable.scopes.is_empty() && !usable.scopes.iter().any(inside) {
            let pair = format!("PacketCapture__AllowedScopes={machine},...");
            report.warning(
                "allowed scopes",
                format!("alerts on {} are ignored", rights::names(&[machine])),
                mend::app_setting(environment, &pair),
            );
        }
    }
}

fn without_azure(mut report: Report, reason: &str) -> Report {
    for check in ["network watchers", "storage account", "virtual machine"] {
        report.skipped(check, reason);
    }
    report
}
