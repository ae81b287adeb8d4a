//! What Resource Manager answers to one call: whole, or still on its way.

use super::{
    api_versions,
    error::{Failure, read_error_body},
    retry,
};
use azure_core::{
    Bytes,
    http::{AsyncResponseBody, headers::Headers},
};
use futures_core::Stream;
use serde::de::DeserializeOwned;
use std::{
    pin::Pin,
    time::{Duration, SystemTime},
};
use tokio::sync::SemaphorePermit;
use url::Url;

/// A 2xx answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
}

/// A 2xx answer whose body is still to be read.
pub(super) struct Opened<'a> {
    pub status: u16,
    pub headers: Headers,
    pub body: AsyncResponseBody,
    pub _turn: Option<SemaphorePermit<'a>>,
}

impl Opened<'_> {
    /// The next piece of the body, as it comes from the wire.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        std::future::poll_fn(|context| Pin::new(&mut self.body).poll_next(context))
            .await
            .transpose()
            .map_err(|error| Failure::NoAnswer {
                sent: true,
                source: error.into(),
            })
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

    pub(super) fn refusal(&self, url: &Url) -> Failure {
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
