//! A certificate with its private key, from one PEM or PFX file. Whether the key fits is checked here, so that
//! a wrong file is reported at start and not as an unclear error of Entra.

use aws_lc_rs::{digest, rsa::KeyPair, signature::KeyPair as _};
use p12_keystore::Pkcs12Archive;
use rustls_pki_types::pem::{PemObject, SectionKind};
use std::{fmt, fs, path::Path};
use zeroize::Zeroizing;

/// Far more than a chain with its key has.
const LARGEST: u64 = 1024 * 1024;

/// What an application signs its assertions with.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// In DER: the application's own certificate, then what else the file holds.
    pub chain: Vec<Vec<u8>>,
    pub private_key: PrivateKey,
}

/// An RSA key in DER, PKCS#8 or PKCS#1. It does not print and is wiped when dropped.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// The key itself, for the one who signs with it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl ClientCertificate {
    /// SHA-1 of the certificate, as the portal and Entra's messages show it.
    pub fn thumbprint(&self) -> String {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.chain[0]);
        let bytes = digest.as_ref().iter();
        bytes.map(|byte| format!("{byte:02X}")).collect()
    }
}

/// Why a file is of no use. The text says what to do and repeats nothing of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("holds no certificate; certificate and private key must be in the one file")]
    NoCertificate,
    #[error("holds no private key; certificate and private key must be in the one file")]
    NoKey,
    #[error(
        "holds an encrypted private key in PEM, which is not read; keep it in a PFX file with a password, or decrypt it (openssl pkcs8)"
    )]
    EncryptedPem,
    #[error("is not well-formed PEM")]
    BadPem,
    #[error(
        "holds a private key that is not RSA of at least 2048 bits; Microsoft Entra ID takes no other"
    )]
    NotRsa,
    #[error("holds a private key that belongs to none of its certificates")]
    NoMatch,
    #[error("is a PFX file that AZURE_CLIENT_CERTIFICATE_PASSWORD does not open")]
    WrongPassword,
    #[error("is neither PEM nor a PFX file that can be read")]
    Unknown,
}

/// Reads the file at `path`.
///
/// # Errors
/// A sentence for people, with the path and never the content.
pub(super) fn read(path: &Path, password: &str) -> Result<ClientCertificate, String> {
    let shown = path.display();
    let read = || {
        let about = fs::metadata(path)?;
        // Opening a pipe would wait for its other end.
        if !about.is_file() || about.len() > LARGEST {
            return Err(std::io::Error::other("it is no certificate file"));
        }
        fs::read(path).map(Zeroizing::new)
    };
    let bytes = read().map_err(|error| format!("the file {shown} cannot be read ({error})"))?;
    parse(&bytes, password).map_err(|error| format!("the file {shown} {error}"))
}

pub(super) fn parse(bytes: &[u8], password: &str) -> Result<ClientCertificate, Unusable> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let pem = bytes.windows(BEGIN.len()).any(|part| part == BEGIN);
    let (certificates, key) = match pem {
        true => from_pem(bytes)?,
        false => from_pfx(bytes, password)?,
    };
    if certificates.is_empty() {
        return Err(Unusable::NoCertificate);
    }
    let pair = KeyPair::from_pkcs8(&key)
        .or_else(|_| KeyPair::from_der(&key))
        .map_err(|_| Unusable::NotRsa)?;
    // A certificate holds its public key in just this form.
    let public = pair.public_key().as_ref();
    let own = |certificate: &Vec<u8>| certificate.windows(public.len()).any(|it| it == public);
    let position = certificates.iter().position(own).ok_or(Unusable::NoMatch)?;
    let mut chain = certificates;
    chain[..=position].rotate_right(1);
    Ok(ClientCertificate {
        chain,
        private_key: PrivateKey(key),
    })
}

type Parts = (Vec<Vec<u8>>, Zeroizing<Vec<u8>>);

fn from_pem(bytes: &[u8]) -> Result<Parts, Unusable> {
    const ENCRYPTED: &[u8] = b"ENCRYPTED";
    if bytes.windows(ENCRYPTED.len()).any(|it| it == ENCRYPTED) {
        return Err(Unusable::EncryptedPem);
    }
    let mut certificates = Vec::new();
    let mut key = None;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
        let (kind, der) = section.map_err(|_| Unusable::BadPem)?;
        match kind {
            SectionKind::Certificate => certificates.push(der),
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey => key = Some(Zeroizing::new(der)),
            SectionKind::EcPrivateKey => return Err(Unusable::NotRsa),
            _ => {}
        }
    }
    Ok((certificates, key.ok_or(Unusable::NoKey)?))
}

/// Old files (RC2, 3DES, SHA-1) and new ones (AES, PBKDF2). The library keeps copies of the key that it does not
/// wipe; they are freed at start.
fn from_pfx(bytes: &[u8], password: &str) -> Result<Parts, Unusable> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).map_err(|error| match error {
        p12_keystore::error::Error::MacError(_) => Unusable::WrongPassword,
        _ => Unusable::Unknown,
    })?;
    let certificates = archive.certs.iter();
    let certificates = certificates.map(|it| it.cert.as_der().to_vec()).collect();
    let key = archive.keys.first().ok_or(Unusable::NoKey)?;
    Ok((certificates, Zeroizing::new(key.key.as_der().to_vec())))
}
