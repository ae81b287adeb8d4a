//! The Azure Resource Manager client: one call with token, api-version, time limit and retries. What a call
//! means is told by the files beside this one.
//!
//! It stands on `azure_core`'s pipeline, with retries of our own: the pipeline repeats every PUT, and obeys a
//! `Retry-After` of any length while the caller waits.

use super::{
    api_versions::ApiVersions,
    credentials::RenewableCredential,
    error::{AzureError, Failure},
    pipeline_error,
    reply::{Opened, Reply},
    retry::{Repeat, RetryLimits},
    tries::Tries,
};
use crate::resource_id::ResourceId;
use azure_core::{
    Bytes,
    credentials::TokenCredential,
    http::{
        ClientOptions, Context, Method, Pipeline, PipelineStreamOptions, Request, RetryOptions,
        Transport, headers::CLIENT_REQUEST_ID, policies::auth::BearerTokenAuthorizationPolicy,
    },
};
use serde::de::DeserializeOwned;
use std::{
    sync::{Arc, OnceLock},
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
    /// How long one try may take.
    pub try_timeout: Duration,
    /// Calls under way at once, over all alerts, and as many patient ones. Resource Manager's token bucket
    /// holds 200 writes a subscription and refills at 10 a second.
    pub concurrent_calls: usize,
    pub api_versions: ApiVersions,
}

/// Somebody who counts the calls.
pub trait CallObserver: Send + Sync {
    /// One try is over. `status` is `None` when no answer came, or no token was to be had to ask with; the first
    /// try is number 1.
    fn called(&self, operation: &'static str, status: Option<u16>, attempt: u32);
}

/// See the file's head. Cheap to clone.
#[derive(Clone)]
pub struct ArmClient {
    shared: Arc<Shared>,
    patient: bool,
}

struct Shared {
    pipeline: Pipeline,
    http: reqwest::Client,
    credential: Arc<RenewableCredential>,
    scope: String,
    options: ArmOptions,
    calls: Semaphore,
    patient_calls: Semaphore,
    observer: OnceLock<Arc<dyn CallObserver>>,
}

/// One call, before it is sent.
pub struct Call<'a> {
    /// For errors and logs, such as "list packet captures".
    pub operation: &'static str,
    /// For errors and logs: the resource's id.
    pub resource: &'a (dyn std::fmt::Display + Sync),
    pub method: Method,
    pub url: Url,
    pub body: Option<Bytes>,
    pub repeat: Repeat,
}

impl Shared {
    /// What came out of the pipeline; see [`pipeline_error::failure_of`].
    fn failure_of(&self, error: azure_core::Error, url: Option<&Url>) -> Failure {
        pipeline_error::failure_of(error, url, &self.credential.sign_in)
    }
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
                transport: Some(Transport::new(Arc::new(http.clone()))),
                ..Default::default()
            },
            Vec::new(),
            vec![Arc::new(bearer)],
            None,
        );
        let places = options.concurrent_calls.max(1);
        Self {
            patient: false,
            shared: Arc::new(Shared {
                pipeline,
                http,
                credential,
                scope,
                options,
                calls: Semaphore::new(places),
                patient_calls: Semaphore::new(places),
                observer: OnceLock::new(),
            }),
        }
    }

    /// The same client for calls that nobody's evidence hangs on: they have places of their own, so that in a
    /// storm a create never waits behind the polls of captures that run already.
    pub fn patient(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            patient: true,
        }
    }

    /// Lets somebody count the calls of this client and its clones. The first one stays.
    pub fn observe(&self, observer: Arc<dyn CallObserver>) {
        let _ = self.shared.observer.set(observer);
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

    /// Opens a connection to Resource Manager, or uses the one that is open so that it stays so, with the one
    /// call that needs no token, names no subscription and so counts against no limit: where a cloud's own
    /// documents say how its endpoints are found.
    /// <https://learn.microsoft.com/en-us/azure-stack/user/azure-stack-rest-api-use>
    ///
    /// # Errors
    /// [`Failure::NoAnswer`]. Any answer will do.
    pub async fn keep_connected(&self) -> Result<(), AzureError> {
        let shared = &self.shared;
        let mut url = shared.options.endpoint.clone();
        url.set_path("metadata/endpoints");
        url.set_query(Some("api-version=2022-09-01"));
        let asked = async { shared.http.get(url).send().await?.bytes().await };
        match asked.await {
            Ok(_) => Ok(()),
            Err(error) => Err(AzureError {
                operation: "open a connection",
                resource: shared.options.endpoint.to_string(),
                failure: Failure::NoAnswer {
                    sent: !error.is_connect(),
                    source: error.into(),
                },
            }),
        }
    }

    /// Sends a call until it succeeds, fails for good, or has been tried often enough. A 401 is answered once
    /// with a fresh token.
    ///
    /// # Errors
    /// The last try's.
    pub async fn send(&self, call: Call<'_>) -> Result<Reply, AzureError> {
        let mut tries = Tries::of(self, &call);
        loop {
            let answer = self.attempt(&call, tries.request_id());
            if let Some(reply) = tries.next(answer).await? {
                return Ok(reply);
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

    async fn attempt(&self, call: &Call<'_>, request_id: String) -> Result<(u16, Reply), Failure> {
        let Opened {
            status,
            headers,
            body,
            _turn,
        } = self.open(call, request_id).await?;
        let body = body.collect().await;
        let body = body.map_err(|error| self.shared.failure_of(error, Some(&call.url)))?;
        Ok((
            status,
            Reply {
                status,
                headers,
                body,
            },
        ))
    }

    /// Sends a call once. The body of a 2xx is still to be read.
    pub(super) async fn open(
        &self,
        call: &Call<'_>,
        request_id: String,
    ) -> Result<Opened<'_>, Failure> {
        let mut request = Request::new(call.url.clone(), call.method);
        request.insert_header(CLIENT_REQUEST_ID, request_id);
        request.insert_header("accept", "application/json");
        if let Some(body) = &call.body {
            request.insert_header("content-type", "application/json");
            request.set_body(body.clone());
        } else if call.method == Method::Post {
            // Without it Azure's front end answers 411.
            request.insert_header("content-length", "0");
        }
        let options = PipelineStreamOptions {
            skip_checks: true,
            ..Default::default()
        };
        let shared = &self.shared;
        // Held for one try only, never while waiting for the next.
        let places = match self.patient {
            true => &shared.patient_calls,
            false => &shared.calls,
        };
        let turn = places.acquire().await.ok();
        let context = Context::new();
        let answer = shared
            .pipeline
            .stream(&context, &mut request, Some(options));
        let answer = answer
            .await
            .map_err(|error| shared.failure_of(error, Some(&call.url)))?;
        let (status, headers, body) = answer.deconstruct();
        let status = u16::from(status);
        tracing::debug!(status, "{} answered", call.operation);
        if (200..300).contains(&status) {
            return Ok(Opened {
                status,
                headers,
                body,
                _turn: turn,
            });
        }
        let body = body.collect().await;
        let reply = Reply {
            status,
            headers,
            body: body.map_err(|error| shared.failure_of(error, Some(&call.url)))?,
        };
        Err(reply.refusal(&call.url))
    }

    pub(super) fn options(&self) -> &ArmOptions {
        &self.shared.options
    }

    pub(super) fn observer(&self) -> Option<&dyn CallObserver> {
        self.shared.observer.get().map(AsRef::as_ref)
    }

    pub(super) fn renew_credential(&self) {
        self.shared.credential.renew();
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
