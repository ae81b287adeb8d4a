//! The walk that looks for secrets: each way to sign in, through a start, alerts, failures of Entra, Azure and the
//! webhook, the commands, and everything that prints.

use crate::{
    identities::{Certificate, instead, pairs},
    secret_walk::{Prepare, Running, WAYS, Walk, original},
    secrets::Secrets,
    world::{World, common_alert},
};
use alert_packet_capture::{
    app::{self, App, Pace},
    azure::{network_watcher::NetworkWatcherClient, operation},
    config::{AppSettings, QueueKind, Settings},
    incident::{AlertSummary, Event, JobId, Notification, Report},
    resource_id::ResourceId,
};
use azure_sandbox::{Call, Fault, FaultBody, Signing, What, samples};
use p12_keystore::EncryptionAlgorithm;
use serde_json::json;
use time::OffsetDateTime;
use tokio::task::JoinSet;

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
        let notification = Notification {
            event: Event::Failed,
            at: OffsetDateTime::UNIX_EPOCH,
            job_id: JobId::random(),
            alert: AlertSummary::default(),
            target: samples::WEB_01.parse().unwrap(),
            report: Report::default(),
        };
        let error = notifier.send(&notification).await.unwrap_err();
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
