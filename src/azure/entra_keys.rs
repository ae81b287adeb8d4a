//! The keys with which a tenant signs its tokens, fetched when first needed and kept.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/signing-key-rollover>
//!
//! Whoever reaches the function can send tokens with made-up key ids, so the tenant is asked at a bounded rate,
//! by one call at a time, and only at the address that its OpenID configuration names.

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::Semaphore, time::Instant};
use url::Url;

/// Unknown key ids lead to a fetch at most so often. Entra publishes a key long before it signs with it.
const BETWEEN_REFETCHES: Duration = Duration::from_secs(5 * 60);
/// Older keys are fetched again, so that a withdrawn one does not stay good for ever.
const MOST_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// For both calls together; action groups wait 10 s for an answer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(6);

/// Why the keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the OpenID configuration or the signing keys of the tenant cannot be fetched")]
    Http(#[from] reqwest::Error),
    #[error("the tenant's signing keys did not come within {} s", FETCH_TIMEOUT.as_secs())]
    Timeout,
    #[error("the tenant's key set holds no RSA key")]
    NoKeys,
    #[error("the last attempt to fetch the tenant's signing keys failed a moment ago")]
    JustFailed,
}

impl KeysError {
    /// Whether somebody answered, and said no.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_status())
    }
}

/// One tenant's signing keys.
pub struct EntraKeys {
    http: reqwest::Client,
    configuration: Url,
    after_failure: Duration,
    /// Held for a look or a change, never over an await.
    known: Mutex<Known>,
    /// One fetch at a time. Who finds a key at hand does not wait here.
    fetching: Semaphore,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<DecodingKey>>,
    fetched: Option<Instant>,
    /// The last attempt, if it failed.
    failed: Option<Instant>,
    /// For the sake of an unknown key id.
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

    /// Fetches the keys, whether or not they are at hand.
    ///
    /// # Errors
    /// When they cannot be fetched.
    pub async fn try_fetch(&self) -> Result<(), KeysError> {
        self.fetch().await.map(drop)
    }

    /// The key of this id; `None` when the tenant has none.
    ///
    /// # Errors
    /// When the keys would have to be fetched for an answer and cannot be.
    pub async fn key(&self, id: &str) -> Result<Option<Arc<DecodingKey>>, KeysError> {
        let (key, fresh) = self.look(id);
        if key.is_some() && fresh {
            return Ok(key);
        }
        let _turn = self.fetching.acquire().await;
        // Whoever had the turn before may have fetched.
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
                    tracing::warn!("{}", super::error::chain(&error));
                }
                // Old keys are better than none.
                key.map(Some).ok_or(error)
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no code panics with this lock")
    }

    /// The key, and whether the keys at hand are young enough.
    fn look(&self, id: &str) -> (Option<Arc<DecodingKey>>, bool) {
        let known = self.known();
        let fresh = known.fetched.is_some_and(|at| at.elapsed() < MOST_AGE);
        (known.keys.get(id).cloned(), fresh)
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<DecodingKey>>, KeysError> {
        let both = async {
            let configuration: Configuration = self.get(self.configuration.as_str()).await?;
            // The client refuses whatever is not https.
            let set: KeySet = self.get(&configuration.jwks_uri).await?;
            Ok(set)
        };
        let set = match tokio::time::timeout(FETCH_TIMEOUT, both).await {
            Ok(set) => set.map_err(KeysError::Http)?,
            Err(_) => return Err(KeysError::Timeout),
        };
        let keys: HashMap<_, _> = set.keys.into_iter().filter_map(Key::usable).collect();
        match keys.is_empty() {
            true => Err(KeysError::NoKeys),
            false => {
                tracing::info!(keys = keys.len(), "the tenant's signing keys are at hand");
                Ok(keys)
            }
        }
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, reqwest::Error> {
        let response = self.http.get(url).send().await?.error_for_status()?;
        response.json().await
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
