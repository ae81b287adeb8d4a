//! From settings to the parts that are checked.

use crate::{
    app::{self, Pace},
    config::AppSettings,
    readiness::{FoundSettings, Hosting, Parts},
};

/// A person waits for the answer: each call is retried once.
fn pace() -> Pace {
    let mut pace = Pace::default();
    pace.retry.tries = 2;
    pace
}

pub fn parts(settings: &AppSettings) -> Parts {
    let (found, hosting) = (FoundSettings::read(settings), Hosting::of(settings));
    app::checked_parts(found, hosting, &pace(), None)
}
