//! Microsoft's storage emulator, one of its services, for as long as a test runs.
//! <https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite>

use super::folder::Folder;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

pub struct Azurite {
    child: Child,
    port: u16,
    service: Service,
    /// Empty without HTTPS.
    ca_pem: String,
}

#[derive(Clone, Copy)]
enum Service {
    Queue,
    Blob,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Blob => "blob",
        }
    }
}

impl Azurite {
    /// Starts the queue service on a free port of 127.0.0.1; panics with what to do when it is not installed.
    pub fn start() -> Self {
        Self::start_service(Service::Queue, &[])
    }

    /// Starts the blob service.
    pub fn blobs() -> Self {
        Self::start_service(Service::Blob, &[])
    }

    /// Starts the blob service with HTTPS and tokens. The certificate must not be an authority's.
    pub fn blobs_over_https() -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().expect("a key");
        let ca_pem = authority.self_signed(&key).expect("signed").pem();
        let issuer = Issuer::new(authority, key);
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let server = server.signed_by(&key, &issuer).expect("signed");
        let folder = Folder::new();
        let cert = folder.file("cert.pem", server.pem());
        let key = folder.file("key.pem", key.serialize_pem());
        let more = ["--oauth", "basic", "--cert", &cert, "--key", &key];
        let mut azurite = Self::start_service(Service::Blob, &more);
        azurite.ca_pem = ca_pem;
        azurite
    }

    /// The certificate that a client must trust, with HTTPS.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The address, with HTTPS.
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    fn start_service(service: Service, more: &[&str]) -> Self {
        let name = service.name();
        // Free a moment ago; Azurite cannot be handed a listener.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let executable = executable(service);
        let spawned = Command::new(&executable)
            .args([&format!("--{name}Host"), "127.0.0.1"])
            .args([&format!("--{name}Port"), &port.to_string()])
            .args(more)
            // The SDK is newer than the emulator.
            .args([
                "--skipApiVersionCheck",
                "--disableTelemetry",
                "--inMemoryPersistence",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.unwrap_or_else(|error| {
            panic!(
                "{} cannot be started ({error}). Install the emulator with `npm install azurite@3.35`, or name its executable in AZURITE_{}",
                executable.display(),
                name.to_uppercase()
            )
        });
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let ready = lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("successfully listens on"));
        let azurite = Self {
            child,
            port,
            service,
            ca_pem: String::new(),
        };
        let azurite = azurite.or_fail(ready);
        // Its access log must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        azurite
    }

    fn or_fail(mut self, ready: bool) -> Self {
        if !ready {
            let mut output = String::new();
            let _ = self.child.kill();
            if let Some(mut errors) = self.child.stderr.take() {
                let _ = errors.read_to_string(&mut output);
            }
            panic!(
                "azurite-{} ended without listening: {output}",
                self.service.name()
            );
        }
        self
    }

    /// With the account and key that every emulator has.
    pub fn connection(&self) -> String {
        format!(
            "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;QueueEndpoint=http://127.0.0.1:{port}/devstoreaccount1;BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1",
            port = self.port
        )
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The one that is named, else one beside a named one, one that npm has put here, or the one on the path.
fn executable(service: Service) -> PathBuf {
    let name = format!("azurite-{}", service.name());
    let variable = format!("AZURITE_{}", service.name().to_uppercase());
    if let Some(named) = std::env::var_os(variable) {
        return named.into();
    }
    let beside =
        std::env::var_os("AZURITE_QUEUE").map(|queue| Path::new(&queue).with_file_name(&name));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let here = ["node_modules", "target/azurite/node_modules"]
        .map(|place| root.join(place).join(".bin").join(&name));
    let mut places = beside.into_iter().chain(here);
    places
        .find(|path| path.exists())
        .unwrap_or_else(|| name.into())
}
