//! PagerDuty's Events API v2 and Slack's Web API on this machine, as their documentation describes them. They keep what
//! they accepted and refuse what the real ones refuse.
//! <https://developer.pagerduty.com/docs/send-alert-event>, <https://docs.slack.dev/reference/methods/chat.postMessage>

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};

/// Far longer than any story needs, so only a stuck one meets it.
const GUARD: Duration = Duration::from_secs(20);

pub const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";
pub const BOT_TOKEN: &str = "xoxb-not-a-real-token-of-slack";
pub const CHANNEL: &str = "C0123456789";

/// PagerDuty and Slack.
#[derive(Clone)]
pub struct People {
    desk: Arc<Desk>,
    pub url: String,
}

/// What becomes of a request that is not simply answered.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// This status, with `Retry-After: 0`.
    Status(u16),
    /// Slack's 200 with an error code.
    Refused(&'static str),
}

/// A message of Slack.
#[derive(Debug, Clone)]
pub struct Message {
    pub ts: String,
    pub thread: Option<String>,
    /// What it said first, and what it was changed to.
    pub versions: Vec<Value>,
}

#[derive(Default)]
struct Desk {
    events: Mutex<Vec<Value>>,
    messages: Mutex<Vec<Message>>,
    mishaps: Mutex<VecDeque<Mishap>>,
    /// How many requests came, refused ones too.
    came: watch::Sender<usize>,
}

impl People {
    /// Listens on a free port until the test ends.
    pub async fn start() -> Self {
        let desk = Arc::new(Desk::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/v2/enqueue", post(enqueue))
            .route("/api/{method}", post(slack))
            .with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { desk, url }
    }

    /// Settings of PagerDuty as the receiver of this number.
    pub fn pagerduty(&self, number: u8) -> Vec<(String, String)> {
        self.settings(
            number,
            &[
                ("Url", format!("{}/v2/enqueue", self.url)),
                ("Format", "pagerduty".to_owned()),
                ("PagerDutyRoutingKey", ROUTING_KEY.to_owned()),
            ],
        )
    }

    /// Settings of a bot of Slack as the receiver of this number, which gets every event.
    pub fn slack(&self, number: u8) -> Vec<(String, String)> {
        self.settings(
            number,
            &[
                ("Url", format!("{}/api", self.url)),
                ("SlackToken", BOT_TOKEN.to_owned()),
                ("SlackChannel", CHANNEL.to_owned()),
                ("Events", "created,completed,failed,skipped".to_owned()),
            ],
        )
    }

    fn settings(&self, number: u8, pairs: &[(&str, String)]) -> Vec<(String, String)> {
        let name = |name: &str| format!("Notification__Receivers__{number}__{name}");
        pairs
            .iter()
            .map(|(it, value)| (name(it), value.clone()))
            .collect()
    }

    /// What becomes of the next request.
    pub fn next(&self, mishap: Mishap) {
        self.desk.mishaps.lock().unwrap().push_back(mishap);
    }

    /// The events that PagerDuty accepted.
    pub fn events(&self) -> Vec<Value> {
        self.desk.events.lock().unwrap().clone()
    }

    /// The messages of Slack, answers in threads too.
    pub fn messages(&self) -> Vec<Message> {
        self.desk.messages.lock().unwrap().clone()
    }

    /// How many requests came, refused ones too.
    pub fn came(&self) -> usize {
        *self.desk.came.borrow()
    }

    /// Waits until this holds; panics with what came after 20 seconds.
    pub async fn until(&self, seen: impl Fn(&Self) -> bool) {
        let mut came = self.desk.came.subscribe();
        let satisfied = tokio::time::timeout(GUARD, async {
            while !seen(self) {
                let _ = came.changed().await;
            }
        });
        if satisfied.await.is_err() {
            panic!("{:#?} {:#?}", self.events(), self.messages());
        }
    }
}

/// `Some` is the answer to give.
async fn mishap(desk: &Desk) -> Option<Response> {
    let next = desk.mishaps.lock().unwrap().pop_front()?;
    desk.came.send_modify(|came| *came += 1);
    Some(match next {
        Mishap::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("retry-after", "0")], "try later").into_response()
        }
        Mishap::Refused(code) => Json(json!({ "ok": false, "error": code })).into_response(),
    })
}

async fn enqueue(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    if let Some(answer) = mishap(&desk).await {
        return answer;
    }
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |value: &Value, most: usize| {
        let length = value.as_str().map_or(0, |text| text.chars().count());
        (1..=most).contains(&length)
    };
    let payload = &event["payload"];
    let severity = ["critical", "error", "warning", "info"];
    let good = match event["event_action"].as_str() {
        Some("trigger") => {
            text(&payload["summary"], 1_024)
                && text(&payload["source"], 10_000)
                && severity.contains(&payload["severity"].as_str().unwrap_or_default())
        }
        Some("acknowledge" | "resolve") => text(&event["dedup_key"], 255),
        _ => false,
    };
    let answer = match good && event["routing_key"] == ROUTING_KEY {
        true => {
            let key = event["dedup_key"].clone();
            desk.events.lock().unwrap().push(event);
            let answer =
                json!({ "status": "success", "message": "Event processed", "dedup_key": key });
            (StatusCode::ACCEPTED, Json(answer)).into_response()
        }
        false => {
            let answer = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": ["Invalid routing key"] });
            (StatusCode::BAD_REQUEST, Json(answer)).into_response()
        }
    };
    desk.came.send_modify(|came| *came += 1);
    answer
}

async fn slack(
    State(desk): State<Arc<Desk>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(answer) = mishap(&desk).await {
        return answer;
    }
    let bearer = format!("Bearer {BOT_TOKEN}");
    let signed_in = headers.get("authorization").is_some_and(|it| *it == bearer);
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = match signed_in {
        true => said(&desk, &method, message),
        false => Err("invalid_auth"),
    };
    desk.came.send_modify(|came| *came += 1);
    Json(answer.unwrap_or_else(|code| json!({ "ok": false, "error": code }))).into_response()
}

fn said(desk: &Desk, method: &str, message: Value) -> Result<Value, &'static str> {
    let mut messages = desk.messages.lock().unwrap();
    if message["channel"] != CHANNEL {
        return Err("channel_not_found");
    }
    if message["blocks"].as_array().is_none_or(Vec::is_empty) {
        return Err("no_text");
    }
    let ts = match method {
        "chat.postMessage" => {
            let thread = message["thread_ts"].as_str().map(str::to_owned);
            let known = |ts: &String| messages.iter().any(|it| it.ts == *ts);
            if thread.as_ref().is_some_and(|ts| !known(ts)) {
                return Err("thread_not_found");
            }
            let ts = format!("1732780000.{:06}", messages.len());
            messages.push(Message {
                ts: ts.clone(),
                thread,
                versions: vec![message],
            });
            ts
        }
        "chat.update" => {
            let ts = message["ts"].as_str().unwrap_or_default().to_owned();
            let known = messages.iter_mut().find(|it| it.ts == ts);
            known.ok_or("message_not_found")?.versions.push(message);
            ts
        }
        _ => return Err("unknown_method"),
    };
    Ok(json!({ "ok": true, "channel": CHANNEL, "ts": ts }))
}
