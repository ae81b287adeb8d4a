//! The one HTTP client that the credential and the Resource Manager client share: one connection pool,
//! our own time limits, and a private certificate authority where one is configured.

use std::{path::Path, path::PathBuf, time::Duration};

/// Connecting to Azure takes well under a second; a dead address should not eat an alert's time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Resource Manager answers within seconds, long-running work included, since it is polled.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

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
    let mut builder = builder().https_only(true);
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
