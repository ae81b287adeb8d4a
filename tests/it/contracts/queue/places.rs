//! The contract on each queue: in memory, in the sandbox, in the emulator.

use super::*;

#[tokio::test]
async fn the_memory_queue_keeps_the_contract() {
    contract(Ground {
        open: &|| Arc::new(MemoryQueue::default()),
        pass_time: &|| {},
    })
    .await;
}

/// Opens queues in a sandbox, as many processes would.
struct InSandbox {
    azure: Azure,
    connection: String,
    http: reqwest::Client,
}

impl InSandbox {
    async fn start() -> Self {
        let azure = Azure::start().await;
        let certificate = reqwest::Certificate::from_pem(azure.ca_pem().as_bytes()).expect("PEM");
        let http = reqwest::Client::builder().tls_certs_only([certificate]);
        let settings = azure.queue_settings().into_iter();
        let mut named = settings.filter(|(name, _)| name == "AzureWebJobsStorage");
        Self {
            azure,
            connection: named.next().expect("a connection string").1,
            http: http.build().expect("a client"),
        }
    }

    fn open(&self) -> Arc<dyn JobQueue> {
        storage_queue(&self.connection, self.http.clone(), 120)
    }
}

const QUEUE: &str = "packet-capture-jobs";

#[tokio::test]
async fn the_storage_queue_keeps_the_contract_in_the_sandbox() {
    let sandbox = InSandbox::start().await;
    contract(Ground {
        open: &|| sandbox.open(),
        pass_time: &|| sandbox.azure.make_visible(QUEUE),
    })
    .await;
    assert_eq!(sandbox.azure.queue_messages(QUEUE), ["late"]);
    let poison = sandbox.azure.queue_messages("packet-capture-jobs-poison");
    assert_eq!(poison, ["very bad"]);
}

/// As after a long time without a free hand: the clock jumps, then runs on.
async fn busy_for(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_message_that_others_would_soon_see_is_renewed_before_it_is_given_out() {
    let sandbox = InSandbox::start().await;
    let queue = sandbox.open();
    queue.put(texts(&["a"])).await.unwrap();
    busy_for(Duration::from_secs(70)).await;
    let message = received(&*queue, "a").await;
    let renewed = "PUT queue packet-capture-jobs messages 204".to_owned();
    assert!(sandbox.azure.journal_lines().contains(&renewed));
    queue.delete(&message).await.unwrap();
}

#[tokio::test]
async fn a_message_that_another_has_by_then_is_left_to_it() {
    let sandbox = InSandbox::start().await;
    let (slow, other) = (sandbox.open(), sandbox.open());
    slow.put(texts(&["a"])).await.unwrap();
    sandbox.azure.make_visible(QUEUE);
    let taken = received(&*other, "a").await;
    busy_for(Duration::from_secs(70)).await;
    slow.put(texts(&["b"])).await.unwrap();
    let own = received(&*slow, "b").await;
    slow.delete(&own).await.unwrap();
    let refused = |line: &String| line == "PUT queue packet-capture-jobs messages 400";
    let azure = &sandbox.azure;
    azure
        .wait_for(|_| azure.journal_lines().iter().any(refused))
        .await;
    // Once it is forgotten, there is room for three again.
    while slow.put(texts(&["c", "d", "e"])).await.is_err() {
        tokio::task::yield_now().await;
    }
    other.delete(&taken).await.unwrap();
}

#[cfg(feature = "azurite")]
#[tokio::test]
async fn the_storage_queue_keeps_the_contract_in_azurite() {
    let azurite = crate::support::azurite::Azurite::start();
    let http = alert_packet_capture::azure::transport::emulator_client().expect("a client");
    let connection = azurite.connection();
    // No test can advance this clock, so that the timeouts are as short as a slow machine allows.
    contract(Ground {
        open: &|| storage_queue(&connection, http.clone(), 5),
        pass_time: &|| {},
    })
    .await;
}
