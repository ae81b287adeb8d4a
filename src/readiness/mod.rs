//! Whether the function is set up right: a list of checks, each with the command that fixes it. Read-only: it reads
//! Azure, asks captures of this function for their status, and sends no notifications. The caller hands in the
//! parts, so that a timer can do it as well as a command.

mod azure;
mod changes;
mod everywhere;
mod fix;
mod function_key;
mod hosting;
mod identity;
mod incident_record;
mod job_queue;
mod machine;
mod notification;
mod permissions;
mod report;
mod required;
mod retention;
mod roles;
mod secure_webhook;
mod settings;
mod storage;
mod subscription;

pub use crate::shell::{ShellCommand, quote};
pub use everywhere::{Everywhere, Keep, Quiet};
pub use hosting::Hosting;
pub use report::{Check, Report, Status};
pub use settings::{FoundSettings, Group};

use crate::{
    azure::{client::ArmClient, entra_keys::EntraKeys},
    look::CaptureReader,
    queue::StorageQueue,
    record::BlobStore,
    resource_id::ResourceId,
};
use azure::{AzureChecks, Learned};

/// A part that the settings ask for, or why it could not be made. `None` when they do not ask for it.
pub type Part<T> = Option<Result<T, String>>;

/// What is checked.
pub struct Parts {
    pub hosting: Hosting,
    pub found: FoundSettings,
    /// The client that signs in as the configured identity.
    pub arm: Option<ArmClient>,
    pub queue: Part<StorageQueue>,
    /// The incident record, where it is in a storage account.
    pub record: Part<BlobStore>,
    /// Reads the files of captures.
    pub reader: Part<CaptureReader>,
    /// The keys that sign the tokens of callers.
    pub keys: Part<EntraKeys>,
}

/// Which resources to check, beside those that the settings name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    pub subscriptions: Vec<ResourceId>,
    pub machines: Vec<ResourceId>,
}

/// Makes all checks.
pub async fn check(parts: &Parts, targets: &Targets) -> Report {
    examine(parts, targets).await.0
}

/// Makes all checks, and keeps what those of further machines need.
async fn examine(parts: &Parts, targets: &Targets) -> (Report, Learned) {
    let mut report = Report::default();
    settings::check(parts, targets, &mut report);
    let Some(settings) = &parts.found.settings else {
        return without_azure(report, "the app settings are invalid");
    };
    function_key::check(parts, settings, &mut report);
    secure_webhook::check(parts, settings, &mut report).await;
    notification::check(parts, settings, &mut report).await;
    let (Some(azure), Some(arm)) = (&settings.azure, &parts.arm) else {
        job_queue::check(parts, settings, None, &mut report).await;
        incident_record::check(parts, settings, None, &mut report).await;
        report.skipped("identity", "its app settings are missing or invalid");
        report.skipped("access token", "there is no identity");
        return without_azure(report, "there is no identity");
    };
    identity::describe(azure, &parts.hosting, &mut report);
    if let Err(error) = arm.fetch_token().await {
        let fix = identity::fix_token(azure, &parts.hosting, &error);
        report.failed("access token", identity::refusal(&error), fix);
        job_queue::check(parts, settings, None, &mut report).await;
        incident_record::check(parts, settings, None, &mut report).await;
        return without_azure(report, "there is no access token");
    }
    report.ok("access token", format!("issued by {}", arm.token_issuer()));
    let assignee = identity::assignee(&azure.identity, &parts.hosting);
    job_queue::check(parts, settings, Some(&assignee), &mut report).await;
    incident_record::check(parts, settings, Some(&assignee), &mut report).await;
    let mut checks = AzureChecks {
        parts,
        settings,
        arm,
        assignee,
        report,
        unreachable: false,
        learned: Learned::default(),
    };
    checks.run(targets).await;
    (checks.report, checks.learned)
}

fn without_azure(mut report: Report, reason: &str) -> (Report, Learned) {
    for check in ["network watchers", "storage account", "virtual machine"] {
        report.skipped(check, reason);
    }
    (report, Learned::default())
}
