//! Each way to sign in through the front door, what is said when it is refused, and the two commands that look
//! at it.

use crate::world::{World, common_alert};
use alert_packet_capture::{
    config::{AppSettings, AzureSettings, IdentityKind},
    sandbox::{Call, Options, Sandbox, samples},
};
use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, PrivateKeyChain};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::{Output, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

type Pairs = Vec<(String, String)>;

const EXCHANGE: &str = "api://AzureADTokenExchange";

/// A directory that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("apc-identity-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A self-signed certificate. RSA keys take their time, so there are two for all tests.
struct Certificate {
    key: KeyPair,
    pem: String,
    der: Vec<u8>,
}

impl Certificate {
    fn make() -> Self {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let made = CertificateParams::default().self_signed(&key).unwrap();
        Self {
            pem: made.pem(),
            der: made.der().to_vec(),
            key,
        }
    }

    fn one() -> &'static Self {
        static ONE: OnceLock<Certificate> = OnceLock::new();
        ONE.get_or_init(Self::make)
    }

    fn another() -> &'static Self {
        static ANOTHER: OnceLock<Certificate> = OnceLock::new();
        ANOTHER.get_or_init(Self::make)
    }

    /// Certificate first, as most tools write it.
    fn pem(&self) -> String {
        format!("{}{}", self.pem, self.key.serialize_pem())
    }

    fn pfx(&self, algorithm: EncryptionAlgorithm, password: &str) -> Vec<u8> {
        let certificate = p12_keystore::Certificate::from_der(&self.der).unwrap();
        let key = p12_keystore::PrivateKey::from_der(&self.key.serialize_der()).unwrap();
        let chain = PrivateKeyChain::new("1", key, [certificate]);
        let mut store = KeyStore::new();
        store.add_entry("handler", KeyStoreEntry::PrivateKeyChain(chain));
        let writer = store.writer(password).encryption_algorithm(algorithm);
        writer.write().unwrap()
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    pairs.iter().map(owned).collect()
}

/// No secret, and these in its place.
fn instead(of_secret: &[(&str, &str)]) -> Pairs {
    let mut all = pairs(&[("AZURE_CLIENT_SECRET", "")]);
    all.extend(pairs(of_secret));
    all
}

/// No application at all.
fn nobody(more: Pairs) -> Pairs {
    let mut all = instead(&[("AZURE_TENANT_ID", ""), ("AZURE_CLIENT_ID", "")]);
    all.extend(more);
    all
}

fn federation(azure: &Sandbox) -> Pairs {
    let mut all = azure.managed_identity_settings();
    all.extend(nobody(pairs(&[
        ("AzureTenant", samples::TENANT_ID),
        ("AzureClientID", samples::CLIENT_ID),
        (
            "AzureFederatedIdentityClientId",
            samples::MANAGED_IDENTITY_CLIENT_ID,
        ),
    ])));
    all
}

/// Who asked for tokens, by what proof, in their order.
fn token_calls(azure: &Sandbox) -> Vec<(Call, Value)> {
    let entries = azure.journal().into_iter();
    let of_tokens = |kind| matches!(kind, Call::Token | Call::ManagedIdentityToken);
    let told = entries.filter(|it| of_tokens(it.kind) && it.status == Some(200));
    told.map(|it| (it.kind, it.body)).collect()
}

/// Posts an alert, which must end in a capture, and gives the calls for tokens.
async fn captures(prepare: impl FnOnce(&Sandbox) -> Pairs) -> Vec<(Call, Value)> {
    let world = World::prepared(prepare).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let calls = token_calls(&world.azure);
    world.end().await;
    calls
}

fn proof(of: &str) -> Vec<(Call, Value)> {
    let told = json!({ "client_id": samples::CLIENT_ID, "proof": of });
    vec![(Call::Token, told)]
}

#[tokio::test]
async fn a_certificate_signs_in_from_every_kind_of_file() {
    let (folder, one) = (Folder::new(), Certificate::one());
    let new = one.pfx(EncryptionAlgorithm::PbeWithHmacSha256AndAes256, "pass~word");
    let old = one.pfx(
        EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
        "pass~word",
    );
    // Others lie about in the file, and the key comes first.
    let chain = format!(
        "{}{}{}",
        one.key.serialize_pem(),
        Certificate::another().pem,
        one.pem
    );
    for (file, password) in [
        (folder.file("cert.pem", one.pem()), ""),
        (folder.file("chain.pem", chain), ""),
        (folder.file("new.pfx", new), "pass~word"),
        (folder.file("old.pfx", old), "pass~word"),
    ] {
        let settings = [
            ("AZURE_CLIENT_CERTIFICATE_PATH", file.as_str()),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", password),
        ];
        let calls = captures(|azure| {
            azure.register_certificate(&one.der);
            instead(&settings)
        })
        .await;
        assert_eq!(calls, proof("certificate"), "{file}");
    }
    let file = folder.file("with-chain.pem", one.pem());
    let calls = captures(|azure| {
        azure.register_certificate(&one.der);
        instead(&[
            ("AZURE_CLIENT_CERTIFICATE_PATH", &file),
            ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "1"),
        ])
    })
    .await;
    assert_eq!(calls, proof("certificate with its chain"));
}

/// `tests/certificates/legacy.pfx`, RC2 and 3DES as Windows long wrote them, is made by
/// `openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 36500 -subj "/CN=alert-packet-capture test"` and
/// `openssl pkcs12 -export -legacy -inkey k.pem -in c.pem -out legacy.pfx -passout pass:legacy`.
#[tokio::test]
async fn a_pfx_file_of_old_windows_signs_in() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/legacy.pfx");
    let settings = instead(&[
        ("AZURE_CLIENT_CERTIFICATE_PATH", file),
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "legacy"),
    ]);
    let calls = captures(|azure| {
        let all = azure.app_settings().into_iter().chain(settings.clone());
        let identity = AzureSettings::read(&all.collect()).unwrap().identity;
        let IdentityKind::ClientCertificate { certificate, .. } = identity.kind else {
            panic!("{identity}");
        };
        azure.register_certificate(&certificate.chain[0]);
        settings
    })
    .await;
    assert_eq!(calls, proof("certificate"));
}

#[tokio::test]
async fn a_federated_token_is_read_again_when_azure_wants_a_new_one() {
    let folder = Folder::new();
    let path = folder.file("token", "");
    let world = World::prepared(|azure| {
        let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, 3600);
        folder.file("token", token + "\n");
        instead(&[("AZURE_FEDERATED_TOKEN_FILE", &path)])
    })
    .await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(token_calls(&world.azure), proof("federated token"));
    // The first token has ended with its cluster's key; only the file's new one is good.
    world.azure.rotate_cluster_keys();
    let token = world
        .azure
        .kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, 3600);
    folder.file("token", token);
    world.azure.expire_tokens();
    let reply = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(token_calls(&world.azure).len(), 2);
    world.end().await;
}

#[tokio::test]
async fn managed_identities_sign_in_with_nothing_stored() {
    let told = |azure: &Sandbox, client: Value| {
        let resource = azure.endpoint();
        (
            Call::ManagedIdentityToken,
            json!({ "resource": resource, "client_id": client }),
        )
    };
    let mut expected = Vec::new();
    let calls = captures(|azure| {
        expected.push(told(azure, Value::Null));
        nobody(azure.managed_identity_settings())
    })
    .await;
    assert_eq!(calls, expected);
    let calls = captures(|azure| {
        let client = samples::MANAGED_IDENTITY_CLIENT_ID;
        expected = vec![told(azure, client.into())];
        let mut all = nobody(azure.managed_identity_settings());
        all.extend(pairs(&[("AZURE_CLIENT_ID", client)]));
        all
    })
    .await;
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn an_application_that_trusts_a_managed_identity_keeps_its_name() {
    let calls = captures(federation).await;
    let identity = json!({
        "resource": EXCHANGE,
        "client_id": samples::MANAGED_IDENTITY_CLIENT_ID,
    });
    let mut expected = vec![(Call::ManagedIdentityToken, identity)];
    expected.extend(proof("token of a managed identity"));
    assert_eq!(calls, expected);
}

type Prepare = fn(&Sandbox, &Folder) -> Pairs;

fn token_file(folder: &Folder, token: String) -> Pairs {
    instead(&[("AZURE_FEDERATED_TOKEN_FILE", &folder.file("token", token))])
}

fn certificate_file(folder: &Folder) -> Pairs {
    let file = folder.file("cert.pem", Certificate::one().pem());
    instead(&[("AZURE_CLIENT_CERTIFICATE_PATH", &file)])
}

/// How it is set up, the code of the answer, words of the answer, and a part of the doctor's mending command.
const REFUSALS: [(Prepare, &str, &str, &str); 12] = [
    (
        |_, folder| certificate_file(folder),
        "AADSTS700027",
        "the certificate in AZURE_CLIENT_CERTIFICATE_PATH is not this application's",
        "az ad app credential reset --id b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12 --append --cert",
    ),
    (
        |azure, folder| {
            azure.register_certificate(&Certificate::another().der);
            certificate_file(folder)
        },
        "AADSTS700027",
        "upload its public part",
        "--append --cert",
    ),
    (
        |azure, folder| {
            azure.register_certificate(&Certificate::one().der);
            let mut all = certificate_file(folder);
            let tenant = "00000000-0000-4000-8000-000000000000";
            all.extend(pairs(&[("AZURE_TENANT_ID", tenant)]));
            all
        },
        "AADSTS90002",
        "there is no such tenant: look at AZURE_TENANT_ID",
        "az account show --query tenantId",
    ),
    (
        |azure, folder| {
            let token = azure.kubernetes_token("system:serviceaccount:a:b", EXCHANGE, 3600);
            token_file(folder, token)
        },
        "AADSTS700213",
        "no federated credential that fits the token in AZURE_FEDERATED_TOKEN_FILE",
        "az ad app federated-credential list --id b3c6a1d2",
    ),
    (
        |azure, folder| {
            let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, "api://else", 3600);
            token_file(folder, token)
        },
        "AADSTS700212",
        "issuer, subject and audience must be equal",
        "az ad app federated-credential list",
    ),
    (
        |azure, folder| {
            let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, -3600);
            token_file(folder, token)
        },
        "AADSTS700024",
        "the federated token was not valid at this time",
        "date -u",
    ),
    (
        |azure, folder| {
            let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, 3600);
            azure.rotate_cluster_keys();
            token_file(folder, token)
        },
        "AADSTS50013",
        "not signed by the issuer",
        "az ad app federated-credential list",
    ),
    (
        |azure, _| {
            azure.trust_managed_identity(false);
            federation(azure)
        },
        "AADSTS700213",
        "add a federated credential for the identity of AzureFederatedIdentityClientId",
        "az ad app federated-credential list --id b3c6a1d2",
    ),
    (
        |azure, _| {
            azure.remove_managed_identities();
            federation(azure)
        },
        "ManagedIdentityNotFound",
        "assign it the user-assigned identity of AzureFederatedIdentityClientId",
        "az functionapp identity assign --name shop-alerts --resource-group <group> --identities",
    ),
    (
        |azure, _| {
            azure.remove_managed_identities();
            nobody(azure.managed_identity_settings())
        },
        "ManagedIdentityNotFound",
        "assign it a system-assigned identity (az functionapp identity assign, or az webapp identity assign)",
        "az functionapp identity assign --name shop-alerts --resource-group <group>",
    ),
    (
        |azure, _| {
            let mut all = nobody(azure.managed_identity_settings());
            let client = "00000000-0000-4000-8000-000000000000";
            all.extend(pairs(&[("AZURE_CLIENT_ID", client)]));
            all
        },
        "ManagedIdentityNotFound",
        "assign it the user-assigned identity of AZURE_CLIENT_ID",
        "clientId=='",
    ),
    (
        |azure, _| {
            let mut all = nobody(azure.managed_identity_settings());
            all.extend(pairs(&[("IDENTITY_HEADER", "wr0ng")]));
            all
        },
        "ManagedIdentityRefused",
        "set by App Service and by nobody else",
        "az functionapp restart --name shop-alerts",
    ),
];

#[tokio::test]
async fn a_refusal_is_answered_with_what_to_do() {
    for (prepare, code, words, _) in REFUSALS {
        let folder = Folder::new();
        let world = World::prepared(|azure| prepare(azure, &folder)).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["error"]["code"], code, "{:?}", reply.body);
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{code}: {message}");
        assert!(!message.contains("wr0ng"), "{message}");
        world.end().await;
    }
}

/// A sandbox and the built executable, run with settings of its own.
struct Stage {
    azure: Sandbox,
    folder: Folder,
}

impl Stage {
    async fn set() -> Self {
        let folder = Folder::new();
        let options = Options {
            ca_file: Some(folder.0.join("ca.pem")),
            ..Options::default()
        };
        let azure = Sandbox::start(options).await.unwrap();
        samples::populate(&azure);
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
            true => r#"--assignee "$(az functionapp identity show --name shop-alerts --resource-group <group> --query principalId --output tsv)" --role"#.replace("<group>", "'<group>'"),
            false => format!("--assignee {} --role", samples::CLIENT_ID),
        };
        assert!(
            text.contains(&assignee) || text.contains(&assignee.replace("'<group>'", "<group>")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_commands_say_what_to_do_about_a_refusal() {
    for (prepare, code, words, mend) in REFUSALS {
        let stage = Stage::set().await;
        let settings = prepare(&stage.azure, &stage.folder);
        let (output, text) = stage.run(&["credentials", "check"], settings.clone()).await;
        assert_eq!(output.status.code(), Some(1), "{code}: {text}");
        assert!(text.contains(words), "{code}: {text}");
        let (output, text) = stage.run(&["doctor"], settings).await;
        assert_eq!(output.status.code(), Some(1), "{code}: {text}");
        assert!(text.contains(words), "{code}: {text}");
        let told = text.lines().find(|line| line.contains("mend: "));
        assert!(told.is_some_and(|it| it.contains(mend)), "{code}: {text}");
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
        "/nowhere/token cannot be read",
        "azure.workload.identity/use",
        "ls -l /nowhere/token",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(stage.azure.journal().is_empty(), "nobody was asked");
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
        if line.contains("access token at hand") {
            break;
        }
    }
    child.kill().await.unwrap();
    for words in [
        "access token at hand",
        "captures are made as service principal b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12",
        "through managed identity c7d2e9a4",
        "AzureFederatedIdentityClientId",
    ] {
        assert!(log.contains(words), "{words} in {log}");
    }
    stage.holds_no_secret(&log);
}

/// Nobody is at a terminal in a test, so this is what a server says.
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

#[test]
fn a_certificate_file_that_is_of_no_use_is_told_apart() {
    let (folder, one) = (Folder::new(), Certificate::one());
    let elliptic = KeyPair::generate().unwrap();
    let modern = one.pfx(EncryptionAlgorithm::PbeWithHmacSha256AndAes256, "pass~word");
    let key = one.key.serialize_pem();
    let locked = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (name, content, words) in [
        (
            "only.pem",
            one.pem.clone().into_bytes(),
            "holds no private key",
        ),
        ("key.pem", key.clone().into_bytes(), "holds no certificate"),
        (
            "locked.pem",
            [&one.pem, &locked[..]].concat().into_bytes(),
            "an encrypted private key in PEM",
        ),
        (
            "other.pem",
            [&Certificate::another().pem, &key[..]]
                .concat()
                .into_bytes(),
            "belongs to none of its certificates",
        ),
        (
            "ec.pem",
            [&one.pem, &elliptic.serialize_pem()[..]]
                .concat()
                .into_bytes(),
            "not RSA of at least 2048 bits",
        ),
        (
            "bad.pem",
            key.replace('a', "~").into_bytes(),
            "not well-formed PEM",
        ),
        (
            "new.pfx",
            modern,
            "that AZURE_CLIENT_CERTIFICATE_PASSWORD does not open",
        ),
        (
            "rubbish.pfx",
            b"rubbish".to_vec(),
            "neither PEM nor a PFX file",
        ),
    ] {
        let file = folder.file(name, content);
        let settings = pairs(&[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", &file),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "wr0ng"),
        ]);
        let error = AzureSettings::read(&settings.into_iter().collect()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(words) && text.contains(&file),
            "{name}: {text}"
        );
        assert!(!text.contains("wr0ng") && !text.contains("BEGIN"), "{text}");
    }
}
