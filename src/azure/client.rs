//! The Azure Resource Manager client: one call with token, api-version, time limit and retries. What a call
//! means is told by the files beside this one.
//!
//! It stands on `azure_core`'s pipeline, with retries of our own: the pipeline repeats every PUT, and obeys a
//! `Retry-After` of any length while the caller waits.

use super::{
    api_versions::{self, ApiVersions},
    credentials::RenewableCredential,
    error::{AzureError, Failure, read_error_body},
    resource_id::ResourceId,
    retry::{self, Repeat, RetryLimits},
    sign_in::{SignIn, Trouble},
};
use azure_core::{
    credentials::TokenCredential,
    error::ErrorKind,
    http::{
        ClientOptions, Context, Method, Pipeline, PipelineSendOptions, RawResponse, Request,
        RetryOptions, Transport, headers::Headers, policies::auth::BearerTokenAuthorizationPolicy,
    },
};
use serde::de::DeserializeOwned;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::Semaphore;
use url::Url;

/// Where Resource Manager is and how to treat it.
#[derive(Debug, Clone)]
pub struct ArmOptions {
    /// Such as `https://management.azure.com`.
    pub endpoint: Url,
    /// The audience of the token, without `/.default`.
    pub audience: String,
    pub retry: RetryLimits,
    /// Calls under way at once, over all alerts. Resource Manager's token bucket holds 200 writes a
    /// subscription and refills at 10 a second.
    pub concurrent_calls: usize,
    pub api_versions: ApiVersions,
}

/// See the file's head. Cheap to clone.
#[derive(Clone)]
pub struct ArmClient {
    shared: Arc<Shared>,
}

struct Shared {
    pipeline: Pipeline,
    credential: Arc<RenewableCredential>,
    scope: String,
    options: ArmOptions,
    calls: Semaphore,
}

/// One call, before it is sent.
pub struct Call<'a> {
    /// For errors and logs, such as "list packet captures".
    pub operation: &'static str,
    /// For errors and logs: the resource's id.
    pub resource: &'a (dyn std::fmt::Display + Sync),
    pub method: Method,
    pub url: Url,
    pub body: Option<Vec<u8>>,
    pub repeat: Repeat,
}

/// A 2xx answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl ArmClient {
    pub fn new(
        options: ArmOptions,
        credential: Arc<RenewableCredential>,
        http: reqwest::Client,
    ) -> Self {
        let scope = format!("{}/.default", options.audience);
        let bearer = BearerTokenAuthorizationPolicy::new(
            credential.clone() as Arc<dyn TokenCredential>,
            [scope.clone()],
        );
        let pipeline = Pipeline::new(
            option_env!("CARGO_PKG_NAME"),
            option_env!("CARGO_PKG_VERSION"),
            ClientOptions {
                retry: RetryOptions::none(),
                transport: Some(Transport::new(Arc::new(http))),
                ..Default::default()
            },
            Vec::new(),
            vec![Arc::new(bearer)],
            None,
        );
        let calls = Semaphore::new(options.concurrent_calls.max(1));
        Self {
            shared: Arc::new(Shared {
                pipeline,
                credential,
                scope,
                options,
                calls,
            }),
        }
    }

    /// The URL of a resource, or of `path` below it, built from parsed segments alone.
    pub fn url(&self, id: &ResourceId, path: &[&str], api_version: &str) -> Url {
        let mut url = self.shared.options.endpoint.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(id.segments()).extend(path);
        }
        url.query_pairs_mut()
            .append_pair("api-version", api_version);
        url
    }

    /// With which version each provider is asked.
    pub fn api_versions(&self) -> &ApiVersions {
        &self.shared.options.api_versions
    }

    /// Parses a URL that Azure gave for a next page or an operation, byte for byte, if it is at our endpoint.
    ///
    /// # Errors
    /// [`Failure::ForeignUrl`] otherwise: the token goes along with the request.
    pub fn own_url(&self, text: &str) -> Result<Url, Failure> {
        let endpoint = &self.shared.options.endpoint;
        match Url::parse(text) {
            Ok(url) if url.origin() == endpoint.origin() && url.username().is_empty() => Ok(url),
            Ok(url) => Err(Failure::ForeignUrl {
                host: url.host_str().unwrap_or("no host").to_owned(),
            }),
            Err(_) => Err(Failure::ForeignUrl {
                host: "not a URL".to_owned(),
            }),
        }
    }

    /// Gets a token now, so that the first alert need not wait for it. Says when it ends.
    ///
    /// # Errors
    /// [`Failure::NoToken`].
    pub async fn fetch_token(&self) -> Result<SystemTime, AzureError> {
        let shared = &self.shared;
        let scopes = [shared.scope.as_str()];
        match shared.credential.get_token(&scopes, None).await {
            Ok(token) => Ok(token.expires_on.into()),
            Err(error) => Err(AzureError {
                operation: "get an access token",
                resource: shared.scope.clone(),
                failure: shared.failure_of(error, None),
            }),
        }
    }

    /// Who gives the tokens, for messages.
    pub fn token_issuer(&self) -> &'static str {
        self.shared.credential.sign_in.way.issuer()
    }

    /// Sends a call until it succeeds, fails for good, or has been tried often enough. A 401 is answered once
    /// with a fresh token.
    ///
    /// # Errors
    /// The last try's.
    pub async fn send(&self, call: Call<'_>) -> Result<Reply, AzureError> {
        let mut renewed = false;
        let mut tried = 0;
        loop {
            tried += 1;
            let failure = match self.attempt(&call).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let error = AzureError {
                operation: call.operation,
                resource: call.resource.to_string(),
                failure,
            };
            if error.status() == Some(401) && !renewed {
                tracing::info!(
                    operation = call.operation,
                    "token refused, fetching a fresh one"
                );
                self.shared.credential.renew();
                renewed = true;
                continue;
            }
            let limits = &self.shared.options.retry;
            match retry::wait_before_next(limits, call.repeat, tried, &error, rand::random()) {
                Some(wait) => {
                    tracing::warn!(
                        resource.id = error.resource,
                        error.code = error.code(),
                        request.id = error.request_id(),
                        attempt = tried,
                        wait_ms = wait.as_millis() as u64,
                        "{} failed, trying again",
                        call.operation
                    );
                    tokio::time::sleep(wait).await;
                }
                None => return Err(error),
            }
        }
    }

    /// Sends a call and reads its JSON answer.
    ///
    /// # Errors
    /// As [`ArmClient::send`], and [`Failure::Unreadable`].
    pub async fn read<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, AzureError> {
        let (operation, resource) = (call.operation, call.resource);
        let reply = self.send(call).await?;
        reply.json().map_err(|failure| AzureError {
            operation,
            resource: resource.to_string(),
            failure,
        })
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let mut request = Request::new(call.url.clone(), call.method);
        request.insert_header("accept", "application/json");
        if let Some(body) = &call.body {
            request.insert_header("content-type", "application/json");
            request.set_body(body.clone());
        } else if call.method == Method::Post {
            // Without it Azure's front end answers 411.
            request.insert_header("content-length", "0");
        }
        let send_options = PipelineSendOptions {
            skip_checks: true,
            ..Default::default()
        };
        let answer = {
            // Held for one try only, never while waiting for the next.
            let _turn = self.shared.calls.acquire().await;
            let context = Context::new();
            self.shared
                .pipeline
                .send(&context, &mut request, Some(send_options))
                .await
        };
        let response = answer.map_err(|error| self.shared.failure_of(error, Some(&call.url)))?;
        let reply = Reply::from(response);
        tracing::debug!(status = reply.status, "{} answered", call.operation);
        if (200..300).contains(&reply.status) {
            Ok(reply)
        } else {
            Err(reply.refusal(&call.url))
        }
    }
}

impl From<RawResponse> for Reply {
    fn from(response: RawResponse) -> Self {
        let (status, headers, body) = response.deconstruct();
        Self {
            status: status.into(),
            headers,
            body: body.to_vec(),
        }
    }
}

impl Reply {
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get_optional_str(&name.into())
    }

    /// What the `Retry-After` header asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")
            .and_then(|value| retry::parse_retry_after(value, SystemTime::now()))
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|source| Failure::Unreadable {
            source: source.into(),
        })
    }

    fn refusal(&self, url: &Url) -> Failure {
        let error = read_error_body(self.status, &self.body);
        Failure::Refused {
            status: self.status,
            unknown_version: api_versions::unknown(&error.code, url).map(Box::new),
            code: error.code,
            message: error.message,
            request_id: self.header("x-ms-request-id").map(str::to_owned),
            retry_after: self.retry_after(),
        }
    }
}

impl Shared {
    /// Sorts the pipeline's errors. A token that was refused comes out of the same call as a lost connection.
    /// `url` is what was called: its query may hold a signature, and the pipeline's errors print it.
    fn failure_of(&self, error: azure_core::Error, url: Option<&Url>) -> Failure {
        let sent = !matches!(error.kind(), ErrorKind::Connection);
        if !matches!(error.kind(), ErrorKind::Credential) {
            return Failure::NoAnswer {
                sent,
                source: without_query(&error, url).into(),
            };
        }
        no_token(&self.credential.sign_in, error)
    }
}

/// The causes in one line, the query of this URL cut out.
fn without_query(error: &azure_core::Error, url: Option<&Url>) -> String {
    let text = super::error::chain(error);
    match url.and_then(Url::query) {
        Some(query) => text.replace(&format!("?{query}"), ""),
        None => text,
    }
}

fn no_token(sign_in: &SignIn, error: azure_core::Error) -> Failure {
    let text = super::error::chain(&error);
    let entra = text.find("AADSTS").map(|at| {
        let digits = text[at + 6..].chars().take_while(char::is_ascii_digit);
        format!("AADSTS{}", digits.collect::<String>())
    });
    let trouble = Trouble::within(&error);
    let status = error
        .downcast_ref::<azure_core::Error>()
        .and_then(azure_core::Error::http_status)
        .map(u16::from);
    let temporary = match (status, trouble) {
        (Some(status), _) => super::error::is_temporary_status(status),
        (None, Some(trouble)) => trouble.is_temporary(),
        (None, None) => entra.is_none(),
    };
    let code = entra.or_else(|| trouble.map(|trouble| trouble.code().to_owned()));
    let message = text
        .lines()
        .next()
        .unwrap_or("Microsoft Entra ID gave no reason")
        .to_owned();
    Failure::NoToken {
        advice: sign_in.advice(code.as_deref()),
        code: (!temporary).then(|| code.unwrap_or_else(|| "TokenRefused".to_owned())),
        message,
        source: error.into(),
    }
}

/// The token endpoint, the api-versions and such never appear in a Debug print.
impl std::fmt::Debug for ArmClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArmClient")
            .field("endpoint", &self.shared.options.endpoint.as_str())
            .finish_non_exhaustive()
    }
}
