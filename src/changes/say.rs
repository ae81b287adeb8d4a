//! The sentences about what changed: one line a change, and one where there was none.

use super::series::between;
use super::{
    ACTIVITY_LOG, Cause, Change, ChangedValue, ControlPlane, RESOURCE_CHANGES, SURROUNDINGS, Verb,
};
use time::{Duration, OffsetDateTime};

/// Maximum number of changes in a notification.
const MOST_TOLD: usize = 4;
/// Maximum number of values in a sentence.
const MOST_VALUES: usize = 2;
/// Maximum number of names in a sentence.
const MOST_NAMES: usize = 4;
const NUMBERS: [&str; 12] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
];

/// `NSG nsg-web was changed 12 minutes before the alert by deploy-pipeline: rule deny-sql added.`
pub fn sentence(change: &Change, alert_at: OffsetDateTime) -> String {
    format!("{}.", clause(change, alert_at))
}

/// When something happened relative to the alert: `12 minutes before the alert`.
pub fn relative(at: OffsetDateTime, alert_at: OffsetDateTime) -> String {
    let (span, side) = match at <= alert_at {
        true => (between(at, alert_at), "before"),
        false => (between(alert_at, at), "after"),
    };
    match span < Duration::SECOND {
        true => "at the time of the alert".to_owned(),
        false => format!("{} {side} the alert", span_in_words(span)),
    }
}

fn span_in_words(span: Duration) -> String {
    let count = |number: i64, unit: &str| match number {
        1 => format!("1 {unit}"),
        _ => format!("{number} {unit}s"),
    };
    let seconds = span.whole_seconds();
    if seconds < 60 {
        return count(seconds, "second");
    }
    let minutes = seconds.saturating_add(30).div_euclid(60);
    match (minutes.div_euclid(60), minutes.rem_euclid(60)) {
        (0 | 1, _) => count(minutes, "minute"),
        (hours, 0) => count(hours, "hour"),
        (hours, rest) => format!("{} {}", count(hours, "hour"), count(rest, "minute")),
    }
}

fn clause(change: &Change, alert_at: OffsetDateTime) -> String {
    let subject = match change.kind.noun() {
        "" => change.name().to_owned(),
        noun => format!("{noun} {}", change.name()),
    };
    let when = relative(change.at, alert_at);
    let by = match change.caller() {
        Some(by) => format!(" by {by}"),
        None => String::new(),
    };
    let (action, what) = match (change.verb, change.what.as_deref()) {
        (Verb::Acted, Some(what)) => (format!("had the action {what}"), None),
        (Verb::Acted, None) => ("had an action".to_owned(), None),
        (verb, what) => (format!("was {}", verb.as_str()), what),
    };
    let values = values(change);
    let mut detail = match (what, values.is_empty()) {
        (Some(what), true) => format!(": {what}"),
        (Some(what), false) => format!(": {what} ({values})"),
        (None, false) => format!(": {values}"),
        (None, true) => String::new(),
    };
    let Some(code) = change.failed.as_deref() else {
        return format!("{subject} {action} {when}{by}{detail}");
    };
    if detail.is_empty() {
        detail = ":".to_owned();
    }
    match change.verb {
        Verb::Acted => format!("{subject} {action} {when}{by}, which failed ({code})"),
        verb => format!(
            "{subject} could not be {} {when}{by}{detail} ({code})",
            verb.as_str()
        )
        .replacen(": (", " (", 1),
    }
}

/// Values that were there before and after: `vmSize Standard_D2s_v5 to Standard_D4s_v5`.
fn values(change: &Change) -> String {
    let said = change.values.iter().filter_map(in_words);
    let said: Vec<String> = said.take(MOST_VALUES).collect();
    said.join(", ")
}

fn in_words(value: &ChangedValue) -> Option<String> {
    let (old, new) = (value.old.as_deref()?, value.new.as_deref()?);
    let name = value.path.rsplit('.').next().unwrap_or_default();
    // Who wrote it and when is said of the change itself.
    let told = !value.path.starts_with("systemData")
        && !matches!(name, "etag" | "provisioningState" | "lastModifiedAt");
    (told && !old.is_empty() && !new.is_empty()).then(|| format!("{name} {old} to {new}"))
}

impl ControlPlane {
    /// The lines of a notification: what changed, or that nothing did, or that it is not known.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut of_operation = Vec::new();
        let (mut said, mut rest) = (0_usize, 0_usize);
        for change in &self.changes {
            // The other resources of a deployment are counted, not listed.
            let operation = change.correlation_id.as_deref();
            let same = operation.is_some_and(|it| of_operation.contains(&it));
            if same || said >= MOST_TOLD {
                rest = rest.saturating_add(1);
                continue;
            }
            of_operation.extend(operation);
            said = said.saturating_add(1);
            lines.push(sentence(change, self.alert_at));
        }
        let rest = rest.saturating_add(usize::try_from(self.changes_left_out).unwrap_or_default());
        match (said, rest) {
            (0, _) if self.is_not_allowed() => {}
            (0, _) => lines.push(self.nothing()),
            (_, 0) => {}
            (_, 1) => lines.push("One more change is in the incident's record.".to_owned()),
            (_, rest) => lines.push(format!("{rest} more changes are in the incident's record.")),
        }
        lines.extend(self.ill());
        lines
    }

    /// Whether the identity may read neither the activity log nor what is around the machine: that is a line in the record,
    /// and none in each notification. Resource Graph leaves out what may not be read, without an error.
    fn is_not_allowed(&self) -> bool {
        let lacks = |source: &str| {
            let of_source = |it: &&super::Missing| &*it.source == source;
            let missing = self.missing.iter().find(of_source);
            missing.is_some_and(|it| it.cause == Cause::Right)
        };
        lacks(ACTIVITY_LOG) && (lacks(RESOURCE_CHANGES) || lacks(SURROUNDINGS))
    }

    /// No change was found, which says something only where changes can be read.
    fn nothing(&self) -> String {
        let unread: Vec<&super::Missing> = self.unread_changes().collect();
        if unread.len() >= 2 {
            let busy = unread.iter().any(|it| it.cause == Cause::Busy);
            let why = match busy {
                true => "too many incidents at the same time",
                false => "Azure did not answer in time",
            };
            return format!("What changed before the alert is not known: {why}.");
        }
        let partly = match unread.first() {
            Some(missing) => format!(" (the {} could not be read)", missing.source),
            None => String::new(),
        };
        format!(
            "No change to {} in {} before the alert{partly}.",
            self.names(),
            self.hours()
        )
    }

    /// `web-01, nic-web-01 and 2 more resources`.
    fn names(&self) -> String {
        let named: Vec<&str> = self
            .resources
            .iter()
            .map(|id| id.rsplit('/').next().unwrap_or_default())
            .collect();
        let more = named.len().saturating_sub(MOST_NAMES);
        let first: Vec<&str> = named.into_iter().take(MOST_NAMES).collect();
        match (first.as_slice(), more) {
            ([], _) => "the machine".to_owned(),
            (names, 1..) => format!("{} and {more} more", names.join(", ")),
            ([one], 0) => (*one).to_owned(),
            ([names @ .., last], 0) => format!("{} or {last}", names.join(", ")),
        }
    }

    /// `the six hours`.
    fn hours(&self) -> String {
        let hours = between(self.since, self.alert_at).whole_hours();
        let word = usize::try_from(hours.saturating_sub(1));
        match word.ok().and_then(|at| NUMBERS.get(at)) {
            Some(&"one") => "the hour".to_owned(),
            Some(word) => format!("the {word} hours"),
            None => format!("the {hours} hours"),
        }
    }

    /// Where Azure says that the machine is not well.
    fn ill(&self) -> Option<String> {
        let health = self.health.as_ref()?;
        let machine = self.resources.first()?.rsplit('/').next()?;
        let availability = health.availability.as_deref();
        let well = |state: &str| {
            state.eq_ignore_ascii_case("Available") || state.eq_ignore_ascii_case("Unknown")
        };
        match (availability, health.power.as_deref()) {
            (Some(state), _) if !well(state) => Some(match health.summary.as_deref() {
                Some(summary) => format!("Azure reports {machine} as {state}: {summary}"),
                None => format!("Azure reports {machine} as {state}."),
            }),
            (_, Some(power)) if !power.eq_ignore_ascii_case("running") => {
                Some(format!("The power state of {machine} is {power}."))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
