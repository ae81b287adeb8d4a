//! The one HTTP client that the credential and the Resource Manager client share: one connection pool,
//! our own time limits, and a private certificate authority where one is configured.

use std::{path::Path, path::PathBuf, time::Duration};

/// Connecting to Azure takes well under a second; a dead address should not eat an alert's time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Resource Manager answers within seconds, long-running work included, since it is polled.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
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

/// Builds the shared client. `ca_file` (PEM) replaces the system's roots, as `SSL_CERT_FILE` does everywhere.
///
/// # Errors
/// When the file cannot be read or holds no certificate, or the system has no roots at all.
pub fn https_client(ca_file: Option<&Path>) -> Result<reqwest::Client, TransportError> {
    let mut builder = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_keepalive(PROBE_INTERVAL)
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(2 * WINDOW)
        .http2_keep_alive_interval(PROBE_INTERVAL)
        .http2_keep_alive_timeout(PROBE_TIMEOUT)
        .http2_keep_alive_while_idle(true);
    if let Some(path) = ca_file {
        let path = path.to_path_buf();
        let pem = match std::fs::read(&path) {
            Ok(pem) => pem,
            Err(source) => return Err(TransportError::CertificateFile { path, source }),
        };
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(TransportError::NoCertificates { path });
        }
        builder = builder.tls_certs_only(certificates);
    }
    Ok(builder.build()?)
}
