//! One file out of Blob Storage: waits until it is there, reads ranges of one version side by side, continues after a lost
//! connection, and begins again when the file has changed.
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/get-blob>

use super::{
    LookError, Options,
    feeder::{Fed, Feeder},
};
use crate::storage::refusal;
use azure_core::{error::ErrorKind, http::Etag};
use azure_storage_blob::{
    BlobClient,
    models::{BlobClientDownloadOptions, BlobClientGetPropertiesResultHeaders},
};
use futures_util::TryStreamExt;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Maximum number of failures in a row without a byte in between.
const FAILURES: u32 = 5;
/// Maximum number of bytes asked for at once: the crate lists all ranges of a request, and a length can be anything.
const MOST_ASKED: u64 = 1 << 30;
/// How long the check after the last byte may take.
const LAST_CHECK: Duration = Duration::from_secs(5);

/// A file being read.
pub(super) struct Download<'a> {
    pub blob: &'a BlobClient,
    pub options: &'a Options,
}

/// One version of a file.
pub(super) struct File {
    length: u64,
    etag: Etag,
}

/// What was read of a file.
pub(super) struct Read {
    pub fed: Fed,
    /// Of the whole file.
    pub size: u64,
}

/// How one pass through a version ended.
enum Pass {
    /// At its end.
    Whole(Feeder),
    /// At the deadline, or where the connection could not be restored.
    Part(Feeder),
    /// The file is another one by now.
    Changed,
}

impl Download<'_> {
    /// The file's length and version, as soon as it is there and has bytes. A capture that has just ended may still be
    /// uploaded.
    pub async fn wait_for_file(&self) -> Result<File, LookError> {
        let start = Instant::now();
        let longest = self.options.first_pause * 10;
        let mut pause = self.options.first_pause;
        loop {
            let (empty, there) = match self.file().await {
                Ok(Some(file)) => (file.length == 0, Some(file)),
                Ok(None) => (false, None),
                Err(error) => return Err(LookError::of(&error)),
            };
            if let Some(file) = there.filter(|_| !empty) {
                return Ok(file);
            }
            let waited = start.elapsed();
            if waited + pause > self.options.appears_within {
                return Err(match empty {
                    true => LookError::Empty { waited },
                    false => LookError::Missing { waited },
                });
            }
            sleep(pause).await;
            pause = longest.min(pause * 2);
        }
    }

    /// Reads until the end of the file or the deadline.
    pub async fn read(&self, mut file: File, deadline: Instant) -> Result<Read, LookError> {
        loop {
            let out_of_time = || Instant::now() + self.options.first_pause > deadline;
            match self.pass(&file, deadline).await? {
                Pass::Part(feeder) => return self.fed(feeder, file.length).await,
                Pass::Whole(feeder) => {
                    // A file of one range can have grown without a refusal.
                    let grown = self.length_if_changed(&file).await;
                    if grown.is_none() || out_of_time() {
                        return self.fed(feeder, grown.unwrap_or(file.length)).await;
                    }
                }
                Pass::Changed if out_of_time() => return Err(LookError::StillWritten),
                Pass::Changed => {}
            }
            sleep(self.options.first_pause).await;
            file = self.wait_for_file().await?;
        }
    }

    async fn fed(&self, feeder: Feeder, size: u64) -> Result<Read, LookError> {
        let fed = feeder.end().await?;
        match fed.bytes {
            0 => Err(LookError::TooSlow {
                within: self.options.most_time,
            }),
            _ => Ok(Read { fed, size }),
        }
    }

    /// The file's length by now, if it is another version. What was read is of one version, so that no answer is no failure.
    async fn length_if_changed(&self, file: &File) -> Option<u64> {
        let now = timeout(LAST_CHECK, self.file()).await.ok()?.ok()??;
        (now.etag != file.etag).then_some(now.length)
    }

    /// One pass through one version of the file.
    async fn pass(&self, file: &File, deadline: Instant) -> Result<Pass, LookError> {
        let feeder = Feeder::start();
        let (mut position, mut failures) = (0, 0);
        while position < file.length {
            let before = position;
            let until = file.length.min(position.saturating_add(MOST_ASKED));
            let read = self.feed_from(&mut position, until, file, &feeder);
            let Ok(ended) = timeout_at(deadline, read).await else {
                return Ok(Pass::Part(feeder));
            };
            let error = match ended? {
                Ok(()) => None,
                Err(error) if refusal::status(&error) == Some(412) => return Ok(Pass::Changed),
                Err(error) if is_missing(&error) => {
                    let waited = Duration::ZERO;
                    return Err(LookError::Missing { waited });
                }
                Err(error) => Some(error),
            };
            // An answer that ends early is a failure too, if one without words.
            failures = if position > before { 1 } else { failures + 1 };
            match error {
                Some(error) if is_final(&error) => return Err(LookError::of(&error)),
                _ if position == until => {}
                _ if failures >= FAILURES && position > 0 => return Ok(Pass::Part(feeder)),
                Some(error) if failures >= FAILURES => return Err(LookError::of(&error)),
                None if failures >= FAILURES => return Err(LookError::StillWritten),
                _ => sleep(self.options.first_pause).await,
            }
        }
        Ok(Pass::Whole(feeder))
    }

    /// Feeds what comes from `position` on, and moves it with each chunk.
    async fn feed_from(
        &self,
        position: &mut u64,
        until: u64,
        file: &File,
        feeder: &Feeder,
    ) -> Result<azure_core::Result<()>, LookError> {
        let options = BlobClientDownloadOptions {
            range: Some((*position..until).into()),
            if_match: Some(file.etag.clone()),
            parallel: Some(self.options.parallel),
            partition_size: Some(self.options.partition),
            ..Default::default()
        };
        let mut body = match self.blob.download(Some(options)).await {
            Ok(download) => download.body,
            Err(error) => return Ok(Err(error)),
        };
        loop {
            let chunk = match body.try_next().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            };
            *position += chunk.len() as u64;
            feeder.feed(chunk).await?;
        }
    }

    /// The file's length and version; `None` when it is not there.
    pub async fn file(&self) -> azure_core::Result<Option<File>> {
        let properties = match self.blob.get_properties(None).await {
            Ok(properties) => properties,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        match (properties.content_length()?, properties.etag()?) {
            (Some(length), Some(etag)) => Ok(Some(File { length, etag })),
            _ => Err(azure_core::Error::with_message(
                ErrorKind::DataConversion,
                "the answer has no length or no ETag",
            )),
        }
    }
}

/// Neither the file nor its container is there: Azure creates the container with the first capture.
fn is_missing(error: &azure_core::Error) -> bool {
    let code = refusal::code(error).unwrap_or_default();
    matches!(code, "BlobNotFound" | "ContainerNotFound")
}

/// Whether another try would end in the same way.
fn is_final(error: &azure_core::Error) -> bool {
    match refusal::status(error) {
        Some(status) => !matches!(status, 408 | 429 | 500..),
        None => matches!(error.kind(), ErrorKind::Credential),
    }
}
