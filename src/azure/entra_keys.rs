//! The keys with which a tenant signs its tokens, fetched when first needed and cached.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/signing-key-rollover>
//!
//! Any caller can send tokens with invented key ids, so the keys are fetched at a bounded rate, by one call at a time,
//! and only from the address that the tenant's OpenID configuration names.

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::Semaphore, time::Instant};
use url::Url;

/// Minimum interval between fetches for unknown key ids. Entra publishes a key long before it signs with it.
const BETWEEN_REFETCHES: Duration = Duration::from_secs(5 * 60);
/// Maximum age of the keys, so that a withdrawn one does not stay valid for ever.
const MAXIMUM_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Maximum duration of both calls together; action groups wait 10 s for an answer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(6);

/// Maximum bytes of either answer; Entra's are some 15 KB.
const LARGEST_BODY: usize = 1024 * 1024;

/// Why the keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("could not fetch the OpenID configuration or the signing keys of the tenant")]
    Http(#[from] reqwest::Error),
    #[error("could not fetch the tenant's signing keys within {} s", FETCH_TIMEOUT.as_secs())]
    Timeout,
    #[error("the OpenID configuration or the key set of the tenant could not be read")]
    Unreadable(#[from] serde_json::Error),
    #[error(
        "the OpenID configuration or the key set of the tenant is larger than {LARGEST_BODY} bytes"
    )]
    TooLarge,
    #[error("the tenant's key set holds no RSA key")]
    NoKeys,
    #[error(
        "the last attempt to fetch the tenant's signing keys failed a moment ago; not retrying yet"
    )]
    JustFailed,
}

impl KeysError {
    /// Whether the answer was an error status.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_status())
    }
}

/// One tenant's signing keys.
pub struct EntraKeys {
    http: reqwest::Client,
    configuration: Url,
    after_failure: Duration,
    /// Locked for a look or a change, never over an await.
    known: Mutex<Known>,
    /// One fetch at a time. A cached key needs no turn.
    fetching: Semaphore,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<DecodingKey>>,
    fetched: Option<Instant>,
    /// The last attempt, if it failed.
    failed: Option<Instant>,
    /// The last fetch because of an unknown key id.
    refetched: Option<Instant>,
}

impl EntraKeys {
    /// The keys of `tenant` at `authority`. After a failure the next call waits for `after_failure`.
    pub fn new(
        http: reqwest::Client,
        authority: &Url,
        tenant: &str,
        after_failure: Duration,
    ) -> Self {
        let mut configuration = authority.clone();
        let path = authority.path().trim_end_matches('/');
        configuration.set_path(&format!(
            "{path}/{tenant}/v2.0/.well-known/openid-configuration"
        ));
        Self {
            http,
            configuration,
            after_failure,
            known: Mutex::default(),
            fetching: Semaphore::new(1),
        }
    }

    /// Fetches the keys, whether or not they are cached.
    ///
    /// # Errors
    /// When they cannot be fetched.
    pub async fn try_fetch(&self) -> Result<(), KeysError> {
        self.fetch().await.map(drop)
    }

    /// The key of this id; `None` when the tenant has none.
    ///
    /// # Errors
    /// When the keys had to be fetched for an answer and could not be.
    pub async fn key(&self, id: &str) -> Result<Option<Arc<DecodingKey>>, KeysError> {
        let (key, fresh) = self.look(id);
        if key.is_some() && fresh {
            return Ok(key);
        }
        let _turn = self.fetching.acquire().await;
        // The call before this one may have fetched them.
        let (key, fresh) = self.look(id);
        if key.is_some() && fresh {
            return Ok(key);
        }
        let within = |at: Option<Instant>, time| at.is_some_and(|at| at.elapsed() < time);
        let (refetched, failed) = {
            let known = self.known();
            (known.refetched, known.failed)
        };
        if fresh && within(refetched, BETWEEN_REFETCHES) {
            return Ok(None);
        }
        let fetched = match within(failed, self.after_failure) {
            true => Err(KeysError::JustFailed),
            false => self.fetch().await,
        };
        let now = Some(Instant::now());
        match fetched {
            Ok(keys) => {
                let found = keys.get(id).cloned();
                *self.known() = Known {
                    keys,
                    fetched: now,
                    failed: None,
                    refetched: if fresh { now } else { refetched },
                };
                Ok(found)
            }
            Err(error) => {
                if !matches!(error, KeysError::JustFailed) {
                    self.known().failed = now;
                    tracing::warn!(
                        "{}; retrying with the next token",
                        super::error::chain(&error)
                    );
                }
                // Old keys are better than none.
                key.map(Some).ok_or(error)
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no code panics with this lock")
    }

    /// The key, and whether the cached keys are young enough.
    fn look(&self, id: &str) -> (Option<Arc<DecodingKey>>, bool) {
        let known = self.known();
        let fresh = known.fetched.is_some_and(|at| at.elapsed() < MAXIMUM_AGE);
        (known.keys.get(id).cloned(), fresh)
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<DecodingKey>>, KeysError> {
        let both = async {
            let configuration: Configuration = self.get(self.configuration.as_str()).await?;
            // The client refuses URLs that are not https.
            self.get::<KeySet>(&configuration.jwks_uri).await
        };
        let set = match tokio::time::timeout(FETCH_TIMEOUT, both).await {
            Ok(set) => set?,
            Err(_) => return Err(KeysError::Timeout),
        };
        let keys: HashMap<_, _> = set.keys.into_iter().filter_map(Key::usable).collect();
        match keys.is_empty() {
            true => Err(KeysError::NoKeys),
            false => {
                tracing::info!(keys = keys.len(), "the tenant's signing keys fetched");
                Ok(keys)
            }
        }
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, KeysError> {
        let mut response = self.http.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_BODY {
                return Err(KeysError::TooLarge);
            }
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

#[derive(Deserialize)]
struct Configuration {
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

/// A JSON Web Key. Of other kinds than RSA only these members are read.
#[derive(Deserialize)]
struct Key {
    kty: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Key {
    fn usable(self) -> Option<(String, Arc<DecodingKey>)> {
        let signs = self.usage.is_none_or(|usage| usage == "sig");
        if self.kty.as_deref() != Some("RSA") || !signs {
            return None;
        }
        let key = DecodingKey::from_rsa_components(&self.n?, &self.e?).ok()?;
        Some((self.kid?, Arc::new(key)))
    }
}
