//! The tenant's signing keys: fetched once, kept, fetched again after a rotation.

use super::*;

#[tokio::test]
async fn after_a_rotation_the_keys_are_fetched_once_and_no_storm_fetches_more() {
    let world = secured().await;
    let old = world.azure.sign_token(&v2(&world), Signing::Right);
    assert_eq!(send_token(&world, &old).await.status, 200);
    world.azure.rotate_signing_keys();
    // The key is not yet known to be withdrawn.
    assert_eq!(send_token(&world, &old).await.status, 200);
    assert_eq!(world.count(KEYS), 1);
    let new = world.azure.sign_token(&v2(&world), Signing::Right);
    let replies = tokio::join!(
        send_token(&world, &new),
        send_token(&world, &new),
        send_token(&world, &new)
    );
    assert_eq!(
        (replies.0.status, replies.1.status, replies.2.status),
        (200, 200, 200)
    );
    assert_eq!(world.count(KEYS), 2);
    assert_eq!(send_token(&world, &old).await.status, 401);
    for _ in 0..5 {
        let reply = sent_as(&world, &v2(&world), Signing::UnknownKey).await;
        assert_eq!(reply.status, 401);
    }
    assert_eq!(world.count(KEYS), 2);
    assert_eq!(send_token(&world, &new).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn without_keys_the_alert_is_sent_again_later() {
    for what in [
        What::DropBefore,
        What::Status {
            code: 503,
            retry_after: None,
            body: FaultBody::Html,
        },
        What::Status {
            code: 200,
            retry_after: None,
            body: FaultBody::TruncatedJson,
        },
    ] {
        for on in [Call::OpenIdConfiguration, Call::Keys] {
            let world = secured().await;
            world.azure.fault(Fault {
                on,
                times: 1,
                what: what.clone(),
            });
            let token = world.azure.sign_token(&v2(&world), Signing::Right);
            let mut reply = send_token(&world, &token).await;
            assert_eq!(
                (reply.status, reply.headers["retry-after"].to_str().unwrap()),
                (503, "5"),
                "{on:?} {what:?}"
            );
            // The caller comes again, as often as it takes: there is a short pause after a failure.
            while reply.status == 503 {
                reply = send_token(&world, &token).await;
            }
            assert_eq!(reply.status, 200);
            assert_eq!(world.count("GET openid-configuration"), 2);
            world.end().await;
        }
    }
}

#[tokio::test]
async fn old_keys_are_kept_when_new_ones_cannot_be_fetched() {
    let world = secured().await;
    let token = world.azure.sign_token(&v2(&world), Signing::Right);
    assert_eq!(send_token(&world, &token).await.status, 200);
    world.azure.fault(Fault {
        on: Call::Keys,
        times: 1,
        what: What::arm_error(500, "InternalServerError", "Oops."),
    });
    // Without the keys this one cannot be checked.
    let unknown = sent_as(&world, &v2(&world), Signing::UnknownKey).await;
    assert_eq!(unknown.status, 503);
    assert_eq!(send_token(&world, &token).await.status, 200);
    world.end().await;
}
