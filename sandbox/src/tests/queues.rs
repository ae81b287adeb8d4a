//! Queue Storage through Azure's own client: what the app's queue does not use, and who is kept out.

use std::sync::Arc;

use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, RetryOptions, Transport, Url};
use azure_storage_queue::models::{QueueClientGetPropertiesResultHeaders, QueueMessage};
use azure_storage_queue::{QueueServiceClient, QueueServiceClientOptions};

use crate::storage_access::signature;
use crate::{Options, Sandbox};

fn service(azure: &Sandbox, query: &str) -> QueueServiceClient {
    let certificate = reqwest::Certificate::from_pem(azure.ca_pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder().tls_certs_only([certificate]);
    let client_options = ClientOptions {
        transport: Some(Transport::new(Arc::new(http.build().unwrap()))),
        retry: RetryOptions::none(),
        ..Default::default()
    };
    let options = QueueServiceClientOptions {
        client_options,
        ..Default::default()
    };
    let url = format!("{}/stcaptures?{query}", azure.endpoint());
    QueueServiceClient::new(Url::parse(&url).unwrap(), None, Some(options)).unwrap()
}

fn code(error: &azure_core::Error) -> (u16, &str) {
    match error.kind() {
        ErrorKind::HttpResponse {
            status, error_code, ..
        } => (
            u16::from(*status),
            error_code.as_deref().unwrap_or_default(),
        ),
        _ => panic!("no answer: {error}"),
    }
}

#[tokio::test]
async fn messages_are_peeked_at_counted_and_cleared() {
    let azure = Sandbox::start(Options::default()).await.unwrap();
    let until = time::OffsetDateTime::now_utc() + time::Duration::HOUR;
    let service = service(&azure, &signature("stcaptures", until));
    let queue = service.queue_client("jobs").unwrap();
    let missing = queue.get_properties(None).await.unwrap_err();
    assert_eq!(code(&missing), (404, "QueueNotFound"));
    queue.create(None).await.unwrap();
    queue.create(None).await.unwrap();
    for text in ["a<&>b", "second"] {
        let message = QueueMessage {
            message_text: Some(text.to_owned()),
        };
        let content = message.try_into().unwrap();
        queue.send_message(content, None).await.unwrap();
    }
    for _ in 0..2 {
        let peeked = queue.peek_messages(None).await.unwrap().into_model();
        let first = peeked.unwrap().items.unwrap().remove(0);
        assert_eq!(first.message_text.as_deref(), Some("a<&>b"));
        assert_eq!(
            first.dequeue_count,
            Some(0),
            "a peek hides and counts nothing"
        );
    }
    let properties = queue.get_properties(None).await.unwrap();
    assert_eq!(properties.approximate_messages_count().unwrap(), Some(2));
    let first = queue.receive_messages(None).await.unwrap().into_model();
    let first = first.unwrap().items.unwrap().remove(0);
    assert_eq!(first.dequeue_count, Some(1));
    let (id, receipt) = (first.message_id.unwrap(), first.pop_receipt.unwrap());
    for (id, receipt, expected) in [
        (id.as_str(), "b2xk", (400, "PopReceiptMismatch")),
        ("5c2b7a1e", receipt.as_str(), (404, "MessageNotFound")),
    ] {
        let refused = queue.delete_message(id, receipt, None).await.unwrap_err();
        assert_eq!(code(&refused), expected);
    }
    let too_long = queue.update_message(&id, &receipt, 604_801, None).await;
    let too_long = too_long.unwrap_err();
    assert_eq!(code(&too_long), (400, "OutOfRangeQueryParameterValue"));
    queue.clear(None).await.unwrap();
    let none = queue.peek_messages(None).await.unwrap().into_model();
    assert!(none.unwrap().items.unwrap_or_default().is_empty());
    let misnamed = service.queue_client("Jobs--").unwrap();
    let misnamed = misnamed.create(None).await.unwrap_err();
    assert_eq!(code(&misnamed), (400, "InvalidResourceName"));
}

#[tokio::test]
async fn only_a_good_signature_opens_the_queues() {
    let azure = Sandbox::start(Options::default()).await.unwrap();
    let now = time::OffsetDateTime::now_utc();
    let good = signature("stcaptures", now + time::Duration::HOUR);
    for (query, expected) in [
        (String::new(), (401, "NoAuthenticationInformation")),
        (
            signature("stcaptures", now - time::Duration::HOUR),
            (403, "AuthenticationFailed"),
        ),
        (
            signature("stother", now + time::Duration::HOUR),
            (403, "AuthenticationFailed"),
        ),
        (
            good.replace("sp=rwdlacup", "sp=rwdlacupi"),
            (403, "AuthenticationFailed"),
        ),
    ] {
        let queue = service(&azure, &query).queue_client("jobs").unwrap();
        let refused = queue.create(None).await.unwrap_err();
        assert_eq!(code(&refused), expected, "{query}");
    }
    let queue = service(&azure, &good).queue_client("jobs").unwrap();
    queue.create(None).await.unwrap();
}
