//! Blob Storage: containers of named bytes that are read in ranges and written on conditions. Capture files are among them.
//! Names keep their case, as in Azure.
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-rest-api>

use axum::body::Bytes;
use time::OffsetDateTime;

use super::answer::{Answer, Outcome};
use super::arm::{Asked, parameter};
use super::calls::Call;
use super::storage_access::{self, Account, Service, error};
use super::world::World;

const MOST_METADATA: usize = 8 * 1024;
const MOST_LISTED: usize = 5_000;

pub(super) struct Blob {
    pub body: Bytes,
    /// In quotes, as in the header.
    pub etag: String,
    /// By lower-case name.
    pub metadata: Vec<(String, String)>,
    pub modified: OffsetDateTime,
    /// Calls to which it is not there yet.
    pub late: usize,
    /// What is appended to it, a part after each read.
    pub growth: Vec<Bytes>,
    /// The length that the service names in place of its own.
    pub claimed: Option<u64>,
}

impl Blob {
    pub fn new(world: &mut World, body: Bytes, now: OffsetDateTime) -> Self {
        Self {
            body,
            etag: world.next_etag(),
            metadata: Vec::new(),
            modified: now,
            late: 0,
            growth: Vec::new(),
            claimed: None,
        }
    }

    /// The bytes once it has grown.
    pub fn whole(&self) -> Vec<u8> {
        let parts = std::iter::once(&self.body).chain(&self.growth);
        parts.flat_map(|part| part.iter().copied()).collect()
    }
}

pub(super) fn answer(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let account = storage_access::check(world, asked, Service::Blob)?;
    storage_access::check_role(&account, asked)?;
    let (container, name) = (asked.route.scope.clone(), asked.route.child.clone());
    if asked.route.call == Call::CreateContainer {
        return create_container(world, &container);
    }
    if !world.containers.contains(&container) {
        return Err(error(404, "ContainerNotFound"));
    }
    let key = format!("{container}/{name}");
    match asked.route.call {
        Call::GetContainer => Ok(Answer::empty(200)),
        Call::ListBlobs => list(world, asked, &account, &container),
        Call::PutBlob => put(world, asked, key),
        Call::DeleteBlob => {
            let blob = found(world, &key)?;
            check_match(blob, asked)?;
            world.blobs.remove(&key);
            Ok(Answer::empty(202))
        }
        _ => get(world, asked, &key),
    }
}

/// The rules for names: 3 to 63 lower-case letters, digits and single hyphens.
fn create_container(world: &mut World, container: &str) -> Outcome {
    let name = container.rsplit('/').next().unwrap_or_default();
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let framed = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    if !(3..=63).contains(&name.len()) || !name.chars().all(legal) || framed {
        return Err(error(400, "InvalidResourceName"));
    }
    match world.containers.insert(container.to_owned()) {
        true => Ok(Answer::empty(201)),
        false => Err(error(409, "ContainerAlreadyExists")),
    }
}

/// A blob that has arrived. Each call that comes too early brings it closer.
fn found<'a>(world: &'a mut World, key: &str) -> Result<&'a mut Blob, Answer> {
    let blob = world.blobs.get_mut(key);
    let blob = blob.ok_or_else(|| error(404, "BlobNotFound"))?;
    match blob.late {
        0 => Ok(blob),
        _ => {
            blob.late -= 1;
            Err(error(404, "BlobNotFound"))
        }
    }
}

fn check_match(blob: &Blob, asked: &Asked<'_>) -> Result<(), Answer> {
    match asked.header("if-match") {
        Some(etag) if etag != "*" && etag != blob.etag => Err(error(412, "ConditionNotMet")),
        _ => Ok(()),
    }
}

fn get(world: &mut World, asked: &Asked<'_>, key: &str) -> Outcome {
    let blob = found(world, key)?;
    check_match(blob, asked)?;
    let length = blob.body.len();
    let range = asked.header("x-ms-range").or(asked.header("range"));
    let claimed = blob
        .claimed
        .filter(|_| asked.route.call == Call::GetBlobProperties);
    let answer = match range.filter(|_| asked.route.call == Call::GetBlob) {
        // Hyper compares a length with that of the body, unless there is none.
        None if claimed.is_some() => Answer::empty(200),
        None => Answer::bytes(200, blob.body.clone()),
        Some(range) => {
            let (from, until) = bounds(range, length).ok_or_else(|| {
                error(416, "InvalidRange").with("content-range", format!("bytes */{length}"))
            })?;
            let named = blob.claimed.unwrap_or(length as u64);
            let range = format!("bytes {from}-{}/{named}", until - 1);
            Answer::bytes(206, blob.body.slice(from..until)).with("content-range", range)
        }
    };
    let mut answer = answer
        .with("etag", blob.etag.clone())
        .with("last-modified", date(blob.modified))
        .with("x-ms-blob-type", "BlockBlob")
        .with("accept-ranges", "bytes");
    if length == 0 {
        // Hyper writes no length of an empty body for a HEAD.
        answer = answer.with("content-length", "0");
    }
    if let Some(claimed) = claimed {
        answer = answer.with("content-length", claimed.to_string());
    }
    for (name, value) in &blob.metadata {
        answer = answer.with(format!("x-ms-meta-{name}"), value.clone());
    }
    // Who reads the properties has not read the bytes yet.
    if asked.route.call == Call::GetBlob && !blob.growth.is_empty() {
        let more = blob.growth.remove(0);
        blob.body = [&blob.body[..], &more].concat().into();
        blob.modified = asked.now;
        let etag = world.next_etag();
        if let Some(blob) = world.blobs.get_mut(key) {
            blob.etag = etag;
        }
    }
    Ok(answer)
}

/// `bytes=a-b` with both ends included, or `bytes=a-`, as a range that begins within the blob.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from: usize = from.parse().ok()?;
    let until = match to {
        "" => length,
        to => to.parse::<usize>().ok()?.saturating_add(1).min(length),
    };
    (from < until).then_some((from, until))
}

fn put(world: &mut World, asked: &Asked<'_>, key: String) -> Outcome {
    if asked.header("x-ms-blob-type") != Some("BlockBlob") {
        return Err(error(400, "InvalidHeaderValue"));
    }
    let known = world.blobs.get(&key);
    if asked.header("if-none-match") == Some("*") && known.is_some() {
        return Err(error(409, "BlobAlreadyExists"));
    }
    match (known, asked.header("if-match")) {
        (Some(blob), _) => check_match(blob, asked)?,
        (None, Some(_)) => return Err(error(412, "ConditionNotMet")),
        (None, None) => {}
    }
    let metadata: Vec<(String, String)> = asked
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-ms-meta-")?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    if metadata
        .iter()
        .map(|(n, v)| n.len() + v.len())
        .sum::<usize>()
        > MOST_METADATA
    {
        return Err(error(400, "MetadataTooLarge"));
    }
    let mut blob = Blob::new(world, Bytes::copy_from_slice(asked.body), asked.now);
    blob.metadata = metadata;
    let answer = Answer::empty(201)
        .with("etag", blob.etag.clone())
        .with("last-modified", date(blob.modified));
    world.blobs.insert(key, blob);
    Ok(answer)
}

fn list(world: &World, asked: &Asked<'_>, account: &Account, container: &str) -> Outcome {
    let number = parameter(asked.query, "maxresults").map(|text| text.parse::<usize>());
    let most = match number {
        None => MOST_LISTED,
        Some(Ok(number)) if number > 0 => number.min(MOST_LISTED),
        Some(_) => return Err(error(400, "OutOfRangeQueryParameterValue")),
    };
    let prefix = parameter(asked.query, "prefix").unwrap_or_default();
    let include = parameter(asked.query, "include").unwrap_or_default();
    let with_metadata = include.split(',').any(|it| it == "metadata");
    // The marker is the name that the page begins with; for a client it has no meaning.
    let marker = match parameter(asked.query, "marker") {
        None => String::new(),
        Some(marker) => marker
            .strip_prefix("2!")
            .ok_or_else(|| error(400, "OutOfRangeInput"))?
            .to_owned(),
    };
    let below = format!("{container}/");
    let from = format!("{below}{}", marker.max(prefix.clone()));
    let blobs = world.blobs.range(from..).map_while(|(key, blob)| {
        let name = key.strip_prefix(&below)?;
        name.starts_with(&prefix).then_some((name, blob))
    });
    let mut blobs = blobs.filter(|(_, blob)| blob.late == 0);
    let items: String = blobs
        .by_ref()
        .take(most)
        .map(|(name, blob)| item(name, blob, with_metadata))
        .collect();
    let next = blobs.next().map_or_else(String::new, |(name, _)| {
        format!("<NextMarker>2!{}</NextMarker>", escaped(name))
    });
    let next = match next.is_empty() {
        true => "<NextMarker />".to_owned(),
        false => next,
    };
    let head = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"{}/{}/\" ContainerName=\"{}\">",
        world.endpoint,
        account.name,
        escaped(&below[account.name.len() + 1..below.len() - 1]),
    );
    let body = format!(
        "{head}<Prefix>{}</Prefix><MaxResults>{most}</MaxResults><Blobs>{items}</Blobs>{next}</EnumerationResults>",
        escaped(&prefix)
    );
    Ok(Answer::raw(200, "application/xml", body))
}

fn item(name: &str, blob: &Blob, with_metadata: bool) -> String {
    let metadata: String = match with_metadata {
        true => (blob.metadata.iter())
            .map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value)))
            .collect(),
        false => String::new(),
    };
    format!(
        "<Blob><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag><Content-Length>{}</Content-Length><Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType></Properties><Metadata>{metadata}</Metadata><OrMetadata /></Blob>",
        escaped(name),
        date(blob.modified),
        // Lists have it without quotes.
        blob.etag.trim_matches('"'),
        blob.body.len(),
    )
}

fn date(at: OffsetDateTime) -> String {
    httpdate::fmt_http_date(at.into())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn ranges_end_with_the_blob_and_begin_within_it() {
        for (range, length, expected) in [
            ("bytes=0-3", 10, Some((0, 4))),
            ("bytes=8-99", 10, Some((8, 10))),
            ("bytes=4-", 10, Some((4, 10))),
            ("bytes=10-12", 10, None),
            ("bytes=0-3", 0, None),
            ("bytes=3-1", 10, None),
            ("items=0-3", 10, None),
            ("bytes=-3", 10, None),
        ] {
            assert_eq!(bounds(range, length), expected, "{range}");
        }
    }
}
