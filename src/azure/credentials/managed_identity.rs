//! The app's managed identity on App Service and Functions. The SDK's credential reads its settings from the process
//! environment and falls back to a virtual machine's metadata address; this one calls the one endpoint that it is given.
//! <https://learn.microsoft.com/en-us/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use super::{RenewableCredential, SignIn, client_options};
use crate::{azure::sign_in::Trouble, resource_id::ResourceId, text};
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::{Error, ErrorKind},
    http::{Context, Method, Pipeline, PipelineSendOptions, Request, headers::HeaderName},
    time::{Duration, OffsetDateTime},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::Semaphore;
use url::Url;
use zeroize::Zeroizing;

const API_VERSION: &str = "2019-08-01";
const HEADER: HeaderName = HeaderName::from_static("x-identity-header");
/// Renew a token this long before it expires, as all of Azure's clients do.
const AHEAD: Duration = Duration::minutes(5);

/// Which identity of the app, of which it may have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assigned {
    System,
    /// A user-assigned one by its client id.
    Client(String),
    /// A user-assigned one by its resource id.
    Resource(ResourceId),
}

/// The identity and its tokens.
pub struct ManagedIdentity {
    url: Url,
    header: Arc<Zeroizing<String>>,
    assigned: Assigned,
    pipeline: Pipeline,
    /// By scope. Locked for one map operation, never over an await.
    cached: Mutex<HashMap<String, AccessToken>>,
    /// One request at a time, whose token serves all callers that waited. A cached token needs no turn.
    requests: Semaphore,
}

impl fmt::Debug for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentity").finish_non_exhaustive()
    }
}

impl ManagedIdentity {
    /// `http` must be allowed to speak plain HTTP, as App Service's endpoint does.
    pub fn new(
        url: Url,
        header: Zeroizing<String>,
        assigned: Assigned,
        http: &reqwest::Client,
    ) -> Self {
        Self {
            url,
            header: Arc::new(header),
            assigned,
            pipeline: Pipeline::new(
                option_env!("CARGO_PKG_NAME"),
                option_env!("CARGO_PKG_VERSION"),
                client_options(http),
                Vec::new(),
                Vec::new(),
                None,
            ),
            cached: Mutex::default(),
            requests: Semaphore::new(1),
        }
    }

    /// The same identity without its cached tokens.
    pub(super) fn without_tokens(&self) -> Self {
        Self {
            url: self.url.clone(),
            header: self.header.clone(),
            assigned: self.assigned.clone(),
            pipeline: self.pipeline.clone(),
            cached: Mutex::default(),
            requests: Semaphore::new(1),
        }
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<String, AccessToken>> {
        self.cached.lock().expect("no code panics with this lock")
    }

    fn valid(&self, scope: &str) -> Option<AccessToken> {
        let soon = OffsetDateTime::now_utc().saturating_add(AHEAD);
        let cached = self.cached();
        cached
            .get(scope)
            .filter(|token| token.expires_on > soon)
            .cloned()
    }

    /// Requests a token.
    async fn request(&self, scope: &str) -> Result<AccessToken, Trouble> {
        let mut url = self.url.clone();
        {
            let mut query = url.query_pairs_mut();
            let resource = scope.strip_suffix("/.default").unwrap_or(scope);
            query
                .append_pair("resource", resource)
                .append_pair("api-version", API_VERSION);
            match &self.assigned {
                Assigned::System => {}
                Assigned::Client(id) => {
                    query.append_pair("client_id", id);
                }
                Assigned::Resource(id) => {
                    query.append_pair("mi_res_id", &id.to_string());
                }
            }
        }
        let mut request = Request::new(url, Method::Get);
        request.insert_header(HEADER, self.header.to_string());
        let options = PipelineSendOptions {
            skip_checks: true,
            ..Default::default()
        };
        let context = Context::new();
        let answer = self
            .pipeline
            .send(&context, &mut request, Some(options))
            .await
            .map_err(Trouble::NoAnswer)?;
        let (status, _, body) = answer.deconstruct();
        if !status.is_success() {
            let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
            let message = text::cleaned(&refusal.message, text::MESSAGE);
            return Err(Trouble::Refused {
                status: status.into(),
                message: message.unwrap_or_else(|| "no reason given".to_owned()),
            });
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(Trouble::Unreadable)?;
        let expires = OffsetDateTime::from_unix_timestamp(granted.expires_on)
            .map_err(|error| Trouble::Unreadable(serde_json::Error::custom(error)))?;
        Ok(AccessToken::new(granted.access_token, expires))
    }
}

#[async_trait::async_trait]
impl TokenCredential for ManagedIdentity {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let [scope] = scopes else {
            let message = "a managed identity takes one scope at a time";
            return Err(Error::with_message(ErrorKind::Credential, message));
        };
        if let Some(token) = self.valid(scope) {
            return Ok(token);
        }
        let _turn = self.requests.acquire().await;
        if let Some(token) = self.valid(scope) {
            return Ok(token);
        }
        let token = self
            .request(scope)
            .await
            .map_err(|trouble| Error::new(ErrorKind::Credential, trouble))?;
        self.cached().insert((*scope).to_owned(), token.clone());
        Ok(token)
    }
}

/// The app's managed identity.
///
/// # Errors
/// None today; all credentials are built alike.
pub fn managed_identity(
    sign_in: SignIn,
    identity: ManagedIdentity,
) -> azure_core::Result<RenewableCredential> {
    RenewableCredential::new(sign_in, move || Ok(Arc::new(identity.without_tokens())))
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds since 1970, in a text as documented, or as a number as some hosts of the same protocol send it.
    #[serde(deserialize_with = "seconds")]
    expires_on: i64,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(D::Error::custom),
    }
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expiry_of_a_token_is_a_text_or_a_number() {
        for (json, expected) in [
            (
                r#"{"access_token":"t","expires_on":"1795442400"}"#,
                Some(1_795_442_400),
            ),
            (
                r#"{"access_token":"t","expires_on":1795442400}"#,
                Some(1_795_442_400),
            ),
            (
                r#"{"access_token":"t","expires_on":"11/23/2026 10:00:00 AM +00:00"}"#,
                None,
            ),
            (r#"{"access_token":"t"}"#, None),
        ] {
            let granted: Option<Granted> = serde_json::from_str(json).ok();
            assert_eq!(granted.map(|it| it.expires_on), expected, "{json}");
        }
    }
}
