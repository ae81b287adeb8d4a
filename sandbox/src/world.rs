//! What exists in the sandbox. Everything is found by id, without case.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::blob_control::Arrival;
use super::blob_storage::Blob;
use super::capture::{Capture, Wanted};
use super::entra::Directory;
use super::ids::same;
use super::managed_identity::Platform;
use super::mishaps::Mishaps;
use super::operations::{Operation, PollUrls};
use super::progress::Progress;
use super::queue_storage::Queue;
use super::storage_access::BlobRole;

pub(super) struct Machine {
    pub id: String,
    pub location: String,
    /// `Linux` or `Windows`.
    pub os: &'static str,
    pub agent: bool,
    /// The provisioning state of the agent's extension.
    pub agent_state: &'static str,
    pub agent_version: &'static str,
    /// The status of the VM agent, `Ready` in general.
    pub vm_agent: &'static str,
    /// `osProfile.allowExtensionOperations`, where it is set.
    pub extensions_allowed: Option<bool>,
    /// The network security groups of its interface.
    pub groups: Vec<String>,
    /// The last part of the power state: `running`, `deallocated`.
    pub power: &'static str,
    /// The flexible scale set that it is a member of.
    pub scale_set: Option<String>,
}

pub(super) struct ScaleSet {
    pub id: String,
    pub location: String,
    pub instances: Vec<String>,
    /// In flexible orchestration mode: its members are virtual machines.
    pub flexible: bool,
    pub agent_in_model: bool,
    /// The instances that have the agent.
    pub with_agent: Vec<String>,
    /// The instances that are not at the latest model.
    pub outdated: Vec<String>,
    pub stopped: Vec<String>,
}

pub(super) struct StorageAccount {
    pub id: String,
    pub location: String,
    pub shared_keys: bool,
    /// `Standard` or `Premium`.
    pub tier: &'static str,
    /// What callers with a token may do with its blobs.
    pub blob_role: BlobRole,
    /// Keeps all callers out.
    pub firewall_closed: bool,
    /// Whether its resource says that only selected networks may use it.
    pub restricted: bool,
    /// Lifecycle rules: the prefix of names, and the days until blobs are deleted.
    pub lifecycle: Vec<(String, u32)>,
}

pub(super) struct Watcher {
    pub id: String,
    pub location: String,
    /// Shared by all captures of the watcher, as in Azure.
    pub etag: String,
    pub captures: Vec<Capture>,
}

impl Watcher {
    pub fn capture(&self, name: &str) -> Option<&Capture> {
        self.captures
            .iter()
            .find(|capture| same(&capture.name, name))
    }

    pub fn capture_mut(&mut self, name: &str) -> Option<&mut Capture> {
        self.captures
            .iter_mut()
            .find(|capture| same(&capture.name, name))
    }

    pub fn position(&self, serial: u64) -> Option<usize> {
        self.captures
            .iter()
            .position(|capture| capture.serial == serial)
    }

    pub fn touch(&mut self) {
        self.etag = format!("W/\"{}\"", uuid::Uuid::new_v4());
    }
}

pub(super) struct World {
    pub endpoint: String,
    pub progress: Progress,
    /// What capture files hold.
    pub traffic: super::traffic::Traffic,
    pub watcher_page_size: Option<usize>,
    pub machine_page_size: Option<usize>,
    pub capture_page_size: Option<usize>,
    pub capture_limit: usize,
    pub poll_urls: PollUrls,
    pub one_write_at_a_time: bool,
    /// Lasting oddities, switched on by tests.
    pub oddities: Vec<super::oddities::Oddity>,
    /// What goes wrong with new captures.
    pub mishaps: Option<Mishaps>,
    /// What is around the machines.
    pub around: super::around::Around,
    /// Calls that are slow.
    pub delays: Vec<(super::calls::Call, std::time::Duration)>,
    pub directory: Directory,
    pub platform: Platform,
    /// What the caller's role allows; everything while there is none.
    pub granted: Option<Vec<String>>,
    pub denied: Vec<String>,
    /// Actions that are denied at a scope.
    pub denied_at: Vec<(String, String)>,
    /// Alert rules and action groups, as Resource Graph shows them.
    pub alert_rules: Vec<serde_json::Value>,
    /// Network security groups and their rules.
    pub groups: Vec<(String, Vec<serde_json::Value>)>,
    /// By provider: the api-versions that it takes instead of the usual ones.
    pub versions: HashMap<String, Vec<String>>,
    pub subscriptions: Vec<String>,
    pub alerts: Vec<super::alerts::Alert>,
    pub machines: Vec<Machine>,
    pub scale_sets: Vec<ScaleSet>,
    pub storage_accounts: Vec<StorageAccount>,
    pub watchers: Vec<Watcher>,
    pub operations: Vec<Operation>,
    /// Code and message for the operations that end next.
    pub failures: VecDeque<(String, String)>,
    pub queues: Vec<Queue>,
    /// `account/container`
    pub containers: BTreeSet<String>,
    /// By `account/container/name`.
    pub blobs: BTreeMap<String, Blob>,
    /// How the files of captures arrive.
    pub arrival: Arrival,
    /// How far the storage service's clock is ahead.
    pub storage_clock: time::Duration,
    etags: u64,
    /// Files that the disk has not got yet.
    pub unwritten: Vec<String>,
    /// The targets of all captures that were ever there.
    pub made: Vec<String>,
    /// The targets of all sessions that ran.
    pub ran: Vec<String>,
    /// The ids of captures that a client deleted while their sessions ran and had time left.
    pub cut_short: Vec<String>,
}

impl World {
    pub fn new(endpoint: String, progress: Progress, token_lifetime: Duration) -> Self {
        Self {
            directory: Directory::new(&endpoint, token_lifetime),
            platform: Platform::new(),
            endpoint,
            progress,
            traffic: super::traffic::Traffic::default(),
            watcher_page_size: None,
            machine_page_size: None,
            capture_page_size: None,
            capture_limit: 10_000,
            poll_urls: PollUrls::default(),
            one_write_at_a_time: false,
            oddities: Vec::new(),
            mishaps: None,
            around: super::around::Around::default(),
            delays: Vec::new(),
            granted: None,
            denied: Vec::new(),
            denied_at: Vec::new(),
            alert_rules: Vec::new(),
            groups: Vec::new(),
            versions: HashMap::new(),
            subscriptions: Vec::new(),
            alerts: Vec::new(),
            machines: Vec::new(),
            scale_sets: Vec::new(),
            storage_accounts: Vec::new(),
            watchers: Vec::new(),
            operations: Vec::new(),
            failures: VecDeque::new(),
            queues: Vec::new(),
            containers: BTreeSet::new(),
            blobs: BTreeMap::new(),
            arrival: Arrival::default(),
            storage_clock: time::Duration::ZERO,
            etags: 0,
            unwritten: Vec::new(),
            made: Vec::new(),
            ran: Vec::new(),
            cut_short: Vec::new(),
        }
    }

    /// Notes the subscription of a resource that is being added.
    pub fn know(&mut self, id: &str) {
        let subscription = super::ids::subscription(id);
        if !self
            .subscriptions
            .iter()
            .any(|known| same(known, subscription))
        {
            self.subscriptions.push(subscription.to_owned());
        }
    }

    pub fn watcher(&self, id: &str) -> Option<&Watcher> {
        self.watchers.iter().find(|watcher| same(&watcher.id, id))
    }

    pub fn watcher_mut(&mut self, id: &str) -> Option<&mut Watcher> {
        self.watchers
            .iter_mut()
            .find(|watcher| same(&watcher.id, id))
    }

    pub fn machine(&self, id: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| same(&machine.id, id))
    }

    pub fn scale_set(&self, id: &str) -> Option<&ScaleSet> {
        self.scale_sets
            .iter()
            .find(|scale_set| same(&scale_set.id, id))
    }

    pub fn storage_account(&self, id: &str) -> Option<&StorageAccount> {
        self.storage_accounts
            .iter()
            .find(|account| same(&account.id, id))
    }

    pub fn has_group(&self, subscription: &str, group: &str) -> bool {
        let ids = (self.machines.iter().map(|it| &it.id))
            .chain(self.scale_sets.iter().map(|it| &it.id))
            .chain(self.storage_accounts.iter().map(|it| &it.id))
            .chain(self.watchers.iter().map(|it| &it.id));
        ids.into_iter().any(|id| {
            same(super::ids::subscription(id), subscription) && same(super::ids::group(id), group)
        })
    }

    pub fn denies(&self, action: &str) -> bool {
        // A call that needs no right.
        if action.is_empty() {
            return false;
        }
        let among = |actions: &[String]| actions.iter().any(|known| same(known, action));
        among(&self.denied) || self.granted.as_deref().is_some_and(|role| !among(role))
    }

    /// Whether an action is denied at a scope: there, or everywhere.
    pub fn denies_at(&self, action: &str, scope: &str) -> bool {
        let inside = |known: &str| {
            let start = scope.get(..known.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(known))
                && scope[known.len()..]
                    .chars()
                    .next()
                    .is_none_or(|it| it == '/')
        };
        let denied = |(known, at): &(String, String)| same(known, action) && inside(at);
        self.denies(action) || self.denied_at.iter().any(denied)
    }

    /// Another version of a blob.
    pub fn next_etag(&mut self) -> String {
        self.etags += 1;
        format!("\"0x8DE{:012X}\"", self.etags)
    }

    pub fn retry_after(&self) -> String {
        match self.progress {
            Progress::Auto {
                retry_after_seconds,
                ..
            } => retry_after_seconds.to_string(),
            Progress::Manual => "0".to_owned(),
        }
    }

    /// Adds a capture that is being created; its operation is the caller's to start.
    pub fn put_capture(&mut self, watcher: &str, capture: Capture) -> u64 {
        self.made.push(capture.wanted.target.clone());
        let serial = self.made.len() as u64;
        if let Some(watcher) = self.watcher_mut(watcher) {
            watcher.captures.push(Capture { serial, ..capture });
            watcher.touch();
        }
        serial
    }

    pub fn captures(&self) -> impl Iterator<Item = (usize, usize, &Capture)> {
        self.watchers.iter().enumerate().flat_map(|(w, watcher)| {
            watcher
                .captures
                .iter()
                .enumerate()
                .map(move |(c, capture)| (w, c, capture))
        })
    }

    /// A capture that is there without having been asked for by this client.
    pub fn existing_capture(
        &mut self,
        watcher: &str,
        name: &str,
        wanted: Wanted,
    ) -> Option<&mut Capture> {
        let id = format!("{}/packetCaptures/{name}", self.watcher(watcher)?.id);
        let serial = self.put_capture(watcher, Capture::new(id, name, wanted, None));
        let watcher = self.watcher_mut(watcher)?;
        let position = watcher.position(serial)?;
        watcher.captures.get_mut(position)
    }
}
