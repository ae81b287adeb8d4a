//! Who may use the storage account's queues: a caller that signs with its key, shows a signature made with it, or has
//! a token for storage. Everything is verified as Azure documents it.
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-requests-to-azure-storage>

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::form_urlencoded;

use super::answer::Answer;
use super::arm::{Asked, parameter};
use super::queue_storage::error;
use super::world::World;
use super::{ids, samples};

/// The version whose signatures the sandbox knows.
const SIGNED_VERSION: &str = "2024-11-04";

pub(super) fn check(world: &World, asked: &Asked<'_>) -> Result<(), Answer> {
    let path = asked.path.trim_start_matches('/');
    let account = path.split('/').next().unwrap_or_default();
    let denied = || Err(error(403, "AuthenticationFailed"));
    if account != ids::name(samples::STORAGE_ACCOUNT) {
        return Err(error(404, "ResourceNotFound"));
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
        None if is_signed(asked, account) => Ok(()),
        None if parameter(asked.query, "sig").is_none() => {
            Err(error(401, "NoAuthenticationInformation"))
        }
        _ => denied(),
    }
}

/// An account SAS for queues, good until then.
pub(super) fn signature(account: &str, until: OffsetDateTime) -> String {
    let expiry = until
        .replace_nanosecond(0)
        .unwrap_or(until)
        .format(&Rfc3339)
        .unwrap_or_default();
    let parts = [
        ("sv", SIGNED_VERSION),
        ("ss", "q"),
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

fn is_signed(asked: &Asked<'_>, account: &str) -> bool {
    let value = |name: &str| parameter(asked.query, name);
    let ends = value("se").and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
    ends.is_some_and(|ends| ends > asked.now)
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
