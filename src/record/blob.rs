//! The record of several processes, in Blob Storage: one blob for each text, its summary in the blob's metadata. Any storage
//! tool can read it.
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations>

mod call;

use super::{
    store::{Condition, Etag, Listed, Page, Store, StoreError, Stored, check_size},
    summary::{decoded, encoded},
};
use crate::storage::{Connection, Opened, Way};
use azure_core::{
    Bytes,
    credentials::TokenCredential,
    http::{NoFormat, RequestContent, RetryOptions},
};
use azure_storage_blob::{
    BlobContainerClient, BlobServiceClient, BlobServiceClientOptions,
    models::{
        BlobClientDeleteOptions, BlobClientDownloadOptions, BlobClientUploadOptions,
        BlobContainerClientListBlobsOptions, ListBlobsIncludeItem,
    },
};
use call::{Calls, Failure};
use futures_util::TryStreamExt;
use std::{collections::HashMap, num::NonZero, sync::Arc, time::SystemTime};
use url::Url;

/// The container of the record, created at the first write.
pub const CONTAINER: &str = "packet-capture-incidents";
/// The metadata that holds the summary.
const SUMMARY: &str = "summary";
/// The metadata that says which write made this version, so that a write whose answer was lost is recognized.
const WRITE: &str = "write";
/// One request reads any text: a range that ends a byte behind the largest one.
const READ: u64 = super::MAX_BODY_BYTES as u64 + 1;

/// The record in a container of a storage account.
pub struct BlobStore {
    container: BlobContainerClient,
    calls: Calls,
}

/// What a store's check has found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checked {
    /// Whether the container is there; it is created at the first write, and the rest is known then.
    pub exists: bool,
    /// Whether conditions are evaluated.
    pub conditions: bool,
    /// The clock of the storage service.
    pub clock: Option<SystemTime>,
}

impl BlobStore {
    /// A store opened with an account key or a shared access signature; `None` when the connection string names no blob
    /// service. No call leaves the process yet.
    ///
    /// # Errors
    /// An endpoint that no client can be made for.
    pub fn connect(
        connection: Connection,
        http: reqwest::Client,
    ) -> azure_core::Result<Option<Self>> {
        let Some(blobs) = connection.blobs else {
            return Ok(None);
        };
        Self::new(Way::Access(blobs, connection.access), http).map(Some)
    }

    /// A store opened with a token for `https://storage.azure.com`. `service` is such as
    /// `https://ACCOUNT.blob.core.windows.net`.
    ///
    /// # Errors
    /// An endpoint that no client can be made for.
    pub fn with_identity(
        service: Url,
        credential: Arc<dyn TokenCredential>,
        http: reqwest::Client,
    ) -> azure_core::Result<Self> {
        Self::new(Way::Identity(service, credential), http)
    }

    /// The URL of the container, without any secret.
    pub fn address(&self) -> &str {
        &self.calls.address
    }

    /// Tries the store without changing it: whether the container is there, and whether a write on a condition that cannot
    /// hold is refused for that reason.
    ///
    /// # Errors
    /// [`StoreError::Refused`], [`StoreError::Unavailable`].
    pub async fn check(&self) -> Result<Checked, StoreError> {
        let read = || async {
            let properties = self.container.get_properties(None).await?;
            Ok(properties.headers().get_optional_string(&"date".into()))
        };
        let date = match self.calls.run(read).await {
            Ok(date) => date,
            Err(failure) if failure.is_missing() => return Ok(Checked::default()),
            Err(failure) => return Err(self.calls.error("reach the incident record", failure)),
        };
        let condition = Condition::Unchanged(Etag("\"0x0\"".to_owned()));
        let body = Bytes::from_static(b"{}");
        let conditions = match self.write("check", body, None, condition).await {
            Err(StoreError::Conflict) => true,
            Ok(_) => false,
            Err(error) => return Err(error),
        };
        Ok(Checked {
            exists: true,
            conditions,
            clock: date.and_then(|date| httpdate::parse_http_date(&date).ok()),
        })
    }

    fn new(way: Way, http: reqwest::Client) -> azure_core::Result<Self> {
        // The calls here repeat themselves: a repeated write must be distinguished from another process's.
        let Opened {
            url,
            credential,
            options,
        } = way.open(http, RetryOptions::none())?;
        let options = BlobServiceClientOptions {
            client_options: options,
            ..BlobServiceClientOptions::default()
        };
        let service = BlobServiceClient::new(url, credential, Some(options))?;
        let container = service.blob_container_client(CONTAINER);
        let mut address = container.url().clone();
        address.set_query(None);
        Ok(Self {
            container,
            calls: Calls::new(address.to_string()),
        })
    }

    /// The upload, in a container that is created when it is missing.
    async fn upload(
        &self,
        name: &str,
        body: &Bytes,
        options: &BlobClientUploadOptions<'static>,
    ) -> Result<Etag, Failure> {
        let upload = || async {
            let blob = self.container.blob_client(name);
            let content: RequestContent<Bytes, NoFormat> = body.clone().into();
            let uploaded = blob.upload(content, Some(options.clone())).await?;
            Ok(uploaded.etag)
        };
        let uploaded = match self.calls.run(upload).await {
            Err(failure) if failure.code == "ContainerNotFound" => {
                let create = || async { self.container.create(None).await.map(drop) };
                match self.calls.run(create).await {
                    Err(failure) if failure.code != "ContainerAlreadyExists" => {
                        return Err(failure);
                    }
                    _ => self.calls.run(upload).await,
                }
            }
            uploaded => uploaded,
        };
        let etag = uploaded?.ok_or_else(|| Failure::odd("the answer has no ETag"))?;
        Ok(Etag(etag.to_string()))
    }

    /// The version of a text, if it was made by this write.
    async fn version_of(&self, name: &str, write: &str) -> Result<Option<Etag>, Failure> {
        let read = || async {
            let properties = self
                .container
                .blob_client(name)
                .get_properties(None)
                .await?;
            let headers = properties.headers();
            let value = |name: &'static str| headers.get_optional_string(&name.into());
            Ok((value("x-ms-meta-write"), value("etag")))
        };
        match self.calls.run(read).await {
            Ok((Some(made_by), Some(etag))) if made_by == write => Ok(Some(Etag(etag))),
            Ok(_) => Ok(None),
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

#[async_trait::async_trait]
impl Store for BlobStore {
    async fn read(&self, name: &str) -> Result<Option<Stored>, StoreError> {
        let read = || async {
            let options = BlobClientDownloadOptions {
                range: Some((0..READ).into()),
                parallel: NonZero::new(1),
                partition_size: NonZero::new(READ as usize),
                ..Default::default()
            };
            let blob = self.container.blob_client(name);
            let read = blob.download(Some(options)).await?;
            let etag = read.properties.etag;
            Ok((read.body.collect().await?, etag))
        };
        match self.calls.run(read).await {
            Ok((body, Some(etag))) => Ok(Some(Stored {
                body,
                etag: Etag(etag.to_string()),
            })),
            Ok((_, None)) => {
                let odd = Failure::odd("the answer has no ETag");
                Err(self.calls.error("read a record", odd))
            }
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(self.calls.error("read a record", failure)),
        }
    }

    async fn write(
        &self,
        name: &str,
        body: Bytes,
        summary: Option<&str>,
        condition: Condition,
    ) -> Result<Etag, StoreError> {
        let summary = summary.map(encoded);
        check_size(&body, summary.as_deref())?;
        let write = uuid::Uuid::new_v4().simple().to_string();
        let mut metadata = HashMap::from([(WRITE.to_owned(), write.clone())]);
        metadata.extend(summary.map(|summary| (SUMMARY.to_owned(), summary)));
        let options = BlobClientUploadOptions {
            metadata: Some(metadata),
            blob_content_type: Some(
                match name.ends_with(".html") {
                    true => "text/html; charset=utf-8",
                    false => "application/json",
                }
                .to_owned(),
            ),
            ..Default::default()
        };
        let options = match condition {
            Condition::New => options.if_not_exists(),
            Condition::Unchanged(etag) => BlobClientUploadOptions {
                if_match: Some(etag.0.into()),
                ..options
            },
        };
        let failure = match self.upload(name, &body, &options).await {
            Ok(etag) => return Ok(etag),
            Err(failure) => failure,
        };
        let tried = "write a record";
        match (failure.is_conflict(), failure.unsure) {
            (true, false) => Err(StoreError::Conflict),
            // The condition may fail because of the first try, whose answer was lost.
            (true, true) => match self.version_of(name, &write).await {
                Ok(Some(etag)) => Ok(etag),
                Ok(None) => Err(StoreError::Conflict),
                Err(failure) => Err(self.calls.error(tried, failure)),
            },
            (false, _) => Err(self.calls.error(tried, failure)),
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page, StoreError> {
        let list = || async {
            let options = BlobContainerClientListBlobsOptions {
                prefix: Some(prefix.to_owned()),
                marker: after.map(str::to_owned),
                maxresults: Some(i32::try_from(most.clamp(1, 5_000)).unwrap_or(5_000)),
                include: Some(vec![ListBlobsIncludeItem::Metadata]),
                ..Default::default()
            };
            let mut pages = self.container.list_blobs(Some(options))?.into_pages();
            match pages.try_next().await? {
                Some(page) => page.into_model().map(Some),
                None => Ok(None),
            }
        };
        let page = match self.calls.run(list).await {
            Ok(page) => page.unwrap_or_default(),
            Err(failure) if failure.is_missing() => return Ok(Page::default()),
            Err(failure) => return Err(self.calls.error("list records", failure)),
        };
        let entries = page.blob_items.into_iter().filter_map(|item| {
            let metadata = item.metadata.and_then(|metadata| metadata.values);
            let summary = metadata.and_then(|mut values| values.remove(SUMMARY));
            Some(Listed {
                name: item.name?,
                summary: summary.as_deref().map(decoded),
            })
        });
        Ok(Page {
            entries: entries.collect(),
            next: page.next_marker.filter(|marker| !marker.is_empty()),
        })
    }

    async fn remove(&self, name: &str, unchanged: Option<&Etag>) -> Result<(), StoreError> {
        let remove = || async {
            let options = BlobClientDeleteOptions {
                if_match: unchanged.map(|etag| etag.0.as_str().into()),
                ..Default::default()
            };
            let blob = self.container.blob_client(name);
            blob.delete(Some(options)).await.map(drop)
        };
        match self.calls.run(remove).await {
            Ok(()) => Ok(()),
            Err(failure) if failure.is_missing() => Ok(()),
            // A text that is gone does not fulfil the condition either.
            Err(failure) if failure.is_conflict() => match self.read(name).await? {
                Some(_) => Err(StoreError::Conflict),
                None => Ok(()),
            },
            Err(failure) => Err(self.calls.error("remove a record", failure)),
        }
    }

    fn is_durable(&self) -> bool {
        true
    }
}
