//! One call to Blob Storage: its turn, its time, its repetitions, and how it failed.

use super::super::store::StoreError;
use crate::{
    storage::{Cause, Refusal, refusal},
    text,
};
use azure_core::error::ErrorKind;
use std::time::Duration;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

/// How long a call may take with its repetitions, without the wait for its turn. Blob Storage answers within tens of
/// milliseconds.
const CALL: Duration = Duration::from_secs(5);
/// How long one try may take: the first one may have to fetch a token.
const TRY: Duration = Duration::from_secs(3);
/// The first pause between two tries; the next ones are three times as long each.
const PAUSE: Duration = Duration::from_millis(100);
/// Maximum number of tries.
const TRIES: u32 = 4;
/// Maximum number of calls at once, apart from those of the queue and of Resource Manager.
const AT_ONCE: usize = 16;

/// The calls to one container.
pub(super) struct Calls {
    pub address: String,
    turns: Semaphore,
}

/// How a call failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub status: Option<u16>,
    /// The error code of the answer, else empty.
    pub code: String,
    cause: Cause,
    /// Whether another try may succeed.
    temporary: bool,
    /// Whether an earlier try got no definite answer, so that it may have been applied.
    pub unsure: bool,
}

impl Failure {
    fn of(error: &azure_core::Error) -> Self {
        let status = refusal::status(error);
        let code = refusal::code(error).unwrap_or_default();
        let temporary = match (status, error.kind()) {
            (_, ErrorKind::Credential) => false,
            (None, _) | (Some(408 | 429 | 500 | 502..=504), _) => true,
            // For up to 30 s after a container of this name was deleted.
            (Some(_), _) => code == "ContainerBeingDeleted",
        };
        Self {
            status,
            code: text::clean(code, text::WORD).into_owned(),
            cause: Cause::of(error),
            temporary,
            unsure: false,
        }
    }

    /// An answer that no contract promises.
    pub fn odd(cause: &str) -> Self {
        Self {
            status: None,
            code: String::new(),
            cause: Cause(cause.to_owned()),
            temporary: false,
            unsure: false,
        }
    }

    fn no_answer(within: Duration) -> Self {
        Self {
            temporary: true,
            ..Self::odd(&format!("no answer within {} s", within.as_secs()))
        }
    }

    /// Neither the text nor its container is there.
    pub fn is_missing(&self) -> bool {
        matches!(self.code.as_str(), "BlobNotFound" | "ContainerNotFound")
    }

    /// A condition does not hold. A text that is gone is not unchanged.
    pub fn is_conflict(&self) -> bool {
        let codes = ["BlobAlreadyExists", "ConditionNotMet", "BlobNotFound"];
        codes.contains(&self.code.as_str()) || self.status == Some(412)
    }
}

impl Calls {
    pub fn new(address: String) -> Self {
        Self {
            address,
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// A call, repeated while it fails for reasons that pass.
    pub async fn run<T, F>(&self, call: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = azure_core::Result<T>>,
    {
        let _turn = self.turns.acquire().await;
        let deadline = Instant::now() + CALL;
        let (mut unsure, mut pause) = (false, PAUSE);
        for attempt in 1.. {
            let until = deadline.min(Instant::now() + TRY);
            let failure = match timeout_at(until, call()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => Failure::of(&error),
                Err(_) => Failure::no_answer(TRY),
            };
            let over = attempt == TRIES || Instant::now() + pause >= deadline;
            if !failure.temporary || over {
                return Err(Failure { unsure, ..failure });
            }
            unsure = true;
            sleep(pause).await;
            pause *= 3;
        }
        unreachable!("the loop ends with the last try")
    }

    /// The failure as callers see it.
    pub fn error(&self, tried: &'static str, failure: Failure) -> StoreError {
        let store = self.address.clone();
        let refused = failure.status.and_then(|status| {
            let refusal = Refusal::of(status, &failure.code)?;
            Some((status, refusal))
        });
        match refused {
            Some((status, refusal)) => StoreError::Refused {
                tried,
                store,
                status,
                code: failure.code,
                cause: refusal.sentence,
                fix: refusal.fix,
            },
            None => StoreError::Unavailable {
                tried,
                store,
                status: failure.status,
                source: Box::new(failure.cause),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn failed() -> azure_core::Error {
        azure_core::Error::with_message(ErrorKind::Io, "connection reset")
    }

    async fn tries(fail: u32, takes: Duration) -> (u32, Duration, Option<bool>) {
        let calls = Calls::new("https://st.example/records".to_owned());
        let (made, start) = (Cell::new(0), Instant::now());
        let called = calls.run(|| async {
            made.set(made.get() + 1);
            sleep(takes).await;
            match made.get() <= fail {
                true => Err(failed()),
                false => Ok(()),
            }
        });
        let unsure = called.await.err().map(|failure| failure.unsure);
        (made.get(), start.elapsed(), unsure)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_repeated_within_its_time() {
        let millis = Duration::from_millis;
        assert_eq!(tries(0, millis(20)).await, (1, millis(20), None));
        assert_eq!(tries(1, millis(20)).await, (2, millis(140), None));
        assert_eq!(tries(9, millis(20)).await, (4, millis(1380), Some(true)));
        // Slow ones end with the time, the last try too.
        let (made, took, unsure) = tries(9, Duration::from_secs(60)).await;
        assert_eq!((made, unsure), (2, Some(true)));
        assert!(took <= CALL, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_is_not_repeated() {
        let calls = Calls::new(String::new());
        let made = Cell::new(0);
        let called = calls.run(|| async {
            made.set(made.get() + 1);
            Err::<(), _>(azure_core::Error::with_message(ErrorKind::Credential, "no"))
        });
        assert!(!called.await.unwrap_err().unsure);
        assert_eq!(made.get(), 1);
    }
}
