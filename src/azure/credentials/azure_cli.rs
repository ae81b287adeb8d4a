//! The operator's own login, for the commands at a terminal. A server never uses it.

use super::{RenewableCredential, SignIn};
use azure_core::credentials::TokenCredential;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions, Executor};
use std::sync::Arc;

/// The login of `az`, in `tenant_id` or in the tenant that it is signed in to. `executor` runs the command; by
/// default it is a process.
///
/// # Errors
/// When the tenant is not well-formed.
pub fn azure_cli(
    sign_in: SignIn,
    tenant_id: Option<String>,
    executor: Option<Arc<dyn Executor>>,
) -> azure_core::Result<RenewableCredential> {
    RenewableCredential::new(sign_in, move || {
        let options = AzureCliCredentialOptions {
            tenant_id: tenant_id.clone(),
            executor: executor.clone(),
            ..Default::default()
        };
        let credential: Arc<dyn TokenCredential> = AzureCliCredential::new(Some(options))?;
        Ok(credential)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::sign_in::Way;
    use std::{ffi::OsStr, io, process::Output};

    /// Replaces the process: answers the right command line.
    #[derive(Debug)]
    struct Az;

    #[async_trait::async_trait]
    impl Executor for Az {
        async fn run(&self, _: &OsStr, arguments: &[&OsStr]) -> io::Result<Output> {
            let command = arguments.last().unwrap().to_string_lossy().into_owned();
            let right = command
                .contains("az account get-access-token -o json --scope https://arm.example/.default --tenant t");
            let token = r#"{"accessToken":"t0ken","expires_on":4102444800,"tokenType":"Bearer"}"#;
            let (stdout, stderr) = match right {
                true => (token, ""),
                false => ("", command.as_str()),
            };
            Ok(Output {
                status: Default::default(),
                stdout: stdout.into(),
                stderr: stderr.into(),
            })
        }
    }

    #[tokio::test]
    async fn the_cli_s_login_gives_tokens() {
        let sign_in = SignIn {
            way: Way::AzureCli,
            tenant: "AZURE_TENANT_ID",
            client: "",
            proof: "",
        };
        let credential = azure_cli(sign_in, Some("t".to_owned()), Some(Arc::new(Az))).unwrap();
        let token = credential.get_token(&["https://arm.example/.default"], None);
        assert_eq!(token.await.unwrap().token.secret(), "t0ken");
    }
}
