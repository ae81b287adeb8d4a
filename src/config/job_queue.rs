//! Where jobs wait, how many, and how often each is retried.

use super::{
    azure,
    identity::{self, Identity},
    reader::Reader,
};
use crate::queue::{Connection, StorageOptions};
use std::{path::PathBuf, time::Duration};
use url::Url;

const KIND: &str = "JobQueue__Kind";
/// The names under which the Functions host finds its storage account.
/// <https://learn.microsoft.com/en-us/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity>
const CONNECTION: &str = "AzureWebJobsStorage";
const SERVICE: &str = "AzureWebJobsStorage__queueServiceUri";
const ACCOUNT: &str = "AzureWebJobsStorage__accountName";

/// Where jobs wait, and the limits around them.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// Maximum number of jobs in the queue; beyond that alerts get a 503.
    pub capacity: usize,
    /// Failed attempts until a job is given up; counted from zero again once Azure has accepted the capture.
    pub max_attempts: u32,
    pub kind: QueueKind,
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
    let kind = account.map_or(QueueKind::Memory, |account| {
        QueueKind::Storage(Box::new(StorageQueueSettings {
            account,
            options,
            ca_file: reader.text("SSL_CERT_FILE").map(PathBuf::from),
        }))
    });
    JobSettings {
        capacity,
        max_attempts: reader.number("JobQueue__MaxAttempts"),
        kind,
    }
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
mod tests {
    use super::*;
    use crate::config::AppSettings;

    fn read(pairs: &[(&str, &str)], has_identity: bool) -> Result<JobSettings, String> {
        let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
        let settings: AppSettings = pairs.collect();
        let mut reader = Reader::new(&settings);
        let jobs = super::read(&mut reader, has_identity);
        reader.finish(jobs).map_err(|error| error.to_string())
    }

    #[test]
    fn memory_is_the_default_and_needs_nothing() {
        let jobs = read(&[], false).unwrap();
        assert!(matches!(jobs.kind, QueueKind::Memory));
        assert_eq!((jobs.capacity, jobs.max_attempts), (1_000, 5));
    }

    #[test]
    fn a_storage_account_is_named_in_one_way() {
        const STORAGE: (&str, &str) = (KIND, "Storage");
        let connected = read(
            &[
                STORAGE,
                (CONNECTION, "AccountName=stjobs;AccountKey=s3cr3t0="),
            ],
            false,
        )
        .unwrap();
        assert!(!format!("{connected:?}").contains("s3cr3t"));
        let QueueKind::Storage(storage) = connected.kind else {
            panic!("not a storage queue")
        };
        assert_eq!(storage.options.visibility_timeout, Duration::from_secs(120));
        assert!(!storage.options.poll);
        for (more, address) in [
            (
                &[(ACCOUNT, "stjobs")][..],
                "https://stjobs.queue.core.windows.net/",
            ),
            (
                &[(ACCOUNT, "stjobs"), ("AzureEnvironment", "AzureChinaCloud")],
                "https://stjobs.queue.core.chinacloudapi.cn/",
            ),
            (
                &[
                    (SERVICE, "https://q.example/stjobs"),
                    ("JobQueue__Receive", "POLL"),
                ],
                "https://q.example/stjobs",
            ),
        ] {
            let jobs = read(&[&[STORAGE], more].concat(), true).unwrap();
            let QueueKind::Storage(storage) = jobs.kind else {
                panic!("not a storage queue")
            };
            let QueueAccount::Service {
                url,
                identity: None,
            } = storage.account
            else {
                panic!("not opened with an identity")
            };
            assert_eq!(url.as_str(), address);
            assert_eq!(
                storage.options.poll,
                more.len() == 2 && address.contains("example")
            );
        }
    }

    #[test]
    fn half_of_it_is_an_error_that_names_the_setting() {
        const STORAGE: (&str, &str) = (KIND, "storage");
        let cases = [
            (&[(KIND, "disk")][..], true, KIND),
            (&[STORAGE], true, CONNECTION),
            (&[STORAGE, (ACCOUNT, "stjobs")], false, "AZURE_CLIENT_ID"),
            (&[STORAGE, (ACCOUNT, "St-Jobs")], true, ACCOUNT),
            (
                &[STORAGE, (ACCOUNT, "AccountName=stjobs")],
                true,
                "3 to 24 lower-case letters and digits",
            ),
            (&[STORAGE, (CONNECTION, "stjobs")], true, "Name=Value"),
            (&[STORAGE, (SERVICE, "http://q.example")], true, SERVICE),
            (
                &[STORAGE, (CONNECTION, "x"), (ACCOUNT, "stjobs")],
                true,
                ACCOUNT,
            ),
            (
                &[STORAGE, (CONNECTION, "x"), ("JobQueue__Receive", "both")],
                true,
                "JobQueue__Receive",
            ),
            (
                &[("JobQueue__VisibilityTimeoutSeconds", "0")],
                true,
                "JobQueue__VisibilityTimeoutSeconds",
            ),
        ];
        for (pairs, has_identity, name) in cases {
            let error = read(pairs, has_identity).expect_err(name);
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn the_account_is_opened_as_the_functions_host_opens_it() {
        const BASE: [(&str, &str); 4] = [
            (KIND, "storage"),
            (SERVICE, "https://stjobs01.queue.core.windows.net"),
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token"),
            ("IDENTITY_HEADER", "x"),
        ];
        const CLIENT: (&str, &str) = (
            "AzureWebJobsStorage__clientId",
            "e2a91c06-3d57-4f8b-a1c4-60b7d95e3f28",
        );
        const RESOURCE: (&str, &str) = (
            "AzureWebJobsStorage__managedIdentityResourceId",
            "/subscriptions/3f7c1d52-9a40-4b8e-8c1d-6e2b5a90c714/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/jobs",
        );
        const MANAGED: (&str, &str) = ("AzureWebJobsStorage__credential", "managedidentity");
        for (more, expected) in [
            (&[][..], Ok(None)),
            (&[MANAGED], Ok(Some("system-assigned managed identity"))),
            (
                &[MANAGED, CLIENT],
                Ok(Some(
                    "user-assigned managed identity e2a91c06-3d57-4f8b-a1c4-60b7d95e3f28",
                )),
            ),
            (
                &[CLIENT],
                Ok(Some(
                    "user-assigned managed identity e2a91c06-3d57-4f8b-a1c4-60b7d95e3f28",
                )),
            ),
            (
                &[MANAGED, RESOURCE],
                Ok(Some("user-assigned managed identity jobs")),
            ),
            (&[CLIENT, RESOURCE], Err("keep one")),
            (
                &[("AzureWebJobsStorage__credential", "workloadidentity")],
                Err("needs one of managedidentity"),
            ),
            (&[(RESOURCE.0, "jobs")], Err("the resource id of")),
            (&[(CLIENT.0, "jobs")], Err("GUID")),
        ] {
            let read = read(&[&BASE[..], more].concat(), true);
            match (read, expected) {
                (Ok(jobs), Ok(expected)) => {
                    let QueueKind::Storage(storage) = jobs.kind else {
                        panic!("not a storage queue")
                    };
                    let QueueAccount::Service { identity, .. } = &storage.account else {
                        panic!("not opened with an identity")
                    };
                    let identity = identity.as_ref().map(ToString::to_string);
                    assert_eq!(identity.as_deref(), expected, "{more:?}");
                }
                (Err(error), Err(words)) => assert!(error.contains(words), "{error}"),
                (read, _) => panic!("{more:?}: {read:?}"),
            }
        }
    }
}
