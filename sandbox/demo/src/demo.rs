//! The demo: one alert for web-01, from the POST to the notification with the path of its capture file.

use crate::{
    Failure, alerts,
    show::Show,
    stage::Stage,
    stay::{pages, shell},
};
use azure_sandbox::samples;
use first_look::{Alert, Context, Counted, Look, Metric, NamePolicy, Options, Seen};
use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
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
    let file = evidence(show).await?;
    let path = shell(&file);
    let seen = look(&file, &alert).map_err(|error| format!("could not read {path}: {error}"))?;
    let report = file.with_extension("html");
    let written = fs::write(&report, seen.html());
    let report = shell(&report);
    written.map_err(|error| format!("could not write {report}: {error}"))?;
    show.timeline.line(&format!(
        "\nThe capture file:\n  {path}\n\
         What it shows:\n  {}\n\
         A report with pictures, for a browser:\n  {report}\n\
         All figures:\n  cargo run --bin handler -- look {path}\n\
         Open it (`tshark -r` does it in a terminal):\n  wireshark {path}\n\
         The traffic in it is made up; the function is the real one and did all this over HTTP.\n\
         The incident as a page, while `cargo run -- --stay` runs: {}",
        seen.notice_lines(NamePolicy::Full).join("\n  "),
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
async fn evidence(show: &mut Show) -> Result<PathBuf, Failure> {
    let deadline = Instant::now() + NOTIFIED_WITHIN;
    let (mut file, mut notified) = (None, false);
    loop {
        let news = timeout_at(deadline, show.next()).await.map_err(|_| {
            let seconds = NOTIFIED_WITHIN.as_secs();
            format!("the webhook got no notification of a capture file within {seconds} s")
        })?;
        if let Some(session) = news.ended.into_iter().next() {
            let none = || Failure::from(format!("the capture on {} left no file", session.vm));
            file = Some(session.file.ok_or_else(none)?);
        }
        notified |= news.notified;
        if notified && let Some(file) = file.take() {
            return Ok(file);
        }
    }
}

/// What the capture file shows. The sandbox's files are small.
fn look(file: &Path, alert: &Value) -> io::Result<Seen> {
    let mut look = Look::new(Options::default());
    look.feed(&fs::read(file)?);
    let mut context = Context::default();
    let name = file.file_name().unwrap_or_default();
    context.name = name.to_string_lossy().into_owned();
    context.vm_name = Some("web-01".to_owned());
    context.alert = Some(about(alert));
    Ok(look.finish(&context))
}

/// What the alert counted, to be compared with the file.
fn about(alert: &Value) -> Alert {
    let context = &alert["context"];
    let condition = &context["condition"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let counts = condition["metricName"]
        .as_str()
        .and_then(Counted::of_metric);
    let metric = counts
        .zip(text(&condition["metricValue"]))
        .map(|(counts, value)| {
            let mut metric = Metric::new(value, counts);
            metric.aggregation = text(&condition["timeAggregation"]);
            let minutes: Option<u64> =
                text(&condition["windowSize"]).and_then(|it| it.parse().ok());
            metric.window_seconds = minutes.map(|minutes| minutes * 60);
            metric
        });
    let fired = context["timestamp"].as_str().unwrap_or_default();
    let at = OffsetDateTime::parse(fired, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp_nanos);
    Alert {
        at: i64::try_from(at).unwrap_or_default(),
        metric,
    }
}

/// The machine's full resource id makes a line hard to read.
fn without_scope(message: &str) -> String {
    message.replace(samples::WEB_01, "web-01")
}
