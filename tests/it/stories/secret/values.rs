//! Values and errors in this process: debug prints and chains of causes.

use super::*;

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

        // The signature of a poll URL is as secret as a token.
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
            let error = NetworkWatcherClient::new(arm.clone())
                .get_operation(&subscription, &url)
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
        let queue = app::storage_queue(storage, Some(azure)).unwrap();
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

        let receivers = app::receivers(settings.notification.as_ref(), &[], pace.notification);
        let receivers = receivers.unwrap();
        let notification = Notification {
            event: Event::Failed,
            at: OffsetDateTime::UNIX_EPOCH,
            job_id: JobId::random(),
            alert: AlertFacts::default(),
            target: samples::WEB_01.parse().unwrap(),
            report: Report::default(),
            profile: None,
            link: None,
            incident: None,
            readiness: None,
        };
        let receiver = receivers.iter().next().unwrap();
        let error = receiver.notifier.send(&notification).await.unwrap_err();
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
    let error = Settings::read(&settings.into_iter().collect()).unwrap_err();
    let text = format!("{error}\n{error:?}");
    assert!(text.contains("AzureWebJobsStorage"), "{text}");
    secrets.none_in("the settings", &text.replace("AccountKey in", ""));
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
