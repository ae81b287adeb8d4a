//! What a client is made of, and one call before it is sent.

use crate::azure::{
    api_versions::ApiVersions,
    retry::{Repeat, RetryLimits},
};
use azure_core::{Bytes, http::Method};
use std::time::Duration;
use url::Url;

/// Where Resource Manager is and how much of it to use.
#[derive(Debug, Clone)]
pub struct ArmOptions {
    /// Such as `https://management.azure.com`.
    pub endpoint: Url,
    /// The audience of the token, without `/.default`.
    pub audience: String,
    pub retry: RetryLimits,
    /// Maximum duration of one try.
    pub try_timeout: Duration,
    /// Maximum calls in progress, over all alerts, and as many in the background. A quarter of them at most goes to one
    /// resource. Resource Manager's token bucket holds 200 writes per subscription and refills at 10 a second.
    pub concurrent_calls: usize,
    pub api_versions: ApiVersions,
}

/// Counts the calls.
pub trait CallObserver: Send + Sync {
    /// One try ended. `status` is `None` when there was no answer or no token; the first try is number 1.
    fn called(&self, operation: &'static str, status: Option<u16>, attempt: u32);
}

/// One call, before it is sent.
pub struct Call<'a> {
    /// The call in errors and logs, such as "list packet captures".
    pub operation: &'static str,
    /// The resource's id, for errors and logs. Calls with the same one share a quarter of the places.
    pub resource: &'a (dyn std::fmt::Display + Sync),
    pub method: Method,
    pub url: Url,
    pub body: Option<Bytes>,
    pub repeat: Repeat,
}
