//! What Resource Manager answers to one call: as a whole, or while it comes.

use super::{body, pipeline_error};
use crate::{
    azure::{
        api_versions,
        error::{Failure, read_error_body},
        sign_in::SignIn,
    },
    retry_after, text,
};
use azure_core::{
    Bytes,
    http::{AsyncResponseBody, headers::Headers},
};
use serde::de::DeserializeOwned;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use url::Url;

/// A 2xx answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
}

/// A 2xx answer whose body is still to be read.
pub(in crate::azure) struct Opened<'a> {
    pub status: u16,
    pub headers: Headers,
    pub(super) body: AsyncResponseBody,
    pub(super) url: Url,
    pub(super) sign_in: &'a SignIn,
}

impl Opened<'_> {
    /// The next chunk of the body, as it comes from the wire.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        let read = body::next(&mut self.body).await;
        read.map_err(|error| self.failure_of(error))
    }

    /// The whole body.
    pub(super) async fn whole(&mut self) -> Result<Bytes, Failure> {
        match body::start_of(&mut self.body, body::MAXIMUM).await {
            Ok((body, true)) => Ok(body),
            Ok((_, false)) => Err(Failure::TooLarge {
                what: format!("the body has more than {} bytes", body::MAXIMUM),
            }),
            Err(error) => Err(self.failure_of(error)),
        }
    }

    /// What a status other than 2xx says.
    pub(super) async fn refusal(&mut self) -> Result<Failure, Failure> {
        let read = body::start_of(&mut self.body, body::MAXIMUM_OF_REFUSAL).await;
        let (body, _) = read.map_err(|error| self.failure_of(error))?;
        let error = read_error_body(self.status, &body);
        Ok(Failure::Refused {
            status: self.status,
            unknown_version: api_versions::unknown(&error.code, &self.url).map(Box::new),
            code: error.code,
            message: error.message,
            request_id: header(&self.headers, "x-ms-request-id")
                .and_then(|id| text::cleaned(id, text::WORD)),
            retry_after: wait_of(&self.headers),
        })
    }

    fn failure_of(&self, error: azure_core::Error) -> Failure {
        pipeline_error::failure_of(error, Some(&self.url), self.sign_in)
    }
}

impl Reply {
    pub fn header(&self, name: &'static str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// What the `Retry-After` header asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        wait_of(&self.headers)
    }

    /// Whether the body is blank or the word null, with which Azure says nothing.
    pub fn is_blank(&self) -> bool {
        matches!(self.body.trim_ascii(), b"" | b"null")
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Failure::Unreadable`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|source| Failure::Unreadable {
            source: Arc::new(source),
        })
    }
}

fn header<'h>(headers: &'h Headers, name: &'static str) -> Option<&'h str> {
    headers.get_optional_str(&name.into())
}

fn wait_of(headers: &Headers) -> Option<Duration> {
    let value = header(headers, "retry-after")?;
    retry_after::parse(value, SystemTime::now())
}
