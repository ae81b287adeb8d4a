//! What the queues and the blobs of a storage account have in common: how a connection string is read, what opens the
//! account, and what its refusals mean.

pub mod connection;
pub mod refusal;
mod shared_key;

pub use connection::{Access, Connection};
pub use refusal::{Cause, Refusal};

use azure_core::{
    credentials::TokenCredential,
    error::ErrorKind,
    http::{ClientOptions, RetryOptions, Transport, policies::Policy},
};
use connection::is_loopback;
use std::sync::Arc;
use url::Url;

/// The address of a service of an account, and the right to use it.
#[derive(Clone)]
pub enum Way {
    /// With a key or a signature of the account.
    Access(Url, Access),
    /// With a token for `https://storage.azure.com`.
    Identity(Url, Arc<dyn TokenCredential>),
}

/// What the clients of the crates are made with.
pub struct Opened {
    /// Without a slash at its end: names are put behind one. Its query may be a signature, which is a secret.
    pub url: Url,
    pub credential: Option<Arc<dyn TokenCredential>>,
    pub options: ClientOptions,
}

impl Way {
    /// What a client is made with. `http` must not decompress: ranges are counted in bytes as they are stored.
    ///
    /// # Errors
    /// An address elsewhere than on this machine that is not https.
    pub fn open(self, http: reqwest::Client, retry: RetryOptions) -> azure_core::Result<Opened> {
        let mut per_try_policies: Vec<Arc<dyn Policy>> = Vec::new();
        let (mut url, credential) = match self {
            Self::Identity(url, credential) => (url, Some(credential)),
            Self::Access(mut url, access) => {
                match access {
                    Access::SharedKey(key) => per_try_policies.push(Arc::new(key)),
                    Access::Signature(query) => url.set_query(Some(&query)),
                }
                (url, None)
            }
        };
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(azure_core::Error::with_message(
                ErrorKind::Other,
                "a storage service elsewhere than on this machine must use https",
            ));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Opened {
            url,
            credential,
            options: ClientOptions {
                per_try_policies,
                transport: Some(Transport::new(Arc::new(http))),
                retry,
                ..ClientOptions::default()
            },
        })
    }
}
