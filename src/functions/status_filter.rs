//! Which incidents a request to the list asks for, and the addresses that ask for others.

use crate::incident::{filter::Filter, record::State};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use time::{Date, macros::format_description};
use url::form_urlencoded::{Serializer, parse};

/// What is said of a `$skiptoken` that no page gave.
pub(super) const WRONG_TOKEN: &str = "$skiptoken must be that of a nextLink, unchanged";
/// Incidents on a page without `$top`.
const DEFAULT_TOP: usize = 50;
/// Maximum of `$top`.
const MAX_TOP: usize = 200;
/// Maximum length of a machine's name or id in a query.
const MAX_MACHINE: usize = 2_048;

/// Which incidents a request to the list asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub top: usize,
    /// Where the page before ended, in the store's own words.
    pub after: Option<String>,
    pub filter: Filter,
}

impl Asked {
    /// Reads a query. Names that are not known, such as the function key's, are passed over.
    ///
    /// # Errors
    /// What a value needs.
    pub fn read(query: &str) -> Result<Self, &'static str> {
        let mut asked = Self {
            top: DEFAULT_TOP,
            after: None,
            filter: Filter::default(),
        };
        for (name, value) in parse(query.as_bytes()) {
            match name.to_ascii_lowercase().as_str() {
                "$top" => {
                    let top = value.parse().ok().filter(|top| (1..=MAX_TOP).contains(top));
                    asked.top = top.ok_or("$top must be a whole number from 1 to 200")?;
                }
                "$skiptoken" => {
                    let after = BASE64_URL_SAFE_NO_PAD.decode(&*value).ok();
                    let after = after.and_then(|bytes| String::from_utf8(bytes).ok());
                    let after = after.filter(|text| !text.is_empty());
                    asked.after = Some(after.ok_or(WRONG_TOKEN)?);
                }
                "state" if !value.is_empty() => {
                    let state = serde_json::from_value::<State>(value.to_lowercase().into());
                    asked.filter.state = Some(state.map_err(|_| {
                        "state must be one of in_progress, quiet, captured, failed, not_captured"
                    })?);
                }
                "machine" if value.len() > MAX_MACHINE => {
                    return Err("machine must be the name or the resource id of a machine");
                }
                "machine" if !value.is_empty() => asked.filter.machine = Some(value.into()),
                "day" if !value.is_empty() => {
                    let day = Date::parse(&value, format_description!("[year]-[month]-[day]"));
                    asked.filter.day =
                        Some(day.map_err(|_| "day must be a day in UTC such as 2026-01-31")?);
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    /// The address of the first page with another filter, relative to the list.
    pub fn with(&self, change: impl FnOnce(&mut Filter)) -> String {
        let mut other = Self {
            after: None,
            ..self.clone()
        };
        change(&mut other.filter);
        other.query(None)
    }

    /// The address of the page that begins there, relative to the list.
    pub fn next(&self, after: &str) -> String {
        self.query(Some(after))
    }

    fn query(&self, after: Option<&str>) -> String {
        let mut query = Serializer::new("?".to_owned());
        if self.top != DEFAULT_TOP {
            query.append_pair("$top", &self.top.to_string());
        }
        let state = self.filter.state.map(super::page::state_name);
        let day = self.filter.day.map(|day| day.to_string());
        for (name, value) in [
            ("state", state),
            ("machine", self.filter.machine.as_deref()),
            ("day", day.as_deref()),
        ] {
            value.map(|value| query.append_pair(name, value));
        }
        if let Some(after) = after {
            let token = BASE64_URL_SAFE_NO_PAD.encode(after);
            query.append_pair("$skiptoken", &token);
        }
        // `$` may stand in a query as it is, and so Resource Manager writes it.
        let query = query.finish().replace("%24", "$");
        format!("?{}", query.trim_start_matches(['?', '&']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn asked(top: usize, after: Option<&str>, filter: Filter) -> Asked {
        let after = after.map(str::to_owned);
        Asked { top, after, filter }
    }

    #[test]
    fn queries_follow_the_table() {
        let id = "20261128-073012-3fa9c2d1";
        let token = BASE64_URL_SAFE_NO_PAD.encode(id);
        let filter = Filter {
            state: Some(State::NotCaptured),
            machine: Some("web 1".into()),
            day: Some(date!(2026 - 11 - 28)),
        };
        let all = Filter::default;
        for (query, expected) in [
            ("", Some(asked(50, None, all()))),
            (
                "code=k3y&$top=1&state=&day=&machine=",
                Some(asked(1, None, all())),
            ),
            ("%24TOP=200", Some(asked(200, None, all()))),
            (
                "State=NOT_CAPTURED&machine=web+1&day=2026-11-28",
                Some(asked(50, None, filter.clone())),
            ),
            (
                &format!("$skiptoken={token}&$top=7"),
                Some(asked(7, Some(id), all())),
            ),
            ("$top=0", None),
            ("$top=201", None),
            ("$top=x", None),
            ("$skiptoken=!", None),
            ("$skiptoken=", None),
            ("state=gone", None),
            ("day=28.11.2026", None),
            ("day=2026-02-30", None),
        ] {
            assert_eq!(Asked::read(query).ok(), expected, "{query}");
        }
        let long = format!("machine={}", "x".repeat(MAX_MACHINE + 1));
        assert!(Asked::read(&long).is_err());
    }

    #[test]
    fn addresses_ask_for_what_they_say() {
        let filter = Filter {
            state: Some(State::Failed),
            machine: Some("web&1 =".into()),
            day: Some(date!(2026 - 11 - 28)),
        };
        let token = "0|incidents/98 &=";
        let whole = asked(7, None, filter);
        let next = whole.next(token);
        let read = Asked::read(&next[1..]).unwrap();
        assert_eq!(read.after.as_deref(), Some(token));
        assert_eq!((read.top, &read.filter), (7, &whole.filter));
        // Another filter begins at the first page.
        let other = read.with(|filter| filter.machine = None);
        assert_eq!(other, "?$top=7&state=failed&day=2026-11-28");
        assert_eq!(asked(50, None, Filter::default()).with(|_| {}), "?");
    }
}
