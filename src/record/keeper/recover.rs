//! What is written later: changes that meet a store which does not answer are kept, and written once it answers again.

use super::{super::document::Document, Confirmed, Keeper, slots::State};
use std::{collections::BTreeSet, mem, sync::Arc, time::Duration};

impl<D: Document> Keeper<D> {
    /// The store does not answer: what waits for it is answered by what this process knows, and the changes are kept.
    pub(super) fn put_off(self: &Arc<Self>, state: &mut State<D>, name: &Arc<str>) {
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
