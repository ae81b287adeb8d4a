//! A stop waits for nothing that was not accepted: a request of which a part is missing does not delay it.

use crate::support::world::World;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Below the 7 s that a stop takes at most for work in progress.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn half_a_request_does_not_hold_the_stop_up() {
    let world = World::start().await;
    let address = world.url.trim_start_matches("http://").to_owned();
    let mut clients = Vec::new();
    for (part, answer) in [
        ("POST /api/AlertPacketCapture HTTP/1.1\r\nHo", ""),
        (
            "POST /api/AlertPacketCapture HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
            "HTTP/1.1 503",
        ),
    ] {
        let mut client = TcpStream::connect(&address).await.unwrap();
        client.write_all(part.as_bytes()).await.unwrap();
        clients.push((client, answer));
    }
    // Both are with the function by now: a later request on a connection of its own is answered.
    let probe = world.http.get(&world.url).send().await.unwrap();
    assert_eq!(probe.status(), 200);
    let ended = tokio::time::timeout(AT_ONCE, world.end()).await;
    assert!(ended.is_ok(), "the stop waited");
    for (mut client, answer) in clients {
        let mut text = String::new();
        let _ = client.read_to_string(&mut text).await;
        assert!(text.starts_with(answer), "{text}");
    }
}
