//! The receiver of notifications: down, slow, without an answer or with odd ones, and it keeps what it accepted.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    future::pending,
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::net::TcpListener;

/// The running receiver; it ends with the process.
#[derive(Clone)]
pub struct Receiver {
    desk: Arc<Mutex<Desk>>,
    url: String,
    slow: Duration,
}

struct Desk {
    notices: Vec<Value>,
    came: usize,
    /// Share of deliveries that are disturbed.
    share: f64,
    random: StdRng,
}

/// What becomes of a notification.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Good,
    /// Accepted, with a page or a word for an answer.
    Odd,
    /// Accepted, after a while.
    Slow,
    /// Accepted, and never answered.
    Silent,
    /// Not accepted, and never answered.
    Lost,
    Down,
    Busy,
}

impl Receiver {
    /// # Errors
    /// No port.
    pub async fn start(seed: u64, slow: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/notifications", listener.local_addr()?);
        let desk = Desk {
            notices: Vec::new(),
            came: 0,
            share: 0.0,
            random: StdRng::seed_from_u64(seed),
        };
        let receiver = Self {
            desk: Arc::new(Mutex::new(desk)),
            url,
            slow,
        };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(receiver)
    }

    pub fn settings(&self) -> Vec<(String, String)> {
        [
            ("Notification__WebhookUrl", self.url.as_str()),
            ("Notification__Events", "completed,failed,skipped"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Another share of the deliveries is disturbed from now on.
    pub fn disturb(&self, random: &mut StdRng) {
        self.lock().share = [0.0, 0.3, 0.3, 0.9][random.random_range(0..4)];
    }

    /// All deliveries are accepted from now on.
    pub fn recover(&self) {
        self.lock().share = 0.0;
    }

    /// What was accepted, in order.
    pub fn notices(&self) -> Vec<Value> {
        self.lock().notices.clone()
    }

    /// How many deliveries came.
    pub fn came(&self) -> usize {
        self.lock().came
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("no panic while the lock is held")
    }

    fn take(&self, body: &[u8]) -> Mood {
        let mut desk = self.lock();
        desk.came += 1;
        let share = desk.share;
        let mood = match desk.random.random_bool(share) {
            false => Mood::Good,
            true => match desk.random.random_range(0..10) {
                0 => Mood::Odd,
                1 => Mood::Slow,
                2 => Mood::Silent,
                3 => Mood::Lost,
                4 => Mood::Busy,
                _ => Mood::Down,
            },
        };
        if !matches!(mood, Mood::Lost | Mood::Down | Mood::Busy) {
            let notice = serde_json::from_slice(body).unwrap_or_default();
            desk.notices.push(notice);
        }
        mood
    }
}

async fn receive(State(receiver): State<Receiver>, body: Bytes) -> Response {
    match receiver.take(&body) {
        Mood::Good => StatusCode::NO_CONTENT.into_response(),
        Mood::Odd => (StatusCode::OK, "<html>accepted</html>").into_response(),
        Mood::Slow => {
            tokio::time::sleep(receiver.slow).await;
            StatusCode::ACCEPTED.into_response()
        }
        Mood::Silent | Mood::Lost => pending().await,
        Mood::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Busy => {
            let wait = [(header::RETRY_AFTER, "2")];
            (StatusCode::TOO_MANY_REQUESTS, wait).into_response()
        }
    }
}
