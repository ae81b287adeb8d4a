//! Keeps the documents of one kind: applies changes to them at once, and writes what has changed, together, one write of a
//! document at a time. Where another process was first, its text is read and the changes are applied to that.

use super::{
    Condition, Etag, Store, StoreError, breaker::Breaker, clock::Clock, document::Document,
};
use crate::incident::{Limits, record::VERSION};
use rand::RngExt;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

/// Maximum number of documents kept here that are stored elsewhere, and that nothing here waits for.
const MOST_CACHED: usize = 10_000;
/// Maximum number of changes of one document that wait for a store that does not answer; the oldest give way.
const MOST_WAITING: usize = 1_000;
/// Where documents are kept here alone: beyond this many times their usual number, those go too that are still of use.
const FAR_TOO_MANY: usize = 2;
/// Maximum number of writes of one document that may meet another process's, one after the other.
const MOST_CONFLICTS: u32 = 50;
/// Number of documents that are written at once beyond which a new one is not read at the same time.
const MANY: usize = 32;
/// Maximum pause after a conflict.
const LONGEST_JITTER_MS: u64 = 40;

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

struct State<D: Document> {
    slots: BTreeMap<Arc<str>, Slot<D>>,
    /// What could not be written.
    unwritten: BTreeSet<Arc<str>>,
    /// How many tasks write.
    busy: usize,
    /// A task waits for the store to answer again.
    recovering: bool,
    /// How many documents there were after the last time that some were forgotten.
    swept: usize,
}

/// A document as it is here.
struct Slot<D: Document> {
    /// With all changes.
    view: D,
    /// Boxed, since documents that are kept in this process alone have none.
    stored: Option<Box<Stored<D>>>,
}

/// How a document and its text in the store differ.
struct Stored<D: Document> {
    base: Base,
    /// Changes that are being written.
    writing: Vec<Pending<D>>,
    /// Changes that come after them.
    waiting: Vec<Pending<D>>,
    /// A task writes.
    busy: bool,
    /// When it was last the same as in the store.
    synced: Option<Instant>,
    conflicts: u32,
    /// Another process has written it.
    outdated: bool,
}

/// What is known of a document's text in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Base {
    Unknown,
    Absent,
    At(Etag),
}

/// A change that is not written.
struct Pending<D: Document> {
    change: D::Change,
    verdict: D::Verdict,
    changed: bool,
    answer: Option<oneshot::Sender<Confirmed<D::Verdict>>>,
}

/// A verdict, and whether the store agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confirmed<V> {
    pub verdict: V,
    /// `false`: the store did not answer, and the verdict is as far as this process knows.
    pub by_store: bool,
}

/// What the next call to the store is.
enum Call {
    Read,
    Write(Condition),
    /// A document that this process does not know is written as a new one and read at the same time: most often it is
    /// new, and if not, one trip is saved.
    WriteNewAndRead,
}

impl<D: Document> Pending<D> {
    fn answer(self, by_store: bool) {
        if let Some(answer) = self.answer {
            let verdict = self.verdict;
            // Nothing waits for it any more.
            let _ = answer.send(Confirmed { verdict, by_store });
        }
    }
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

    /// Writes a document until nothing is left to be written, or the store does not answer.
    async fn write(self: Arc<Self>, name: Arc<str>, key: D::Key, gather: Duration) {
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

    /// The store does not answer: what waits for it is answered by what this process knows, and the changes are kept.
    fn put_off(self: &Arc<Self>, state: &mut State<D>, name: &Arc<str>) {
        if let Some(stored) = (state.slots.get_mut(name)).and_then(|slot| slot.stored.as_mut()) {
            stored.busy = false;
            let mut kept = mem::take(&mut stored.writing);
            kept.append(&mut stored.waiting);
            for mut pending in kept {
                if let Some(answer) = pending.answer.take() {
                    let verdict = pending.verdict.clone();
                    let by_store = false;
                    let _ = answer.send(Confirmed { verdict, by_store });
                }
                if pending.changed {
                    stored.waiting.push(pending);
                }
            }
            if stored.waiting.is_empty() {
                return;
            }
        }
        state.unwritten.insert(name.clone());
        if !mem::replace(&mut state.recovering, true) {
            tokio::spawn(self.clone().recover());
        }
    }

    /// Writes what could not be written, once the store answers again.
    async fn recover(self: Arc<Self>) {
        loop {
            match self.breaker.next_probe() {
                Some(at) => tokio::time::sleep_until(at).await,
                None => tokio::task::yield_now().await,
            }
            let is_check = self.breaker.is_open();
            let names: BTreeSet<Arc<str>> = {
                let mut state = self.state();
                if state.unwritten.is_empty() {
                    state.recovering = false;
                    return;
                }
                // One of them checks; when it succeeds, the others follow.
                match is_check {
                    true => state.unwritten.pop_first().into_iter().collect(),
                    false => mem::take(&mut state.unwritten),
                }
            };
            match is_check {
                true => {
                    for name in &names {
                        self.clone().write_again(name.clone()).await;
                    }
                }
                false => {
                    for name in names {
                        tokio::spawn(self.clone().write_again(name));
                    }
                }
            }
        }
    }

    async fn write_again(self: Arc<Self>, name: Arc<str>) {
        let key = {
            let mut state = self.state();
            let Some(slot) = state.slots.get_mut(&name) else {
                return;
            };
            let key = D::key(&slot.view);
            let Some(stored) = &mut slot.stored else {
                return;
            };
            if mem::replace(&mut stored.busy, true) {
                return;
            }
            key
        };
        self.write(name, key, Duration::ZERO).await;
    }
}

/// What the store said.
enum Answered {
    Written(Etag),
    Read(Option<(azure_core::Bytes, Etag)>),
    Conflict,
    Failed(StoreError),
}

fn read(found: Result<Option<super::Stored>, StoreError>) -> Answered {
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

/// Why a stored text is no document.
pub(super) enum Unreadable {
    /// A newer version of this program wrote it.
    Newer,
    Invalid(serde_json::Error),
}

/// The document in a stored text.
pub(super) fn parse<D: Document>(body: &[u8]) -> Result<D, Unreadable> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    match serde_json::from_slice::<Versioned>(body) {
        Ok(Versioned { version }) if version > VERSION => return Err(Unreadable::Newer),
        _ => {}
    }
    serde_json::from_slice(body).map_err(Unreadable::Invalid)
}

impl<D: Document> Stored<D> {
    fn confirm_all(&mut self) {
        self.synced = Some(Instant::now());
        self.conflicts = 0;
        mem::take(&mut self.writing)
            .into_iter()
            .for_each(|pending| pending.answer(true));
    }

    /// This document cannot be written now, though the store answers.
    fn give_up(&mut self) {
        self.conflicts = 0;
        self.base = Base::Unknown;
        mem::take(&mut self.writing)
            .into_iter()
            .for_each(|pending| pending.answer(false));
    }

    fn is_idle(&self) -> bool {
        !self.busy && self.waiting.is_empty() && self.writing.is_empty()
    }
}

impl<D: Document> State<D> {
    fn slot(&mut self, name: &str, key: &D::Key, is_stored: bool, is_new: bool) -> &mut Slot<D> {
        if !self.slots.contains_key(name) {
            let stored = is_stored.then(|| {
                Box::new(Stored {
                    base: match is_new {
                        true => Base::Absent,
                        false => Base::Unknown,
                    },
                    writing: Vec::new(),
                    waiting: Vec::new(),
                    busy: false,
                    synced: None,
                    conflicts: 0,
                    outdated: false,
                })
            });
            let view = D::new(key);
            self.slots.insert(name.into(), Slot { view, stored });
        }
        self.slots.get_mut(name).expect("it was inserted")
    }

    /// Bounds the memory: what is stored elsewhere is read again when it is needed, and of what is kept here alone the
    /// oldest that is finished gives way.
    fn forget(&mut self, limits: &Limits, now: time::OffsetDateTime, is_stored: bool) {
        let most = match is_stored {
            true => MOST_CACHED,
            false => D::MOST_KEPT,
        };
        // Each sweep reads all, so the next one waits until a quarter more is there.
        if self.slots.len() <= most || self.slots.len() < self.swept.saturating_mul(5) / 4 {
            return;
        }
        self.remove(most, |slot| match &slot.stored {
            Some(stored) => stored.is_idle(),
            None => slot.view.is_forgettable(limits, now),
        });
        if !is_stored {
            let most = most.saturating_mul(FAR_TOO_MANY);
            self.remove(most, |slot| slot.view.may_yield(limits, now));
        }
        self.swept = self.slots.len();
    }

    /// Removes the last ones that may go, beyond the first `most`. Names of incidents ascend from the newest to the oldest.
    fn remove(&mut self, most: usize, may_go: impl Fn(&Slot<D>) -> bool) {
        let gone: Vec<Arc<str>> = (self.slots.iter().rev())
            .filter(|(_, slot)| may_go(slot))
            .map(|(name, _)| name.clone())
            .take(self.slots.len().saturating_sub(most))
            .collect();
        for name in gone {
            self.slots.remove(&name);
        }
    }
}
