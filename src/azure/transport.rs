//! The one HTTP client that the credential and the Resource Manager client share: one connection pool,
//! our own time limits, and a private certificate authority where one is configured.

use std::{path::Path, path::PathBuf, time::Duration};

/// Connecting to Azure takes well under a second; a dead address should not eat an alert's time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Resource Manager answers within seconds, long-running work included, since it is polled.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

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
    let mut builder = reqwest::Client::builder()
        .https_only(https_only)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT);
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
