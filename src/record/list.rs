//! Incidents for people and programs: one by its id, and pages of rows, the newest first.

use super::{
    Incidents, StoreError,
    document::{Row, Unreadable, parse},
};
use crate::incident::{Incident, IncidentId, Summary, filter::Filter};
use time::{OffsetDateTime, Time};

/// Maximum number of rows read for one page: a filter that few rows pass ends there, and the next page continues.
const MOST_READ: usize = 5_000;
/// Maximum number of rows that the store gives at once.
const AT_ONCE: usize = 1_000;
/// Seconds that the blobs of one prefix cover when a day is listed.
const BLOCK: i64 = 10_000;
/// Digits of a name's microseconds that differ within such a block.
const DIGITS: usize = 10;

/// One page of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    pub rows: Vec<Summary>,
    /// Where the next page continues; `None` on the last one. A page can be empty and not be the last one.
    pub next: Option<String>,
}

/// Why incidents could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a newer version of this program wrote the incident")]
    Newer,
    #[error("the incident's record is invalid")]
    Invalid(#[source] serde_json::Error),
    #[error("the page's token is invalid")]
    InvalidToken,
}

/// How the names of the blobs begin that can pass a filter, in order.
fn prefixes(filter: &Filter) -> Vec<String> {
    let Some(day) = filter.day else {
        return vec!["incidents/".to_owned()];
    };
    let last = OffsetDateTime::new_utc(day, Time::MAX);
    let first = OffsetDateTime::new_utc(day, Time::MIDNIGHT);
    let prefix = |at: OffsetDateTime| {
        let mut prefix = IncidentId::blob_prefix(at);
        prefix.truncate(prefix.len() - DIGITS);
        prefix
    };
    let mut prefixes = Vec::new();
    let mut at = last;
    while at > first.saturating_sub(time::Duration::seconds(BLOCK)) {
        let next = prefix(at.max(first));
        if prefixes.last() != Some(&next) {
            prefixes.push(next);
        }
        at = at.saturating_sub(time::Duration::seconds(BLOCK));
    }
    prefixes
}

impl Incidents {
    /// An incident as it is now; `None`: there is none with this id.
    ///
    /// # Errors
    /// The store does not answer, or holds something else.
    pub async fn get(&self, id: &IncidentId) -> Result<Option<Incident>, ReadError> {
        let name = id.blob_name();
        let here = || self.incidents.with(&name, Incident::unpacked);
        let Some(store) = &self.incidents.store else {
            return Ok(here());
        };
        match store.read(&name).await {
            Ok(Some(found)) => match parse::<Incident>(&found.body) {
                Ok(incident) => Ok(Some(incident)),
                Err(Unreadable::Newer) => Err(ReadError::Newer),
                Err(Unreadable::Invalid(error)) => Err(ReadError::Invalid(error)),
            },
            // Not written yet.
            Ok(None) => Ok(here()),
            Err(error) => match here() {
                Some(incident) => Ok(Some(incident)),
                None => Err(error.into()),
            },
        }
    }

    /// At most `top` rows. `after`: [`Rows::next`] of the page before.
    ///
    /// # Errors
    /// The store does not answer, or `after` is no token.
    pub async fn list(
        &self,
        filter: &Filter,
        after: Option<&str>,
        top: usize,
    ) -> Result<Rows, ReadError> {
        match self.is_shared() {
            true => self.list_stored(filter, after, top).await,
            false => Ok(self.list_here(filter, after, top)),
        }
    }

    fn list_here(&self, filter: &Filter, after: Option<&str>, top: usize) -> Rows {
        let now = self.now();
        let quiet = self.options.limits.quiet;
        let (mut found, mut last, mut more) = (Rows::default(), None, false);
        self.incidents.each(after, |name, incident| {
            let row = incident.summary(now, quiet);
            if !filter.matches(&row) {
                return true;
            }
            more = found.rows.len() >= top;
            if !more {
                found.rows.push(row);
                last = Some(name.to_owned());
            }
            !more
        });
        found.next = last.filter(|_| more);
        found
    }

    async fn list_stored(
        &self,
        filter: &Filter,
        after: Option<&str>,
        top: usize,
    ) -> Result<Rows, ReadError> {
        let Some(store) = &self.incidents.store else {
            return Ok(Rows::default());
        };
        let now = self.now();
        let prefixes = prefixes(filter);
        let (mut at, mut after) = match after {
            None => (0, None),
            Some(token) => {
                let (at, rest) = token.split_once('|').ok_or(ReadError::InvalidToken)?;
                let at = at.parse().map_err(|_| ReadError::InvalidToken)?;
                (at, Some(rest.to_owned()).filter(|rest| !rest.is_empty()))
            }
        };
        let (mut rows, mut read) = (Vec::new(), 0);
        while let Some(prefix) = prefixes.get(at) {
            if rows.len() >= top || read >= MOST_READ {
                let next = format!("{at}|{}", after.unwrap_or_default());
                return Ok(Rows {
                    rows,
                    next: Some(next),
                });
            }
            // No more than are missing, so that the store's token is the page's.
            let most = match *filter == Filter::default() {
                true => top - rows.len(),
                false => (top - rows.len()).max(1),
            };
            let page = store
                .list(prefix, after.as_deref(), most.min(AT_ONCE))
                .await?;
            read += page.entries.len().max(1);
            let found = page.entries.into_iter().filter_map(|entry| {
                let row: Row = serde_json::from_str(entry.summary.as_deref()?).ok()?;
                Some(row.at(now))
            });
            rows.extend(found.filter(|row| filter.matches(row)));
            match page.next {
                Some(next) => after = Some(next),
                None => {
                    at += 1;
                    after = None;
                }
            }
        }
        Ok(Rows { rows, next: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_day_is_covered_by_a_few_prefixes() {
        for day in [
            date!(2026 - 11 - 28),
            date!(2001 - 09 - 09),
            date!(2033 - 05 - 18),
        ] {
            let filter = Filter {
                day: Some(day),
                ..Filter::default()
            };
            let prefixes = prefixes(&filter);
            assert!(prefixes.len() <= 11, "{prefixes:?}");
            assert!(prefixes.is_sorted());
            let midnight = OffsetDateTime::new_utc(day, Time::MIDNIGHT);
            for second in (0..86_400).step_by(599).chain([86_399]) {
                let name = IncidentId::blob_prefix(midnight + time::Duration::seconds(second));
                let covered = prefixes
                    .iter()
                    .any(|prefix| name.starts_with(prefix.as_str()));
                assert!(covered, "{second} of {day}");
            }
        }
    }
}
