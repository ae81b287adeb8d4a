//! Queue Storage: queues of messages that are hidden while a receiver works on them. Times are the sandbox's own,
//! receipts change with every get and update, as in Azure.
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/queue-service-rest-api>

use base64::{Engine, prelude::BASE64_STANDARD};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::answer::{Answer, Outcome};
use super::arm::{Asked, parameter};
use super::calls::Call;
use super::storage_access::{self, Service, error};
use super::world::World;

const LARGEST_TEXT: usize = 64 * 1024;
const LONGEST_HIDDEN: i64 = 7 * 24 * 3600;
const DEFAULT_HIDDEN: i64 = 30;

/// A queue, in the sandbox's one storage account.
pub(super) struct Queue {
    pub name: String,
    pub messages: Vec<QueuedMessage>,
    /// Messages that receivers got, each as often as one did.
    pub given_out: usize,
}

impl Queue {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            messages: Vec::new(),
            given_out: 0,
        }
    }
}

pub(super) struct QueuedMessage {
    id: String,
    receipt: String,
    text: String,
    inserted: OffsetDateTime,
    expires: OffsetDateTime,
    pub visible: OffsetDateTime,
    dequeued: u32,
}

impl QueuedMessage {
    /// A visible one that lives as long as Azure lets it by default.
    pub fn new(text: &str, now: OffsetDateTime) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            receipt: receipt(),
            text: text.to_owned(),
            inserted: now,
            expires: now + Duration::days(7),
            visible: now,
            dequeued: 0,
        }
    }

    /// The text out of its base64, or as it is.
    pub fn body(&self) -> String {
        let bytes = BASE64_STANDARD.decode(&self.text).ok();
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_else(|| self.text.clone())
    }
}

pub(super) fn answer(world: &mut World, asked: &Asked<'_>) -> Outcome {
    storage_access::check(world, asked, Service::Queue)?;
    let route = asked.route;
    let name = route.scope.clone();
    if route.call == Call::CreateQueue {
        return create(world, &name);
    }
    let now = asked.now;
    let queue = world
        .queues
        .iter_mut()
        .find(|queue| queue.name == name)
        .ok_or_else(|| error(404, "QueueNotFound"))?;
    queue.messages.retain(|message| message.expires > now);
    match route.call {
        Call::GetQueue => Ok(Answer::empty(200).with(
            "x-ms-approximate-messages-count",
            queue.messages.len().to_string(),
        )),
        Call::PutMessage => put(queue, asked),
        Call::GetMessages => get(queue, asked),
        Call::ClearMessages => {
            queue.messages.clear();
            Ok(Answer::empty(204))
        }
        Call::UpdateMessage => update(queue, asked),
        _ => {
            let at = found(queue, asked)?;
            queue.messages.remove(at);
            Ok(Answer::empty(204))
        }
    }
}

/// The name's rules: 3 to 63 lower-case letters, digits and single hyphens.
fn create(world: &mut World, name: &str) -> Outcome {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let framed = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    if !(3..=63).contains(&name.len()) || !name.chars().all(legal) || framed {
        return Err(error(400, "InvalidResourceName"));
    }
    if world.queues.iter().any(|queue| queue.name == name) {
        return Ok(Answer::empty(204));
    }
    world.queues.push(Queue::new(name));
    Ok(Answer::empty(201))
}

fn put(queue: &mut Queue, asked: &Asked<'_>) -> Outcome {
    let hidden = hidden(asked, Some(0))?;
    let lives = match parameter(asked.query, "messagettl").as_deref() {
        None => None,
        Some("-1") => Some(Duration::days(365_000)),
        Some(text) => match text.parse::<i64>() {
            Ok(seconds) if seconds > 0 => Some(Duration::seconds(seconds)),
            _ => return Err(error(400, "OutOfRangeQueryParameterValue")),
        },
    };
    let mut message = QueuedMessage::new(&text(asked.body)?, asked.now);
    message.visible = asked.now + hidden;
    message.expires = lives.map_or(message.expires, |lives| asked.now + lives);
    let list = format!("<QueueMessage>{}</QueueMessage>", with_receipt(&message));
    queue.messages.push(message);
    Ok(xml(201, &list))
}

fn get(queue: &mut Queue, asked: &Asked<'_>) -> Outcome {
    let most = match parameter(asked.query, "numofmessages").map(|text| text.parse::<usize>()) {
        None => 1,
        Some(Ok(number)) if (1..=32).contains(&number) => number,
        Some(_) => return Err(error(400, "OutOfRangeQueryParameterValue")),
    };
    let peek = parameter(asked.query, "peekonly").is_some_and(|value| value == "true");
    let hidden = match peek {
        true => Duration::ZERO,
        false => hidden(asked, Some(DEFAULT_HIDDEN))?,
    };
    let mut list = String::new();
    let visible = queue
        .messages
        .iter_mut()
        .filter(|it| it.visible <= asked.now);
    for message in visible.take(most) {
        let times = if peek {
            common(message)
        } else {
            message.dequeued += 1;
            queue.given_out += 1;
            message.receipt = receipt();
            message.visible = asked.now + hidden;
            with_receipt(message)
        };
        list += &format!(
            "<QueueMessage>{times}<DequeueCount>{}</DequeueCount><MessageText>{}</MessageText></QueueMessage>",
            message.dequeued,
            escaped(&message.text)
        );
    }
    Ok(xml(200, &list))
}

fn update(queue: &mut Queue, asked: &Asked<'_>) -> Outcome {
    let hidden = hidden(asked, None)?;
    let at = found(queue, asked)?;
    let message = &mut queue.messages[at];
    if !asked.body.is_empty() {
        message.text = text(asked.body)?;
    }
    message.visible = asked.now + hidden;
    message.receipt = receipt();
    Ok(Answer::empty(204)
        .with("x-ms-popreceipt", message.receipt.clone())
        .with("x-ms-time-next-visible", date(message.visible)))
}

/// The message of the path, if the receipt is its latest one.
fn found(queue: &Queue, asked: &Asked<'_>) -> Result<usize, Answer> {
    let id = &asked.route.child;
    let at = queue.messages.iter().position(|message| message.id == *id);
    let at = at.ok_or_else(|| error(404, "MessageNotFound"))?;
    match parameter(asked.query, "popreceipt") {
        None => Err(error(400, "MissingRequiredQueryParameter")),
        Some(receipt) if receipt == queue.messages[at].receipt => Ok(at),
        Some(_) => Err(error(400, "PopReceiptMismatch")),
    }
}

fn hidden(asked: &Asked<'_>, default: Option<i64>) -> Result<Duration, Answer> {
    match parameter(asked.query, "visibilitytimeout").map(|text| text.parse::<i64>()) {
        None => default
            .map(Duration::seconds)
            .ok_or_else(|| error(400, "MissingRequiredQueryParameter")),
        Some(Ok(seconds)) if (0..=LONGEST_HIDDEN).contains(&seconds) => {
            Ok(Duration::seconds(seconds))
        }
        Some(_) => Err(error(400, "OutOfRangeQueryParameterValue")),
    }
}

/// Receipts have characters that a URL must escape, as Azure's do.
fn receipt() -> String {
    BASE64_STANDARD.encode([&b"\xfb\xef\xbe"[..], Uuid::new_v4().as_bytes()].concat())
}

fn common(message: &QueuedMessage) -> String {
    format!(
        "<MessageId>{}</MessageId><InsertionTime>{}</InsertionTime><ExpirationTime>{}</ExpirationTime>",
        message.id,
        date(message.inserted),
        date(message.expires)
    )
}

fn with_receipt(message: &QueuedMessage) -> String {
    format!(
        "{}<PopReceipt>{}</PopReceipt><TimeNextVisible>{}</TimeNextVisible>",
        common(message),
        message.receipt,
        date(message.visible)
    )
}

fn date(at: OffsetDateTime) -> String {
    httpdate::fmt_http_date(at.into())
}

fn xml(status: u16, messages: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList>{messages}</QueueMessagesList>"
    );
    Answer::raw(status, "application/xml", body)
}

/// What is inside `<MessageText>`.
fn text(body: &[u8]) -> Result<String, Answer> {
    let body = std::str::from_utf8(body).map_err(|_| error(400, "InvalidXmlDocument"))?;
    let inside = body
        .split_once("<MessageText>")
        .and_then(|(_, rest)| rest.split_once("</MessageText>"))
        .map(|(text, _)| text)
        .ok_or_else(|| error(400, "InvalidXmlDocument"))?;
    let text = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(inside.to_owned(), |text, (from, to)| text.replace(from, to));
    match text.len() > LARGEST_TEXT {
        true => Err(error(413, "RequestBodyTooLarge")),
        false => Ok(text),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
