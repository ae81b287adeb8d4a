//! The pages of incidents over HTTP, with samples of every state in place of a store.

mod browser;
mod changes;
mod looks;
mod story;

use crate::support::incidents::{ACCOUNT, Samples, samples};
use alert_packet_capture::{
    functions::{Pages, pages},
    incident::Ledger,
    notify::Portal,
    queue::MemoryQueue,
};
use std::sync::Arc;
use tokio::net::TcpListener;

const LIST: &str = "/api/PacketCaptures";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// The pages of the samples on a port of their own.
struct Site {
    samples: Arc<Samples>,
    url: String,
    http: reqwest::Client,
}

impl Site {
    async fn open() -> Self {
        Self::of(samples()).await
    }

    async fn of(samples: Samples) -> Self {
        let samples = Arc::new(samples);
        let portal = Portal::new("https://portal.azure.com".parse().unwrap());
        let router = pages(Pages {
            incidents: samples.clone(),
            portal: portal.with_accounts(&[ACCOUNT]),
            queue: Arc::new(MemoryQueue::default()),
            ledger: Arc::new(Ledger::default()),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            samples,
            url,
            http: reqwest::Client::new(),
        }
    }

    async fn get(&self, path: &str, accept: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.url));
        request.header("accept", accept).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> (u16, serde_json::Value) {
        let response = self.get(path, "application/json").await;
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    async fn html(&self, path: &str) -> String {
        let response = self.get(path, BROWSER).await;
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }
}
