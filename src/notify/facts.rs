//! A notification in the words that people read, whatever the form: a title, and facts each with a label.

use crate::{
    alert::Condition,
    incident::{ChosenProfile, Event, IncidentContext, Notification},
};
use time::{OffsetDateTime, macros::format_description};

/// What happened and on which machine, in a few words.
pub(super) fn title(notification: &Notification) -> String {
    if let Some(readiness) = &notification.readiness {
        return readiness.title.clone();
    }
    let machine = notification.target.short_name();
    let happened = match (notification.event, notification.report.joined) {
        (Event::Created, false) => "Packet capture running on",
        (Event::Created, true) => "Packet capture already running on",
        (Event::Completed, _) => "Packet capture completed on",
        (Event::Failed, _) => "Packet capture failed on",
        (Event::Skipped, _) => "No packet capture on",
        (Event::Analyzed, _) => "Packet capture analyzed on",
        (Event::Resolved, _) => "Incident closed on",
        (Event::ReadinessDegraded | Event::ReadinessRestored | Event::ReadinessWeekly, _) => {
            "Readiness of"
        }
    };
    match notification.alert.is_drill() {
        true => format!("Drill: {happened} {machine}"),
        false => format!("{happened} {machine}"),
    }
}

/// Label and value of all that is known, what matters most first.
pub(super) fn facts(notification: &Notification) -> Vec<(&'static str, String)> {
    if let Some(readiness) = &notification.readiness {
        return readiness.facts.clone();
    }
    let (alert, report) = (&notification.alert, &notification.report);
    let mut facts = Vec::new();
    let mut add = |label, value: Option<String>| {
        facts.extend(
            value
                .filter(|value| !value.is_empty())
                .map(|value| (label, value)),
        );
    };
    let kind: Vec<&str> = [&alert.severity, &alert.signal]
        .into_iter()
        .filter_map(|text| text.as_deref())
        .collect();
    let kind = match kind.is_empty() {
        true => String::new(),
        false => format!(" ({})", kind.join(", ")),
    };
    add(
        "Alert rule",
        alert.rule.as_ref().map(|rule| format!("{rule}{kind}")),
    );
    let conditions: Vec<String> = alert
        .conditions
        .iter()
        .filter_map(condition_in_words)
        .collect();
    add("Condition", Some(conditions.join("; ")));
    add("Fired", alert.fired_at.clone());
    add("Machine", Some(notification.target.to_string()));
    let profile = notification.profile.as_deref();
    add("Profile", profile.map(ChosenProfile::in_words));
    add("Notes", profile.map(|it| it.notes.join("; ")));
    add("Incident", notification.incident.as_ref().map(incident));
    add("Errors", Some(report.errors.join("; ")));
    add(
        "Error code",
        notification.is_failure().then(|| {
            let code = report.reason.as_deref().unwrap_or_default();
            match &report.request_id {
                Some(id) => format!("{code} (request id {id})"),
                None => code.to_owned(),
            }
        }),
    );
    add("Packet capture", report.name.clone());
    add(
        "Started by",
        report
            .joined
            .then(|| "another alert; this one joined it".to_owned()),
    );
    add("Began", report.began_at.map(utc));
    add("Ended", notification.capture_ended_at().map(utc));
    add("Stopped because", report.stop_reason.clone());
    add(
        "Time limit",
        report
            .time_limit_seconds
            .map(|seconds| format!("{seconds} s")),
    );
    add("File", report.storage_path.clone());
    add("File on the machine", report.file_path.clone());
    facts
}

/// `20261128-073012-3fa9c2d1 (2 alerts)`.
fn incident(incident: &IncidentContext) -> String {
    let alerts = match incident.alerts {
        1 => "1 alert".to_owned(),
        alerts => format!("{alerts} alerts"),
    };
    format!("{} ({alerts})", incident.id)
}

/// `Percentage CPU is greater than 80, and was 93.5 (average over 5 min)`. Operators that are not known stand as the
/// alert wrote them.
pub fn condition_in_words(condition: &Condition) -> Option<String> {
    let Condition {
        metric,
        operator,
        threshold,
        value,
        aggregation,
        window_seconds,
    } = condition;
    let operator = operator.as_deref().map(|operator| {
        match operator.to_ascii_lowercase().replace(' ', "").as_str() {
            "greaterthan" => "is greater than",
            "greaterthanorequal" | "greaterthanorequalto" => "is greater than or equal to",
            "lessthan" => "is less than",
            "lessthanorequal" | "lessthanorequalto" => "is less than or equal to",
            "equal" | "equals" | "equalto" => "is equal to",
            "notequal" | "notequals" | "notequalto" => "is not equal to",
            "greaterorlessthan" => "is greater or less than",
            _ => operator,
        }
    });
    let rule = match (metric.as_deref(), operator, threshold.as_deref()) {
        (None, None, None) => None,
        (metric, None, None) => metric.map(str::to_owned),
        (metric, operator, threshold) => Some(format!(
            "{} {}{}",
            metric.unwrap_or("the result"),
            operator.unwrap_or("is compared with"),
            match threshold {
                Some(threshold) => format!(" {threshold}"),
                // Dynamic thresholds are Azure's own.
                None => " its threshold".to_owned(),
            }
        )),
    };
    let sentence = match (rule, value) {
        (Some(rule), Some(value)) => format!("{rule}, and was {value}"),
        (Some(rule), None) => rule,
        (None, Some(value)) => format!("the result was {value}"),
        (None, None) => return None,
    };
    let aggregation = aggregation.as_ref().map(|it| it.to_lowercase());
    let window = window_seconds.map(|seconds| format!("over {}", window(seconds)));
    Some(match (aggregation, window) {
        (Some(how), Some(window)) => format!("{sentence} ({how} {window})"),
        (Some(one), None) | (None, Some(one)) => format!("{sentence} ({one})"),
        (None, None) => sentence,
    })
}

/// `5 min`, `1 h`, `90 s`.
fn window(seconds: u32) -> String {
    for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "min")] {
        if seconds.is_multiple_of(unit) {
            let whole = seconds.checked_div(unit).unwrap_or_default();
            return format!("{whole} {name}");
        }
    }
    format!("{seconds} s")
}

/// `2026-01-31 09:05:00 UTC`.
fn utc(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    // A foreign time at the end of the calendar may have no UTC.
    at.checked_to_offset(time::UtcOffset::UTC)
        .and_then(|utc| utc.format(format).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        alert::AlertFacts,
        incident::{JobId, Report},
    };

    #[test]
    fn conditions_are_sentences() {
        let of = |parts: [Option<&str>; 4]| {
            let [metric, operator, threshold, value] = parts.map(|part| part.map(str::to_owned));
            condition_in_words(&Condition {
                metric,
                operator,
                threshold,
                value,
                ..Condition::default()
            })
        };
        for (parts, expected) in [
            (
                [
                    Some("Percentage CPU"),
                    Some("GreaterThan"),
                    Some("80"),
                    Some("93.5"),
                ],
                Some("Percentage CPU is greater than 80, and was 93.5"),
            ),
            (
                [None, Some("Greater Than"), Some("0"), Some("4")],
                Some("the result is greater than 0, and was 4"),
            ),
            (
                [Some("Network In"), Some("GreaterOrLessThan"), None, None],
                Some("Network In is greater or less than its threshold"),
            ),
            (
                [Some("A"), Some("Resembles"), Some("B"), None],
                Some("A Resembles B"),
            ),
            ([Some("A"), None, None, None], Some("A")),
            ([Some("A"), None, None, Some("1")], Some("A, and was 1")),
            (
                [Some("A"), None, Some("2"), None],
                Some("A is compared with 2"),
            ),
            ([None, None, None, Some("7")], Some("the result was 7")),
            ([None, None, None, None], None),
        ] {
            assert_eq!(of(parts).as_deref(), expected);
        }
    }

    #[test]
    fn aggregation_and_window_stand_behind_the_condition() {
        for (aggregation, seconds, expected) in [
            (
                Some("Total"),
                Some(300),
                "A is greater than 1, and was 2 (total over 5 min)",
            ),
            (
                Some("Average"),
                None,
                "A is greater than 1, and was 2 (average)",
            ),
            (
                None,
                Some(3_600),
                "A is greater than 1, and was 2 (over 1 h)",
            ),
            (
                None,
                Some(5_400),
                "A is greater than 1, and was 2 (over 90 min)",
            ),
            (None, Some(90), "A is greater than 1, and was 2 (over 90 s)"),
            (
                None,
                Some(86_400),
                "A is greater than 1, and was 2 (over 1 d)",
            ),
            (None, None, "A is greater than 1, and was 2"),
        ] {
            let some = |text: &str| Some(text.to_owned());
            let condition = Condition {
                metric: some("A"),
                operator: some("GreaterThan"),
                threshold: some("1"),
                value: some("2"),
                aggregation: aggregation.map(str::to_owned),
                window_seconds: seconds,
            };
            assert_eq!(condition_in_words(&condition).as_deref(), Some(expected));
        }
        let nothing = Condition {
            window_seconds: Some(300),
            ..Condition::default()
        };
        assert_eq!(condition_in_words(&nothing), None);
    }

    #[test]
    fn titles_name_what_happened_and_the_machine() {
        let set = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/web";
        for (event, target, joined, expected) in [
            (
                Event::Failed,
                set.to_owned(),
                false,
                "Packet capture failed on web",
            ),
            (
                Event::Created,
                format!("{set}/virtualMachines/3"),
                true,
                "Packet capture already running on web, instance 3",
            ),
        ] {
            let notification = Notification {
                event,
                at: OffsetDateTime::UNIX_EPOCH,
                job_id: JobId::random(),
                alert: AlertFacts::default(),
                target: target.parse().unwrap(),
                report: Report {
                    joined,
                    ..Report::default()
                },
                incident: None,
                profile: None,
                link: None,
                readiness: None,
            };
            assert_eq!(title(&notification), expected);
        }
    }
}
