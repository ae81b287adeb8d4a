//! The file of a finished capture is read out of the storage account: whole, late, growing, and through bad connections.

#[cfg(feature = "azurite")]
mod azurite;
mod refusals;

use crate::support::azure::Azure;
use alert_packet_capture::look::{CaptureReader, Look, LookError, Options, Storage};
use aws_lc_rs::digest::{SHA256, digest};
use azure_sandbox::{
    Arrival, Call, ExistingCapture, Fault, FaultBody, SessionStatus, What, samples,
};
use first_look::Context;
use std::{num::NonZero, sync::Arc, time::Duration};
use url::Url;

/// A sandbox, and the reader of its captures.
struct Ground {
    azure: Azure,
    reader: CaptureReader,
}

impl Ground {
    async fn start() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let azure = Azure::start().await;
        let endpoint = azure.endpoint();
        let (credential, http) = azure.storage_identity();
        let mut options = options_for_tests(Url::parse(&endpoint).unwrap());
        change(&mut options);
        let reader = CaptureReader::new(credential, http, options);
        Self { azure, reader }
    }

    /// The URL of a blob where captures are.
    fn url(&self, name: &str) -> String {
        format!(
            "{}/stcaptures/network-watcher-logs/{name}",
            self.azure.endpoint()
        )
    }

    /// A running capture of `web-01`: the URL of its file, which lands when the session ends.
    fn capture(&self) -> String {
        self.azure.add_capture(ExistingCapture {
            watcher: samples::WATCHER_WESTEUROPE.to_owned(),
            name: "night".to_owned(),
            target: samples::WEB_01.to_owned(),
            status: SessionStatus::Running,
            started: Some(time::OffsetDateTime::now_utc()),
            time_limit_seconds: 10,
            stop_reason: None,
        });
        let view = self.azure.captures(samples::WATCHER_WESTEUROPE).remove(0);
        view.storage_path.expect("a storage path")
    }

    async fn look(&self, url: &str) -> Result<Look, LookError> {
        self.reader.look(url, Context::default()).await
    }

    fn count(&self, line: &str) -> usize {
        let lines = self.azure.journal_lines();
        lines.iter().filter(|it| it.starts_with(line)).count()
    }
}

/// Many small ranges, and pauses that hold no test up.
fn options_for_tests(endpoint: Url) -> Options {
    Options {
        first_pause: Duration::from_millis(1),
        partition: NonZero::new(64 * 1024).unwrap(),
        ..Options::new(Storage::At(endpoint))
    }
}

/// A capture of frames of 1,000 bytes.
fn pcap(frames: u32) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend(65_535_u32.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    for number in 0..frames {
        file.extend((1_790_000_000 + number / 100).to_le_bytes());
        file.extend([0; 4]);
        file.extend(1_000_u32.to_le_bytes());
        file.extend(1_000_u32.to_le_bytes());
        file.extend((0..1_000).map(|at| (at + number) as u8));
    }
    file
}

fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// The look has seen all of these bytes.
fn saw(look: &Look, bytes: &[u8]) {
    assert!(look.complete);
    assert_eq!(
        (look.size, look.read_bytes),
        (bytes.len() as u64, look.size)
    );
    assert_eq!(look.sha256.as_deref(), Some(sha256(bytes).as_str()));
    assert_eq!(look.seen.json()["file"]["size"], bytes.len());
}

#[tokio::test]
async fn a_finished_capture_is_read_once_and_whole() {
    let ground = Ground::start().await;
    let url = ground.capture();
    ground.azure.finish_sessions();
    let look = ground.look(&url).await.unwrap();
    saw(&look, &ground.azure.blob(&url).unwrap());
    assert!(look.seen.packets() > 100, "{}", look.seen.packets());
    // Its length first, then its only range, then whether it is still the same.
    assert_eq!(ground.count("HEAD blob"), 2);
    assert_eq!(
        ground.count("GET blob"),
        look.size.div_ceil(64 * 1024) as usize
    );
}

#[tokio::test]
async fn many_ranges_come_in_order() {
    let ground = Ground::start().await;
    let (url, bytes) = (ground.url("large.cap"), pcap(2_500));
    ground.azure.put_blob(&url, bytes.clone());
    let look = ground.look(&url).await.unwrap();
    saw(&look, &bytes);
    assert_eq!(look.seen.packets(), 2_500);
    assert_eq!(ground.count("GET blob"), bytes.len().div_ceil(64 * 1024));
}

#[tokio::test]
async fn a_file_that_comes_late_is_waited_for() {
    let ground = Ground::start().await;
    ground.azure.set_arrival(Arrival {
        late_for: 3,
        ..Arrival::default()
    });
    let url = ground.capture();
    // Before its end there is not even a container.
    ground.azure.finish_sessions();
    let look = ground.look(&url).await.unwrap();
    saw(&look, &ground.azure.blob(&url).unwrap());
    let file = url.rsplit('/').next().unwrap();
    assert_eq!(ground.count(&format!("HEAD blob {file} 404")), 3);
}

#[tokio::test]
async fn a_file_that_grows_is_read_again_from_its_beginning() {
    let ground = Ground::start().await;
    ground.azure.set_arrival(Arrival {
        grows: 3,
        ..Arrival::default()
    });
    let url = ground.capture();
    ground.azure.finish_sessions();
    let look = ground.look(&url).await.unwrap();
    saw(&look, &ground.azure.blob(&url).unwrap());
}

#[tokio::test]
async fn a_file_replaced_in_the_middle_is_never_mixed_with_the_new_one() {
    let ground =
        Arc::new(Ground::with(|options| options.parallel = NonZero::new(1).unwrap()).await);
    let (url, new) = (ground.url("replaced.cap"), pcap(1_700));
    ground.azure.put_blob(&url, pcap(2_500));
    let look = tokio::spawn({
        let (ground, url) = (ground.clone(), url.clone());
        async move { ground.look(&url).await }
    });
    let reads =
        |entries: &[azure_sandbox::Entry]| entries.iter().any(|entry| entry.kind == Call::GetBlob);
    ground.azure.wait_for(reads).await;
    ground.azure.put_blob(&url, new.clone());
    saw(&look.await.unwrap().unwrap(), &new);
}

#[tokio::test]
async fn lost_connections_and_a_busy_account_only_take_time() {
    let ground = Ground::start().await;
    let (url, bytes) = (ground.url("large.cap"), pcap(1_000));
    ground.azure.put_blob(&url, bytes.clone());
    for (on, times, what) in [
        (Call::GetBlobProperties, 1, What::DropBefore),
        (Call::GetBlob, 2, What::DropBefore),
        (Call::GetBlob, 1, What::DropAfterApplying),
        (Call::GetBlob, 2, busy()),
    ] {
        ground.azure.fault(Fault { on, times, what });
    }
    saw(&ground.look(&url).await.unwrap(), &bytes);
}

fn busy() -> What {
    What::Status {
        code: 503,
        retry_after: None,
        body: FaultBody::StorageError("ServerBusy"),
    }
}

/// As after a long time: the clock jumps, then runs on.
async fn jump(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn at_the_deadline_the_part_that_was_read_counts() {
    let ground = Ground::with(|options| options.parallel = NonZero::new(1).unwrap());
    let ground = Arc::new(ground.await);
    let (url, bytes) = (ground.url("large.cap"), pcap(2_500));
    ground.azure.put_blob(&url, bytes.clone());
    let look = tokio::spawn({
        let (ground, url) = (ground.clone(), url.clone());
        async move { ground.look(&url).await }
    });
    let reads = |entries: &[azure_sandbox::Entry]| {
        let reads = entries.iter().filter(|entry| entry.kind == Call::GetBlob);
        reads.count() >= 3
    };
    ground.azure.wait_for(reads).await;
    ground.azure.fault(Fault {
        on: Call::GetBlob,
        times: 1,
        what: What::Hang,
    });
    let hangs = |entries: &[azure_sandbox::Entry]| {
        let hangs = |entry: &azure_sandbox::Entry| entry.fault.as_deref() == Some("hangs");
        entries.iter().any(hangs)
    };
    ground.azure.wait_for(hangs).await;
    jump(Duration::from_secs(121)).await;
    let look = look.await.unwrap().unwrap();
    assert!(!look.complete);
    assert_eq!(
        (look.size, look.sha256.as_deref()),
        (bytes.len() as u64, None)
    );
    assert!(
        (1..look.size).contains(&look.read_bytes),
        "{}",
        look.read_bytes
    );
    let text = look.seen.text();
    assert!(text.contains("of 2.4 MiB"), "{text}");
}

#[tokio::test]
async fn where_the_connection_ends_for_good_the_part_that_was_read_counts() {
    let ground = Ground::with(|options| options.parallel = NonZero::new(1).unwrap());
    let ground = Arc::new(ground.await);
    let (url, bytes) = (ground.url("large.cap"), pcap(2_500));
    ground.azure.put_blob(&url, bytes.clone());
    let look = tokio::spawn({
        let (ground, url) = (ground.clone(), url.clone());
        async move { ground.look(&url).await }
    });
    let reads = |entries: &[azure_sandbox::Entry]| {
        let reads = entries.iter().filter(|entry| entry.kind == Call::GetBlob);
        reads.count() >= 3
    };
    ground.azure.wait_for(reads).await;
    ground.azure.break_blobs(Some(What::DropBefore));
    let look = look.await.unwrap().unwrap();
    assert!(!look.complete && look.sha256.is_none());
    assert!(
        (1..look.size).contains(&look.read_bytes),
        "{}",
        look.read_bytes
    );
    assert_eq!(look.size, bytes.len() as u64);
}

#[tokio::test]
async fn the_last_check_may_fail() {
    let ground = Ground::start().await;
    let (url, bytes) = (ground.url("night.cap"), pcap(3));
    ground.azure.put_blob(&url, bytes.clone());
    ground
        .azure
        .slow_down(Call::GetBlob, Duration::from_millis(20));
    let look = ground.look(&url);
    let broken = async {
        let read = |entries: &[azure_sandbox::Entry]| {
            entries.iter().any(|entry| entry.kind == Call::GetBlob)
        };
        ground.azure.wait_for(read).await;
        ground.azure.break_blobs(Some(busy()));
    };
    let (look, ()) = tokio::join!(look, broken);
    saw(&look.unwrap(), &bytes);
}

#[tokio::test]
async fn no_more_than_two_files_are_read_at_once() {
    let ground = Arc::new(Ground::start().await);
    let urls: Vec<String> = (0..3).map(|at| ground.url(&format!("{at}.cap"))).collect();
    for url in &urls {
        ground.azure.put_blob(url, pcap(3));
    }
    ground.azure.fault(Fault {
        on: Call::GetBlob,
        times: 2,
        what: What::Hang,
    });
    let looks = urls.iter().map(|url| {
        let (ground, url) = (ground.clone(), url.clone());
        tokio::spawn(async move { ground.look(&url).await })
    });
    let looks: Vec<_> = looks.collect();
    let all_are_there = |entries: &[azure_sandbox::Entry]| {
        let of = |kind| entries.iter().filter(|entry| entry.kind == kind).count();
        of(Call::GetBlobProperties) == 3 && of(Call::GetBlob) == 2
    };
    ground.azure.wait_for(all_are_there).await;
    jump(Duration::from_secs(121)).await;
    let mut ends = Vec::new();
    for look in looks {
        ends.push(look.await.unwrap());
    }
    let slow = |end: &&Result<Look, LookError>| matches!(end, Err(LookError::TooSlow { .. }));
    assert_eq!(ends.iter().filter(slow).count(), 2, "{ends:?}");
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1, "{ends:?}");
}
