//! The name of an incident, and the blob that it gives a name to.

use super::IncidentId;
use crate::{
    incident::{job::JobId, machine::hex},
    resource_id::ResourceId,
};
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use time::{Date, Month, OffsetDateTime, Time};

/// Blob names ascend while incidents descend: the newest is listed first. In microseconds, large enough until the
/// year 33658.
const LAST: i128 = 999_999_999_999_999_999;
/// Parts of a second that an id knows: three hexadecimal digits.
const PARTS: u64 = 4_096;
const NANOS: u64 = 1_000_000_000;
/// Characters of an id: `20261128-073012-3fa9c2d1`.
const LENGTH: usize = 24;

/// A text is no incident's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidIncidentId;

impl fmt::Display for InvalidIncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an incident's id, such as 20261128-073012-3fa9c2d1")
    }
}

impl std::error::Error for InvalidIncidentId {}

impl IncidentId {
    /// The id of the incident that this job opens on this machine.
    pub fn new(at: OffsetDateTime, machine: &ResourceId, job: &JobId) -> Self {
        // A forged job's time may be outside of the calendar in UTC.
        let at = at.checked_to_offset(time::UtcOffset::UTC);
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let text = format!("{}\n{job}", machine.to_string().to_ascii_lowercase());
        let digest = digest(&SHA256, text.as_bytes());
        let (date, time) = (at.date(), at.time());
        let part = u64::from(time.nanosecond()).saturating_mul(PARTS) / NANOS;
        let mut digits = hex(&digest.as_ref()[..3]);
        digits.truncate(5);
        let id = format!(
            "{:04}{:02}{:02}-{:02}{:02}{:02}-{part:03x}{digits}",
            date.year().clamp(0, 9_999),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
        );
        Self(id.into())
    }

    /// Reads an id as a caller wrote it; perhaps no incident has it.
    ///
    /// # Errors
    /// [`InvalidIncidentId`].
    pub fn parse(text: &str) -> Result<Self, InvalidIncidentId> {
        let digits = |range: std::ops::Range<usize>| {
            let part = text.get(range).ok_or(InvalidIncidentId)?;
            match part.bytes().all(|byte| byte.is_ascii_digit()) {
                true => part.parse::<u16>().map_err(|_| InvalidIncidentId),
                false => Err(InvalidIncidentId),
            }
        };
        let small = |range| u8::try_from(digits(range)?).map_err(|_| InvalidIncidentId);
        let tail = text.get(16..).ok_or(InvalidIncidentId)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != LENGTH
            || text.get(8..9) != Some("-")
            || text.get(15..16) != Some("-")
            || !tail.bytes().all(is_hex)
        {
            return Err(InvalidIncidentId);
        }
        let month = Month::try_from(small(4..6)?).map_err(|_| InvalidIncidentId)?;
        Date::from_calendar_date(digits(0..4)?.into(), month, small(6..8)?)
            .map_err(|_| InvalidIncidentId)?;
        Time::from_hms(small(9..11)?, small(11..13)?, small(13..15)?)
            .map_err(|_| InvalidIncidentId)?;
        Ok(Self(text.into()))
    }

    /// When it was opened, to a quarter of a millisecond.
    pub fn opened_at(&self) -> OffsetDateTime {
        let number = |from: usize, to: usize| -> u16 {
            let digits = self.0.get(from..to).and_then(|digits| digits.parse().ok());
            digits.unwrap_or_default()
        };
        let small = |from, to| u8::try_from(number(from, to)).unwrap_or_default();
        let date = Month::try_from(small(4, 6))
            .and_then(|month| Date::from_calendar_date(number(0, 4).into(), month, small(6, 8)));
        let part = self
            .0
            .get(16..19)
            .and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let nanos = part
            .unwrap_or_default()
            .saturating_mul(NANOS)
            .div_ceil(PARTS);
        let nanos = u32::try_from(nanos).unwrap_or_default();
        let time = Time::from_hms_nano(small(9, 11), small(11, 13), small(13, 15), nanos);
        match (date, time) {
            (Ok(date), Ok(time)) => OffsetDateTime::new_utc(date, time),
            _ => OffsetDateTime::UNIX_EPOCH,
        }
    }

    /// The name of its blob, which follows from the id.
    pub fn blob_name(&self) -> String {
        format!("{}-{self}.json", Self::blob_prefix(self.opened_at()))
    }

    /// How the names of blobs of incidents begin that were opened in this microsecond.
    pub fn blob_prefix(opened_at: OffsetDateTime) -> String {
        let micros = opened_at.unix_timestamp_nanos().div_euclid(1_000);
        let reversed = LAST.saturating_sub(micros.clamp(0, LAST));
        format!("incidents/{reversed:018}")
    }

    /// The id in the name of a blob.
    pub fn of_blob(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("incidents/")?.strip_suffix(".json")?;
        let (_, id) = rest.split_once('-')?;
        Self::parse(id).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for IncidentId {
    type Error = InvalidIncidentId;

    fn try_from(text: String) -> Result<Self, InvalidIncidentId> {
        Self::parse(&text)
    }
}

impl From<IncidentId> for String {
    fn from(id: IncidentId) -> Self {
        id.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn machine(name: &str) -> ResourceId {
        format!("/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}")
            .parse()
            .unwrap()
    }

    #[test]
    fn names_follow_from_ids_and_the_newest_is_listed_first() {
        let job = JobId::parse("6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32").unwrap();
        let at = datetime!(2026-11-28 07:30:12.5 UTC);
        let id = IncidentId::new(at, &machine("web-01"), &job);
        assert!(id.as_str().starts_with("20261128-073012-"), "{id}");
        assert_eq!(id, IncidentId::new(at, &machine("WEB-01"), &job));
        assert_ne!(id, IncidentId::new(at, &machine("web-02"), &job));
        assert_eq!(IncidentId::parse(id.as_str()), Ok(id.clone()));
        assert_eq!(id.opened_at(), at);
        let soon = IncidentId::new(at + time::Duration::MILLISECOND, &machine("web-01"), &job);
        assert!(soon > id && soon.blob_name() < id.blob_name(), "{soon}");
        assert_eq!(IncidentId::of_blob(&id.blob_name()), Some(id.clone()));
        let later = IncidentId::new(at + time::Duration::SECOND, &machine("web-01"), &job);
        assert!(later.blob_name() < id.blob_name());
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<IncidentId>(&json).unwrap(), id);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "20261128-073012-3fa9c2d",
            "20261128-073012-3fa9c2d12",
            "20261128-073012-3FA9C2D1",
            "20261328-073012-3fa9c2d1",
            "20261128-246012-3fa9c2d1",
            "2026112é-07301-3fa9c2d1",
            "20261128/073012/3fa9c2d1",
            "+0261128-073012-3fa9c2d1",
            "../../20261128-073012-3fa9c2d1",
        ] {
            assert_eq!(IncidentId::parse(text), Err(InvalidIncidentId), "{text}");
        }
    }
}
