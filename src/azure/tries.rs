//! The tries of one call: each is traced, counted and limited in time; between them it waits as Azure wishes.

use super::{
    client::{ArmClient, Call},
    error::{AzureError, Failure},
    retry,
};
use std::future::Future;
use tracing::{Instrument, field::Empty};
use uuid::Uuid;

/// See the file's head.
pub(super) struct Tries<'c> {
    client: &'c ArmClient,
    call: &'c Call<'c>,
    request_id: Uuid,
    tried: u32,
    renewed: bool,
}

impl<'c> Tries<'c> {
    /// Of a call that was not tried yet.
    pub fn of(client: &'c ArmClient, call: &'c Call<'c>) -> Self {
        Self {
            client,
            call,
            request_id: Uuid::new_v4(),
            tried: 0,
            renewed: false,
        }
    }

    /// The client request id: the same for all tries, as Azure's own clients do, so that Azure sees what belongs
    /// together.
    pub fn request_id(&self) -> String {
        self.request_id.to_string()
    }

    /// Makes a try, which gives its status and what it is for. `None`: it failed, and the next one may be made
    /// now.
    ///
    /// # Errors
    /// The try failed for good, or was the last one.
    pub async fn next<T>(
        &mut self,
        attempt: impl Future<Output = Result<(u16, T), Failure>>,
    ) -> Result<Option<T>, AzureError> {
        let call = self.call;
        self.tried += 1;
        let span = tracing::debug_span!(
            "arm",
            operation = call.operation,
            resource.id = %call.resource,
            attempt = self.tried,
            http.response.status_code = Empty,
            otel.kind = "client",
            otel.status_code = Empty,
        );
        let limit = self.client.options().try_timeout;
        let limited = tokio::time::timeout(limit, attempt).instrument(span.clone());
        let answered = limited.await.unwrap_or_else(|late| {
            Err(Failure::NoAnswer {
                sent: true,
                source: late.into(),
            })
        });
        let status = match &answered {
            Ok((status, _)) => Some(*status),
            Err(Failure::Refused { status, .. }) => Some(*status),
            Err(_) => None,
        };
        span.record("http.response.status_code", status);
        if answered.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        if let Some(observer) = self.client.observer() {
            observer.called(call.operation, status, self.tried);
        }
        match answered {
            Ok((_, answer)) => Ok(Some(answer)),
            Err(failure) => self.wait_after(failure).await.map(|()| None),
        }
    }

    async fn wait_after(&mut self, failure: Failure) -> Result<(), AzureError> {
        let call = self.call;
        let error = AzureError {
            operation: call.operation,
            resource: call.resource.to_string(),
            failure,
        };
        if error.status() == Some(401) && !self.renewed {
            tracing::info!(
                operation = call.operation,
                "token refused, fetching a fresh one"
            );
            self.client.renew_credential();
            self.renewed = true;
            return Ok(());
        }
        let (limits, jitter) = (&self.client.options().retry, rand::random());
        let Some(wait) = retry::wait_before_next(limits, call.repeat, self.tried, &error, jitter)
        else {
            return Err(error);
        };
        tracing::warn!(
            resource.id = error.resource,
            error.code = error.code(),
            request.id = error.request_id(),
            attempt = self.tried,
            wait_ms = wait.as_millis() as u64,
            "{} failed, trying again",
            call.operation
        );
        tokio::time::sleep(wait).await;
        Ok(())
    }
}
