//! The function's identity. A credential that can be discarded and built again, because `azure_identity` cannot forget a
//! token that Azure has revoked. The other files build them, one file for each way to sign in.

mod azure_cli;
mod certificate;
mod client_secret;
mod federation;
mod managed_identity;

pub use azure_cli::azure_cli;
pub use certificate::{Signer, certificate};
pub use client_secret::client_secret;
pub use federation::{managed_identity_federation, token_file};
pub use managed_identity::{Assigned, ManagedIdentity, managed_identity};

use super::{bounded::Bounded, sign_in::SignIn};
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::{Error, ErrorKind},
    http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport},
};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use url::Url;

/// How long a call waits for a token. Entra answers in well under a second, and calls wait behind one another inside the
/// credential.
const TOKEN_DEADLINE: Duration = Duration::from_secs(15);
/// Interval between two renewals: many calls may get a 401 at the same moment, and one new credential serves them all.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);

type Build = dyn Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync;

/// A [`TokenCredential`] that [`RenewableCredential::renew`] replaces by a fresh one.
pub struct RenewableCredential {
    /// How the identity signs in, for the advice when a token is refused.
    pub sign_in: SignIn,
    build: Box<Build>,
    // Locked for a look or a swap, never over an await.
    current: Mutex<Current>,
}

struct Current {
    credential: Arc<dyn TokenCredential>,
    renewed: Option<Instant>,
}

impl RenewableCredential {
    /// Keeps `build`, to build the credential again.
    ///
    /// # Errors
    /// Those of `build`: for instance a tenant with invalid characters.
    pub fn new(
        sign_in: SignIn,
        build: impl Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync + 'static,
    ) -> azure_core::Result<Self> {
        let credential = build()?;
        Ok(Self {
            sign_in,
            build: Box::new(build),
            current: Mutex::new(Current {
                credential,
                renewed: None,
            }),
        })
    }

    /// Discards the cached token, unless that was done a moment ago.
    pub fn renew(&self) {
        let mut current = self.current.lock().expect("no code panics with this lock");
        if current
            .renewed
            .is_some_and(|at| at.elapsed() < RENEWAL_PAUSE)
        {
            return;
        }
        if let Ok(credential) = (self.build)() {
            current.credential = credential;
            current.renewed = Some(Instant::now());
        }
    }

    fn current(&self) -> Arc<dyn TokenCredential> {
        let current = self.current.lock().expect("no code panics with this lock");
        current.credential.clone()
    }
}

impl fmt::Debug for RenewableCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewableCredential")
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl TokenCredential for RenewableCredential {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let credential = self.current();
        match tokio::time::timeout(TOKEN_DEADLINE, credential.get_token(scopes, options)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::with_message(
                ErrorKind::Credential,
                format!(
                    "{} issued no token within {} s",
                    self.sign_in.way.issuer(),
                    TOKEN_DEADLINE.as_secs()
                ),
            )),
        }
    }
}

/// An application, and where it proves its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Such as `https://login.microsoftonline.com`; it must be https.
    pub authority_host: Url,
    pub tenant_id: String,
    pub client_id: String,
}

impl Application {
    fn client_options(&self, http: &reqwest::Client) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = self.authority_host.to_string();
        ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            ..client_options(http)
        }
    }

    /// A credential that sends `assertion` in place of a secret.
    fn asserting(
        &self,
        assertion: impl ClientAssertion + 'static,
        http: &reqwest::Client,
    ) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let client_options = self.client_options(http);
        let credential: Arc<dyn TokenCredential> = ClientAssertionCredential::new(
            self.tenant_id.clone(),
            self.client_id.clone(),
            assertion,
            Some(ClientAssertionCredentialOptions { client_options }),
        )?;
        Ok(credential)
    }
}

/// With the default retries a missing answer would take more than a minute. Bodies have a limit: no
/// token is larger than some kilobytes.
fn client_options(http: &reqwest::Client) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::new(Bounded::new(http.clone())))),
        retry: RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: 3,
            max_total_elapsed: azure_core::time::Duration::seconds(8),
            ..Default::default()
        }),
        ..Default::default()
    }
}
