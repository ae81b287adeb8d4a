//! The pauses that Azure asked for with a 429: its token buckets are per subscription and kind of call, so one refusal
//! speaks for all calls of the process that draw from the same bucket.
//! <https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/request-limits-and-throttling>

use azure_core::http::Method;
use std::{collections::HashMap, sync::Mutex, time::Duration};
use tokio::time::Instant;
use url::Url;

/// The bucket that a call draws from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Bucket {
    /// The GUID, in lower case.
    pub subscription: String,
    pub kind: Kind,
}

/// The kinds of calls that Resource Manager counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Read,
    Write,
    Delete,
}

impl Kind {
    /// The kind's name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

impl Bucket {
    /// The bucket of a call; `None` outside subscriptions.
    pub fn of(method: Method, url: &Url) -> Option<Self> {
        let mut segments = url.path_segments()?;
        let fixed = segments.next()?;
        let guid = segments.next()?;
        let kind = match method {
            Method::Get | Method::Head => Kind::Read,
            Method::Delete => Kind::Delete,
            _ => Kind::Write,
        };
        fixed.eq_ignore_ascii_case("subscriptions").then(|| Self {
            subscription: guid.to_ascii_lowercase(),
            kind,
        })
    }
}

/// A pause in force.
#[derive(Debug, Clone)]
struct Pause {
    until: Instant,
    /// The code of the 429.
    code: String,
}

/// The pauses of all buckets.
#[derive(Default)]
pub(super) struct Pauses {
    /// Locked for one map operation, never over an await.
    by_bucket: Mutex<HashMap<Bucket, Pause>>,
}

impl Pauses {
    /// Begins the pause that a 429 asks for. `true`: the bucket was not paused before.
    pub fn begin(&self, bucket: Bucket, code: &str, wait: Duration) -> bool {
        let now = Instant::now();
        let Some(until) = now.checked_add(wait).filter(|until| *until > now) else {
            return false;
        };
        let mut pauses = self.locked();
        pauses.retain(|_, pause| pause.until > now);
        let new = !pauses.contains_key(&bucket);
        let code = code.to_owned();
        let pause = pauses.entry(bucket).or_insert(Pause { until, code });
        pause.until = pause.until.max(until);
        new
    }

    /// How long a bucket is still paused, and by which code.
    pub fn left(&self, bucket: &Bucket) -> Option<(Duration, String)> {
        let pauses = self.locked();
        let pause = pauses.get(bucket)?;
        let left = pause.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| (left, pause.code.clone()))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<Bucket, Pause>> {
        self.by_bucket
            .lock()
            .expect("no code panics with this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_draws_from_the_bucket_of_its_subscription_and_kind() {
        for (method, path, expected) in [
            (Method::Get, "subscriptions/S/resources", Some(Kind::Read)),
            (Method::Put, "Subscriptions/s/a", Some(Kind::Write)),
            (Method::Post, "subscriptions/s/a/stop", Some(Kind::Write)),
            (Method::Delete, "subscriptions/s/a", Some(Kind::Delete)),
            (Method::Get, "metadata/endpoints", None),
            (Method::Get, "", None),
        ] {
            let url = Url::parse(&format!("https://arm.example/{path}")).unwrap();
            let expected = expected.map(|kind| Bucket {
                subscription: "s".to_owned(),
                kind,
            });
            assert_eq!(Bucket::of(method, &url), expected, "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_only_ever_grows_and_ends() {
        let pauses = Pauses::default();
        let bucket = || Bucket {
            subscription: "s".to_owned(),
            kind: Kind::Read,
        };
        let left = || pauses.left(&bucket()).map(|(left, _)| left.as_secs());
        assert_eq!(left(), None);
        assert!(!pauses.begin(bucket(), "None", Duration::ZERO));
        assert_eq!(left(), None);
        assert!(pauses.begin(bucket(), "First", Duration::from_secs(10)));
        assert!(!pauses.begin(bucket(), "Second", Duration::from_secs(5)));
        assert_eq!(left(), Some(10));
        assert!(!pauses.begin(bucket(), "Third", Duration::from_secs(20)));
        assert_eq!(left(), Some(20));
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(left(), None);
    }
}
