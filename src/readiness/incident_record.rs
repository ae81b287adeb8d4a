//! Whether the incident record opens: the container can be read, writes on conditions are evaluated, and the clocks agree.
//! Nothing is changed; the container is created at the first write, not here.

use super::{Group, Parts, Report, fix, identity, job_queue};
use crate::shell::{ShellCommand, Word};
use crate::{
    azure::error::chain,
    config::{QueueAccount, QueueKind, Settings},
    record::{CONTAINER, StoreError},
};
use std::time::{Duration, SystemTime};
use url::Url;

const CHECK: &str = "incident record";
const CONDITIONS: &str = "conditional writes";
const CLOCK: &str = "storage clock";
/// Maximum difference of the clocks. Azure refuses signed requests from 15 minutes on.
const CLOCKS: Duration = Duration::from_secs(5 * 60);

/// `assignee` as for the job queue.
pub async fn check(
    parts: &Parts,
    settings: &Settings,
    assignee: Option<&Word>,
    report: &mut Report,
) {
    let QueueKind::Storage(storage) = &settings.jobs.kind else {
        return;
    };
    if parts.found.is_wrong(Group::JobQueue) {
        return;
    }
    if report.has_failed(job_queue::CHECK) {
        return skipped(
            report,
            &[CHECK],
            "the job queue in the same account does not open",
        );
    }
    let own = match &storage.account {
        QueueAccount::Service { identity, .. } => identity.as_deref(),
        QueueAccount::Connection(_) => None,
    };
    let own = own.map(|own| identity::assignee(own, &parts.hosting));
    let assignee = own.as_ref().or(assignee);
    if matches!(storage.account, QueueAccount::Service { .. }) && assignee.is_none() {
        return skipped(report, &[CHECK], "the identity that opens it has no token");
    }
    let store = match &parts.record {
        Some(Ok(store)) => store,
        Some(Err(error)) => {
            let fix = fix::show_connection("<account>", "AzureWebJobsStorage");
            report.failed(CHECK, error, fix);
            return skipped(report, &[], "the incident record could not be opened");
        }
        None => {
            let fix = parts
                .hosting
                .set("AzureWebJobsStorage__blobServiceUri=https://<account>.blob.core.windows.net");
            let text = "in memory: the settings name the queue service of the account and not its blob service";
            report.warning(CHECK, text, fix);
            return skipped(report, &[], "the incident record is in memory");
        }
    };
    let address = Url::parse(store.address()).ok();
    let account = address.and_then(|address| job_queue::account(&address));
    let account = account.as_deref().unwrap_or("<account>");
    match store.check().await {
        Ok(found) if !found.exists => {
            let text = format!("the blob service opens; {CONTAINER} is created at the first write");
            report.ok(CHECK, text);
            skipped(report, &[], "the container is not there yet");
        }
        Ok(found) => {
            report.ok(CHECK, format!("{CONTAINER} exists and opens"));
            match found.conditions {
                true => report.ok(CONDITIONS, "evaluated"),
                false => report.failed(
                    CONDITIONS,
                    "the storage service ignores If-Match: two instances could capture for the same alert",
                    show_account(account),
                ),
            }
            clock(found.clock, SystemTime::now(), report);
        }
        Err(error) => {
            let fix = fix_refusal(&storage.account, assignee, account, &error);
            report.failed(CHECK, chain(&error), fix);
            skipped(report, &[], "the incident record does not open");
        }
    }
}

fn skipped(report: &mut Report, more: &[&str], reason: &str) {
    for check in more.iter().chain(&[CONDITIONS, CLOCK]) {
        report.skipped(check, reason);
    }
}

fn clock(theirs: Option<SystemTime>, ours: SystemTime, report: &mut Report) {
    let Some(theirs) = theirs else {
        return report.skipped(CLOCK, "the answer has no date");
    };
    let (behind, by) = match theirs.duration_since(ours) {
        Ok(by) => ("behind", by),
        Err(ahead) => ("ahead of", ahead.duration()),
    };
    match by <= CLOCKS {
        true => report.ok(CLOCK, "within 5 minutes of this machine's"),
        false => report.failed(
            CLOCK,
            format!("this machine's clock is {} minutes {behind} the storage service's: signed requests and tokens are refused", by.as_secs() / 60),
            ShellCommand::new("timedatectl status"),
        ),
    }
}

fn fix_refusal(
    opened_by: &QueueAccount,
    assignee: Option<&Word>,
    account: &str,
    error: &StoreError,
) -> ShellCommand {
    match (opened_by, error.code()) {
        // The firewall, which no other key opens.
        (_, Some("AuthorizationFailure")) | (_, None) => show_account(account),
        (QueueAccount::Connection(_), Some(_)) => {
            fix::show_connection(account, "AzureWebJobsStorage")
        }
        (QueueAccount::Service { .. }, Some("AuthorizationPermissionMismatch")) => {
            let unknown = Word::from("<client id>");
            let scope = ShellCommand::new("az storage account show")
                .with("--name", account)
                .words("--query id --output tsv");
            fix::assign_role(
                assignee.unwrap_or(&unknown),
                "Storage Blob Data Contributor",
                Word::output_of(&scope),
            )
        }
        _ => show_account(account),
    }
}

fn show_account(account: &str) -> ShellCommand {
    ShellCommand::new("az storage account show")
        .with("--name", account)
        .words("--query '[primaryEndpoints.blob, publicNetworkAccess, networkRuleSet]'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_by_five_minutes() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        for (theirs, status) in [
            (Some(now + minutes(5)), "ok"),
            (Some(now - minutes(5)), "ok"),
            (Some(now + minutes(6)), "failed"),
            (Some(now - minutes(6)), "failed"),
            (None, "skipped"),
        ] {
            let mut report = Report::default();
            clock(theirs, now, &mut report);
            let found = serde_json::to_value(report.checks()[0].status).unwrap();
            assert_eq!(found, status, "{theirs:?}");
        }
    }
}
