//! Where jobs wait, and whether what opens the queue does open it. The queue itself is made at first use, not here.

use super::{mend, report::Report};
use crate::{
    app,
    azure::error::chain,
    config::{AppSettings, AzureSettings, QueueAccount, QueueKind, Settings, StorageQueueSettings},
    queue::QueueError,
};
use url::{Host, Url};

const CHECK: &str = "job queue";
const CONNECTION: &str = "AzureWebJobsStorage";

/// `opener` is the identity, with the one whom missing roles belong to; `None` when it has no token.
pub async fn check(
    environment: &AppSettings,
    settings: &Settings,
    opener: Option<(&AzureSettings, &str)>,
    report: &mut Report,
) {
    let storage = match &settings.jobs.kind {
        QueueKind::Storage(storage) => storage,
        QueueKind::Memory => {
            return report.warning(
                CHECK,
                "in memory: captures that wait or run are forgotten when the process ends",
                mend::app_setting(environment, "JobQueue__Kind=storage"),
            );
        }
    };
    let needs_opener = matches!(
        storage.account,
        QueueAccount::Service { identity: None, .. }
    );
    if needs_opener && opener.is_none() {
        return report.skipped(CHECK, "the identity that opens it has no token");
    }
    let azure = opener.map(|(azure, _)| azure);
    let queue = match app::storage_queue(storage, azure) {
        Ok(queue) => queue,
        Err(error) => return report.failed(CHECK, chain(&error), show_connection("<account>")),
    };
    match queue.exists().await {
        Ok(true) => report.ok(CHECK, "packet-capture-jobs is there and opens"),
        Ok(false) => report.ok(
            CHECK,
            "the queue service opens; packet-capture-jobs is made at first use",
        ),
        Err(error) => {
            let mend = mend_refusal(storage, opener, &error);
            report.failed(CHECK, chain(&error), mend);
        }
    }
}

/// The command, by what opens the queue and what was answered.
fn mend_refusal(
    storage: &StorageQueueSettings,
    opener: Option<(&AzureSettings, &str)>,
    error: &QueueError,
) -> String {
    let account = match error {
        QueueError::Unavailable { queue, .. } => Url::parse(queue).ok(),
        _ => None,
    }
    .and_then(|address| account(&address));
    let account = mend::quoted(account.as_deref().unwrap_or("<account>"));
    match (&storage.account, error.status()) {
        (QueueAccount::Connection(_), Some(_)) => show_connection(&account),
        (QueueAccount::Service { identity, .. }, Some(401 | 403)) => {
            let own = identity.as_ref().map(|it| it.client_id().map(mend::quoted));
            let assignee = match own {
                Some(own) => own.unwrap_or_else(|| "<client id>".to_owned()),
                None => opener.map_or("<client id>".to_owned(), |(_, it)| it.to_owned()),
            };
            format!(
                "az role assignment create --assignee {assignee} --role \"Storage Queue Data Contributor\" --scope \"$(az storage account show --name {account} --query id --output tsv)\""
            )
        }
        _ => format!(
            "az storage account show --name {account} --query \"[primaryEndpoints.queue, publicNetworkAccess]\""
        ),
    }
}

fn show_connection(account: &str) -> String {
    format!(
        "az storage account show-connection-string --name {account}   # belongs into {CONNECTION}"
    )
}

/// The account's name: the first part of the host, or of the path where the host has no name of its own.
fn account(address: &Url) -> Option<String> {
    match address.host()? {
        Host::Domain(name) if name.contains(".queue.") => name.split('.').next().map(str::to_owned),
        _ => address.path_segments()?.next().map(str::to_owned),
    }
    .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_told_from_the_address() {
        for (address, expected) in [
            (
                "https://stjobs.queue.core.windows.net/packet-capture-jobs",
                Some("stjobs"),
            ),
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
