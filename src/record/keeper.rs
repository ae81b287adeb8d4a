//! Keeps the documents of one kind: applies changes to them at once, and has what has changed written together (`write`), or
//! later when the store does not answer (`recover`). What it holds of each document is in `slots`.

mod recover;
mod slots;
mod write;

use super::{Store, breaker::Breaker, clock::Clock, document::Document};
use crate::incident::Limits;
use slots::{Base, Pending, State};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::{oneshot, watch};

/// Maximum number of changes of one document that wait for a store that does not answer; the oldest give way.
const MOST_WAITING: usize = 1_000;

/// Keeps the documents of one kind.
pub(super) struct Keeper<D: Document> {
    /// `None`: they are kept in this process alone.
    pub store: Option<Arc<dyn Store>>,
    pub breaker: Arc<Breaker>,
    pub limits: Limits,
    pub clock: Clock,
    /// How long a change waits for others before it is written, should nothing wait for it.
    pub gather: Duration,
    // Held for a few map operations, never over an await.
    state: Mutex<State<D>>,
    /// Changes when nothing is left to be written.
    settled: watch::Sender<usize>,
}

/// A verdict, and whether the store agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confirmed<V> {
    pub verdict: V,
    /// `false`: the store did not answer, and the verdict is as far as this process knows.
    pub by_store: bool,
}

impl<D: Document> Keeper<D> {
    pub fn new(
        store: Option<Arc<dyn Store>>,
        breaker: Arc<Breaker>,
        limits: Limits,
        clock: Clock,
        gather: Duration,
    ) -> Self {
        let state = State {
            slots: BTreeMap::new(),
            unwritten: BTreeSet::new(),
            busy: 0,
            recovering: false,
            swept: 0,
        };
        Self {
            store,
            breaker,
            limits,
            clock,
            gather,
            state: Mutex::new(state),
            settled: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// Applies a change, and has it written. `is_new`: the store cannot have the document yet.
    pub fn apply(
        self: &Arc<Self>,
        name: &str,
        key: &D::Key,
        change: D::Change,
        is_new: bool,
    ) -> D::Verdict {
        self.submit(name, key, change, is_new, false).0
    }

    /// Applies a change, and waits until the store has it; no longer than `limit`.
    pub async fn confirm(
        self: &Arc<Self>,
        name: &str,
        key: &D::Key,
        change: D::Change,
        limit: Duration,
    ) -> Confirmed<D::Verdict> {
        let (verdict, answer) = self.submit(name, key, change, false, true);
        let Some(answer) = answer else {
            let by_store = self.store.is_none();
            return Confirmed { verdict, by_store };
        };
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(confirmed)) => confirmed,
            late => {
                if late.is_err() {
                    self.breaker.overdue(limit);
                }
                Confirmed {
                    verdict,
                    by_store: false,
                }
            }
        }
    }

    /// Applies a change. The receiver gets what the store says of it; none when the store is not asked.
    #[expect(clippy::type_complexity)]
    pub fn submit(
        self: &Arc<Self>,
        name: &str,
        key: &D::Key,
        change: D::Change,
        is_new: bool,
        wants_answer: bool,
    ) -> (D::Verdict, Option<oneshot::Receiver<Confirmed<D::Verdict>>>) {
        let now = self.clock.now();
        let mut state = self.state();
        state.forget(&self.limits, now, self.store.is_some());
        let slot = state.slot(name, key, self.store.is_some(), is_new);
        let (verdict, changed) = slot.view.apply(&change, &self.limits, now);
        let Some(stored) = &mut slot.stored else {
            return (verdict, None);
        };
        // What is not known here may have to change all the same.
        if !changed && !wants_answer && stored.base != Base::Unknown {
            return (verdict, None);
        }
        let (sender, receiver) = oneshot::channel();
        stored.waiting.push(Pending {
            change,
            verdict: verdict.clone(),
            changed,
            answer: wants_answer.then_some(sender),
        });
        if stored.waiting.len() > MOST_WAITING {
            stored.waiting.remove(0).answer(false);
        }
        if !mem::replace(&mut stored.busy, true) {
            let gather = match wants_answer {
                true => Duration::ZERO,
                false => self.gather,
            };
            tokio::spawn(self.clone().write(name.into(), key.clone(), gather));
        }
        (verdict, wants_answer.then_some(receiver))
    }

    /// Reads a document from the store, unless it is here as it was there within this time. `false`: the store did not
    /// answer.
    pub async fn refresh(
        self: &Arc<Self>,
        name: &str,
        key: &D::Key,
        within: Duration,
        limit: Duration,
    ) -> bool {
        if self.is_recent(name, within) {
            return true;
        }
        self.confirm(name, key, D::nothing(), limit).await.by_store
    }

    /// Reads a document of this process.
    pub fn with<T>(&self, name: &str, read: impl FnOnce(&D) -> T) -> Option<T> {
        self.state().slots.get(name).map(|slot| read(&slot.view))
    }

    /// Whether what is here was the same as in the store within this time, or is kept here alone.
    pub fn is_recent(&self, name: &str, within: Duration) -> bool {
        let state = self.state();
        match state.slots.get(name).map(|slot| &slot.stored) {
            Some(Some(stored)) => {
                stored.is_idle() && stored.synced.is_some_and(|at| at.elapsed() < within)
            }
            Some(None) => true,
            None => self.store.is_none(),
        }
    }

    /// Names and values of all documents of this process, in order, from `after` on.
    pub fn each(&self, after: Option<&str>, mut read: impl FnMut(&str, &D) -> bool) {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        for (name, slot) in self.state().slots.range::<str, _>((from, Unbounded)) {
            if !read(name, &slot.view) {
                return;
            }
        }
    }

    /// Waits until all changes are written.
    pub async fn settle(self: &Arc<Self>) {
        let mut settled = self.settled.subscribe();
        loop {
            if self.is_settled() {
                return;
            }
            let _ = settled.changed().await;
        }
    }

    fn is_settled(&self) -> bool {
        let state = self.state();
        state.slots.values().all(|slot| {
            slot.stored
                .as_ref()
                .is_none_or(|it| it.waiting.is_empty() && it.writing.is_empty())
        })
    }
}
