//! The HTTP client that the credential and the Resource Manager client share: one connection pool, time limits, and a
//! private certificate authority where one is configured. And the clients of other rooms, which trust the same
//! authorities.

use aws_lc_rs::digest::{SHA256, digest};
use rustls::{ClientConfig, RootCertStore, crypto};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use rustls_platform_verifier::Verifier;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long a connection attempt may take. It takes well under a second with Azure; a dead address must not use up an
/// alert's time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum duration of a request. Resource Manager answers within seconds, long-running work included, since it is
/// polled.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Interval between keep-alive probes. Azure's network drops an idle connection after four minutes without a reset.
/// <https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-tcp-reset>
const PROBE_INTERVAL: Duration = Duration::from_secs(60);
/// How long a probe waits for its answer; then the connection is dead and the next call opens another.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: well beyond the interval between two calls of [`ArmClient::keep_connected`].
///
/// [`ArmClient::keep_connected`]: super::client::ArmClient::keep_connected
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Maximum bytes that HTTP/2 delivers before they are read: a long list waits at Azure, not in memory.
const WINDOW: u32 = 512 * 1024;

/// Why no HTTP client could be built.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("SSL_CERT_FILE: could not read the file {}", .path.display())]
    CertificateFile {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("SSL_CERT_FILE: the file {} holds no PEM certificate, or an invalid one", .path.display())]
    NoCertificates { path: PathBuf },
    #[error(
        "could not set up the HTTPS client; check that the system's CA certificates are installed"
    )]
    Tls(#[from] rustls::Error),
    #[error("could not set up the HTTPS client")]
    Client(#[from] reqwest::Error),
}

/// A client for the platform's identity endpoint on this machine, which is plain HTTP on App Service. No proxy: the
/// request holds a secret for that endpoint alone.
///
/// # Errors
/// When the system has no CA certificates.
pub fn platform_client() -> Result<reqwest::Client, TransportError> {
    let builder = trusting(None)?
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT);
    Ok(builder.build()?)
}

/// The shared client. `ca_file` (PEM) replaces the system's roots, as `SSL_CERT_FILE` does in other programs.
///
/// # Errors
/// When the file cannot be read or holds no certificate, or the system has no roots at all.
pub fn https_client(ca_file: Option<&Path>) -> Result<reqwest::Client, TransportError> {
    Ok(builder(ca_file)?.https_only(true).build()?)
}

/// A client for plain HTTP as well, for a telemetry collector on this machine.
///
/// # Errors
/// As [`https_client`].
pub fn http_client(ca_file: Option<&Path>) -> Result<reqwest::Client, TransportError> {
    Ok(builder(ca_file)?.build()?)
}

/// A client that may use plain HTTP, for a storage emulator on this machine.
///
/// # Errors
/// As [`https_client`], certificate files aside.
pub fn emulator_client() -> Result<reqwest::Client, TransportError> {
    Ok(builder(None)?.no_proxy().build()?)
}

fn builder(ca_file: Option<&Path>) -> Result<reqwest::ClientBuilder, TransportError> {
    Ok(trusting(ca_file)?
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_keepalive(PROBE_INTERVAL)
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(2 * WINDOW)
        .http2_keep_alive_interval(PROBE_INTERVAL)
        .http2_keep_alive_timeout(PROBE_TIMEOUT)
        .http2_keep_alive_while_idle(true))
}

/// The builder of any client, with nothing but the authorities that it trusts.
///
/// # Errors
/// As [`https_client`].
pub fn trusting(ca_file: Option<&Path>) -> Result<reqwest::ClientBuilder, TransportError> {
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls(ca_file)?))
}

/// Up to seven clients are built at start, and reading the system's authorities takes some 4 ms: clients that trust the
/// same ones share them, and the memory.
fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, TransportError> {
    // With the digest of the file. Locked for a look or a change, never over an await.
    static KNOWN: Mutex<Vec<(Option<Vec<u8>>, ClientConfig)>> = Mutex::new(Vec::new());
    let known = || KNOWN.lock().expect("no code panics with this lock");
    let pem = ca_file.map(read).transpose()?;
    let file = pem
        .as_ref()
        .map(|(_, pem)| digest(&SHA256, pem).as_ref().to_vec());
    if let Some((_, config)) = known().iter().find(|(other, _)| *other == file) {
        return Ok(config.clone());
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone());
    let config = config.with_safe_default_protocol_versions()?;
    let mut config = match pem {
        Some((path, pem)) => config.with_root_certificates(roots(path, &pem)?),
        None => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(provider)?)),
    }
    .with_no_client_auth();
    config.alpn_protocols = vec!["h2".into(), "http/1.1".into()];
    known().push((file, config.clone()));
    Ok(config)
}

fn read(path: &Path) -> Result<(PathBuf, Vec<u8>), TransportError> {
    let path = path.to_owned();
    match std::fs::read(&path) {
        Ok(pem) => Ok((path, pem)),
        Err(source) => Err(TransportError::CertificateFile { path, source }),
    }
}

/// The certificate authorities of a file. One invalid certificate makes the whole file invalid.
fn roots(path: PathBuf, pem: &[u8]) -> Result<RootCertStore, TransportError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(certificates.unwrap_or_default()) {
        (1.., 0) => Ok(roots),
        _ => Err(TransportError::NoCertificates { path }),
    }
}
