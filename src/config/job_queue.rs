//! Where jobs wait, how many, and how stubborn the function is about each.

use super::{app_settings::Reader, azure};
use std::{fmt, path::PathBuf, time::Duration};
use url::Url;
use zeroize::Zeroizing;

const KIND: &str = "JobQueue__Kind";
const RECEIVE: &str = "JobQueue__Receive";
/// The names under which the Functions host knows its storage account too.
const CONNECTION: &str = "AzureWebJobsStorage";
const SERVICE: &str = "AzureWebJobsStorage__queueServiceUri";
const ACCOUNT: &str = "AzureWebJobsStorage__accountName";

/// See the file's head.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// Jobs waiting at most; beyond that alerts are sent away with a 503.
    pub capacity: usize,
    /// Failed attempts until a job is given up; counted anew once Azure has accepted the capture.
    pub max_attempts: u32,
    pub kind: QueueKind,
}

/// Where jobs wait.
#[derive(Debug, Clone)]
pub enum QueueKind {
    /// In the process, and lost with it.
    Memory,
    /// In Azure Queue Storage.
    Storage(StorageQueueSettings),
}

/// A queue in a storage account.
#[derive(Debug, Clone)]
pub struct StorageQueueSettings {
    pub account: QueueAccount,
    /// How long a job is hidden from others while a process has it: 1 s to 1 h.
    pub visibility_timeout: Duration,
    /// Whether this process looks for jobs that others left. Else the Functions host's queue trigger brings them.
    pub poll: bool,
    /// As [`super::AzureSettings::ca_file`].
    pub ca_file: Option<PathBuf>,
}

/// The storage account, and what opens it.
#[derive(Debug, Clone)]
pub enum QueueAccount {
    ConnectionString(ConnectionString),
    /// The queue service's address, opened with the identity of the Azure settings.
    Identity(Url),
}

/// A connection string, which holds a secret. It does not print and is wiped when dropped.
#[derive(Clone)]
pub struct ConnectionString(Zeroizing<String>);

impl ConnectionString {
    /// The text itself, for the one who connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionString")
    }
}

/// `has_identity`: whether there is one that could open a storage account.
pub(super) fn read(reader: &mut Reader<'_>, has_identity: bool) -> JobSettings {
    let capacity = reader.number("JobQueue__Capacity", 1..=100_000, 1_000) as usize;
    let max_attempts = reader.number("JobQueue__MaxAttempts", 1..=100, 5) as u32;
    let seconds = reader.number("JobQueue__VisibilityTimeoutSeconds", 1..=3_600, 120);
    let poll = match reader.text(RECEIVE).map(str::to_ascii_lowercase).as_deref() {
        None | Some("trigger") => false,
        Some("poll") => true,
        Some(_) => {
            reader.problem(RECEIVE, "trigger or poll");
            false
        }
    };
    let storage = match reader.text(KIND).map(str::to_ascii_lowercase).as_deref() {
        None | Some("memory") => None,
        Some("storage") => account(reader, has_identity),
        Some(_) => {
            reader.problem(KIND, "memory or storage");
            None
        }
    };
    let storage = storage.map(|account| StorageQueueSettings {
        account,
        visibility_timeout: Duration::from_secs(seconds),
        poll,
        ca_file: reader.text("SSL_CERT_FILE").map(PathBuf::from),
    });
    JobSettings {
        capacity,
        max_attempts,
        kind: storage.map_or(QueueKind::Memory, QueueKind::Storage),
    }
}

/// `None` when settings are missing or wrong, which the reader knows then.
fn account(reader: &mut Reader<'_>, has_identity: bool) -> Option<QueueAccount> {
    let by_identity = [SERVICE, ACCOUNT].map(|name| (name, reader.text(name)));
    let set = by_identity.iter().find(|(_, value)| value.is_some());
    match (reader.text(CONNECTION), set) {
        (Some(text), None) => {
            let text = Zeroizing::new(text.to_owned());
            Some(QueueAccount::ConnectionString(ConnectionString(text)))
        }
        (Some(_), Some((name, _))) => {
            let expected =
                format!("not to be set beside {CONNECTION}; one of them says which account it is");
            reader.problem(name, expected);
            None
        }
        (None, Some((name, _))) if !has_identity => {
            reader.problem(
                name,
                format!(
                    "an identity to open it with (a managed identity, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET), or a connection string in {CONNECTION} in its place"
                ),
            );
            None
        }
        (None, Some((SERVICE, _))) => {
            let example = "https://ACCOUNT.queue.core.windows.net";
            azure::https_url(reader, SERVICE, example).map(QueueAccount::Identity)
        }
        (None, Some((_, name))) => {
            let name = name.unwrap_or_default();
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            if !(3..=24).contains(&name.len()) || !name.chars().all(legal) {
                reader.problem(
                    ACCOUNT,
                    "a storage account's name: 3 to 24 lower-case letters and digits",
                );
                return None;
            }
            let suffix = azure::storage_suffix(reader);
            let url = Url::parse(&format!("https://{name}.queue.{suffix}")).ok()?;
            Some(QueueAccount::Identity(url))
        }
        (None, None) => {
            reader.problem(
                CONNECTION,
                format!("the connection string of the storage account whose queue holds the jobs, since {KIND} is storage (or {SERVICE} or {ACCOUNT})"),
            );
            None
        }
    }
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
        let connected = read(&[STORAGE, (CONNECTION, "AccountKey=s3cr3t")], false).unwrap();
        assert!(!format!("{connected:?}").contains("s3cr3t"));
        let QueueKind::Storage(storage) = connected.kind else {
            panic!("not a storage queue")
        };
        assert_eq!(storage.visibility_timeout, Duration::from_secs(120));
        assert!(!storage.poll);
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
                &[(SERVICE, "https://q.example/stjobs"), (RECEIVE, "POLL")],
                "https://q.example/stjobs",
            ),
        ] {
            let jobs = read(&[&[STORAGE], more].concat(), true).unwrap();
            let QueueKind::Storage(storage) = jobs.kind else {
                panic!("not a storage queue")
            };
            let QueueAccount::Identity(url) = storage.account else {
                panic!("not opened with an identity")
            };
            assert_eq!(url.as_str(), address);
            assert_eq!(storage.poll, more.len() == 2 && address.contains("example"));
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
            (&[STORAGE, (SERVICE, "http://q.example")], true, SERVICE),
            (
                &[STORAGE, (CONNECTION, "x"), (ACCOUNT, "stjobs")],
                true,
                ACCOUNT,
            ),
            (
                &[STORAGE, (CONNECTION, "x"), (RECEIVE, "both")],
                true,
                RECEIVE,
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
}
