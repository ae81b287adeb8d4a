//! Whether the job queue opens, and whether jobs are in its poison queue. The queue itself is created at first use,
//! not here.

use super::{Group, Parts, Report, fix, identity};
use crate::shell::{ShellCommand, Word};
use crate::{
    azure::error::chain,
    config::{QueueAccount, QueueKind, Settings},
    queue::{JobQueue, QueueError, StorageQueue},
};
use url::{Host, Url};

pub(super) const CHECK: &str = "job queue";
const POISON: &str = "poison queue";
const CONNECTION: &str = "AzureWebJobsStorage";

/// `assignee` is the principal that missing roles are assigned to, unless the settings of the queue name their own
/// identity; `None` when the identity has no token.
pub async fn check(
    parts: &Parts,
    settings: &Settings,
    assignee: Option<&Word>,
    report: &mut Report,
) {
    if parts.found.is_wrong(Group::JobQueue) {
        return report.skipped(CHECK, "its app settings are invalid");
    }
    let QueueKind::Storage(storage) = &settings.jobs.kind else {
        return report.warning(
            CHECK,
            "in memory: waiting and running captures are lost when the process ends",
            parts.hosting.set("JobQueue__Kind=storage"),
        );
    };
    let own = match &storage.account {
        QueueAccount::Service { identity, .. } => identity.as_deref(),
        QueueAccount::Connection(_) => None,
    };
    let own = own.map(|own| identity::assignee(own, &parts.hosting));
    let assignee = own.as_ref().or(assignee);
    if matches!(storage.account, QueueAccount::Service { .. }) && assignee.is_none() {
        return report.skipped(CHECK, "the identity that opens it has no token");
    }
    let queue = match &parts.queue {
        Some(Ok(queue)) => queue,
        Some(Err(error)) => {
            return report.failed(CHECK, error, fix::show_connection("<account>", CONNECTION));
        }
        None => return report.skipped(CHECK, "no client for the queue was made"),
    };
    match queue.exists().await {
        Ok(true) => report.ok(CHECK, "packet-capture-jobs exists and opens"),
        Ok(false) => report.ok(
            CHECK,
            "the queue service opens; packet-capture-jobs is created at first use",
        ),
        Err(error) => {
            let fix = fix_refusal(&storage.account, assignee, &error);
            return report.failed(CHECK, chain(&error), fix);
        }
    }
    poisoned(queue, &storage.account, assignee, report).await;
}

/// Jobs that no instance could finish. They stay in the poison queue for seven days.
async fn poisoned(
    queue: &StorageQueue,
    account: &QueueAccount,
    assignee: Option<&Word>,
    report: &mut Report,
) {
    match queue.poisoned().await {
        Ok(0) => report.ok(POISON, "empty"),
        Ok(count) => {
            let jobs = if count == 1 { "job" } else { "jobs" };
            report.warning(
                POISON,
                format!(
                    "{count} {jobs} in packet-capture-jobs-poison: their captures were given up"
                ),
                show_poisoned(account, queue.address()),
            );
        }
        Err(error) => {
            let fix = fix_refusal(account, assignee, &error);
            report.warning(POISON, chain(&error), fix);
        }
    }
}

fn show_poisoned(opened_by: &QueueAccount, address: &str) -> ShellCommand {
    let account = Url::parse(address).ok().and_then(|it| account(&it));
    let command = ShellCommand::new(
        "az storage message peek --queue-name packet-capture-jobs-poison --num-messages 32",
    )
    .with("--account-name", account.as_deref().unwrap_or("<account>"));
    match opened_by {
        QueueAccount::Connection(_) => command,
        QueueAccount::Service { .. } => command.words("--auth-mode login"),
    }
}

/// The command, by what opens the queue and what the answer was.
fn fix_refusal(
    opened_by: &QueueAccount,
    assignee: Option<&Word>,
    error: &QueueError,
) -> ShellCommand {
    let address = match error {
        QueueError::Unavailable { queue, .. } => Url::parse(queue).ok(),
        _ => None,
    };
    let account = address.and_then(|address| account(&address));
    let account = account.as_deref().unwrap_or("<account>");
    match (opened_by, error.status()) {
        (QueueAccount::Connection(_), Some(_)) => fix::show_connection(account, CONNECTION),
        (QueueAccount::Service { .. }, Some(401 | 403)) => {
            let unknown = Word::from("<client id>");
            let scope = ShellCommand::new("az storage account show")
                .with("--name", account)
                .words("--query id --output tsv");
            fix::assign_role(
                assignee.unwrap_or(&unknown),
                "Storage Queue Data Contributor",
                Word::output_of(&scope),
            )
        }
        _ => ShellCommand::new("az storage account show")
            .with("--name", account)
            .words("--query '[primaryEndpoints.queue, publicNetworkAccess]'"),
    }
}

/// The account's name: the first part of the host, or of the path where the host has no name of its own.
pub(super) fn account(address: &Url) -> Option<String> {
    match address.host()? {
        Host::Domain(name) if name.contains(".queue.") || name.contains(".blob.") => {
            name.split('.').next().map(str::to_owned)
        }
        _ => address.path_segments()?.next().map(str::to_owned),
    }
    .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_from_the_address() {
        for (address, expected) in [
            (
                "https://stjobs.queue.core.windows.net/packet-capture-jobs",
                Some("stjobs"),
            ),
            ("https://stjobs.blob.core.windows.net/c", Some("stjobs")),
            (
                "https://127.0.0.1:10001/stjobs/packet-capture-jobs",
                Some("stjobs"),
            ),
            ("https://queues.example/", None),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(account(&url).as_deref(), expected, "{address}");
        }
    }
}
