//! Who may use a storage account's queues and blobs: a caller that signs with its key, shows a signature made with it, or
//! has a token for storage and, for blobs, a role. Everything is verified as Azure documents it.
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-requests-to-azure-storage>

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::form_urlencoded;

use super::answer::Answer;
use super::arm::{Asked, parameter};
use super::world::{StorageAccount, World};
use super::{ids, samples};

/// The version whose signatures the sandbox knows.
const SIGNED_VERSION: &str = "2024-11-04";

/// What callers with a token may do with an account's blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobRole {
    /// Nothing.
    None,
    /// As Storage Blob Data Reader.
    Reader,
    /// As Storage Blob Data Contributor.
    Contributor,
}

/// The services of an account, by their letter in a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Blob,
    Queue,
}

/// An account as its services see it.
pub(super) struct Account {
    pub name: String,
    shared_keys: bool,
    firewall_closed: bool,
    blob_role: BlobRole,
}

impl Account {
    /// The sample account answers even in a world that has not been furnished.
    fn find(world: &World, name: &str) -> Option<Self> {
        let known = |it: &&StorageAccount| ids::name(&it.id) == name;
        let found = world.storage_accounts.iter().find(known);
        let sample = ids::name(samples::STORAGE_ACCOUNT) == name;
        (found.is_some() || sample).then(|| Self {
            name: name.to_owned(),
            shared_keys: found.is_none_or(|it| it.shared_keys),
            firewall_closed: found.is_some_and(|it| it.firewall_closed),
            blob_role: found.map_or(BlobRole::Contributor, |it| it.blob_role),
        })
    }
}

/// Whether a caller with a token has the role that a call to Blob Storage needs.
pub(super) fn check_role(account: &Account, asked: &Asked<'_>) -> Result<(), Answer> {
    let by_token = asked.header("authorization").unwrap_or_default();
    if !by_token.starts_with("Bearer ") {
        return Ok(());
    }
    let reads = matches!(asked.method, "GET" | "HEAD");
    match account.blob_role {
        BlobRole::Contributor => Ok(()),
        BlobRole::Reader if reads => Ok(()),
        _ => Err(error(403, "AuthorizationPermissionMismatch")),
    }
}

pub(super) fn check(world: &World, asked: &Asked<'_>, service: Service) -> Result<Account, Answer> {
    let path = asked.path.trim_start_matches('/');
    let name = path.split('/').next().unwrap_or_default();
    let account = Account::find(world, name).ok_or_else(|| error(404, "ResourceNotFound"))?;
    authorize(world, asked, service, &account)?;
    Ok(account)
}

fn authorize(
    world: &World,
    asked: &Asked<'_>,
    service: Service,
    known: &Account,
) -> Result<(), Answer> {
    let account = known.name.as_str();
    let denied = || Err(error(403, "AuthenticationFailed"));
    if service == Service::Blob && known.firewall_closed {
        return Err(error(403, "AuthorizationFailure"));
    }
    let by_key = asked
        .header("authorization")
        .is_none_or(|it| it.starts_with("SharedKey"));
    if service == Service::Blob && !known.shared_keys && by_key {
        return Err(error(403, "KeyBasedAuthenticationNotPermitted"));
    }
    if asked.header("x-ms-version").is_none() {
        return Err(error(400, "MissingRequiredHeader"));
    }
    match asked.header("authorization").map(|it| it.split_once(' ')) {
        Some(Some(("SharedKey", rest))) if is_fresh(asked) => {
            let expected = format!("{account}:{}", sign(&string_to_sign(asked, account)));
            match rest == expected {
                true => Ok(()),
                false => denied(),
            }
        }
        Some(Some(("Bearer", token))) => match world.directory.is_for_storage(token, asked.now) {
            true => Ok(()),
            false => Err(error(401, "InvalidAuthenticationInfo")),
        },
        None if is_signed(asked, account, service) => Ok(()),
        None if parameter(asked.query, "sig").is_none() => {
            Err(error(401, "NoAuthenticationInformation"))
        }
        _ => denied(),
    }
}

/// An account SAS for queues and blobs, good until then.
pub(super) fn signature(account: &str, until: OffsetDateTime) -> String {
    let expiry = until
        .replace_nanosecond(0)
        .unwrap_or(until)
        .format(&Rfc3339)
        .unwrap_or_default();
    let parts = [
        ("sv", SIGNED_VERSION),
        ("ss", "bq"),
        ("srt", "sco"),
        ("sp", "rwdlacup"),
        ("se", &expiry),
        ("spr", "https"),
    ];
    let value = |name: &str| {
        parts
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| (*v).to_owned())
    };
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parts)
        .append_pair("sig", &sign(&signed_text(account, value)))
        .finish()
}

fn is_signed(asked: &Asked<'_>, account: &str, service: Service) -> bool {
    let letter = match service {
        Service::Blob => 'b',
        Service::Queue => 'q',
    };
    let value = |name: &str| parameter(asked.query, name);
    let ends = value("se").and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
    ends.is_some_and(|ends| ends > asked.now)
        && value("ss").is_some_and(|services| services.contains(letter))
        && value("sig") == Some(sign(&signed_text(account, value)))
}

/// Of an account SAS of version 2020-12-06 or later.
/// <https://learn.microsoft.com/en-us/rest/api/storageservices/create-account-sas>
fn signed_text(account: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv", "ses"];
    names.iter().fold(format!("{account}\n"), |text, name| {
        text + &value(name).unwrap_or_default() + "\n"
    })
}

/// A refusal of a storage service; the code is in the body and in a header.
pub(super) fn error(status: u16, code: &'static str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{code} by the sandbox.</Message></Error>"
    );
    Answer::raw(status, "application/xml", body).with("x-ms-error-code", code)
}

/// Azure refuses dates that are a quarter of an hour away.
fn is_fresh(asked: &Asked<'_>) -> bool {
    let sent = asked
        .header("x-ms-date")
        .and_then(|text| httpdate::parse_http_date(text).ok());
    sent.is_some_and(|sent| {
        (asked.now - OffsetDateTime::from(sent))
            .abs()
            .whole_minutes()
            < 15
    })
}

/// <https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key#blob-queue-and-file-services-shared-key-authorization>
fn string_to_sign(asked: &Asked<'_>, account: &str) -> String {
    let header = |name: &str| asked.header(name).unwrap_or_default();
    let length = match header("content-length") {
        "0" => "",
        other => other,
    };
    // `Date` is empty, since is_fresh asks for `x-ms-date`.
    let mut lines = vec![
        asked.method.to_owned(),
        header("content-encoding").to_owned(),
        header("content-language").to_owned(),
        length.to_owned(),
        header("content-md5").to_owned(),
        header("content-type").to_owned(),
        String::new(),
        header("if-modified-since").to_owned(),
        header("if-match").to_owned(),
        header("if-none-match").to_owned(),
        header("if-unmodified-since").to_owned(),
        header("range").to_owned(),
    ];
    let mut own: Vec<String> = asked
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
        .map(|(name, value)| format!("{name}:{}", value.to_str().unwrap_or_default().trim()))
        .collect();
    own.sort();
    lines.extend(own);
    lines.push(format!("/{account}{}", asked.path));
    let mut query: Vec<String> = form_urlencoded::parse(asked.query.as_bytes())
        .map(|(name, value)| format!("{}:{value}", name.to_ascii_lowercase()))
        .collect();
    query.sort();
    lines.extend(query);
    lines.join("\n")
}

fn sign(text: &str) -> String {
    let key = BASE64_STANDARD
        .decode(samples::STORAGE_KEY)
        .expect("the sample key is base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}
