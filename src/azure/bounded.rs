//! The transport of the credentials. The SDK collects their answers whole, so the limit is enforced below it.

use azure_core::{
    Bytes, Error,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request, response::PinnedStream},
};
use futures_core::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Maximum bytes of an answer.
const MAXIMUM: usize = 1024 * 1024;

/// A client whose bodies end with an error at the limit.
#[derive(Debug)]
pub(super) struct Bounded<C>(C);

impl<C: HttpClient> Bounded<C> {
    pub fn new(client: C) -> Self {
        Self(client)
    }
}

#[async_trait::async_trait]
impl<C: HttpClient> HttpClient for Bounded<C> {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.0.execute_request(request).await?;
        let (status, headers, body) = answer.deconstruct();
        let body = Limited {
            body: Box::pin(body),
            left: Some(MAXIMUM),
        };
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}

struct Limited {
    body: PinnedStream,
    /// `None` once the limit was exceeded.
    left: Option<usize>,
}

impl Stream for Limited {
    type Item = azure_core::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(left) = self.left else {
            return Poll::Ready(None);
        };
        let polled = self.body.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.left = left.checked_sub(chunk.len());
            if self.left.is_none() {
                let message = format!("the answer is larger than {MAXIMUM} bytes");
                let error = Error::with_message(ErrorKind::DataConversion, message);
                return Poll::Ready(Some(Err(error)));
            }
        }
        polled
    }
}
