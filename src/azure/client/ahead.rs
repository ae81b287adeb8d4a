//! What is done ahead of alerts, so that they do not wait for it: a token and an open connection.

use super::{ArmClient, body};
use crate::azure::error::{AzureError, Failure};
use azure_core::credentials::TokenCredential;
use std::{sync::Arc, time::SystemTime};

impl ArmClient {
    /// Fetches a token ahead of the first alert. Gives the time when it expires.
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

    /// Who issues the tokens, for messages.
    pub fn token_issuer(&self) -> &'static str {
        self.shared.credential.sign_in.way.issuer()
    }

    /// Opens a connection to Resource Manager, or keeps the open one alive, with the one call that needs no token, names
    /// no subscription and so counts against no limit: a cloud's metadata.
    /// <https://learn.microsoft.com/en-us/azure-stack/user/azure-stack-rest-api-use>
    ///
    /// # Errors
    /// [`Failure::NoAnswer`]. Any answer is good.
    pub async fn keep_connected(&self) -> Result<(), AzureError> {
        let shared = &self.shared;
        let mut url = shared.options.endpoint.clone();
        url.set_path("metadata/endpoints");
        url.set_query(Some("api-version=2022-09-01"));
        let asked = async {
            // The body is read so that the connection can be used again, but not kept.
            let mut answer = shared.http.get(url).send().await?;
            let mut left = body::MAXIMUM;
            while let Some(chunk) = answer.chunk().await? {
                match left.checked_sub(chunk.len()) {
                    Some(less) => left = less,
                    None => break,
                }
            }
            Ok(())
        };
        asked.await.map_err(|error: reqwest::Error| AzureError {
            operation: "open a connection",
            resource: shared.options.endpoint.to_string(),
            failure: Failure::NoAnswer {
                sent: !error.is_connect(),
                source: Arc::new(error),
            },
        })
    }
}
