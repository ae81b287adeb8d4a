//! The walk that looks for secrets: each way to sign in, through a start, alerts, failures of Entra, Azure and the
//! webhook, the commands, and everything that prints.

use crate::{
    identities::{
        Certificate, EXCHANGE, Folder, Pairs, certificate_file, federation, instead, nobody, pairs,
        token_file,
    },
    secrets::Secrets,
    world::{World, common_alert},
};
use alert_packet_capture::{
    app::{self, App, Pace},
    azure::{network_watcher::NetworkWatcherClient, operation, resource_id::ResourceId},
    config::{AppSettings, QueueKind, Settings, key_file::Key, secure_string},
    notify::{Event, Notice},
    sandbox::{Call, Fault, FaultBody, Options, Sandbox, Signing, What, samples},
};
use axum::{Router, extract::Request, http::StatusCode};
use p12_keystore::EncryptionAlgorithm;
use serde_json::{Value, json};
use std::{
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    sync::mpsc,
    task::JoinSet,
};

/// As talkative as a user can make it, and then some.
const LOUD: &str =
    "trace,azure_core::http=trace,hyper_util::client=trace,h2::codec=trace,reqwest::connect=trace";
const AUDIENCE: &str = "2f4a6c1e-9b3d-4e57-8a10-5c7e9d1f3b25";
const FUNCTION_KEY: &str = "k3yOfTheFunction0AzFu==";

type Prepare = fn(&Sandbox, &Folder, &mut Secrets) -> Pairs;

/// Each way to sign in, its secrets planted.
const WAYS: [(&str, Prepare); 8] = [
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

fn original(more: &[(&str, &str)]) -> Pairs {
    let mut all = nobody(pairs(&[
        ("AzureTenant", samples::TENANT_ID),
        ("AzureClientID", samples::CLIENT_ID),
    ]));
    all.extend(pairs(more));
    all
}

/// A function with every secret that it can have, and the Azure that it talks to.
struct Walk {
    azure: Sandbox,
    folder: Folder,
    settings: Pairs,
    secrets: Secrets,
}

impl Walk {
    async fn begin(prepare: Prepare, with_key: bool) -> Self {
        let folder = Folder::new();
        let ca_file = folder.0.join("ca.pem");
        let options = Options {
            ca_file: Some(ca_file.clone()),
            ..Options::default()
        };
        let azure = Sandbox::start(options).await.unwrap();
        samples::populate(&azure);
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

    fn command(&self, arguments: &[&str]) -> Command {
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

    /// Runs a command, looks at all that it prints, and gives the exit code.
    async fn run(&mut self, arguments: &[&str]) -> Option<i32> {
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
    fn refuse_tokens(&self, times: usize) {
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

    fn token(&mut self, change: Value, signing: Signing) -> String {
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
struct Running {
    child: Child,
    /// Read all the time: a full pipe would halt the handler.
    lines: mpsc::UnboundedReceiver<String>,
    log: String,
    address: String,
}

impl Running {
    async fn start(walk: &Walk) -> Self {
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
    async fn until(&mut self, words: &str) -> String {
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
    async fn post(&self, target: &str, token: Option<&str>) -> (u16, String) {
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

    async fn stop(mut self) -> String {
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

/// Through the built executable. `kill` is there on Unix.
#[cfg(unix)]
#[tokio::test]
async fn nothing_secret_is_logged_or_answered_by_the_executable() {
    // Most of each walk is waiting for the function's own pauses.
    let mut walks = JoinSet::new();
    for (number, (way, prepare)) in WAYS.into_iter().enumerate() {
        walks.spawn(walk_through_the_executable(way, prepare, number % 2 == 0));
    }
    while let Some(ended) = walks.join_next().await {
        ended.unwrap();
    }
}

#[cfg(unix)]
async fn walk_through_the_executable(way: &'static str, prepare: Prepare, with_key: bool) {
    let mut walk = Walk::begin(prepare, with_key).await;
    let mut running = Running::start(&walk).await;
    running.until("access token at hand").await;

    let token = walk.token(json!({}), Signing::Right);
    let mut answers = vec![running.post(samples::WEB_01, Some(&token)).await];
    assert_eq!(answers[0].0, 200, "{way}: {answers:?}");
    running.until("poll an operation answered").await;
    running
        .until("(Notification__WebhookUrl) answered 401")
        .await;

    // Whoever may not send alerts.
    let forged = walk.token(json!({}), Signing::Altered);
    let other = walk.token(json!({ "roles": ["Other"] }), Signing::Right);
    for (token, status) in [(None, 401), (Some(&forged), 401), (Some(&other), 403)] {
        let answer = running
            .post(samples::WEB_02, token.map(String::as_str))
            .await;
        assert_eq!(answer.0, status, "{way}: {answer:?}");
        answers.push(answer);
    }

    // Connections to Azure and its queue are lost, one in the middle of a poll; then Azure refuses.
    for on in [Call::ListCaptures, Call::OperationStatus, Call::PutMessage] {
        walk.azure.fault(Fault {
            on,
            times: 1,
            what: What::DropBefore,
        });
    }
    walk.azure.fault(Fault {
        on: Call::ListCaptures,
        times: 1,
        what: What::arm_error(403, "AuthorizationFailed", "No right."),
    });
    let answer = running.post(samples::SQL_01, Some(&token)).await;
    // 503 where the queue was slow to come back.
    assert!(answer.0 >= 500, "{way}: {answer:?}");
    answers.push(answer);

    // No token any more.
    walk.azure.expire_tokens();
    walk.refuse_tokens(50);
    answers.push(running.post(samples::WEB_02, Some(&token)).await);
    running.until("token refused, fetching a fresh one").await;
    running
        .until("NoToken|TokenRefused|ManagedIdentityRefused")
        .await;

    let log = running.stop().await;
    walk.secrets.learn(&walk.azure);
    walk.secrets.none_in(&format!("the log of {way}"), &log);
    for (status, answer) in answers {
        walk.secrets
            .none_in(&format!("an answer ({status}) of {way}"), &answer);
    }
}

#[tokio::test]
async fn nothing_secret_is_printed_by_the_commands() {
    for (number, (way, prepare)) in WAYS.into_iter().enumerate() {
        let mut walk = Walk::begin(prepare, number % 2 == 1).await;
        for code in [0, 1] {
            for arguments in [
                &["doctor"][..],
                &["doctor", "--json"],
                &["credentials", "check"],
            ] {
                let ended = walk.run(arguments).await;
                assert_eq!(ended, Some(code), "{way} {arguments:?}");
            }
            walk.refuse_tokens(1000);
        }
    }
}

/// Where a secret is put in the wrong place, the messages about it repeat nothing of it.
#[tokio::test]
async fn a_wrong_value_is_never_repeated() {
    let wrong = "wr0ng;v=that/may?see";
    for name in [
        "AzureCredPassword",
        "AzureCredKeyPath",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "AzureWebJobsStorage",
        "Notification__WebhookUrl",
        "Notification__Secret",
        "Notification__Format",
        "SecureWebhook__TenantId",
        "AzureApiVersion__Network",
        "AzureCredential",
        "AzureEnvironment",
        "AZURE_AUTHORITY_HOST",
        "JobQueue__Kind",
    ] {
        let mut walk = Walk::begin(WAYS[0].1, true).await;
        // A path is no secret, and its message has to show it.
        if name != "AzureCredKeyPath" {
            walk.secrets.plant(name, wrong);
        }
        if name == "AZURE_CLIENT_CERTIFICATE_PASSWORD" {
            let file = walk.folder.file(
                "one.pfx",
                Certificate::one().pfx(EncryptionAlgorithm::PbeWithHmacSha256AndAes256, "another"),
            );
            walk.settings
                .extend(instead(&[("AZURE_CLIENT_CERTIFICATE_PATH", &file)]));
        }
        if name.starts_with("AzureCred") && name != "AzureCredential" {
            walk.settings
                .extend(original(&[("AzureCredPassword", wrong)]));
        }
        walk.settings.push((name.to_owned(), wrong.to_owned()));
        for arguments in [
            &[][..],
            &["doctor"],
            &["doctor", "--json"],
            &["credentials", "check"],
        ] {
            if arguments.first() == Some(&"credentials") && name.contains("__") {
                continue;
            }
            if arguments.is_empty() || arguments[0] == "doctor" || name.starts_with("AZ") {
                assert_eq!(walk.run(arguments).await, Some(1), "{name} {arguments:?}");
            }
        }
    }
}

/// Settings and errors as a careless `{:?}` would print them.
#[tokio::test]
async fn nothing_secret_is_in_a_debug_print_or_a_chain_of_causes() {
    for (number, (way, prepare)) in WAYS.into_iter().enumerate() {
        let mut walk = Walk::begin(prepare, number % 2 == 0).await;
        let environment: AppSettings = walk.settings.clone().into_iter().collect();
        let settings = Settings::read(&environment).unwrap();
        walk.secrets
            .none_in_debug(&format!("the app settings of {way}"), &environment);
        walk.secrets
            .none_in_debug(&format!("the settings of {way}"), &settings);
        let azure = settings.azure.as_ref().unwrap();
        let arm = app::arm_client(azure, &Pace::default()).unwrap();
        walk.secrets.none_in_debug("the client", &arm);

        walk.refuse_tokens(1);
        let refused = arm.fetch_token().await.unwrap_err();
        walk.secrets
            .none_in_error(&format!("the refusal of {way}"), &refused);
        walk.secrets.learn(&walk.azure);
    }
}

#[tokio::test]
async fn nothing_secret_is_in_the_errors_of_azure_the_queue_and_the_webhook() {
    for with_key in [true, false] {
        let mut walk = Walk::begin(WAYS[0].1, with_key).await;
        let environment: AppSettings = walk.settings.clone().into_iter().collect();
        let settings = Settings::read(&environment).unwrap();
        let azure = settings.azure.as_ref().unwrap();
        let mut pace = Pace::default();
        pace.retry.tries = 1;
        let arm = app::arm_client(azure, &pace).unwrap();
        arm.fetch_token().await.unwrap();
        walk.secrets.learn(&walk.azure);

        // The signature of a poll URL is as good as a token.
        let signature = walk
            .secrets
            .plant("poll URL's signature", "s1gnatureOfTheP0llUrl");
        let endpoint = walk.azure.endpoint();
        let subscription = format!("/subscriptions/{}", samples::SUBSCRIPTION_ID);
        let url = format!(
            "{endpoint}{subscription}/providers/Microsoft.Network/locations/westeurope/operations/1?api-version=2025-05-01&t=1&c=MII&s={signature}&h=h"
        );
        let url: operation::OperationUrl = serde_json::from_value(json!(url)).unwrap();
        walk.secrets.none_in_debug("a poll URL", &url);
        let subscription = ResourceId::parse(&subscription).unwrap();
        for what in [
            What::DropBefore,
            What::arm_error(403, "AuthorizationFailed", "No right."),
            What::Status {
                code: 200,
                retry_after: None,
                body: FaultBody::TruncatedJson,
            },
        ] {
            for on in [Call::OperationStatus, Call::ListWatchers] {
                walk.azure.fault(Fault {
                    on,
                    times: 1,
                    what: what.clone(),
                });
            }
            let error = operation::poll(&arm, &subscription, &url)
                .await
                .unwrap_err();
            walk.secrets.none_in_error("a poll", &error);
            let client = NetworkWatcherClient::new(arm.clone());
            let error = client
                .list_network_watchers(&subscription)
                .await
                .unwrap_err();
            walk.secrets.none_in_error("a list", &error);
        }

        let QueueKind::Storage(storage) = &settings.jobs.kind else {
            panic!("a storage queue")
        };
        let queue = app::storage_queue(storage, 10, Some(azure)).unwrap();
        for what in [
            What::DropBefore,
            What::Status {
                code: 403,
                retry_after: None,
                body: FaultBody::Html,
            },
        ] {
            walk.azure.fault(Fault {
                on: Call::GetQueue,
                times: 4,
                what,
            });
            let error = queue.exists().await.unwrap_err();
            walk.secrets.none_in_error("the queue", &error);
            let _ = queue.exists().await;
        }

        let keys = app::entra_keys(settings.secure_webhook.as_ref().unwrap(), &pace).unwrap();
        walk.azure.fault(Fault {
            on: Call::Keys,
            times: 1,
            what: What::DropBefore,
        });
        let error = keys.try_fetch().await.unwrap_err();
        walk.secrets.none_in_error("the signing keys", &error);

        let notifier = app::notifier(settings.notification.as_ref(), pace.notice).unwrap();
        let at = OffsetDateTime::UNIX_EPOCH;
        let notice = Notice::new(Event::Failed, "7c1d", samples::WEB_01, at, "It failed.");
        let error = notifier.tell(&notice).await.unwrap_err();
        walk.secrets.none_in_error("the webhook", &error);
    }
    let connection = "AccountName=stjobs;AccountKey=n0tBase64AtAll!!";
    let mut secrets = Secrets::default();
    secrets.plant("connection string", "n0tBase64AtAll!!");
    let settings = pairs(&[
        ("PacketCapture__DryRun", "true"),
        ("JobQueue__Kind", "storage"),
        ("AzureWebJobsStorage", connection),
    ]);
    let settings = Settings::read(&settings.into_iter().collect()).unwrap();
    let error = App::build(&settings, &Pace::default()).err().unwrap();
    let text = format!("{error}\n{error:?}");
    secrets.none_in("the build", &text.replace("AccountKey in", ""));
}

/// The tokens that a sandbox gives are looked for by their texts; that needs some to be given.
#[tokio::test]
async fn the_walk_knows_the_tokens_that_were_given() {
    let world = World::start().await;
    assert_eq!(
        world.post(&common_alert(&[samples::WEB_01])).await.status,
        200
    );
    let given = world.azure.tokens_given();
    assert_eq!(given.len(), 1);
    assert!(given[0].len() > 40);
    world.end().await;
}
