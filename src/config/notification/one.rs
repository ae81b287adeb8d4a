//! Reads the settings of one receiver of notifications.

use super::{
    Destination, Key, ReceiverSettings, SigningSecret, WebhookUrl, http_allowed, names::Names,
};
use crate::{
    config::{
        Warning,
        reader::Reader,
        receiver::{Receiver, receiver},
    },
    incident::Event,
    notify::Format,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;
use zeroize::Zeroizing;

/// The minimum of the specification of Standard Webhooks, in bytes.
const SHORTEST_SECRET: usize = 24;
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
const SLACK: &str = "https://slack.com/api";

const FORMATS: [(&str, Format); 4] = [
    ("json", Format::Json),
    ("teams", Format::Teams),
    ("slack", Format::Slack),
    ("pagerduty", Format::PagerDuty),
];

/// `None` when the receiver is not set, or when a part of it is wrong.
pub(super) fn read(reader: &mut Reader<'_>, names: &Names) -> Option<ReceiverSettings> {
    let url = reader.text(names.url);
    let key = reader.text(names.routing_key).is_some();
    let token = reader.text(names.slack_token).is_some();
    if url.is_none() && !key && !token {
        without_destination(reader, names);
        return None;
    }
    let url = url.map(|text| webhook_url(reader, names.url, text));
    let format_is_set = reader.text(names.format).is_some();
    let mut format = reader.word(names.format, &FORMATS);
    if !format_is_set {
        match (key, token) {
            (true, _) => format = Some(Format::PagerDuty),
            (_, true) => format = Some(Format::Slack),
            _ => {}
        }
    }
    misplaced(reader, names, format?, key, token);
    if let (Some(Some(url)), Some(format)) = (&url, format) {
        check_format(reader, names, url, format_is_set, format);
    }
    let webhook = url.as_ref().and_then(Option::as_ref);
    let warning = webhook.filter(|_| !format_is_set && !key && !token);
    let warning = warning.and_then(|url| warn_of_flow(names, url));
    let events = events(reader, names.events);
    let destination = destination(reader, names, format?, url);
    Some(ReceiverSettings {
        name: names.receiver,
        destination: destination?,
        events,
        warning,
    })
}

/// Settings of a receiver that has neither an address nor a key.
fn without_destination(reader: &mut Reader<'_>, names: &Names) {
    let format = reader.text(names.format).unwrap_or_default();
    let (missing, what) = if format.eq_ignore_ascii_case("pagerduty") {
        (names.routing_key, "a routing key")
    } else if reader.text(names.slack_channel).is_some() {
        (names.slack_token, "a token")
    } else {
        (names.url, "a URL")
    };
    // Wrong ones are reported in any case.
    events(reader, names.events);
    let _ = reader.word(names.format, &FORMATS);
    if let Some(text) = reader.text(names.secret) {
        let _ = secret(reader, names.secret, text);
    }
    for name in names.beside_url() {
        if reader.text(name).is_some() {
            let text = format!("missing; {name} is set and has no effect without {what}");
            reader.problem(missing, text);
        }
    }
}

/// `url` is `Some(None)` when it is wrong.
fn destination(
    reader: &mut Reader<'_>,
    names: &Names,
    format: Format,
    url: Option<Option<WebhookUrl>>,
) -> Option<Destination> {
    let or = |default: &str| match url.clone() {
        Some(url) => url,
        None => Some(WebhookUrl(Zeroizing::new(default.to_owned()))),
    };
    if format == Format::PagerDuty {
        let key = required(reader, names.routing_key, names.format, |text| {
            text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        return Some(Destination::PagerDuty {
            url: or(PAGERDUTY)?,
            setting: names.routing_key,
            routing_key: key?,
        });
    }
    if reader.text(names.slack_token).is_some() {
        let token = required(reader, names.slack_token, names.slack_channel, |text| {
            text.len() > 10 && text.starts_with("xox") && !text.contains(char::is_whitespace)
        });
        let channel = required(reader, names.slack_channel, names.slack_token, |text| {
            let id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            (8..=32).contains(&text.len()) && text.bytes().all(id)
        });
        return Some(Destination::Slack {
            url: or(SLACK)?,
            setting: names.slack_token,
            token: token?,
            channel: channel?.expose().to_owned(),
        });
    }
    let secret = reader.text(names.secret);
    let secret = secret.map(|text| self::secret(reader, names.secret, text));
    Some(Destination::Webhook {
        url: url??,
        setting: names.url,
        format,
        secret: match secret {
            Some(secret) => Some(secret?),
            None => None,
        },
    })
}

/// Settings that have no effect with the format.
fn misplaced(reader: &mut Reader<'_>, names: &Names, format: Format, key: bool, token: bool) {
    let needs = |name: &str, of: &str| format!("{name} has no effect with it; needs {of}");
    if key && format != Format::PagerDuty {
        reader.problem(names.format, needs(names.routing_key, "pagerduty"));
    }
    if token && format != Format::Slack {
        reader.problem(names.format, needs(names.slack_token, "slack"));
    }
    let signs = !token && format != Format::PagerDuty;
    if !signs && reader.text(names.secret).is_some() {
        let text = "has no effect with PagerDuty and with a bot of Slack; remove it";
        reader.problem(names.secret, text);
    }
    if !token && reader.text(names.slack_channel).is_some() {
        let text = format!(
            "missing; {} is set and has no effect without a token",
            names.slack_channel
        );
        reader.problem(names.slack_token, text);
    }
}

/// A text that must be there and have its form.
fn required(
    reader: &mut Reader<'_>,
    name: &'static str,
    because: &str,
    good: impl Fn(&str) -> bool,
) -> Option<Key> {
    match reader.text(name) {
        Some(text) if good(text) => Some(Key(Zeroizing::new(text.to_owned()))),
        Some(_) => {
            reader.wrong(name);
            None
        }
        None => {
            reader.problem(name, format!("missing; required because of {because}"));
            None
        }
    }
}

/// A workflow of a Teams channel answers 202 to JSON that it then cannot use, and its address looks like that of any
/// other flow.
fn warn_of_flow(names: &Names, url: &WebhookUrl) -> Option<Warning> {
    let is_flow = receiver(url.expose().host_str().unwrap_or_default()) == Receiver::Flow;
    let format = names.format;
    is_flow.then(|| Warning {
        name: format,
        text: format!(
            "is not set, and {} is a flow: a Teams workflow accepts the default format json and then drops it, so set {format}=teams for Teams, or {format}=json for a flow that reads CloudEvents",
            url.host()
        ),
    })
}

/// A receiver that takes one format only must get that one.
fn check_format(
    reader: &mut Reader<'_>,
    names: &Names,
    url: &WebhookUrl,
    is_set: bool,
    format: Format,
) {
    let Receiver::Only(taken) = receiver(url.expose().host_str().unwrap_or_default()) else {
        return;
    };
    if taken != format {
        let word = |format| {
            FORMATS
                .iter()
                .find(|(_, it)| *it == format)
                .map_or("", |it| it.0)
        };
        let has = match is_set {
            true => format!("has '{}'", word(format)),
            false => format!("is not set, so {} is sent", word(format)),
        };
        let taken = word(taken);
        reader.problem(
            names.format,
            format!("{has}, needs {taken}: {} takes no other format", url.host()),
        );
    }
}

fn webhook_url(reader: &mut Reader<'_>, name: &'static str, text: &str) -> Option<WebhookUrl> {
    match Url::parse(text) {
        Ok(url) if http_allowed(&url) => Some(WebhookUrl(Zeroizing::new(url.into()))),
        _ => {
            reader.wrong(name);
            None
        }
    }
}

fn secret(reader: &mut Reader<'_>, name: &'static str, text: &str) -> Option<SigningSecret> {
    let bytes = match text.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(text.as_bytes().to_vec()),
    };
    let bytes = bytes.map(Zeroizing::new);
    match bytes.filter(|bytes| bytes.len() >= SHORTEST_SECRET) {
        Some(bytes) => Some(SigningSecret(bytes)),
        None => {
            reader.wrong(name);
            None
        }
    }
}

fn events(reader: &mut Reader<'_>, name: &'static str) -> Vec<Event> {
    let names = reader.list(name);
    if names.is_empty() {
        return vec![
            Event::Completed,
            Event::Failed,
            Event::Skipped,
            Event::Analyzed,
            Event::ReadinessDegraded,
            Event::ReadinessRestored,
            Event::ReadinessWeekly,
        ];
    }
    let mut events = Vec::new();
    for word in names {
        let mut all = Event::ALL.into_iter();
        match all.find(|event| event.as_str().eq_ignore_ascii_case(&word)) {
            Some(event) if events.contains(&event) => {}
            Some(event) => events.push(event),
            None => reader.wrong(name),
        }
    }
    events
}
