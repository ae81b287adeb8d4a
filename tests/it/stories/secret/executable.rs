//! The executable and its commands: log, answers, output.

use super::*;

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
    running.until("access token cached").await;

    let token = walk.token(json!({}), Signing::Right);
    let mut answers = vec![running.post(samples::WEB_01, Some(&token)).await];
    assert_eq!(answers[0].0, 200, "{way}: {answers:?}");
    running.until("poll an operation answered").await;
    running
        .until("(Notification__WebhookUrl) answered 401")
        .await;

    // A caller that may not send alerts.
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
        on: Call::PutCapture,
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
    running
        .until("Azure rejected the access token of a call")
        .await;
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
