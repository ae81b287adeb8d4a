//! Receivers that are down, busy, hang, redirect or answer without an end.

use super::*;

#[tokio::test]
async fn a_receiver_that_is_down_is_worth_another_attempt() {
    let receiver =
        Receiver::answering(&[|_| answer(500, "try later"), |_| answer(200, "ok")]).await;
    let notifier = notifier(&receiver.url, &[], PATIENT);
    let error = notifier.send(&notification()).await.unwrap_err();
    assert!(error.is_temporary());
    assert!(error.to_string().contains("500 (try later)"), "{error}");
    assert_eq!(error.retry_after(), None);
    notifier.send(&notification()).await.unwrap();
    assert_eq!(receiver.deliveries().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_final_and_says_what_to_check() {
    for (answer, contained) in [
        (
            (|_| answer(400, "invalid_blocks")) as Answer,
            "400 (invalid_blocks); check that Notification__Format",
        ),
        (
            |_| answer(404, "no_service\n"),
            "404 (no_service); check that the webhook still exists",
        ),
    ] {
        let receiver = Receiver::answering(&[answer]).await;
        let notifier = notifier(&receiver.url, &[], PATIENT);
        let error = notifier.send(&notification()).await.unwrap_err();
        assert!(!error.is_temporary());
        assert!(error.to_string().contains(contained), "{error}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let redirect: Answer = |_| {
        Response::builder()
            .status(307)
            .header("location", "/elsewhere")
            .body(Body::empty())
            .unwrap()
    };
    let receiver = Receiver::answering(&[redirect, |_| answer(200, "ok")]).await;
    let notifier = notifier(&receiver.url, &[], PATIENT);
    let error = notifier.send(&notification()).await.unwrap_err();
    assert!(!error.is_temporary());
    assert!(error.to_string().contains("redirects are not followed"));
    assert_eq!(receiver.deliveries().len(), 1);
}

#[tokio::test]
async fn a_busy_receiver_says_how_long_to_leave_it_alone() {
    fn busy(retry_after: &str) -> Response<Body> {
        let mut response = answer(429, "rate_limited");
        let value = retry_after.parse().unwrap();
        response.headers_mut().insert("retry-after", value);
        response
    }
    for (answer, at_least, at_most) in [
        ((|_| busy("30")) as Answer, 30, 30),
        (|_| busy("86400"), 3600, 3600),
        (
            |_| {
                let later = SystemTime::now() + Duration::from_secs(1800);
                busy(&httpdate::fmt_http_date(later))
            },
            1,
            1800,
        ),
        (|_| busy("Sun, 06 Nov 1994 08:49:37 GMT"), 0, 0),
    ] {
        let receiver = Receiver::answering(&[answer]).await;
        let notifier = notifier(&receiver.url, &[], PATIENT);
        let error = notifier.send(&notification()).await.unwrap_err();
        assert!(error.is_temporary());
        let wait = error.retry_after().unwrap().as_secs();
        assert!((at_least..=at_most).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up() {
    let receiver = Receiver::answering(&[]).await;
    let impatient = Timeouts {
        total: Duration::from_millis(200),
        ..PATIENT
    };
    let notifier = notifier(&receiver.url, &[], impatient);
    let error = notifier.send(&notification()).await.unwrap_err();
    assert!(matches!(error, DeliveryError::NoAnswer { .. }), "{error}");
    assert!(error.is_temporary());
    assert_eq!(receiver.deliveries().len(), 1);
}

/// Refuses, and then talks until it is hung up on.
async fn endless_refusal() -> (String, tokio::task::JoinHandle<io::Error>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let talk = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 1024]).await.unwrap();
        let head = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 999999999999999\r\n\r\n";
        socket.write_all(head).await.unwrap();
        // Far more than the buffers between the two take.
        for _ in 0..256 {
            if let Err(error) = socket.write_all(&[b'x'; 1024 * 1024]).await {
                return error;
            }
        }
        panic!("the connection stayed open");
    });
    (url, talk)
}

#[tokio::test]
async fn a_long_answer_is_not_listened_to_until_its_end() {
    let (url, talk) = endless_refusal().await;
    let error = notifier(&url, &[], PATIENT)
        .send(&notification())
        .await
        .unwrap_err();
    let DeliveryError::Refused { status, answer, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*status, 403);
    assert_eq!(answer.chars().count(), 200);
    // It ended because it was hung up on, long before it had said all.
    talk.await.unwrap();
}
