//! The tries of one call: each one is traced, counted and limited in time; between them it waits as Azure asks.

use super::{ArmClient, Call, throttle::LaneOf};
use crate::azure::{
    error::{AzureError, Failure},
    retry,
};
use std::{future::Future, sync::Arc};
use tracing::{Instrument, field::Empty};
use uuid::Uuid;

/// The tries of one call.
pub(in crate::azure) struct Tries<'c> {
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

    /// The client request id: the same for all tries, as Azure's own clients do, so that Azure's support can find them
    /// together.
    pub fn request_id(&self) -> String {
        self.request_id.to_string()
    }

    /// Makes a try, which gives its status and its answer. `None`: it failed, and the next one may be made now.
    ///
    /// # Errors
    /// The try failed for good, or was the last one.
    pub async fn next<T>(
        &mut self,
        attempt: impl Future<Output = Result<(u16, T), Failure>>,
    ) -> Result<Option<T>, AzureError> {
        let (call, shared) = (self.call, &self.client.shared);
        let turn = shared.throttle.turn(call, self.client.lane).await;
        // Held for this try only, never while waiting for the next.
        let turn = turn.map_err(|failure| self.error(failure))?;
        self.tried = self.tried.saturating_add(1);
        let span = tracing::debug_span!(
            "arm",
            operation = call.operation,
            resource.id = %call.resource,
            attempt = self.tried,
            http.response.status_code = Empty,
            otel.kind = "client",
            otel.status_code = Empty,
        );
        let limit = shared.options.try_timeout;
        let limited = tokio::time::timeout(limit, attempt).instrument(span.clone());
        let answered = limited.await.unwrap_or_else(|late| {
            Err(Failure::NoAnswer {
                sent: true,
                source: Arc::new(late),
            })
        });
        drop(turn);
        let status = match &answered {
            Ok((status, _)) => Some(*status),
            Err(Failure::Refused { status, .. }) => Some(*status),
            Err(_) => None,
        };
        span.record("http.response.status_code", status);
        if answered.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        if let Some(observer) = shared.observer.get() {
            observer.called(call.operation, status, self.tried);
        }
        match answered {
            Ok((_, answer)) => Ok(Some(answer)),
            Err(failure) => self.wait_after(failure).await.map(|()| None),
        }
    }

    async fn wait_after(&mut self, failure: Failure) -> Result<(), AzureError> {
        let (call, shared) = (self.call, &self.client.shared);
        let error = self.error(failure);
        if self.client.gives_way && error.status() == Some(429) {
            return Err(error);
        }
        let lost = matches!(error.failure, Failure::NoAnswer { .. });
        if self.client.lane == LaneOf::Beside && lost {
            return Err(error);
        }
        shared.throttle.failed(call, &error);
        if error.status() == Some(401) {
            if self.renewed {
                return Err(error);
            }
            tracing::info!(
                error.code = error.code(),
                "Azure rejected the access token of a call; fetching a new one and retrying ({})",
                call.operation
            );
            shared.credential.renew();
            self.renewed = true;
            return Ok(());
        }
        let (limits, jitter) = (&shared.options.retry, rand::random());
        let wait = retry::wait_before_next(limits, call.repeat, self.tried, &error, jitter);
        let Some(wait) = wait else {
            return Err(error);
        };
        tracing::warn!(
            resource.id = error.resource,
            error.code = error.code(),
            request.id = error.request_id(),
            attempt = self.tried,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "{error}; retrying in {:.1} s",
            wait.as_secs_f32()
        );
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn error(&self, failure: Failure) -> AzureError {
        AzureError {
            operation: self.call.operation,
            resource: self.call.resource.to_string(),
            failure,
        }
    }
}
