//! An imitation of Azure over real HTTPS: Entra ID, Resource Manager with Network Watcher and
//! Compute, and a storage account with its queues and blobs. It exists so that the demo and the tests run the production code
//! unchanged and without a subscription; it knows nothing of that code and has its own wire types.

mod alerts;
mod answer;
mod arm;
mod around;
mod assertions;
mod blob_control;
mod blob_storage;
mod calls;
mod capture;
mod chance;
mod compute;
mod control;
mod disk;
mod entra;
mod faults;
mod fleet_control;
mod fleet_graph;
mod graph_changes;
mod headers;
mod ids;
mod journal;
mod left_over;
mod managed_identity;
mod members;
mod mishaps;
mod monitor;
mod network;
mod odd_answers;
mod oddities;
mod operations;
mod packet_captures;
mod patience;
mod permissions;
mod progress;
mod queue_control;
mod queue_storage;
mod references;
mod request;
mod resource_graph;
mod routes;
pub mod samples;
mod server;
mod signing_key;
mod storage;
mod storage_access;
#[cfg(test)]
mod tests;
mod tls;
mod traffic;
mod versions;
mod view;
mod watchers;
mod world;

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};

pub use around::{Interface, ResourceChange, Subnet};
pub use blob_control::Arrival;
pub use calls::Call;
pub use capture::SessionStatus;
pub use chance::Chances;
pub use faults::{Fault, FaultBody, What};
pub use journal::Entry;
pub use oddities::Oddity;
pub use operations::PollUrls;
pub use patience::Repeats;
pub use progress::Progress;
pub use signing_key::Signing;
pub use storage_access::BlobRole;
pub use traffic::Traffic;

pub use view::{CaptureView, ExistingCapture};

use disk::Disk;
use server::Shared;
use tls::Identity;
use world::World;

/// Interval between checks of the clock in [`Progress::Auto`] while no call comes.
const TICK: Duration = Duration::from_millis(100);

/// How the sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// How operations and sessions get on.
    pub progress: Progress,
    /// Where capture files are written, if anywhere.
    pub captures_dir: Option<PathBuf>,
    /// What capture files hold.
    pub traffic: Traffic,
    /// Where the CA's certificate is written, if anywhere.
    pub ca_file: Option<PathBuf>,
    /// Watchers per page; without it lists have one page.
    pub watcher_page_size: Option<usize>,
    /// Virtual machines on each page of a list; all on one page otherwise.
    pub machine_page_size: Option<usize>,
    /// Captures per page; without it lists have one page, as in Azure today.
    pub capture_page_size: Option<usize>,
    /// How long tokens are good for.
    pub token_lifetime: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            progress: Progress::Manual,
            captures_dir: None,
            traffic: Traffic::default(),
            ca_file: None,
            watcher_page_size: None,
            machine_page_size: None,
            capture_page_size: None,
            token_lifetime: Duration::from_secs(3599),
        }
    }
}

/// A handle to a running sandbox. Dropping the last one stops the server.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    endpoint: Arc<str>,
    identity_endpoint: Arc<str>,
    ca_pem: Arc<str>,
    /// The tasks end when this is gone.
    _running: Arc<watch::Sender<()>>,
}

impl Sandbox {
    /// Starts an empty sandbox; [`samples::populate`] furnishes it.
    pub async fn start(options: Options) -> io::Result<Self> {
        let identity = Identity::generate()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        // Not before the port is ours: the file may be that of a sandbox that runs there.
        if let Some(path) = &options.ca_file {
            tokio::fs::write(path, &identity.ca_pem).await?;
        }
        let platform = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let identity_endpoint = format!("http://{}/msi/token", platform.local_addr()?);
        let endpoint = format!("https://127.0.0.1:{}", listener.local_addr()?.port());

        let mut world = World::new(endpoint.clone(), options.progress, options.token_lifetime);
        world.traffic = options.traffic;
        world.watcher_page_size = options.watcher_page_size;
        world.machine_page_size = options.machine_page_size;
        world.capture_page_size = options.capture_page_size;
        let shared = Arc::new(Shared::new(world, Disk::new(options.captures_dir)));

        let (running, stopped) = watch::channel(());
        if matches!(options.progress, Progress::Auto { .. }) {
            tokio::spawn(keep_time(Arc::clone(&shared), stopped.clone()));
        }
        for (listener, tls) in [(listener, Some(identity.acceptor)), (platform, None)] {
            let (shared, stopped) = (Arc::clone(&shared), stopped.clone());
            tokio::spawn(server::accept(listener, tls, shared, stopped));
        }
        Ok(Self {
            shared,
            endpoint: endpoint.into(),
            identity_endpoint: identity_endpoint.into(),
            ca_pem: identity.ca_pem.into(),
            _running: Arc::new(running),
        })
    }

    /// `https://127.0.0.1:PORT`: login host, Resource Manager and storage in one.
    pub fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }

    /// The certificate that a client must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Settings that point an application here.
    pub fn app_settings(&self) -> Vec<(String, String)> {
        [
            ("AZURE_TENANT_ID", samples::TENANT_ID),
            ("AZURE_CLIENT_ID", samples::CLIENT_ID),
            ("AZURE_CLIENT_SECRET", samples::CLIENT_SECRET),
            ("AZURE_AUTHORITY_HOST", &self.endpoint),
            ("AZURE_RESOURCE_MANAGER_ENDPOINT", &self.endpoint),
            ("PacketCapture__StorageAccountId", samples::STORAGE_ACCOUNT),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Every call so far.
    pub fn journal(&self) -> Vec<Entry> {
        self.shared.journal.entries()
    }

    /// Every call so far, a line each, such as `PUT packetCaptures/PSAzureFunction 201`.
    pub fn journal_lines(&self) -> Vec<String> {
        self.shared.journal.lines()
    }

    /// Calls from now on, as they are answered.
    pub fn subscribe(&self) -> broadcast::Receiver<Entry> {
        self.shared.journal.subscribe()
    }

    /// Waits until the journal satisfies `condition`; panics with the journal after ten seconds.
    pub async fn wait_for(&self, condition: impl Fn(&[Entry]) -> bool) {
        self.shared.journal.wait_for(condition).await;
    }
}

/// Lets sessions end and files land while no call comes.
async fn keep_time(shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(TICK) => shared.with_world(|_, _| ()),
        }
    }
}
