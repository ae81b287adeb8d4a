//! An Adaptive Card in the message that Teams' workflow "Post to a channel when a webhook request is received" takes.
//! All texts are runs of rich text blocks: those know no markdown, so nothing that an alert brings along can become
//! a link, a heading or a mention.
//! <https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features>

use crate::{
    incident::{Event, Notification},
    notify::{
        Links, facts,
        portal::{HowToOpen, how_to_open},
    },
    text,
};
use serde_json::{Value, json};

/// Bytes of a whole message. Teams takes 28 KB, yet has been seen to count two bytes for each ASCII letter.
/// <https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams#chat>
pub(super) const MOST_BYTES: usize = 13_500;
/// Characters of a text to begin with; fewer when the message gets too big.
const MOST_CHARACTERS: usize = 2_000;
const MOST_TITLE: usize = 150;
const LONGEST_URL: usize = 2_000;

pub(super) fn render(notification: &Notification, links: &Links) -> Value {
    let mut most = MOST_CHARACTERS;
    loop {
        let message = message(notification, links, most);
        if most < 16 || super::bytes(&message).len() <= MOST_BYTES {
            return message;
        }
        most /= 2;
    }
}

/// `most` characters a text.
fn message(notification: &Notification, links: &Links, most: usize) -> Value {
    let (color, style) = match notification.event {
        Event::Created => ("Accent", "accent"),
        Event::Completed | Event::Analyzed => ("Good", "good"),
        Event::Failed => ("Attention", "attention"),
        Event::Skipped => ("Warning", "warning"),
        Event::Resolved | Event::ReadinessRestored => ("Good", "good"),
        Event::ReadinessDegraded => ("Attention", "attention"),
        Event::ReadinessWeekly => ("Accent", "accent"),
    };
    let title = facts::title(notification);
    let title = text::clean(&title, most.min(MOST_TITLE));
    let sentence = text::clean(&notification.report.message, most);
    let mut body = vec![
        json!({
            "type": "Container",
            "style": style,
            "bleed": true,
            "items": [{
                "type": "RichTextBlock",
                "inlines": [{
                    "type": "TextRun",
                    "text": title,
                    "size": "Large",
                    "weight": "Bolder",
                    "color": color,
                }],
            }],
        }),
        paragraph(json!([{ "type": "TextRun", "text": sentence }])),
    ];
    let changes = notification.change_lines().into_iter();
    for line in changes.chain(notification.look_lines()) {
        let line = text::clean(&line, most).into_owned();
        body.push(paragraph(json!([{ "type": "TextRun", "text": line }])));
    }
    for (label, value) in facts::facts(notification) {
        body.push(paragraph(json!([
            { "type": "TextRun", "text": format!("{label}: "), "weight": "Bolder" },
            { "type": "TextRun", "text": text::clean(&value, most) },
        ])));
    }
    if let Some(how) = how_to_open(notification.event, &notification.report) {
        body.extend(open(&how, most));
    }
    let actions: Vec<Value> = links
        .of(notification)
        .into_iter()
        .filter(|link| link.url.as_str().len() <= LONGEST_URL)
        .map(|link| json!({ "type": "Action.OpenUrl", "title": link.text, "url": link.url.as_str() }))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": sentence,
                "msteams": { "width": "Full" },
                "body": body,
                "actions": actions,
            },
        }],
    })
}

fn open(how: &HowToOpen, most: usize) -> Vec<Value> {
    let says = text::clean(&how.says, most);
    let mut blocks = vec![json!({
        "type": "RichTextBlock",
        "separator": true,
        "spacing": "Medium",
        "inlines": [
            { "type": "TextRun", "text": "How to open the file: ", "weight": "Bolder" },
            { "type": "TextRun", "text": says },
        ],
    })];
    // A command that is cut would be a wrong one.
    if let Some(command) = how.command.as_ref().filter(|text| text.len() <= most) {
        blocks.push(paragraph(json!([
            { "type": "TextRun", "text": command, "fontType": "Monospace" },
        ])));
    }
    blocks
}

fn paragraph(inlines: Value) -> Value {
    json!({ "type": "RichTextBlock", "spacing": "Small", "inlines": inlines })
}
