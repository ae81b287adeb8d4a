//! What a message carries: a job by value or by text is the same job, and no text is believed.

use super::*;
use alert_packet_capture::queue::MAX_BODY_BYTES;

#[test]
fn a_job_is_the_same_by_value_and_by_text() {
    let job = Arc::new(job());
    let by_value = Payload::from(job.clone());
    assert!(Arc::ptr_eq(&by_value.job().unwrap(), &job), "shared");
    let text = by_value.text().unwrap().into_owned();
    assert_eq!(Payload::from(text).job().unwrap(), job);
}

#[test]
fn a_text_is_cleaned_and_must_be_a_job() {
    let mut written = serde_json::to_value(job()).unwrap();
    written["report"]["message"] = "a\r\n2026-11-28 ERROR forged\u{1b}[2J".into();
    let read = Payload::from(written.to_string()).job().unwrap();
    let message = &read.report.message;
    assert!(!message.contains(char::is_control), "{message:?}");
    written["target"]["type"] = "vmss".into();
    assert!(Payload::from(written.to_string()).job().is_err());
    assert!(Payload::from("no job").job().is_err());
}

#[test]
fn no_text_is_longer_than_a_message() {
    let mut job = job();
    job.report.errors = vec!["e".repeat(600); 100];
    let text = Payload::from(job).text().unwrap().into_owned();
    assert!((MAX_BODY_BYTES - 1_000..=MAX_BODY_BYTES).contains(&text.len()));
    for (bytes, fits) in [(MAX_BODY_BYTES, true), (MAX_BODY_BYTES + 1, false)] {
        let payload = Payload::from("x".repeat(bytes));
        assert_eq!(payload.text().is_ok(), fits, "{bytes}");
    }
}
