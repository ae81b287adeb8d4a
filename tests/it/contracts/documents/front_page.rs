//! The README is short, and its picture is the card that is sent.

use super::{files, read};
use serde_json::Value;

const MOST_LINES: usize = 130;

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= MOST_LINES, "README.md has {lines} lines");
}

#[test]
fn the_picture_shows_the_card_of_a_completed_capture() {
    let snapshots = files("", &["notify__format__tests__teams_completed.snap"]);
    let snapshot = read(snapshots.first().expect("the card's snapshot"));
    let (_, card) = snapshot.split_once("\n---\n").expect("front matter");
    let card: Value = serde_json::from_str(card).expect("JSON");
    let mut texts = Vec::new();
    shown(&card["attachments"][0]["content"], &mut texts);
    assert!(texts.len() > 10, "only {} texts were found", texts.len());
    for picture in [
        "docs/images/notification-light.svg",
        "docs/images/notification-dark.svg",
    ] {
        let drawn = without_tags(&read(picture));
        for text in &texts {
            let found = drawn.contains(&dense(text));
            assert!(
                found,
                "{picture} lacks {text:?}; run: python3 docs/notification.py"
            );
        }
    }
}

/// Texts and titles of buttons, wherever they are in the card.
fn shown(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text) if name == "text" || name == "title" => texts.push(text.to_owned()),
                    _ => shown(value, texts),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| shown(value, texts)),
        _ => {}
    }
}

/// The text of an SVG, without white space: lines break anywhere.
fn without_tags(svg: &str) -> String {
    let text = svg.split('<').filter_map(|part| part.split_once('>'));
    let text: String = text.map(|(_, text)| text).collect();
    let text = text.replace("&quot;", "\"").replace("&#x27;", "'");
    dense(
        &text
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}
