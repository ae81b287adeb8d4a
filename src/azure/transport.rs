//! The one HTTP client that the credential and the Resource Manager client share: one connection pool,
//! our own time limits, and a private certificate authority where one is configured. And one for the platform's
//! identity endpoint.

use std::{path::Path, path::PathBuf, time::Duration};

/// Connecting to Azure takes well under a second; a dead address should not eat an alert's time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Resource Manager answers within seconds, long-running work included, since it is polled.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Azure's own network forgets a silent connection after four minutes, without a word to either side.
/// <https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-tcp-reset>
const PROBE_INTERVAL: Duration = Duration::from_secs(60);
/// A connection whose probe is not answered by then is dead: the next call takes another.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// An idle connection is kept, well beyond the time between two uses of it by [`ArmClient::keep_connected`].
///
/// [`ArmClient::keep_connected`]: super::client::ArmClient::keep_connected
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// What may come over HTTP/2 before it is read: a long list waits at Azure, not here.
const WINDOW: u32 = 512 * 1024;

/// Why no HTTP client could be built.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("SSL_CERT_FILE: the file {} cannot be read", .path.display())]
    CertificateFile {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("SSL_CERT_FILE: the file {} holds no PEM certificates", .path.display())]
    NoCertificates { path: PathBuf },
    #[error("the HTTPS client cannot be set up; are the system's CA certificates installed?")]
    Client(#[from] reqwest::Error),
}

/// A client for the platform's own endpoint on this machine, which is plain HTTP on App Service. No proxy: the
/// request holds a secret and is for the neighbour alone.
///
/// # Errors
/// When the system has no CA certificates.
pub fn platform_client() -> Result<reqwest::Client, TransportError> {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT);
    Ok(builder.build()?)
}

/// Builds the shared client. `ca_file` (PEM) replaces the system's roots, as `SSL_CERT_FILE` does everywhere.
///
/// # Errors
/// When the file cannot be read or holds no certificate, or the system has no roots at all.
pub fn https_client(ca_file: Option<&Path>) -> Result<reqwest::Client, TransportError> {
    client(ca_file, true)
}

/// The same with plain HTTP as well, for a collector beside the process.
///
/// # Errors
/// As [`https_client`].
pub fn http_client(ca_file: Option<&Path>) -> Result<reqwest::Client, TransportError> {
    client(ca_file, false)
}

fn client(ca_file: Option<&Path>, https_only: bool) -> Result<reqwest::Client, TransportError> {
    let mut builder = builder().https_only(https_only);
    if let Some(certificates) = certificates(ca_file)? {
        builder = builder.tls_certs_only(certificates);
    }
    Ok(builder.build()?)
}

/// Builds a client that may speak plain http, for a storage emulator on this machine.
///
/// # Errors
/// As [`https_client`], certificate files aside.
pub fn emulator_client() -> Result<reqwest::Client, TransportError> {
    Ok(builder().no_proxy().build()?)
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_keepalive(PROBE_INTERVAL)
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(2 * WINDOW)
        .http2_keep_alive_interval(PROBE_INTERVAL)
        .http2_keep_alive_timeout(PROBE_TIMEOUT)
        .http2_keep_alive_while_idle(true)
}

/// The certificate authorities that replace the system's; `None` leaves those in place.
///
/// # Errors
/// When the file cannot be read or holds no certificate.
pub fn certificates(
    ca_file: Option<&Path>,
) -> Result<Option<Vec<reqwest::Certificate>>, TransportError> {
    let Some(path) = ca_file.map(Path::to_path_buf) else {
        return Ok(None);
    };
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(TransportError::CertificateFile { path, source }),
    };
    let certificates = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if certificates.is_empty() {
        return Err(TransportError::NoCertificates { path });
    }
    Ok(Some(certificates))
}
