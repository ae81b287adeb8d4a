//! Reads the files of finished captures: each comes out of the storage account in ranges and goes through the package
//! `first-look`, without holding more than a few parts of it. A look waits for nothing else, and nothing waits for a look.

mod about;
mod download;
mod error;
mod feeder;
mod place;

pub use about::{About, CountedMetric, Found};
pub use error::LookError;
pub use place::Storage;

use crate::storage::{Opened, Way};
use azure_core::{
    Bytes,
    credentials::TokenCredential,
    http::{ExponentialRetryOptions, NoFormat, RequestContent, RetryOptions},
};
use azure_storage_blob::{BlobClient, BlobClientOptions, models::BlobClientUploadOptions};
use download::Download;
use std::{num::NonZero, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::Instant};

/// Maximum number of files that are read at the same time. One may take 128 MB of memory and a processor of its own.
const AT_ONCE: usize = 2;
/// How long a check may take.
const CHECK: Duration = Duration::from_secs(20);

/// Where captures are read, and for how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where a capture's file may be: nowhere else goes a token.
    pub storage: Storage,
    /// How long the reading of a file may take (`FirstLook__MaxSeconds`).
    pub most_time: Duration,
    /// How long a file may take to appear after the end of its capture.
    pub appears_within: Duration,
    /// The first pause before another try; it doubles up to ten times that.
    pub first_pause: Duration,
    /// Ranges that are read side by side.
    pub parallel: NonZero<usize>,
    /// Bytes of one range.
    pub partition: NonZero<usize>,
}

impl Options {
    /// The usual limits: 120 s to appear and 120 s to be read, eight ranges of 1 MiB at a time.
    pub fn new(storage: Storage) -> Self {
        Self {
            storage,
            most_time: Duration::from_secs(120),
            appears_within: Duration::from_secs(120),
            first_pause: Duration::from_secs(1),
            parallel: const { NonZero::new(8).expect("not zero") },
            partition: const { NonZero::new(1024 * 1024).expect("not zero") },
        }
    }
}

/// What a look has seen.
#[derive(Debug)]
#[non_exhaustive]
pub struct Look {
    /// Figures and findings of the part that was read.
    pub seen: first_look::Seen,
    /// Of the whole file, in hexadecimal digits; `None` when it was not read to its end.
    pub sha256: Option<String>,
    /// Size of the file.
    pub size: u64,
    /// Bytes from its beginning that were read.
    pub read_bytes: u64,
    pub complete: bool,
    /// How long the reading took, without the wait for the file.
    pub took: Duration,
}

/// Reads the files of captures.
pub struct CaptureReader {
    credential: Arc<dyn TokenCredential>,
    http: reqwest::Client,
    options: Options,
    turns: Semaphore,
}

impl CaptureReader {
    /// `credential` gives tokens for `https://storage.azure.com`. No call leaves the process yet.
    pub fn new(
        credential: Arc<dyn TokenCredential>,
        http: reqwest::Client,
        options: Options,
    ) -> Self {
        Self {
            credential,
            http,
            options,
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Reads the file of a finished capture, by the storage path that Azure gave. `context` is what is known besides.
    ///
    /// # Errors
    /// Why there is nothing to say about the file, with what to do about it.
    pub async fn look(
        &self,
        storage_path: &str,
        mut context: first_look::Context,
    ) -> Result<Look, LookError> {
        let blob = self.blob(storage_path)?;
        let download = Download {
            blob: &blob,
            options: &self.options,
        };
        let file = download.wait_for_file().await?;
        let _turn = self.turns.acquire().await;
        let start = Instant::now();
        let read = download.read(file, start + self.options.most_time).await?;
        let took = start.elapsed();
        let complete = read.fed.bytes == read.size;
        context.whole_size = (!complete).then_some(read.size);
        let (read_bytes, size) = (read.fed.bytes, read.size);
        let (seen, sha256) = read.fed.finish(context).await?;
        if let (false, Some(problem)) = (seen.is_capture(), seen.problem()) {
            return Err(LookError::NoCapture {
                problem: problem.to_owned(),
                fix: seen.fix().unwrap_or_default(),
            });
        }
        Ok(Look {
            seen,
            sha256: complete.then_some(sha256),
            size,
            read_bytes,
            complete,
            took,
        })
    }

    /// Reads the file of a finished capture, as [`CaptureReader::look`].
    ///
    /// # Errors
    /// As there.
    pub async fn look_at(&self, storage_path: &str, about: &About) -> Result<Look, LookError> {
        self.look(storage_path, about.context(storage_path)).await
    }

    /// Writes the report about a file beside it, with the ending `.html` in place of the file's own.
    ///
    /// # Errors
    /// Why it could not be written; the role for it is another one than that for reading.
    pub async fn write_beside(&self, storage_path: &str, report: String) -> Result<(), LookError> {
        let path = storage_path.strip_suffix(".cap").unwrap_or(storage_path);
        let blob = self.blob(&format!("{path}.html"))?;
        let options = BlobClientUploadOptions {
            blob_content_type: Some("text/html; charset=utf-8".to_owned()),
            ..Default::default()
        };
        let content: RequestContent<Bytes, NoFormat> = Bytes::from(report).into();
        let written = tokio::time::timeout(CHECK, blob.upload(content, Some(options))).await;
        match written {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(LookError::of(&error)),
            Err(_) => Err(LookError::TooSlow { within: CHECK }),
        }
    }

    /// Whether files of captures in this account could be read: asks for one that is not there.
    ///
    /// # Errors
    /// What keeps them from being read.
    pub async fn check(&self, account: &str) -> Result<(), LookError> {
        let storage = self.options.storage.account(account);
        let storage = storage.ok_or(LookError::ForeignAddress)?;
        let url = format!(
            "{}/network-watcher-logs/check",
            storage.as_str().trim_end_matches('/')
        );
        let blob = self.blob(&url)?;
        let download = Download {
            blob: &blob,
            options: &self.options,
        };
        let asked = tokio::time::timeout(CHECK, download.file()).await;
        match asked {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(LookError::of(&error)),
            Err(_) => Err(LookError::TooSlow { within: CHECK }),
        }
    }

    fn blob(&self, storage_path: &str) -> Result<BlobClient, LookError> {
        let url = self.options.storage.checked(storage_path)?;
        let retry = RetryOptions::exponential(ExponentialRetryOptions {
            initial_delay: seconds(self.options.first_pause),
            max_retries: 4,
            max_total_elapsed: azure_core::time::Duration::seconds(20),
            max_delay: seconds(self.options.first_pause * 5),
        });
        let way = Way::Identity(url, self.credential.clone());
        let opened = way.open(self.http.clone(), retry).and_then(|opened| {
            let Opened {
                url,
                credential,
                options,
            } = opened;
            let options = BlobClientOptions {
                client_options: options,
                ..BlobClientOptions::default()
            };
            BlobClient::new(url, credential, Some(options))
        });
        opened.map_err(|error| LookError::unavailable(&error))
    }
}

fn seconds(time: Duration) -> azure_core::time::Duration {
    azure_core::time::Duration::seconds_f64(time.as_secs_f64())
}
