//! The store in Blob Storage when answers are lost, the account refuses, or the service is down.

use super::{places::trusting, *};
use crate::support::azure::Azure;
use alert_packet_capture::{record::BlobStore, storage::Connection};
use azure_sandbox::{BlobRole, Call, Chances, Fault, FaultBody, What, samples};

struct Ground {
    azure: Azure,
    store: BlobStore,
}

impl Ground {
    async fn start() -> Self {
        let azure = Azure::start().await;
        let store = open(&azure, &azure.storage_connection());
        Self { azure, store }
    }

    fn fault(&self, on: Call, what: What) {
        let times = 1;
        self.azure.fault(Fault { on, times, what });
    }
}

fn open(azure: &Azure, connection: &str) -> BlobStore {
    let connection = Connection::parse(connection).expect("a connection string");
    let store = BlobStore::connect(connection, trusting(azure)).expect("a store");
    store.expect("a blob service")
}

fn status(code: u16, name: &'static str) -> What {
    What::Status {
        code,
        retry_after: None,
        body: FaultBody::StorageError(name),
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_the_writer_s_own() {
    let ground = Ground::start().await;
    let store = &ground.store;
    let seed = store.write("seed", body("1"), None, Condition::New).await;
    seed.unwrap();
    ground.fault(Call::PutBlob, What::DropAfterApplying);
    let first = store.write("a", body("1"), None, Condition::New).await;
    let first = first.expect("it was written");
    assert_eq!(stored(store, "a").await.etag, first);
    ground.fault(Call::PutBlob, What::DropAfterApplying);
    let same = Condition::Unchanged(first);
    let second = store.write("a", body("2"), None, same).await.unwrap();
    let read = stored(store, "a").await;
    assert_eq!((read.body, &read.etag), (body("2"), &second));
    ground.fault(Call::DeleteBlob, What::DropAfterApplying);
    store.remove("a", Some(&second)).await.unwrap();
    assert_eq!(store.read("a").await.unwrap(), None);
}

#[tokio::test]
async fn a_write_that_was_lost_before_another_s_is_a_conflict() {
    let ground = Ground::start().await;
    let other = open(&ground.azure, &ground.azure.storage_connection());
    let theirs = other.write("a", body("theirs"), None, Condition::New).await;
    theirs.unwrap();
    ground.fault(Call::PutBlob, What::DropBefore);
    let late = ground.store.write("a", body("ours"), None, Condition::New);
    is_conflict(late.await);
    assert_eq!(stored(&other, "a").await.body, body("theirs"));
}

#[tokio::test]
async fn a_container_that_was_deleted_is_created_again() {
    let ground = Ground::start().await;
    let store = &ground.store;
    let first = store.write("a", body("1"), None, Condition::New).await;
    ground.azure.remove_container("packet-capture-incidents");
    assert_eq!(store.read("a").await.unwrap(), None);
    let gone = Condition::Unchanged(first.unwrap());
    is_conflict(store.write("a", body("2"), None, gone).await);
    let again = store.write("a", body("2"), None, Condition::New).await;
    again.unwrap();
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable_and_works_again_afterwards() {
    let ground = Ground::start().await;
    let store = &ground.store;
    for (outage, expected) in [
        (status(503, "ServerBusy"), Some(503)),
        (What::DropBefore, None),
    ] {
        ground.azure.break_blobs(Some(outage));
        let read = store.read("a").await.unwrap_err();
        assert!(read.is_temporary() && read.status() == expected, "{read:?}");
        ground.azure.break_blobs(None);
        assert_eq!(store.read("a").await.unwrap(), None);
    }
    // One answer of that kind only takes time.
    ground.fault(Call::GetBlob, status(500, "InternalError"));
    assert_eq!(store.read("a").await.unwrap(), None);
}

#[tokio::test]
async fn refusals_are_explained_and_hold_no_secret() {
    let ground = Ground::start().await;
    let azure = &ground.azure;
    let wrong_key = azure
        .storage_connection()
        .replace("AccountKey=c2Fu", "AccountKey=d3Jv");
    let wrong_signature = azure.storage_connection_with_sas().replace("sp=r", "sp=d");
    type Break = fn(&Azure, bool);
    let cases: [(&str, String, Break, &str, &str); 4] = [
        (
            "key",
            wrong_key,
            |_, _| {},
            "does not accept the key",
            "connection string",
        ),
        (
            "signature",
            wrong_signature,
            |_, _| {},
            "does not accept the key",
            "expired",
        ),
        (
            "firewall",
            azure.storage_connection(),
            |azure, on| azure.set_firewall(samples::STORAGE_ACCOUNT, on),
            "firewall",
            "network",
        ),
        (
            "keys",
            azure.storage_connection(),
            |azure, _| azure.forbid_shared_keys(samples::STORAGE_ACCOUNT),
            "does not allow keys",
            "AzureWebJobsStorage__accountName",
        ),
    ];
    for (case, connection, break_it, sentence, fix) in cases {
        break_it(azure, true);
        let store = open(azure, &connection);
        let error = store.read("a").await.expect_err(case);
        assert!(
            !error.is_temporary() && error.status() == Some(403),
            "{case}"
        );
        let text = error.to_string();
        assert!(text.contains(sentence), "{case}: {text}");
        assert!(error.fix().unwrap().contains(fix), "{case}: {error:?}");
        let printed = format!("{error:?}");
        let secrets = ["sig=", samples::STORAGE_KEY, "SharedKey stcaptures"];
        assert!(secrets.iter().all(|it| !printed.contains(it)), "{printed}");
        break_it(azure, false);
    }
}

#[tokio::test]
async fn the_identity_needs_a_role() {
    let azure = Azure::start().await;
    let (credential, http) = azure.storage_identity();
    let service = url::Url::parse(&azure.storage_endpoint()).unwrap();
    let store = BlobStore::with_identity(service, credential, http).unwrap();
    let written = store.write("a", body("1"), None, Condition::New).await;
    let same = Condition::Unchanged(written.unwrap());
    azure.set_blob_role(samples::STORAGE_ACCOUNT, BlobRole::Reader);
    assert_eq!(stored(&store, "a").await.body, body("1"));
    let error = store.write("a", body("2"), None, same).await.unwrap_err();
    assert_eq!(error.code(), Some("AuthorizationPermissionMismatch"));
    let fix = error.fix().unwrap();
    assert!(fix.contains("Storage Blob Data Contributor"), "{fix}");
}

/// Three processes compete for each of many names while a fifth of all calls fails in all the ways of a bad night.
#[tokio::test]
async fn no_two_writers_ever_win() {
    let azure = Azure::start().await;
    let stores = [(); 3].map(|()| open(&azure, &azure.storage_connection()));
    let seed = stores[0].write("seed", body("1"), None, Condition::New);
    seed.await.unwrap();
    azure.fail_at_random(Chances {
        blob: 0.2,
        seed: 15,
        ..Chances::default()
    });
    let (mut won, mut unsure) = (0, 0);
    for number in 0..60 {
        let name = format!("lock/{number}");
        let [a, b, c] = [0, 1, 2].map(|at| {
            let text = body(&format!("writer {at}"));
            stores[at].write(&name, text, None, Condition::New)
        });
        let (a, b, c) = tokio::join!(a, b, c);
        let ends = [a, b, c];
        let winners = ends.iter().filter(|end| end.is_ok()).count();
        let lost =
            |end: &&Result<_, StoreError>| matches!(end, Err(StoreError::Unavailable { .. }));
        let given_up = ends.iter().filter(lost).count();
        assert!(winners <= 1, "{name}: {ends:?}");
        assert!(winners == 1 || given_up > 0, "{name}: {ends:?}");
        won += winners;
        unsure += given_up;
    }
    assert!(azure.stop_failing() > 20, "calls that failed");
    assert!(won >= 55, "{won} won, {unsure} unsure");
}
