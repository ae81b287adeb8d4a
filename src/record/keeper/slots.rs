//! What a keeper holds of its documents: each as it is here, what is known of its text in the store, and the changes that
//! are still to be written.

use super::{
    super::{Etag, document::Document},
    Confirmed,
};
use crate::incident::Limits;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
};
use tokio::{sync::oneshot, time::Instant};

/// Maximum number of documents kept here that are stored elsewhere, and that nothing here waits for.
const MOST_CACHED: usize = 10_000;
/// Where documents are kept here alone: beyond this many times their usual number, those go too that are still of use.
const FAR_TOO_MANY: usize = 2;

/// The documents, and what is left to be done for them.
pub(super) struct State<D: Document> {
    pub slots: BTreeMap<Arc<str>, Slot<D>>,
    /// What could not be written.
    pub unwritten: BTreeSet<Arc<str>>,
    /// How many tasks write.
    pub busy: usize,
    /// A task waits for the store to answer again.
    pub recovering: bool,
    /// How many documents there were after the last time that some were forgotten.
    pub swept: usize,
}

/// A document as it is here.
pub(super) struct Slot<D: Document> {
    /// With all changes.
    pub view: D,
    /// Boxed, since documents that are kept in this process alone have none.
    pub stored: Option<Box<Stored<D>>>,
}

/// How a document and its text in the store differ.
pub(super) struct Stored<D: Document> {
    pub base: Base,
    /// Changes that are being written.
    pub writing: Vec<Pending<D>>,
    /// Changes that come after them.
    pub waiting: Vec<Pending<D>>,
    /// A task writes.
    pub busy: bool,
    /// When it was last the same as in the store.
    pub synced: Option<Instant>,
    pub conflicts: u32,
    /// Another process has written it.
    pub outdated: bool,
}

/// What is known of a document's text in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    Unknown,
    Absent,
    At(Etag),
}

/// A change that is not written.
pub(super) struct Pending<D: Document> {
    pub change: D::Change,
    pub verdict: D::Verdict,
    pub changed: bool,
    pub answer: Option<oneshot::Sender<Confirmed<D::Verdict>>>,
}

impl<D: Document> Pending<D> {
    pub(super) fn answer(self, by_store: bool) {
        if let Some(answer) = self.answer {
            let verdict = self.verdict;
            // Nothing waits for it any more.
            let _ = answer.send(Confirmed { verdict, by_store });
        }
    }
}

impl<D: Document> Stored<D> {
    pub(super) fn confirm_all(&mut self) {
        self.synced = Some(Instant::now());
        self.conflicts = 0;
        mem::take(&mut self.writing)
            .into_iter()
            .for_each(|pending| pending.answer(true));
    }

    /// This document cannot be written now, though the store answers.
    pub(super) fn give_up(&mut self) {
        self.conflicts = 0;
        self.base = Base::Unknown;
        mem::take(&mut self.writing)
            .into_iter()
            .for_each(|pending| pending.answer(false));
    }

    pub(super) fn is_idle(&self) -> bool {
        !self.busy && self.waiting.is_empty() && self.writing.is_empty()
    }
}

impl<D: Document> State<D> {
    pub(super) fn slot(
        &mut self,
        name: &str,
        key: &D::Key,
        is_stored: bool,
        is_new: bool,
    ) -> &mut Slot<D> {
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
    pub(super) fn forget(&mut self, limits: &Limits, now: time::OffsetDateTime, is_stored: bool) {
        let most = match is_stored {
            true => MOST_CACHED,
            false => D::MOST_KEPT,
        };
        // Each sweep reads all, so the next one waits until a quarter more is there.
        if self.slots.len() <= most || self.slots.len() < self.swept.saturating_mul(5) / 4 {
            return;
        }
        self.remove(most, |slot| {
            let may_go = match &slot.stored {
                Some(stored) => stored.is_idle(),
                None => slot.view.is_forgettable(limits, now),
            };
            may_go.then_some(now)
        });
        if !is_stored {
            let most = most.saturating_mul(FAR_TOO_MANY);
            self.remove(most, |slot| slot.view.may_yield(limits, now));
        }
        self.swept = self.slots.len();
    }

    /// Removes those that may go, the oldest first, as long as there are more than `most`. Of two that are equally old the
    /// last goes: names of incidents ascend from the newest to the oldest.
    fn remove(&mut self, most: usize, may_go: impl Fn(&Slot<D>) -> Option<time::OffsetDateTime>) {
        let more = self.slots.len().saturating_sub(most);
        let mut gone: Vec<_> = (self.slots.iter().rev())
            .filter_map(|(name, slot)| Some((may_go(slot)?, name.clone())))
            .collect();
        gone.sort_by_key(|(since, _)| *since);
        for (_, name) in gone.into_iter().take(more) {
            self.slots.remove(&name);
        }
    }
}
