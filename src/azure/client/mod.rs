//! The Azure Resource Manager client: one call with token, api-version, time limit, turn and retries. What a call means
//! is known by the clients of the providers.
//!
//! It is built on `azure_core`'s pipeline with its own retries: the pipeline repeats every PUT, and waits as long as
//! `Retry-After` says while the caller waits too.

mod ahead;
mod body;
mod lane;
mod options;
mod pauses;
mod pipeline_error;
mod reply;
mod throttle;
mod tries;

pub use options::{ArmOptions, Call, CallObserver};
pub(super) use reply::{Opened, Reply};
pub(super) use tries::Tries;

use super::{
    api_versions::ApiVersions,
    credentials::RenewableCredential,
    error::{AzureError, Failure},
};
use crate::{resource_id::ResourceId, text};
use azure_core::{
    credentials::TokenCredential,
    http::{
        ClientOptions, Context, HttpClient, Method, Pipeline, PipelineStreamOptions, Request,
        RetryOptions, Transport, headers::CLIENT_REQUEST_ID,
        policies::auth::BearerTokenAuthorizationPolicy,
    },
};
use serde::de::DeserializeOwned;
use std::sync::{Arc, OnceLock};
use throttle::{LaneOf, Throttle};
use url::Url;

/// The client of Resource Manager, cheap to clone. The clones share the connections, the token and all limits.
#[derive(Clone)]
pub struct ArmClient {
    shared: Arc<Shared>,
    lane: LaneOf,
    /// A 429 ends a call at once and pauses no other one.
    gives_way: bool,
}

struct Shared {
    pipeline: Pipeline,
    http: reqwest::Client,
    credential: Arc<RenewableCredential>,
    scope: String,
    options: ArmOptions,
    throttle: Throttle,
    observer: OnceLock<Arc<dyn CallObserver>>,
}

impl Shared {
    fn failure_of(&self, error: azure_core::Error, url: Option<&Url>) -> Failure {
        pipeline_error::failure_of(error, url, &self.credential.sign_in)
    }
}

impl ArmClient {
    /// A client that sends over `http`.
    pub fn new(
        options: ArmOptions,
        credential: Arc<RenewableCredential>,
        http: reqwest::Client,
    ) -> Self {
        Self::over(Arc::new(http.clone()), options, credential, http)
    }

    /// A client over another transport; `http` keeps the connection open.
    pub(super) fn over(
        transport: Arc<dyn HttpClient>,
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
                transport: Some(Transport::new(transport)),
                ..Default::default()
            },
            Vec::new(),
            vec![Arc::new(bearer)],
            None,
        );
        Self {
            lane: LaneOf::Create,
            gives_way: false,
            shared: Arc::new(Shared {
                pipeline,
                http,
                credential,
                scope,
                throttle: Throttle::new(&options),
                options,
                observer: OnceLock::new(),
            }),
        }
    }

    /// The same client for polls and deletes after the create. They have a concurrency limit of their own, so that in a
    /// storm a create never waits behind the polls of captures that are running.
    pub fn patient(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            lane: LaneOf::Background,
            gives_way: false,
        }
    }

    /// The patient client for reads ahead of alerts, which are given up at the first 429. It pauses no other call: the
    /// limit may be one that lists of machines have for themselves, and an alert must not wait for that.
    /// <https://learn.microsoft.com/troubleshoot/azure/virtual-machines/troubleshooting-throttling-errors>
    pub fn ahead(&self) -> Self {
        Self {
            gives_way: true,
            ..self.patient()
        }
    }

    /// The client for what is read beside a capture and can be missed. Its few places are its own, and a call that Azure
    /// throttles or does not answer is given up: neither a create nor a poll ever waits for it.
    pub fn beside(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            lane: LaneOf::Beside,
            gives_way: true,
        }
    }

    /// Sets who counts the calls of this client and its clones. The first one stays.
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

    /// The URL of a call that is about no subscription.
    pub fn tenant_url(&self, path: &[&str], api_version: &str) -> Url {
        let mut url = self.shared.options.endpoint.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.query_pairs_mut()
            .append_pair("api-version", api_version);
        url
    }

    /// The api-version for each provider.
    pub fn api_versions(&self) -> &ApiVersions {
        &self.shared.options.api_versions
    }

    /// Parses a URL that Azure gave for a next page or an operation, byte for byte, if it is at the configured endpoint.
    ///
    /// # Errors
    /// [`Failure::ForeignUrl`] otherwise: the request carries the token.
    pub fn own_url(&self, named: &str) -> Result<Url, Failure> {
        let endpoint = &self.shared.options.endpoint;
        match Url::parse(named) {
            Ok(url) if url.origin() == endpoint.origin() && url.username().is_empty() => Ok(url),
            Ok(url) => Err(Failure::ForeignUrl {
                host: text::cleaned(url.host_str().unwrap_or_default(), text::NAME)
                    .unwrap_or_else(|| "no host".to_owned()),
            }),
            Err(_) => Err(Failure::ForeignUrl {
                host: "no URL".to_owned(),
            }),
        }
    }

    /// Sends a call until it succeeds, fails for good, or has no tries left. A 401 is answered once with a fresh token.
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
        let mut opened = self.open(call, request_id).await?;
        let body = opened.whole().await?;
        let reply = Reply {
            status: opened.status,
            headers: opened.headers,
            body,
        };
        Ok((reply.status, reply))
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
            // Azure's front end answers 411 without it.
            request.insert_header("content-length", "0");
        }
        let options = PipelineStreamOptions {
            skip_checks: true,
            ..Default::default()
        };
        let shared = &self.shared;
        let context = Context::new();
        let answer = shared
            .pipeline
            .stream(&context, &mut request, Some(options))
            .await
            .map_err(|error| shared.failure_of(error, Some(&call.url)))?;
        let (status, headers, body) = answer.deconstruct();
        let mut opened = Opened {
            status: status.into(),
            headers,
            body,
            url: call.url.clone(),
            sign_in: &shared.credential.sign_in,
        };
        tracing::debug!(status = opened.status, "{} answered", call.operation);
        match opened.status {
            200..300 => Ok(opened),
            _ => Err(opened.refusal().await?),
        }
    }
}

/// A Debug print shows the endpoint alone, so that no credential gets into a log.
impl std::fmt::Debug for ArmClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArmClient")
            .field("endpoint", &self.shared.options.endpoint.as_str())
            .finish_non_exhaustive()
    }
}
