//! Azure as all tests use it: a sandbox that checks on its way out that every ordered fault was met and every call
//! was one that the sandbox imitates. A test cannot forget that.

use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, Transport},
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use azure_sandbox::{Call, Fault, Options, Sandbox, What, samples};
use std::{ops::Deref, panic::AssertUnwindSafe, sync::Arc, thread};

/// A running sandbox. The last clone that goes checks what is left over.
#[derive(Clone)]
pub struct Azure(Arc<Checked>);

struct Checked(Sandbox);

impl Azure {
    /// The sample world, where nothing moves until the test says so.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// The sample world in a sandbox with these options.
    pub async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        samples::populate(&sandbox);
        Self(Arc::new(Checked(sandbox)))
    }
}

impl Azure {
    /// The sample application's identity and a client that trusts the sandbox, for a storage account.
    pub fn storage_identity(&self) -> (Arc<dyn TokenCredential>, reqwest::Client) {
        let certificate = reqwest::Certificate::from_pem(self.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([certificate]);
        let http = http.build().unwrap();
        let mut cloud = azure_core::cloud::CustomConfiguration::default();
        cloud.authority_host = self.endpoint();
        let options = ClientSecretCredentialOptions {
            client_options: ClientOptions {
                transport: Some(Transport::new(Arc::new(http.clone()))),
                cloud: Some(Arc::new(cloud.into())),
                ..ClientOptions::default()
            },
        };
        let credential = ClientSecretCredential::new(
            samples::TENANT_ID,
            samples::CLIENT_ID.to_owned(),
            samples::CLIENT_SECRET.into(),
            Some(options),
        );
        (credential.unwrap(), http)
    }
}

impl Deref for Azure {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.0.0
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        let left = self.0.left_over();
        // A second panic would abort the process and hide the first one.
        if !left.is_empty() && !thread::panicking() {
            panic!("left over in the sandbox: {left:#?}");
        }
    }
}

/// The check itself can fail.
#[tokio::test]
async fn a_fault_that_no_call_meets_and_an_unknown_call_fail_a_test() {
    let clean = Azure::start().await;
    assert!(fate(clean).is_ok());

    let unmet = Azure::start().await;
    unmet.fault(Fault {
        on: Call::Token,
        times: 1,
        what: What::Hang,
    });
    let still_used = unmet.clone();
    assert!(fate(unmet).is_ok(), "another clone still uses it");
    assert!(fate(still_used).is_err());

    let unused = Azure::start().await;
    unused.fail_next_operation("Conflict", "no");
    assert!(fate(unused).is_err());

    let asked = Azure::start().await;
    let certificate = reqwest::Certificate::from_pem(asked.ca_pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder().tls_certs_only([certificate]);
    let url = format!("{}/subscriptions/none/unheard-of", asked.endpoint());
    http.build().unwrap().get(url).send().await.unwrap();
    assert!(fate(asked).is_err());
}

fn fate(azure: Azure) -> thread::Result<()> {
    std::panic::catch_unwind(AssertUnwindSafe(|| drop(azure)))
}
