//! The stage of the walk that looks for secrets: each way to sign in with its secrets planted, the executable and all
//! that it prints.

use crate::support::{
    azure::Azure,
    folder::Folder,
    identities::{
        Certificate, EXCHANGE, Pairs, certificate_file, federation, instead, nobody, pairs,
        token_file,
    },
    secrets::Secrets,
    world::common_alert,
};
use alert_packet_capture::config::{key_file::Key, secure_string};
use axum::{Router, extract::Request, http::StatusCode};
use azure_sandbox::{Call, Fault, FaultBody, Options, Sandbox, Signing, What, samples};
use p12_keystore::EncryptionAlgorithm;
use serde_json::{Value, json};
use std::{
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    sync::mpsc,
};

/// As talkative as a user can make it, and then some.
const LOUD: &str =
    "trace,azure_core::http=trace,hyper_util::client=trace,h2::codec=trace,reqwest::connect=trace";
pub const AUDIENCE: &str = "2f4a6c1e-9b3d-4e57-8a10-5c7e9d1f3b25";
pub const FUNCTION_KEY: &str = "k3yOfTheFunction0AzFu==";

pub type Prepare = fn(&Sandbox, &Folder, &mut Secrets) -> Pairs;

/// Each way to sign in, its secrets planted.
pub const WAYS: [(&str, Prepare); 8] = [
    ("client secret", |_, _, secrets| {
        secrets.plant("client secret", samples::CLIENT_SECRET);
        Vec::new()
    }),
    ("encrypted password", |_, folder, secrets| {
        let key = Key::from_bytes(&(101..=132).collect::<Vec<u8>>()).unwrap();
        let file = folder.file("PassEncryptKey.key", key.to_file().as_bytes());
        let encrypted = secure_string::encrypt(samples::CLIENT_SECRET, &key).unwrap();
        // The header is the same in all such strings, and messages show its beginning.
        secrets.plant("encrypted password", &encrypted[32..]);
        secrets.plant("client secret", samples::CLIENT_SECRET);
        secrets.plant("key file", "101, 102, 103, 104");
        secrets.plant("key file's lines", key.to_file().as_str());
        original(&[
            ("AzureCredPassword", &encrypted),
            ("AzureCredKeyPath", &file),
        ])
    }),
    ("plain password", |_, _, secrets| {
        let plain = secrets.plant("client secret", samples::CLIENT_SECRET);
        original(&[
            ("AzureCredPassword", &plain),
            ("AzureCredPasswordFormat", "plain"),
        ])
    }),
    ("certificate", |azure, folder, secrets| {
        let one = Certificate::one();
        azure.register_certificate(&one.der);
        for line in one.key.serialize_pem().lines().filter(|it| it.len() > 40) {
            secrets.plant("private key", line);
        }
        certificate_file(folder)
    }),
    ("certificate in a PFX file", |azure, folder, secrets| {
        let one = Certificate::one();
        azure.register_certificate(&one.der);
        let password = secrets.plant("certificate password", "p4ss~of~the~certificate");
        let pfx = one.pfx(EncryptionAlgorithm::PbeWithHmacSha256AndAes256, &password);
        instead(&[
            (
                "AZURE_CLIENT_CERTIFICATE_PATH",
                &folder.file("one.pfx", pfx),
            ),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", &password),
        ])
    }),
    ("federated token", |azure, folder, secrets| {
        let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, 3600);
        secrets.plant("federated token", token.as_str());
        token_file(folder, token)
    }),
    ("managed identity", |azure, _, secrets| {
        let settings = azure.managed_identity_settings();
        secrets.plant("identity header", settings[1].1.as_str());
        nobody(settings)
    }),
    (
        "application that trusts a managed identity",
        |azure, _, secrets| {
            let settings = azure.managed_identity_settings();
            secrets.plant("identity header", settings[1].1.as_str());
            federation(azure)
        },
    ),
];

pub fn original(more: &[(&str, &str)]) -> Pairs {
    let mut all = nobody(pairs(&[
        ("AzureTenant", samples::TENANT_ID),
        ("AzureClientID", samples::CLIENT_ID),
    ]));
    all.extend(pairs(more));
    all
}

/// A function with every secret that it can have, and the Azure that it talks to.
pub struct Walk {
    pub azure: Azure,
    pub folder: Folder,
    pub settings: Pairs,
    pub secrets: Secrets,
}

/// Refusals are ordered of Entra ID and of the managed identity's endpoint; each way to sign in calls one of them.
impl Drop for Walk {
    fn drop(&mut self) {
        self.azure.withdraw_faults();
    }
}

impl Walk {
    pub async fn begin(prepare: Prepare, with_key: bool) -> Self {
        let folder = Folder::new();
        let ca_file = folder.0.join("ca.pem");
        let options = Options {
            ca_file: Some(ca_file.clone()),
            ..Options::default()
        };
        let azure = Azure::with(options).await;
        let mut secrets = Secrets::default();
        secrets.plant("function key", FUNCTION_KEY);
        let url = secrets.plant(
            "webhook's key",
            "/services/T0PS3CR3T/p4th0fTh3Webh00k?token=qu3ry0fTh3Webh00k",
        );
        let secret = secrets.plant("webhook's secret", "s1gningS3cretOfTheWebhook");
        let queue = match with_key {
            true => azure.queue_settings(),
            false => azure.queue_settings_with_sas(),
        };
        let connection = &queue
            .iter()
            .find(|(name, _)| name == "AzureWebJobsStorage")
            .unwrap()
            .1;
        let (_, key) = connection
            .rsplit_once(if with_key { "AccountKey=" } else { "sig=" })
            .unwrap();
        secrets.plant("storage account's key or signature", key);
        let mut settings = azure.app_settings();
        let receiver = format!("http://{}{url}", receiver().await);
        settings.extend(pairs(&[
            ("SSL_CERT_FILE", &ca_file.display().to_string()),
            ("FUNCTIONS_CUSTOMHANDLER_PORT", "0"),
            ("FUNCTIONS_APP_ROOT_PATH", env!("CARGO_MANIFEST_DIR")),
            ("Notification__WebhookUrl", &receiver),
            ("Notification__Secret", &secret),
            (
                "Notification__Events",
                "created, completed, failed, skipped",
            ),
            ("SecureWebhook__TenantId", samples::TENANT_ID),
            ("SecureWebhook__Audience", AUDIENCE),
            ("PacketCapture__ReplyWaitSeconds", "5"),
        ]));
        settings.extend(queue);
        settings.extend(prepare(&azure, &folder, &mut secrets));
        Self {
            azure,
            folder,
            settings,
            secrets,
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
        command
            .env_clear()
            .envs(self.settings.iter().cloned())
            .env("RUST_LOG", LOUD)
            .env("LOG_FORMAT", "json")
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command, checks all that it prints, and gives the exit code.
    pub async fn run(&mut self, arguments: &[&str]) -> Option<i32> {
        let ran = self.command(arguments).output();
        let output = tokio::time::timeout(Duration::from_secs(20), ran).await;
        let output = output
            .unwrap_or_else(|_| panic!("{arguments:?} does not end"))
            .unwrap();
        self.secrets.learn(&self.azure);
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            self.secrets.none_in(&arguments.join(" "), &text);
        }
        output.status.code()
    }

    /// Entra and the platform refuse the next ones who ask for a token.
    pub fn refuse_tokens(&self, times: usize) {
        for on in [Call::Token, Call::ManagedIdentityToken] {
            self.azure.fault(Fault {
                on,
                times,
                what: What::Status {
                    code: 401,
                    retry_after: None,
                    body: FaultBody::Html,
                },
            });
        }
    }

    pub fn token(&mut self, change: Value, signing: Signing) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let mut claims = json!({
            "iss": format!("{}/{}/v2.0", self.azure.endpoint(), samples::TENANT_ID), "aud": AUDIENCE, "ver": "2.0",
            "tid": samples::TENANT_ID, "iat": now, "nbf": now, "exp": now + 3600,
            "azp": "461e8683-5575-4561-ac7f-899cc907d62a", "azpacr": "2", "idtyp": "app",
            "roles": ["ActionGroupsSecureWebhook"],
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = self.azure.sign_token(&claims, signing);
        self.secrets.plant("caller's token", token)
    }
}

/// A webhook's receiver that refuses everything and repeats what it was sent.
async fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let refuse = |request: Request| async move {
        let (uri, headers) = (request.uri(), request.headers());
        let told = format!("You sent {uri} with {headers:?}");
        (StatusCode::UNAUTHORIZED, told)
    };
    let router = Router::new().fallback(refuse);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A handler that runs, and its log so far.
pub struct Running {
    child: Child,
    /// Read all the time: a full pipe would halt the handler.
    lines: mpsc::UnboundedReceiver<String>,
    pub log: String,
    pub address: String,
}

impl Running {
    pub async fn start(walk: &Walk) -> Self {
        let mut command = walk.command(&[]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stdout.next_line().await {
                let _ = sender.send(line);
            }
        });
        let mut running = Self {
            child,
            lines,
            log: String::new(),
            address: String::new(),
        };
        let line = running.until("listening on ").await;
        let event: Value = serde_json::from_str(&line).unwrap();
        let (_, address) = event["message"]
            .as_str()
            .unwrap()
            .split_once("listening on ")
            .unwrap();
        running.address = address.to_owned();
        running
    }

    /// Reads on to the line with these words, or others behind a bar, unless it was read already.
    pub async fn until(&mut self, words: &str) -> String {
        let wanted = |line: &str| words.split('|').any(|words| line.contains(words));
        if let Some(line) = self.log.lines().find(|line| wanted(line)) {
            return line.to_owned();
        }
        let reading = async {
            while let Some(line) = self.lines.recv().await {
                self.log.push_str(&line);
                self.log.push('\n');
                if wanted(&line) {
                    return Some(line);
                }
            }
            None
        };
        let line = tokio::time::timeout(Duration::from_secs(60), reading).await;
        match line {
            Ok(Some(line)) => line,
            _ => panic!("{words} is not in the log:\n{}", self.log),
        }
    }

    /// An alert as an action group sends it, with a function key in both places.
    pub async fn post(&self, target: &str, token: Option<&str>) -> (u16, String) {
        let url = format!(
            "{}/api/AlertPacketCapture?code={FUNCTION_KEY}",
            self.address
        );
        let mut request = reqwest::Client::new()
            .post(url)
            .header("content-type", "application/json")
            .header("x-functions-key", FUNCTION_KEY)
            .body(common_alert(&[target]).to_string());
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (
            response.status().as_u16(),
            format!("{:?}", response.headers()),
        );
        (status, headers + &response.text().await.unwrap())
    }

    pub async fn stop(mut self) -> String {
        let pid = self.child.id().unwrap().to_string();
        let mut kill = Command::new("kill");
        assert!(kill.args(["-TERM", &pid]).status().await.unwrap().success());
        while let Some(line) = self.lines.recv().await {
            self.log.push_str(&line);
            self.log.push('\n');
        }
        let output = self.child.wait_with_output().await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", self.log);
        self.log + &String::from_utf8_lossy(&output.stderr)
    }
}
