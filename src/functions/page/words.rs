//! The words of the pages: times, sizes, durations and states as people read them. Pure.

use crate::{
    incident::record::{State, What},
    text,
};
use time::{Duration, OffsetDateTime, UtcOffset, macros::format_description};

/// Maximum characters of a unit that is not known here.
const MAX_UNIT: usize = 15;

/// `2026-01-31 09:05:00`, in UTC.
pub(super) fn day_and_time(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    // A foreign time at the end of the calendar may have no UTC.
    at.checked_to_offset(UtcOffset::UTC)
        .and_then(|utc| utc.format(format).ok())
        .unwrap_or_default()
}

/// `09:05:00`, in UTC.
pub(super) fn time_of_day(at: OffsetDateTime) -> String {
    let text = day_and_time(at);
    text.split_once(' ')
        .map(|(_, time)| time.to_owned())
        .unwrap_or_default()
}

/// `2026-01-31T09:05:00Z`, for the script that shows the reader's own time.
pub(super) fn machine_time(at: OffsetDateTime) -> String {
    format!("{}Z", day_and_time(at).replace(' ', "T"))
}

/// `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`.
pub(super) fn duration(took: Duration) -> String {
    let seconds = took.whole_seconds().max(0);
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    let two = |one: i64, unit: &str, other: i64, smaller: &str| match other {
        0 => format!("{one} {unit}"),
        _ => format!("{one} {unit} {other} {smaller}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) if rest == 0 => "< 1 s".to_owned(),
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => two(minutes, "min", rest, "s"),
        (0, _, _) => two(hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

/// `512 bytes`, `1.4 KiB`, `100 MiB`.
pub(super) fn size(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return match unit == "bytes" || size >= 100.0 {
                true => format!("{size:.0} {unit}"),
                false => format!("{size:.1} {unit}"),
            };
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

/// A value of a metric in its unit: `1.4 MiB`, `93.5%`, `1,440`.
pub(super) fn metric(value: f64, unit: Option<&str>) -> String {
    let unit = unit.unwrap_or_default();
    // The cast saturates.
    let bytes = || size(value as u64);
    match unit.to_ascii_lowercase().as_str() {
        "bytes" if value >= 0.0 => bytes(),
        "bytespersecond" if value >= 0.0 => format!("{}/s", bytes()),
        "percent" => format!("{}%", number(value)),
        "" | "count" | "unspecified" => number(value),
        "countpersecond" => format!("{}/s", number(value)),
        "milliseconds" => format!("{} ms", number(value)),
        "seconds" => format!("{} s", number(value)),
        // It stands in a picture, which has no second line.
        _ => format!("{} {}", number(value), text::clean(unit, MAX_UNIT)),
    }
}

/// `1,440`, `93.5`, `0.04`, `-3`.
fn number(value: f64) -> String {
    if value.abs() >= 1e15 {
        return format!("{value:e}");
    }
    let text = match value.abs() >= 1_000.0 {
        true => format!("{value:.0}"),
        false => format!("{value:.2}"),
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match part.trim_end_matches('0') {
        "" => format!("{sign}{grouped}"),
        part => format!("{sign}{grouped}.{part}"),
    }
}

/// `1 alert`, `2 alerts`.
pub(super) fn count(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// The states and their words in queries and for people.
pub(super) const STATES: [(State, &str, &str); 5] = [
    (State::InProgress, "in_progress", "In progress"),
    (State::Quiet, "quiet", "Quiet"),
    (State::Captured, "captured", "Captured"),
    (State::Failed, "failed", "Failed"),
    (State::NotCaptured, "not_captured", "Not captured"),
];

/// The word of a state for people.
pub(super) fn state(state: State) -> &'static str {
    let known = STATES.iter().find(|(it, _, _)| *it == state);
    known.map_or("", |(_, _, word)| word)
}

/// The word of a state in queries, and the class of its colour.
pub(in crate::functions) fn state_name(state: State) -> &'static str {
    let known = STATES.iter().find(|(it, _, _)| *it == state);
    known.map_or("", |(_, name, _)| name)
}

/// What a state means, where the word does not say it all.
pub(super) fn state_hint(state: State) -> &'static str {
    match state {
        State::InProgress => "A job is in progress.",
        State::Quiet => "All jobs are finished; an alert for this machine that comes soon joins.",
        State::Captured => "Closed, and a capture was made.",
        State::Failed => "Closed, and evidence is missing.",
        State::NotCaptured => "Closed; nothing was to be captured, or there was no room.",
    }
}

/// The name of a step.
pub(super) fn step(what: What) -> String {
    match what {
        What::AlertFired => "alert fired".to_owned(),
        What::AlertResolved => "alert resolved".to_owned(),
        What::Accepted => "accepted".to_owned(),
        What::HeldBack => "held back".to_owned(),
        What::Waiting => "waiting".to_owned(),
        What::Failed => "failed".to_owned(),
        What::Created => "created".to_owned(),
        What::Running => "running".to_owned(),
        What::Joined => "joined".to_owned(),
        What::Ended => "ended".to_owned(),
        What::Analyzed => "file read".to_owned(),
        What::Notified(event) => format!("notified ({event})"),
        What::NotNotified(event) => format!("not notified ({event})"),
        What::WrittenBack => "commented on the alert".to_owned(),
        What::NotWrittenBack => "no comment on the alert".to_owned(),
        What::Removed => "session removed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn words_follow_the_table() {
        for (seconds, expected) in [
            (-5, "< 1 s"),
            (0, "< 1 s"),
            (1, "1 s"),
            (59, "59 s"),
            (60, "1 min"),
            (185, "3 min 5 s"),
            (3_600, "1 h"),
            (7_859, "2 h 10 min"),
            (86_400, "1 d"),
            (273_600, "3 d 4 h"),
        ] {
            assert_eq!(duration(Duration::seconds(seconds)), expected);
        }
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (1_434, "1.4 KiB"),
            (104_857_600, "100 MiB"),
            (1_610_612_736, "1.5 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
        let at = datetime!(2026-11-28 01:02:03.9 +2);
        assert_eq!(day_and_time(at), "2026-11-27 23:02:03");
        assert_eq!(time_of_day(at), "23:02:03");
        assert_eq!(machine_time(at), "2026-11-27T23:02:03Z");
        assert_eq!(count(1, "alert"), "1 alert");
        assert_eq!(count(2, "alert"), "2 alerts");
    }

    #[test]
    fn values_of_metrics_follow_the_table() {
        for (value, unit, expected) in [
            (1_440.0, Some("Count"), "1,440"),
            (1_440.0, None, "1,440"),
            (93.5, Some("Percent"), "93.5%"),
            (0.041, Some("Percent"), "0.04%"),
            (100.0, Some("Percent"), "100%"),
            (1_468_006.0, Some("Bytes"), "1.4 MiB"),
            (-1.0, Some("Bytes"), "-1 Bytes"),
            (1_234_567.8, Some("Widgets"), "1,234,568 Widgets"),
            (-1_234.0, None, "-1,234"),
            (999.999, None, "1,000"),
            (0.0, None, "0"),
            (2_048.0, Some("BytesPerSecond"), "2.0 KiB/s"),
            (12.0, Some("MilliSeconds"), "12 ms"),
            (1e300, None, "1e300"),
            (2.0, Some("Hundredweights a fortnight"), "2 Hundredweights…"),
        ] {
            assert_eq!(metric(value, unit), expected, "{value}");
        }
    }

    #[test]
    fn states_have_the_words_of_their_json() {
        for (state, name, _) in STATES {
            assert_eq!(serde_json::to_value(state).unwrap(), name);
        }
    }
}
