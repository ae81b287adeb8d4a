//! What a test does to the sandbox's blobs from outside the wire: settings that point there, roles and firewalls, files that
//! come late or grow, and the bytes themselves.

use axum::body::Bytes;
use time::Duration;

use super::blob_storage::Blob;
use super::capture::blob_path;
use super::faults::What;
use super::server::lock;
use super::storage_access::{self, BlobRole};
use super::{Sandbox, ids, samples};

/// How the files of captures arrive from now on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrival {
    /// Calls after the end of the session to which the file is not there yet.
    pub late_for: usize,
    /// How often the file grows, each time after a read.
    pub grows: usize,
    /// It never arrives.
    pub lost: bool,
}

impl Sandbox {
    /// The connection string of the storage account, with its key.
    pub fn storage_connection(&self) -> String {
        let account = ids::name(samples::STORAGE_ACCOUNT);
        let key = samples::STORAGE_KEY;
        self.connection(&format!("AccountName={account};AccountKey={key}"))
    }

    /// The connection string of the storage account, with a shared access signature.
    pub fn storage_connection_with_sas(&self) -> String {
        let account = ids::name(samples::STORAGE_ACCOUNT);
        let signature = self
            .shared
            .with_world(|_, now| storage_access::signature(account, now + Duration::hours(1)));
        self.connection(&format!("SharedAccessSignature={signature}"))
    }

    pub(super) fn connection(&self, access: &str) -> String {
        let endpoint = self.storage_endpoint();
        format!(
            "DefaultEndpointsProtocol=https;QueueEndpoint={endpoint};BlobEndpoint={endpoint};{access}"
        )
    }

    /// Where the storage account answers, for its blobs and its queues.
    pub fn storage_endpoint(&self) -> String {
        format!("{}/{}", self.endpoint, ids::name(samples::STORAGE_ACCOUNT))
    }

    /// What callers with a token may do with an account's blobs; everything otherwise.
    pub fn set_blob_role(&self, account: &str, role: BlobRole) {
        self.change_account(account, |account| account.blob_role = role);
    }

    /// Whether the account's firewall keeps all callers out.
    pub fn set_firewall(&self, account: &str, closed: bool) {
        self.change_account(account, |account| account.firewall_closed = closed);
    }

    /// From now on each call to Blob Storage meets this; `None` ends it.
    pub fn break_blobs(&self, what: Option<What>) {
        *lock(&self.shared.blob_outage) = what;
    }

    /// The clock of the storage service differs by this from now on, in the `Date` of its answers.
    pub fn set_storage_clock(&self, ahead: Duration) {
        self.shared
            .with_world(|world, _| world.storage_clock = ahead);
    }

    /// How the files of captures arrive whose sessions end from now on.
    pub fn set_arrival(&self, arrival: Arrival) {
        self.shared.with_world(|world, _| world.arrival = arrival);
    }

    /// Puts a blob at a URL below [`Sandbox::endpoint`], such as a capture's storage path. Panics on another URL.
    pub fn put_blob(&self, url: &str, body: impl Into<Bytes>) {
        let key = self.key(url);
        self.shared.with_world(|world, now| {
            let blob = Blob::new(world, body.into(), now);
            world.put_blob(key, blob);
        });
    }

    /// From now on the service says that a blob is as long as this. Panics when it is not there.
    pub fn claim_length(&self, url: &str, length: u64) {
        let key = self.key(url);
        self.shared.with_world(|world, _| {
            let blob = world.blobs.get_mut(&key);
            let blob = blob.unwrap_or_else(|| panic!("no blob {url} in the sandbox"));
            blob.claimed = Some(length);
        });
    }

    /// Removes a blob, at once. Panics when it is not there.
    pub fn remove_blob(&self, url: &str) {
        let key = self.key(url);
        let removed = self.shared.with_world(|world, _| world.blobs.remove(&key));
        assert!(removed.is_some(), "no blob {url} in the sandbox");
    }

    /// Removes a container of the sample account with all its blobs, at once: Azure takes 30 s, in which it answers 409.
    pub fn remove_container(&self, container: &str) {
        let name = format!("{}/{container}", ids::name(samples::STORAGE_ACCOUNT));
        self.shared.with_world(|world, _| {
            world.containers.remove(&name);
            let below = format!("{name}/");
            world.blobs.retain(|key, _| !key.starts_with(&below));
        });
    }

    /// The bytes of a blob, even if it has not arrived yet.
    pub fn blob(&self, url: &str) -> Option<Vec<u8>> {
        let key = self.key(url);
        self.shared
            .with_world(|world, _| world.blobs.get(&key).map(Blob::whole))
    }

    /// The names in a container of the sample account, in order.
    pub fn blob_names(&self, container: &str) -> Vec<String> {
        let below = format!("{}/{container}/", ids::name(samples::STORAGE_ACCOUNT));
        self.shared.with_world(|world, _| {
            let names = world.blobs.keys();
            names
                .filter_map(|key| key.strip_prefix(&below).map(str::to_owned))
                .collect()
        })
    }

    fn key(&self, url: &str) -> String {
        blob_path(&self.endpoint, url).unwrap_or_else(|| panic!("{url} is not in the sandbox"))
    }
}
