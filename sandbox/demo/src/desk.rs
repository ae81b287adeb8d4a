//! The desk of whoever is told: a webhook receiver on this machine that the function posts its notices to.

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::Value;
use std::{io, net::Ipv4Addr};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

/// See the file's head. Notices are CloudEvents.
pub struct Desk {
    pub url: String,
    pub notices: UnboundedReceiver<Value>,
}

impl Desk {
    pub async fn open() -> io::Result<Self> {
        let (told, notices) = unbounded_channel();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/notices", listener.local_addr()?);
        let router = Router::new().route("/notices", post(receive));
        tokio::spawn(axum::serve(listener, router.with_state(told)).into_future());
        Ok(Self { url, notices })
    }
}

async fn receive(State(told): State<UnboundedSender<Value>>, body: Json<Value>) -> StatusCode {
    // Nobody listens any more when the demo ends.
    let _ = told.send(body.0);
    StatusCode::NO_CONTENT
}
