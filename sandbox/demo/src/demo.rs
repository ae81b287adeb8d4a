//! The demo: one alert for web-01, from the POST to the notification with the path of its capture file.

use crate::{
    Failure, alerts,
    show::Show,
    stage::Stage,
    stay::{pages, shell},
};
use azure_sandbox::samples;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

/// The reply wait and a little more.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// The session and its operation take 11 s, and the function checks its end a moment later.
const NOTIFIED_WITHIN: Duration = Duration::from_secs(30);

pub async fn play(show: &mut Show, stage: &Stage, url: &str) -> Result<(), Failure> {
    let azure = stage.azure.endpoint();
    show.timeline.line(&format!(
        "An imitation of Azure runs at {azure}, the real function at {url}.\n\
         In region westeurope are the machines web-01 and web-02. Their Network Watcher, Azure's service that\n\
         captures packets, still lists a capture \"PSAzureFunction\" of web-02 that ended three days ago.\n"
    ));
    let alert = alerts::fired(samples::WEB_01, "westeurope", OffsetDateTime::now_utc());
    let what = format!(
        "POST {} to the function: web-01 sent 1440 TCP segments, more than 1000",
        alerts::RULE
    );
    show.timeline.print("Alert", &what);
    let answer = answer(show, url, &alert).await?;
    let outcome = answer["outcome"].as_str().unwrap_or("no outcome");
    let message = answer["message"].as_str().unwrap_or_default();
    let line = format!("answers \"{outcome}\": {}", without_scope(message));
    show.timeline.print("Function", &line);
    if outcome != "created" {
        return Err(format!("the answer should be \"created\" and is {answer}").into());
    }
    let (file, notification) = evidence(show).await?;
    let path = shell(&file);
    let report = file.with_extension("html");
    save_report(url, &notification, &report).await?;
    let report = shell(&report);
    show.timeline.line(&format!(
        "\nThe notification says what changed before the alert:\n  {}\n\
         \nIt says of the file:\n  {}\n\
         \nThe capture file:\n  {path}\n\
         Its report with pictures, for a browser:\n  {report}\n\
         All figures:\n  cargo run --bin handler -- look {path}\n\
         Open it (`tshark -r` does it in a terminal):\n  wireshark {path}\n\
         The traffic in it is made up; the function is the real one and did all this over HTTP.\n\
         The incident as a page, while `cargo run -- --stay` runs: {}",
        lines(&notification, "changes")?.join("\n  "),
        lines(&notification, "look")?.join("\n  "),
        pages(url)
    ));
    Ok(())
}

/// Posts the alert as Azure Monitor does, and prints what happens until the answer is there.
async fn answer(show: &mut Show, url: &str, alert: &Value) -> Result<Value, Failure> {
    let request = reqwest::Client::new()
        .post(url)
        .timeout(ANSWER_WITHIN)
        .header("content-type", "application/json; charset=utf-8")
        .body(alert.to_string());
    let response = async { request.send().await?.json::<Value>().await };
    tokio::pin!(response);
    loop {
        tokio::select! {
            biased;
            _ = show.next() => {}
            answer = &mut response => {
                return answer.map_err(|error| format!("the function did not answer: {error}").into());
            }
        }
    }
}

/// Prints what happens until the capture file is there and the webhook was notified.
async fn evidence(show: &mut Show) -> Result<(PathBuf, Value), Failure> {
    let deadline = Instant::now() + NOTIFIED_WITHIN;
    let (mut file, mut notification) = (None, None);
    loop {
        let news = timeout_at(deadline, show.next()).await.map_err(|_| {
            let seconds = NOTIFIED_WITHIN.as_secs();
            format!("the webhook got no notification of a capture file within {seconds} s")
        })?;
        if let Some(session) = news.ended.into_iter().next() {
            let none = || Failure::from(format!("the capture on {} left no file", session.vm));
            file = Some(session.file.ok_or_else(none)?);
        }
        notification = news.notified.or(notification);
        if let (Some(file), Some(notification)) = (&file, &notification) {
            return Ok((file.clone(), notification.clone()));
        }
    }
}

/// The notification's lines about the file, or about changes.
fn lines(notification: &Value, of: &str) -> Result<Vec<String>, Failure> {
    let part = &notification["data"][of];
    let lines: Vec<String> = serde_json::from_value(part["lines"].clone()).unwrap_or_default();
    match lines.is_empty() {
        true => Err(format!("the notification has no lines of \"{of}\": {part}").into()),
        false => Ok(lines),
    }
}

/// Saves the report that the function has written, beside the capture file.
async fn save_report(url: &str, notification: &Value, to: &Path) -> Result<(), Failure> {
    let data = &notification["data"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (incident, job) = (text(&data["incident"]["id"]), text(&data["jobId"]));
    let address = format!("{}/{incident}/looks/{job}", pages(url));
    let answer = reqwest::get(&address).await?.error_for_status()?;
    let report = answer.text().await?;
    let path = shell(to);
    fs::write(to, report).map_err(|error| format!("could not write {path}: {error}").into())
}

/// The machine's full resource id makes a line hard to read.
fn without_scope(message: &str) -> String {
    message.replace(samples::WEB_01, "web-01")
}
