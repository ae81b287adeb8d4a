//! Writes what has changed, one write of a document at a time. Where another process was first, its text is read and the
//! changes are applied to that.

use super::{
    super::{
        Condition, Etag, StoreError, Stored,
        document::{Document, Unreadable, parse},
    },
    Keeper,
    slots::{Base, Slot},
};
use rand::RngExt;
use std::{mem, sync::Arc, time::Duration};

/// Maximum number of writes of one document that may meet another process's, one after the other.
const MOST_CONFLICTS: u32 = 50;
/// Number of documents that are written at once beyond which a new one is not read at the same time.
const MANY: usize = 32;
/// Maximum pause after a conflict.
const LONGEST_JITTER_MS: u64 = 40;

/// What the next call to the store is.
enum Call {
    Read,
    Write(Condition),
    /// A document that this process does not know is written as a new one and read at the same time: most often it is
    /// new, and if not, one trip is saved.
    WriteNewAndRead,
}

/// What the store said.
enum Answered {
    Written(Etag),
    Read(Option<(azure_core::Bytes, Etag)>),
    Conflict,
    Failed(StoreError),
}

impl<D: Document> Keeper<D> {
    /// Writes a document until nothing is left to be written, or the store does not answer.
    pub(super) async fn write(self: Arc<Self>, name: Arc<str>, key: D::Key, gather: Duration) {
        if !gather.is_zero() {
            tokio::time::sleep(gather).await;
        }
        self.state().busy += 1;
        while let Some((call, body, summary)) = self.begin(&name) {
            let answered = self.call(&name, call, body, summary).await;
            let conflicts = self.take_in(&name, &key, answered);
            if conflicts > 1 {
                let jitter = rand::rng().random_range(1..=LONGEST_JITTER_MS);
                tokio::time::sleep(Duration::from_millis(jitter)).await;
            }
        }
        self.state().busy -= 1;
        self.settled
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The next call about a document; `None`: there is none, and the task ends.
    fn begin(self: &Arc<Self>, name: &Arc<str>) -> Option<(Call, Vec<u8>, Option<String>)> {
        let mut state = self.state();
        let busy = state.busy;
        let slot = state.slots.get_mut(name)?;
        let Slot { view, stored } = slot;
        let stored = stored.as_mut()?;
        if stored.writing.is_empty() && stored.waiting.is_empty() {
            stored.busy = false;
            return None;
        }
        if !self.breaker.allows() {
            self.put_off(&mut state, name);
            return None;
        }
        stored.writing.append(&mut stored.waiting);
        let changed = stored.writing.iter().any(|pending| pending.changed);
        let call = match (&stored.base, changed && !stored.outdated) {
            (_, false) => Call::Read,
            // An alert on a thousand machines asks for as little as possible.
            (Base::Unknown, true) if busy > MANY => Call::Write(Condition::New),
            (Base::Unknown, true) => Call::WriteNewAndRead,
            (Base::Absent, true) => Call::Write(Condition::New),
            (Base::At(etag), true) => Call::Write(Condition::Unchanged(etag.clone())),
        };
        if matches!(call, Call::Read) {
            return Some((call, Vec::new(), None));
        }
        let summary = view.summary(&self.limits, self.clock.now());
        match serde_json::to_vec(view) {
            Ok(body) => Some((call, body, summary)),
            Err(error) => {
                tracing::error!("internal error: could not serialize a document: {error}");
                stored.busy = false;
                mem::take(&mut stored.writing)
                    .into_iter()
                    .for_each(|it| it.answer(false));
                None
            }
        }
    }

    async fn call(
        &self,
        name: &str,
        call: Call,
        body: Vec<u8>,
        summary: Option<String>,
    ) -> Answered {
        let Some(store) = &self.store else {
            return Answered::Failed(StoreError::Conflict);
        };
        let write =
            |condition| store.write(name, body.clone().into(), summary.as_deref(), condition);
        match call {
            Call::Read => read(store.read(name).await),
            Call::Write(condition) => written(write(condition).await),
            Call::WriteNewAndRead => {
                let both = futures_util::future::join(write(Condition::New), store.read(name));
                match both.await {
                    // What was read may be what was just written.
                    (Ok(etag), _) => Answered::Written(etag),
                    // Read before the other process wrote.
                    (Err(StoreError::Conflict), Ok(None)) => Answered::Conflict,
                    (Err(StoreError::Conflict), found) => read(found),
                    (Err(error), _) => Answered::Failed(error),
                }
            }
        }
    }

    /// Takes the store's answer in. Returns the conflicts in a row.
    fn take_in(self: &Arc<Self>, name: &Arc<str>, key: &D::Key, answered: Answered) -> u32 {
        let now = self.clock.now();
        let mut state = self.state();
        let Some(slot) = state.slots.get_mut(name) else {
            return 0;
        };
        let Some(stored) = slot.stored.as_mut() else {
            return 0;
        };
        match answered {
            Answered::Written(etag) => {
                self.breaker.answered();
                stored.base = Base::At(etag);
                stored.confirm_all();
                0
            }
            Answered::Read(found) => {
                self.breaker.answered();
                let found = match found {
                    None => None,
                    Some((body, etag)) => match parse::<D>(&body) {
                        Ok(view) => Some((view, etag)),
                        Err(Unreadable::Newer) => {
                            tracing::error!(
                                "could not read a document of the incident record ({name}): a newer version of this program \
                                 wrote it"
                            );
                            stored.give_up();
                            return 0;
                        }
                        Err(Unreadable::Invalid(error)) => {
                            tracing::error!(
                                "a document of the incident record is invalid ({name}); replacing it: {error}"
                            );
                            Some((D::new(key), etag))
                        }
                    },
                };
                let (view, base) = match found {
                    Some((view, etag)) => (view, Base::At(etag)),
                    None => (D::new(key), Base::Absent),
                };
                stored.base = base;
                stored.outdated = false;
                slot.view = view;
                for pending in stored.writing.iter_mut().chain(&mut stored.waiting) {
                    (pending.verdict, pending.changed) =
                        slot.view.apply(&pending.change, &self.limits, now);
                }
                if !stored.writing.iter().any(|pending| pending.changed) {
                    stored.confirm_all();
                }
                stored.conflicts
            }
            Answered::Conflict => {
                self.breaker.answered();
                stored.conflicts += 1;
                stored.outdated = true;
                if stored.conflicts >= MOST_CONFLICTS {
                    tracing::warn!(
                        "could not write a document of the incident record ({name}): other processes were faster {MOST_CONFLICTS} \
                         times"
                    );
                    stored.give_up();
                    return 0;
                }
                stored.conflicts
            }
            Answered::Failed(error) => {
                // Whether it was written is not known.
                stored.base = Base::Unknown;
                if matches!(error, StoreError::TooLarge { .. }) {
                    tracing::error!("could not write the incident record ({name}): {error}");
                    stored.give_up();
                    return 0;
                }
                self.breaker.failed(&error);
                let mut writing = mem::take(&mut stored.writing);
                writing.append(&mut stored.waiting);
                stored.waiting = writing;
                0
            }
        }
    }
}

fn read(found: Result<Option<Stored>, StoreError>) -> Answered {
    match found {
        Ok(found) => Answered::Read(found.map(|it| (it.body, it.etag))),
        Err(error) => Answered::Failed(error),
    }
}

fn written(written: Result<Etag, StoreError>) -> Answered {
    match written {
        Ok(etag) => Answered::Written(etag),
        Err(StoreError::Conflict) => Answered::Conflict,
        Err(error) => Answered::Failed(error),
    }
}
