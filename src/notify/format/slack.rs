//! Blocks for an incoming webhook of Slack. What an alert brings along stands in plain text objects alone, since
//! Slack's own markup has no escape for `*`, `_`, `~` and backticks.
//! <https://docs.slack.dev/reference/block-kit/blocks/section-block>
//! <https://docs.slack.dev/messaging/formatting-message-text#escaping>

use crate::{
    incident::Notification,
    notify::{Links, facts, portal::how_to_open},
    text,
};
use serde_json::{Value, json};
use url::Url;

/// Slack's limits, in characters as sent.
pub(super) const MOST_HEADER: usize = 150;
pub(super) const MOST_TEXT: usize = 3_000;
pub(super) const MOST_FIELD: usize = 2_000;
/// Fields of a section: a label and a value each.
pub(super) const MOST_FIELDS: usize = 10;

pub(super) fn render(notification: &Notification, links: &Links) -> Value {
    let title = facts::title(notification);
    let mut blocks = vec![
        json!({ "type": "header", "text": plain(&title, MOST_HEADER) }),
        json!({ "type": "section", "text": plain(&notification.report.message, MOST_TEXT) }),
    ];
    let changes = notification.change_lines().into_iter();
    for line in changes.chain(notification.look_lines()) {
        blocks.push(json!({ "type": "section", "text": plain(&line, MOST_TEXT) }));
    }
    for some in facts::facts(notification).chunks(MOST_FIELDS / 2) {
        let fields: Vec<Value> = some
            .iter()
            .flat_map(|(label, value)| [markup(format!("*{label}*")), plain(value, MOST_FIELD)])
            .collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    if let Some(how) = how_to_open(notification.event, &notification.report) {
        let says = format!("How to open the file: {}", how.says);
        blocks.push(json!({ "type": "section", "text": plain(&says, MOST_TEXT) }));
        // It has no backtick, and cut it would be a wrong one.
        let command = how.command.map(|command| escape(&command));
        if let Some(command) = command.filter(|text| text.len() <= MOST_TEXT - 6) {
            blocks.push(json!({ "type": "section", "text": markup(format!("```{command}```")) }));
        }
    }
    let links: Vec<String> = links
        .of(notification)
        .iter()
        .map(|it| link(it.text, &it.url))
        .filter(|link| link.len() <= MOST_TEXT / 4 - 10)
        .collect();
    // Without a page, a readiness run has none. Slack refuses empty texts.
    if !links.is_empty() {
        blocks.push(json!({ "type": "section", "text": markup(links.join("  ·  ")) }));
    }
    json!({
        // What notifications and screen readers show.
        "text": escaped_line(&format!("{title}: {}", notification.report.message), MOST_TEXT),
        "mrkdwn": false,
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// Not a button: one with a URL still calls back the app, and an incoming webhook's app has nothing to answer.
fn link(text: &str, url: &Url) -> String {
    let url = escape(url.as_str()).replace('|', "%7C");
    format!("<{url}|{text}>")
}

fn plain(text: &str, most: usize) -> Value {
    json!({ "type": "plain_text", "text": escaped_line(text, most), "emoji": false })
}

/// Trusted text only. `verbatim`: names of channels and people and addresses are not made links.
fn markup(text: String) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

/// At most `most` characters once it is escaped. Slack refuses empty texts.
fn escaped_line(text: &str, most: usize) -> String {
    let line = text::clean(text, most);
    let mut escaped = escape(&line);
    let mut kept = most;
    while escaped.chars().count() > most {
        // Each step drops as many characters as are too many at the escaped length, at least one.
        let more = escaped.chars().count().saturating_sub(most);
        kept = kept.saturating_sub(more.div_ceil(5));
        escaped = escape(&text::clean(&line, kept));
    }
    match escaped.trim() {
        "" => "–".to_owned(),
        _ => escaped,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
