//! A webhook on this machine that the function posts its notifications to.

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::Value;
use std::{io, net::Ipv4Addr};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

/// The running webhook. Notifications are CloudEvents.
pub struct Desk {
    pub url: String,
    pub notifications: UnboundedReceiver<Value>,
}

impl Desk {
    pub async fn open() -> io::Result<Self> {
        let (sender, notifications) = unbounded_channel();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/notifications", listener.local_addr()?);
        let router = Router::new().route("/notifications", post(receive));
        tokio::spawn(axum::serve(listener, router.with_state(sender)).into_future());
        Ok(Self { url, notifications })
    }
}

async fn receive(State(sender): State<UnboundedSender<Value>>, body: Json<Value>) -> StatusCode {
    // The receiving end is gone when the demo ends.
    let _ = sender.send(body.0);
    StatusCode::NO_CONTENT
}
