//! Where jobs wait, how many, and how often each is retried.

use super::{
    azure,
    identity::{self, Identity},
    reader::Reader,
};
use crate::{queue::StorageOptions, resource_id::ResourceId, storage::Connection};
use std::{path::PathBuf, time::Duration};
use url::Url;

const KIND: &str = "JobQueue__Kind";
/// The names under which the Functions host finds its storage account.
/// <https://learn.microsoft.com/en-us/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity>
const CONNECTION: &str = "AzureWebJobsStorage";
const SERVICE: &str = "AzureWebJobsStorage__queueServiceUri";
const ACCOUNT_ID: &str = "JobQueue__StorageAccountId";
const BLOBS: &str = "AzureWebJobsStorage__blobServiceUri";
const ACCOUNT: &str = "AzureWebJobsStorage__accountName";

/// Where jobs wait, and the limits around them.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// Maximum number of jobs in the queue; beyond that alerts get a 503.
    pub capacity: usize,
    /// Failed attempts until a job is given up; counted from zero again once Azure has accepted the capture.
    pub max_attempts: u32,
    pub kind: QueueKind,
    /// The account whose queue holds the jobs. The queue is opened by its address; the id is for calls to Resource Manager.
    pub storage_account: Option<ResourceId>,
}

/// Where jobs wait.
#[derive(Debug, Clone)]
pub enum QueueKind {
    /// In the process, and lost with it.
    Memory,
    /// In Azure Queue Storage.
    Storage(Box<StorageQueueSettings>),
}

/// A queue in a storage account.
#[derive(Debug, Clone)]
pub struct StorageQueueSettings {
    pub account: QueueAccount,
    /// The blob service of the same account; `None` when the settings name the queue service alone, by an address of its
    /// own.
    pub blobs: Option<Url>,
    pub options: StorageOptions,
    /// File of certificate authorities, as [`super::AzureSettings::ca_file`].
    pub ca_file: Option<PathBuf>,
}

/// The storage account, and what opens it.
#[derive(Debug, Clone)]
pub enum QueueAccount {
    /// A connection string with its own key or signature.
    Connection(Connection),
    /// The queue service's address, opened with an identity's token.
    Service {
        url: Url,
        /// The identity that the settings of the account name; `None` takes that of the Azure settings.
        identity: Option<Box<Identity>>,
    },
}

/// `has_identity`: whether the Azure settings have one that could open a storage account.
pub(super) fn read(reader: &mut Reader<'_>, has_identity: bool) -> JobSettings {
    let capacity = reader.number("JobQueue__Capacity");
    let options = StorageOptions {
        visibility_timeout: Duration::from_secs(
            reader.number("JobQueue__VisibilityTimeoutSeconds"),
        ),
        poll: reader
            .word("JobQueue__Receive", &[("trigger", false), ("poll", true)])
            .unwrap_or_default(),
    };
    let in_storage = reader.word(KIND, &[("memory", false), ("storage", true)]);
    let account = match in_storage {
        Some(true) => account(reader, has_identity),
        _ => None,
    };
    let ca_file = reader.text("SSL_CERT_FILE").map(PathBuf::from);
    let kind = account.map_or(QueueKind::Memory, |account| {
        QueueKind::Storage(Box::new(StorageQueueSettings {
            blobs: blobs(reader, &account),
            account,
            options,
            ca_file,
        }))
    });
    JobSettings {
        capacity,
        max_attempts: reader.number("JobQueue__MaxAttempts"),
        kind,
        storage_account: account_id(reader),
    }
}

fn account_id(reader: &mut Reader<'_>) -> Option<ResourceId> {
    let id = ResourceId::parse(reader.text(ACCOUNT_ID)?).ok();
    let id = id.filter(|id| id.is_type("Microsoft.Storage/storageAccounts"));
    if id.is_none() {
        reader.wrong(ACCOUNT_ID);
    }
    id
}

/// `None` when settings are missing or wrong, which the reader knows then.
fn account(reader: &mut Reader<'_>, has_identity: bool) -> Option<QueueAccount> {
    identity::check_credential(reader);
    let by_identity = [SERVICE, ACCOUNT].map(|name| (name, reader.text(name)));
    let set = by_identity
        .into_iter()
        .find_map(|(name, value)| Some((name, value?)));
    match (reader.text(CONNECTION), set) {
        (Some(text), None) => match Connection::parse(text) {
            Ok(connection) => Some(QueueAccount::Connection(connection)),
            Err(expected) => {
                reader.problem(CONNECTION, format!("needs {expected}"));
                None
            }
        },
        (Some(_), Some((name, _))) => {
            let text = format!("is set beside {CONNECTION}; keep one, which names the account");
            reader.problem(name, text);
            None
        }
        (None, Some((name, value))) => {
            let url = match name {
                SERVICE => {
                    let example = "https://ACCOUNT.queue.core.windows.net";
                    azure::https_url(reader, SERVICE, example)?
                }
                _ => account_url(reader, value)?,
            };
            let own = identity::of_storage_account(reader)?;
            if own.is_none() && !has_identity {
                let text = format!(
                    "needs an identity that opens the account (a managed identity, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET); or set a connection string in {CONNECTION} instead"
                );
                reader.problem(name, text);
                return None;
            }
            Some(QueueAccount::Service {
                url,
                identity: own.map(Box::new),
            })
        }
        (None, None) => {
            let text = format!(
                "missing; needs the connection string of the storage account whose queue holds the jobs, because {KIND} is storage (or set {SERVICE} or {ACCOUNT})"
            );
            reader.problem(CONNECTION, text);
            None
        }
    }
}

/// The blob service beside the queue service.
fn blobs(reader: &mut Reader<'_>, account: &QueueAccount) -> Option<Url> {
    match account {
        QueueAccount::Connection(connection) => connection.blobs.clone(),
        QueueAccount::Service { .. } if reader.text(BLOBS).is_some() => {
            azure::https_url(reader, BLOBS, "https://ACCOUNT.blob.core.windows.net")
        }
        QueueAccount::Service { url, .. } => {
            let (account, suffix) = url.host_str()?.split_once(".queue.")?;
            Url::parse(&format!("https://{account}.blob.{suffix}")).ok()
        }
    }
}

fn account_url(reader: &mut Reader<'_>, name: &str) -> Option<Url> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !(3..=24).contains(&name.len()) || !name.chars().all(legal) {
        reader.wrong(ACCOUNT);
        return None;
    }
    let suffix = azure::storage_suffix(reader);
    Url::parse(&format!("https://{name}.queue.{suffix}")).ok()
}

#[cfg(test)]
mod tests;
