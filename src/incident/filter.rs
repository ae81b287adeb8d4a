//! Which incidents a list shows. Pure: the store asks it for each summary, the query of the list writes it.

use super::record::{State, Summary};
use time::{Date, UtcOffset};

/// Which incidents a list shows; an empty one shows all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub state: Option<State>,
    /// The machine's short name or its resource id, in any letter case.
    pub machine: Option<Box<str>>,
    /// The day in UTC on which the incident was opened.
    pub day: Option<Date>,
}

impl Filter {
    /// Whether the list shows this incident.
    pub fn matches(&self, summary: &Summary) -> bool {
        let is_machine = |wanted: &str| {
            let machine = &summary.machine;
            wanted.eq_ignore_ascii_case(&machine.short_name())
                || wanted.eq_ignore_ascii_case(&machine.to_string())
        };
        let opened = summary.opened_at.checked_to_offset(UtcOffset::UTC);
        self.state.is_none_or(|state| state == summary.state)
            && self.machine.as_deref().is_none_or(is_machine)
            && self
                .day
                .is_none_or(|day| opened.is_some_and(|at| at.date() == day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    const VM: &str = "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web-1";

    #[test]
    fn lists_follow_the_table() {
        let at = datetime!(2026-11-28 00:30:00 +2);
        let summary = Summary {
            id: serde_json::from_str("\"20261127-223000-00000000\"").unwrap(),
            machine: VM.parse().unwrap(),
            rule: None,
            opened_at: at,
            updated_at: at,
            state: State::Failed,
            outcome: "No file.".into(),
            alerts: 1,
            file_bytes: None,
            drill: false,
        };
        let of = |state, machine: Option<&str>, day| Filter {
            state,
            machine: machine.map(Into::into),
            day,
        };
        for (filter, expected) in [
            (Filter::default(), true),
            (of(Some(State::Failed), None, None), true),
            (of(Some(State::Quiet), None, None), false),
            (of(None, Some("WEB-1"), None), true),
            (of(None, Some(&VM.to_uppercase()), None), true),
            (of(None, Some("web"), None), false),
            (of(None, None, Some(date!(2026 - 11 - 27))), true),
            (of(None, None, Some(date!(2026 - 11 - 28))), false),
            (
                of(
                    Some(State::Failed),
                    Some("web-1"),
                    Some(date!(2026 - 11 - 28)),
                ),
                false,
            ),
        ] {
            assert_eq!(filter.matches(&summary), expected, "{filter:?}");
        }
    }
}
