//! How values are written as JSON: times as decimal seconds, counts by name with the largest first.

use std::fmt::Display;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::SECONDS_LISTED;
use crate::address::Address;
use crate::spread::Spread;
use crate::text;
use crate::traffic::Bucket;

/// Names with their counts, the largest first; written as an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(pub Vec<(String, u64)>);

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, count) in &self.0 {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}

impl Counts {
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    pub fn get(&self, name: &str) -> u64 {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map_or(0, |(_, count)| *count)
    }
}

/// The largest `limit`; equals by name.
pub(super) fn top(counts: impl IntoIterator<Item = (String, u64)>, limit: usize) -> Counts {
    let mut all: Vec<(String, u64)> = counts.into_iter().collect();
    all.sort_by(|(one, a), (other, b)| b.cmp(a).then_with(|| one.cmp(other)));
    all.truncate(limit);
    Counts(all)
}

/// Count, extremes and percentiles of times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times {
    pub count: u64,
    pub min: i64,
    pub p50: i64,
    pub p95: i64,
    pub max: i64,
    /// Percentiles are exact up to 65,536 values.
    pub exact: bool,
    /// How many times are in each of [`Times::BOUNDS`], for a picture.
    pub shape: Vec<u64>,
}

impl Times {
    /// Upper bounds of the picture's bars, in nanoseconds; the last bar has what is longer.
    pub const BOUNDS: [i64; 9] = [
        1_000_000,
        2_000_000,
        5_000_000,
        10_000_000,
        20_000_000,
        50_000_000,
        100_000_000,
        300_000_000,
        1_000_000_000,
    ];

    pub fn of(mut spread: Spread) -> Times {
        let [p50, p95] = spread.percentiles([50, 95]);
        let mut above: Vec<u64> = vec![spread.count()];
        above.extend(Times::BOUNDS.iter().map(|bound| spread.at_least(*bound)));
        above.push(0);
        Times {
            count: spread.count(),
            min: spread.least(),
            p50,
            p95,
            max: spread.most(),
            exact: spread.is_exact(),
            shape: above
                .windows(2)
                .map(|pair| pair[0].saturating_sub(pair[1]))
                .collect(),
        }
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("count", &self.count)?;
        if self.count > 0 {
            for (name, value) in [
                ("min", self.min),
                ("p50", self.p50),
                ("p95", self.p95),
                ("max", self.max),
            ] {
                map.serialize_entry(name, &text::decimal(value))?;
            }
            if !self.exact {
                map.serialize_entry("percentiles_exact", &false)?;
            }
        }
        map.end()
    }
}

pub(super) fn decimal<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text::decimal(*value))
}

pub(super) fn decimal_or_null<S: Serializer>(
    value: &Option<i64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => decimal(value, serializer),
        None => serializer.serialize_none(),
    }
}

pub(super) fn display<T: Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn addresses<S: Serializer>(
    values: &[Address],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(Address::to_string))
}

pub(super) fn second_rows<S: Serializer>(
    rows: &[(i64, Bucket)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let listed = &rows[..rows.len().min(SECONDS_LISTED)];
    let mut sequence = serializer.serialize_seq(Some(listed.len()))?;
    for (start, bucket) in listed {
        sequence.serialize_element(&(start, bucket.packets, bucket.bytes))?;
    }
    sequence.end()
}
