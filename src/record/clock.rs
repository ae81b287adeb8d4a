//! The time of the record. Tests pause tokio's clock, which then carries the calendar along.

use time::OffsetDateTime;
use tokio::time::Instant;

/// What the time is.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    #[default]
    System,
    /// The calendar's time at this instant, and on from there.
    From(OffsetDateTime, Instant),
}

impl Clock {
    pub fn now(&self) -> OffsetDateTime {
        match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::From(time, start) => {
                time.saturating_add(time::Duration::try_from(start.elapsed()).unwrap_or_default())
            }
        }
    }
}
