//! Routes, methods, content types, sizes, the wrapped form, and bodies that are no alerts.

use super::*;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn the_route_is_found_however_it_is_written() {
    let world = World::with(&[("PacketCapture__DryRun", "true")]).await;
    let alert = common_alert(&[samples::WEB_01]);
    for path in [
        FUNCTION,
        "/api/alertpacketcapture",
        "/API/ALERTPACKETCAPTURE/",
        "/api/AlertPacketCapture?code=k3y",
    ] {
        let reply = world.post_to(path, &alert).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    for path in ["/api/Other", "/api", "/x/api/AlertPacketCapture"] {
        assert_eq!(world.post_to(path, &alert).await.status, 404, "{path}");
    }
    let probe = world
        .http
        .get(format!("{}/", world.url))
        .send()
        .await
        .unwrap();
    assert_eq!(probe.status(), 200);
    world.end().await;
}

#[tokio::test]
async fn methods_content_types_and_sizes_are_checked() {
    let world = World::start().await;
    let url = format!("{}{FUNCTION}", world.url);
    let alert = common_alert(&[samples::WEB_01]).to_string();
    let get = reply(world.http.get(&url).send().await.unwrap()).await;
    assert_eq!(
        (get.status, get.headers["allow"].to_str().unwrap()),
        (405, "POST")
    );
    let text = world
        .http
        .post(&url)
        .header("content-type", "text/plain")
        .body(alert.clone());
    assert_eq!(text.send().await.unwrap().status(), 415);
    let big = world
        .http
        .post(&url)
        .header("content-type", "application/json")
        .body(vec![b' '; (1 << 20) + 1]);
    let big = reply(big.send().await.unwrap()).await;
    assert_eq!(
        (big.status, &big.body["error"]["code"]),
        (413, &"AlertTooLarge".into())
    );
    let bare = reply(
        world
            .http
            .post(&url)
            .body(format!("\u{feff}{alert}"))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        bare.body["outcome"], "created",
        "without a content type: {:?}",
        bare.body
    );
    world.end().await;
}

#[tokio::test]
async fn a_hostile_id_reaches_no_url() {
    let world = World::start().await;
    for id in [
        format!("{}/../../x", samples::WEB_01),
        format!("{}%2f..%2fx", samples::WEB_01),
        format!("{}?api-version=1", samples::WEB_01),
        format!("{}//extensions/x", samples::WEB_01),
        format!("{}\\x", samples::WEB_01),
    ] {
        let reply = world.post(&common_alert(&[samples::WEB_02, &id])).await;
        assert_eq!(reply.status, 400, "{id}");
        assert_eq!(
            reply.body["error"]["target"],
            "$.data.essentials.alertTargetIDs[1]"
        );
    }
    assert!(world.calls().is_empty(), "{:?}", world.calls());
    world.end().await;
}

#[tokio::test]
async fn the_wrapped_form_carries_the_answer_inside() {
    let world = World::start().await;
    let envelope = |alert: &Value| {
        json!({
            "Data": { "req": {
                "Url": "http://localhost:7071/api/AlertPacketCapture?code=k3y", "Method": "POST",
                "Query": { "code": "k3y" }, "Headers": { "Content-Type": ["application/json"] },
                "Params": {}, "Body": alert.to_string()
            } },
            "Metadata": { "sys": { "MethodName": "AlertPacketCapture" } }
        })
    };
    let good = world
        .post_to(
            "/AlertPacketCapture",
            &envelope(&common_alert(&[samples::WEB_01])),
        )
        .await;
    assert_eq!(good.status, 200);
    let response = &good.body["Outputs"]["res"];
    assert_eq!(
        (
            &response["statusCode"],
            &response["headers"]["Content-Type"]
        ),
        (&json!(200), &json!("application/json"))
    );
    let inner: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(inner["outcome"], "created");
    assert!(
        good.body["Logs"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_string)
    );
    assert!(!good.body.to_string().contains("k3y"));
    // The host would throw a 400 away, so it goes inside too.
    let bad = world
        .post_to(
            "/AlertPacketCapture",
            &envelope(&json!({ "text": "hello" })),
        )
        .await;
    assert_eq!(
        (bad.status, &bad.body["Outputs"]["res"]["statusCode"]),
        (200, &json!(400))
    );
    world.end().await;
}

/// The sample bodies whole, cut off and with bytes changed, the same ones in every run.
#[tokio::test]
async fn no_body_makes_the_function_answer_5xx() {
    let world = World::with(&[("PacketCapture__DryRun", "true")]).await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts");
    let mut seed: u64 = 1;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let mut statuses = std::collections::BTreeMap::new();
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let whole = std::fs::read(file).unwrap();
        let mut bodies = vec![whole.clone(), whole[..next(whole.len())].to_vec()];
        for _ in 0..4 {
            let mut changed = whole.clone();
            for _ in 0..=next(3) {
                changed[next(whole.len())] = next(256) as u8;
            }
            bodies.push(changed);
        }
        for body in bodies {
            let request = world.http.post(format!("{}{FUNCTION}", world.url));
            let request = request.header("content-type", "application/json");
            let status = request
                .body(body.clone())
                .send()
                .await
                .unwrap()
                .status()
                .as_u16();
            assert!(
                status == 200 || status == 400,
                "{status} for {}",
                String::from_utf8_lossy(&body)
            );
            *statuses.entry(status).or_insert(0) += 1;
        }
    }
    assert!(statuses[&200] > 50 && statuses[&400] > 50, "{statuses:?}");
    world.end().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_called_too_large() {
    let world = World::start().await;
    let address = world.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {FUNCTION} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n");
    let request = format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\nno size\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("\"IncompleteBody\""), "{answer}");
    assert!(
        answer.contains("the body broke off before its end"),
        "{answer}"
    );
    world.end().await;
}

/// Far longer than a stop takes that waits for nothing, and shorter than one that waits for its limit.
const PROMPT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn the_stop_waits_for_no_request_that_is_half_sent() {
    let world = World::start().await;
    let address = world.url.strip_prefix("http://").unwrap().to_owned();
    let half = async |text: &str| {
        let mut connection = TcpStream::connect(&address).await.unwrap();
        let head = format!("POST {FUNCTION} HTTP/1.1\r\nHost: a\r\n{text}");
        connection.write_all(head.as_bytes()).await.unwrap();
        connection
    };
    let mut head = half("").await;
    let mut body = half("Expect: 100-continue\r\nContent-Length: 100\r\n\r\n").await;
    // The server asks for the body once it reads it.
    let mut start = [0; 12];
    body.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 100");
    let ended = tokio::time::timeout(PROMPT, world.end()).await;
    ended.expect("a prompt stop");
    let mut answer = String::new();
    body.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("the function is stopping"), "{answer}");
    let mut nothing = Vec::new();
    let _ = head.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty(), "{nothing:?}");
}

#[tokio::test]
async fn an_alert_that_only_the_memory_held_is_refused_at_the_stop() {
    let world = World::with(&[("PacketCapture__ReplyWaitSeconds", "200")]).await;
    let throttled = What::Status {
        code: 429,
        retry_after: Some("250".to_owned()),
        body: FaultBody::Empty,
    };
    world.azure.fault(Fault {
        on: Call::ListWatchers,
        times: 1,
        what: throttled,
    });
    let reply = world.post_later(&common_alert(&[samples::WEB_01]));
    world
        .until(|lines| lines.iter().any(|line| line.ends_with(" 429")))
        .await;
    // Its job waits longer than the stop does.
    world.end().await;
    let reply = reply.await.unwrap();
    assert_eq!(reply.status, 503, "the sender repeats it: {:?}", reply.body);
    assert!(reply.headers.contains_key("retry-after"));
}
