//! Who we are to Azure. A credential that can be thrown away and built anew, because `azure_identity` has no
//! way to forget a token that Azure has revoked.

use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::{Error, ErrorKind},
    http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport},
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use url::Url;

/// Entra answers in well under a second. Waiters queue up behind one another inside the credential, so a
/// refusal must not take long.
const TOKEN_DEADLINE: Duration = Duration::from_secs(15);
/// Many calls may hear 401 at the same moment; one new credential serves them all.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);

type Build = dyn Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync;

/// A [`TokenCredential`] that [`RenewableCredential::renew`] replaces by a fresh one.
pub struct RenewableCredential {
    build: Box<Build>,
    // Swapped in an instant and never held over an await.
    current: Mutex<Current>,
}

struct Current {
    credential: Arc<dyn TokenCredential>,
    renewed: Option<Instant>,
}

impl RenewableCredential {
    /// # Errors
    /// What `build` says: for instance a tenant with characters that no tenant has.
    pub fn new(
        build: impl Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync + 'static,
    ) -> azure_core::Result<Self> {
        let credential = build()?;
        Ok(Self {
            build: Box::new(build),
            current: Mutex::new(Current {
                credential,
                renewed: None,
            }),
        })
    }

    /// Forgets the cached token, unless that was done a moment ago.
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
                ErrorKind::Io,
                format!(
                    "Microsoft Entra ID gave no token within {} s",
                    TOKEN_DEADLINE.as_secs()
                ),
            )),
        }
    }
}

/// A service principal with a client secret.
///
/// # Errors
/// When the tenant or the authority host is not well-formed (the host must be https).
pub fn client_secret(
    authority_host: &Url,
    tenant_id: &str,
    client_id: &str,
    secret: Secret,
    http: reqwest::Client,
) -> azure_core::Result<RenewableCredential> {
    let authority_host = authority_host.to_string();
    let tenant_id = tenant_id.to_owned();
    let client_id = client_id.to_owned();
    RenewableCredential::new(move || {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = authority_host.clone();
        let client_options = ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            transport: Some(Transport::new(Arc::new(http.clone()))),
            retry: RetryOptions::exponential(ExponentialRetryOptions {
                max_retries: 3,
                max_total_elapsed: azure_core::time::Duration::seconds(8),
                ..Default::default()
            }),
            ..Default::default()
        };
        let credential: Arc<dyn TokenCredential> = ClientSecretCredential::new(
            &tenant_id,
            client_id.clone(),
            secret.clone(),
            Some(ClientSecretCredentialOptions { client_options }),
        )?;
        Ok(credential)
    })
}
