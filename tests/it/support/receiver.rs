//! A receiver of notifications on this machine: it keeps what it received, wakes the story that waits for it, and can
//! be down or silent for a while.

use axum::{Router, body::Bytes, extract::State, http::StatusCode};
use serde_json::Value;
use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};

/// Far longer than any story needs, so only a stuck one meets it.
const GUARD: Duration = Duration::from_secs(20);

/// A receiver of notifications on this machine. They are CloudEvents, as `Notification__Format=json` makes them.
#[derive(Clone)]
pub struct Receiver {
    desk: Arc<Desk>,
    url: String,
}

/// What becomes of a notification that is not simply accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// Answered 503, not kept.
    Down,
    /// Neither kept nor answered.
    Lost,
    /// Kept, and never answered.
    Silent,
}

struct Desk {
    notices: Mutex<Vec<Value>>,
    refusals: Mutex<VecDeque<Refusal>>,
    /// How many came, refused ones too.
    came: watch::Sender<usize>,
}

impl Receiver {
    /// Listens on a free port until the test ends.
    pub async fn start() -> Self {
        let desk = Arc::new(Desk {
            notices: Mutex::default(),
            refusals: Mutex::default(),
            came: watch::Sender::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { desk, url }
    }

    /// Settings that make an app notify this receiver of every event.
    pub fn settings(&self) -> Vec<(String, String)> {
        self.settings_for("created,completed,failed,skipped")
    }

    /// The same for these events, separated by commas.
    pub fn settings_for(&self, events: &str) -> Vec<(String, String)> {
        [
            ("Notification__WebhookUrl", self.url.as_str()),
            ("Notification__Events", events),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// All notifications that were kept, in the order of their arrival.
    pub fn notices(&self) -> Vec<Value> {
        self.desk.notices.lock().unwrap().clone()
    }

    /// How many notifications came, refused ones too.
    pub fn came(&self) -> usize {
        *self.desk.came.borrow()
    }

    /// The next `count` notifications are answered 503.
    pub fn down(&self, times: usize) {
        self.order(Refusal::Down, times);
    }

    /// What was ordered and did not come is cancelled.
    pub fn up(&self) {
        self.desk.refusals.lock().unwrap().clear();
    }

    /// The next `count` notifications are not kept and get no answer.
    pub fn lose(&self, times: usize) {
        self.order(Refusal::Lost, times);
    }

    /// The next `count` notifications are kept and get no answer.
    pub fn be_silent(&self, times: usize) {
        self.order(Refusal::Silent, times);
    }

    fn order(&self, refusal: Refusal, times: usize) {
        let mut refusals = self.desk.refusals.lock().unwrap();
        refusals.extend(std::iter::repeat_n(refusal, times));
    }

    /// Waits until the notifications that were kept are as the story wants them; panics with them after 20 seconds.
    pub async fn until(&self, seen: impl Fn(&[Value]) -> bool) {
        self.until_within(GUARD, seen).await;
    }

    /// The same with another limit, for stories in which messages have to become visible again.
    pub async fn until_within(&self, limit: Duration, seen: impl Fn(&[Value]) -> bool) {
        let mut came = self.desk.came.subscribe();
        let satisfied = tokio::time::timeout(limit, async {
            while !seen(&self.desk.notices.lock().unwrap()) {
                let _ = came.changed().await;
            }
        });
        if satisfied.await.is_err() {
            let came = self.notices();
            let lines = came.iter().map(|notice| notice["id"].to_string());
            let lines: Vec<String> = lines.collect();
            panic!(
                "waited {limit:?}; {} notifications came, {} of them refused: {lines:#?}",
                self.came(),
                self.came() - lines.len()
            );
        }
    }

    /// Waits until this many notifications came, refused ones too.
    pub async fn until_came(&self, wanted: usize) {
        let mut came = self.desk.came.subscribe();
        let satisfied = tokio::time::timeout(GUARD, came.wait_for(|came| *came >= wanted));
        if satisfied.await.is_err() {
            panic!(
                "waited {GUARD:?} for {wanted} notifications; {} came",
                self.came()
            );
        }
    }
}

async fn receive(State(desk): State<Arc<Desk>>, body: Bytes) -> StatusCode {
    let refusal = desk.refusals.lock().unwrap().pop_front();
    if matches!(refusal, None | Some(Refusal::Silent)) {
        let notice = serde_json::from_slice(&body).expect("a notification is JSON");
        desk.notices.lock().unwrap().push(notice);
    }
    desk.came.send_modify(|came| *came += 1);
    match refusal {
        None => StatusCode::NO_CONTENT,
        Some(Refusal::Down) => StatusCode::SERVICE_UNAVAILABLE,
        Some(Refusal::Lost | Refusal::Silent) => pending().await,
    }
}
