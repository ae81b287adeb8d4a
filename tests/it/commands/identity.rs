//! `handler credentials check`, `handler doctor` and the log, for each way to sign in.

use crate::support::azure::Azure;
use crate::support::folder::Folder;
use crate::support::identities::{
    Certificate, EXCHANGE, Pairs, Prepare, REFUSALS, certificate_file, federation, instead, nobody,
    pairs, token_file,
};
use alert_packet_capture::config::{AppSettings, AzureSettings};
use azure_sandbox::{Options, samples};
use std::process::{Output, Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// A sandbox and the built executable, run with settings of its own.
struct Stage {
    azure: Azure,
    folder: Folder,
}

impl Stage {
    async fn set() -> Self {
        let folder = Folder::new();
        let options = Options {
            ca_file: Some(folder.0.join("ca.pem")),
            ..Options::default()
        };
        let azure = Azure::with(options).await;
        Self { azure, folder }
    }

    fn command(&self, arguments: &[&str], settings: Pairs) -> Command {
        let scope = format!("/subscriptions/{}", samples::SUBSCRIPTION_ID);
        let ca_file = self.folder.0.join("ca.pem").display().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
        command
            .env_clear()
            .envs(self.azure.app_settings())
            .env("PacketCapture__AllowedScopes", scope)
            .env("WEBSITE_SITE_NAME", "shop-alerts")
            .env("SSL_CERT_FILE", ca_file)
            .env("RUST_LOG", "trace")
            .envs(settings)
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    async fn run(&self, arguments: &[&str], settings: Pairs) -> (Output, String) {
        let output = self.command(arguments, settings).output().await.unwrap();
        let text = [&output.stdout[..], &output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        self.holds_no_secret(&text);
        (output, text)
    }

    fn holds_no_secret(&self, text: &str) {
        let settings = self.azure.managed_identity_settings();
        for secret in [&settings[1].1, "pass~word", "wr0ng", "eyJ", "PRIVATE KEY"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn the_commands_know_every_kind_of_identity() {
    let kinds: [(Prepare, &str); 4] = [
        (
            |azure, folder| {
                azure.register_certificate(&Certificate::one().der);
                certificate_file(folder)
            },
            "with a certificate, from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_CERTIFICATE_PATH (thumbprint ",
        ),
        (
            |azure, folder| {
                let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, 3600);
                token_file(folder, token)
            },
            "with a federated token, from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE",
        ),
        (
            |azure, _| nobody(azure.managed_identity_settings()),
            "system-assigned managed identity, from IDENTITY_ENDPOINT and IDENTITY_HEADER",
        ),
        (
            |azure, _| federation(azure),
            "through managed identity c7d2e9a4-18b3-4f65-a0c8-3e5b7f2d9146, from AzureTenant, AzureClientID, AzureFederatedIdentityClientId, IDENTITY_ENDPOINT and IDENTITY_HEADER",
        ),
    ];
    for (prepare, words) in kinds {
        let stage = Stage::set().await;
        let settings = prepare(&stage.azure, &stage.folder);
        let (output, text) = stage.run(&["credentials", "check"], settings.clone()).await;
        assert!(output.status.success(), "{text}");
        assert!(
            text.starts_with("signed in: ") && text.contains(words),
            "{text}"
        );
        let offline = ["credentials", "check", "--offline"];
        let (output, text) = stage.run(&offline, settings.clone()).await;
        assert!(output.status.success() && text.contains(words), "{text}");
        stage.azure.deny("Microsoft.Compute/virtualMachines/read");
        let (_, text) = stage.run(&["doctor"], settings.clone()).await;
        assert!(text.contains(words), "{text}");
        let assignee = match words.starts_with("system") {
            true => r#"--assignee "$(az functionapp identity show --name shop-alerts --resource-group '<group>' --query principalId --output tsv)" --role"#.to_owned(),
            false => format!("--assignee {} --role", samples::CLIENT_ID),
        };
        assert!(text.contains(&assignee), "{text}");
    }
}

#[tokio::test]
async fn the_commands_say_what_to_do_about_a_refusal() {
    for (prepare, code, words, fix) in REFUSALS {
        let stage = Stage::set().await;
        let settings = prepare(&stage.azure, &stage.folder);
        let (output, text) = stage.run(&["credentials", "check"], settings.clone()).await;
        assert_eq!(output.status.code(), Some(1), "{code}: {text}");
        assert!(text.contains(words), "{code}: {text}");
        let (output, text) = stage.run(&["doctor"], settings).await;
        assert_eq!(output.status.code(), Some(1), "{code}: {text}");
        assert!(text.contains(words), "{code}: {text}");
        let line = text.lines().find(|line| line.contains("fix: "));
        assert!(line.is_some_and(|it| it.contains(fix)), "{code}: {text}");
    }
}

#[tokio::test]
async fn an_endpoint_or_a_file_that_is_not_there_is_said() {
    let stage = Stage::set().await;
    let mut silent = nobody(stage.azure.managed_identity_settings());
    silent.extend(pairs(&[(
        "IDENTITY_ENDPOINT",
        "http://127.0.0.1:1/msi/token",
    )]));
    let (output, text) = stage.run(&["credentials", "check"], silent).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains("the platform's identity endpoint (IDENTITY_ENDPOINT) does not answer"),
        "{text}"
    );
    let missing = instead(&[("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token")]);
    let (output, text) = stage.run(&["doctor"], missing).await;
    assert_eq!(output.status.code(), Some(1));
    for words in [
        "could not read the federated token file /nowhere/token",
        "azure.workload.identity/use",
        "ls -l /nowhere/token",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(stage.azure.journal().is_empty(), "no call was made");
}

/// The log says who it is, and at its most talkative it holds no proof and no token.
#[tokio::test]
async fn the_log_names_the_identity_and_holds_no_secret() {
    let stage = Stage::set().await;
    let mut settings = federation(&stage.azure);
    settings.push(("FUNCTIONS_CUSTOMHANDLER_PORT".to_owned(), "0".to_owned()));
    let mut child = stage
        .command(&[], settings)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut log = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        log += &line;
        if line.contains("access token cached") {
            break;
        }
    }
    child.kill().await.unwrap();
    for words in [
        "access token cached",
        "captures are created as service principal b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12",
        "through managed identity c7d2e9a4",
        "AzureFederatedIdentityClientId",
    ] {
        assert!(log.contains(words), "{words} in {log}");
    }
    stage.holds_no_secret(&log);
}

/// No operator is at a terminal in a test, so this is what a server says.
#[tokio::test]
async fn a_server_never_takes_somebodys_own_login() {
    let stage = Stage::set().await;
    for settings in [
        nobody(Vec::new()),
        nobody(pairs(&[("AzureCredential", "azurecli")])),
    ] {
        let (output, text) = stage.run(&["credentials", "check"], settings).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(text.contains("AzureCredential: "), "{text}");
    }
    let asked = nobody(pairs(&[("AzureCredential", "AzureCli")]));
    let settings: AppSettings = asked.into_iter().collect();
    let identity = AzureSettings::read(&settings.at_terminal(true))
        .unwrap()
        .identity;
    assert_eq!(
        format!("{identity}, from {}", identity.source),
        "login of the Azure CLI, from `az login`, chosen by AzureCredential"
    );
    assert!(
        identity
            .source
            .warning()
            .unwrap()
            .contains("your own login")
    );
}
