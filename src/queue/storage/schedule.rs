//! The messages of a storage queue that this process holds, and which one is next. Queue Storage hides them
//! from all processes, this one included, so that a due message is given out here without asking the service.

use crate::queue::{
    Message,
    turns::{Group, Turns},
};
use std::collections::{BTreeMap, HashMap};
use tokio::time::Instant;

/// When a message is due, then the order in which they came.
type Place = (Instant, u64);

struct Held {
    message: Message,
    group: Group,
    /// Queue Storage hides it until then, as far as this process knows.
    hidden_until: Instant,
    due: Instant,
    place: Where,
}

/// Where a held message is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// With a receiver, or being renewed.
    Out,
    /// Not due, or not seen to be.
    Waiting(Place),
    /// Due; by rank, then in the order in which they became due.
    Due((u64, u64)),
}

/// The messages that this process holds, in the order in which they are due.
#[derive(Default)]
pub(super) struct Schedule {
    held: HashMap<String, Held>,
    waiting: BTreeMap<Place, String>,
    due: BTreeMap<(u64, u64), String>,
    turns: Turns,
    /// Messages that are being put and may soon be held.
    last: u64,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    Take(Message),
    /// Due, but Queue Storage shows it to others too soon.
    Renew(Message),
    /// Nothing is due before that, or at all.
    Wait(Option<Instant>),
}

impl Schedule {
    /// The message that is due, out of the schedule until it is held again. `ahead` is how long it must at
    /// least stay hidden.
    pub fn next(&mut self, now: Instant, ahead: std::time::Duration) -> Turn {
        self.collect_due(now);
        let Some(((rank, _), id)) = self.due.pop_first() else {
            let next = self.waiting.first_key_value();
            return Turn::Wait(next.map(|((due, _), _)| *due));
        };
        self.turns.given_out(rank);
        let Some(held) = self.held.get_mut(&id) else {
            return self.next(now, ahead);
        };
        held.place = Where::Out;
        let message = held.message.clone();
        if held.hidden_until < now + ahead {
            Turn::Renew(message)
        } else {
            Turn::Take(message)
        }
    }

    /// Ranks the messages that have become due.
    fn collect_due(&mut self, now: Instant) {
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now
        {
            let ((_, number), id) = first.remove_entry();
            if let Some(held) = self.held.get_mut(&id) {
                let place = (self.turns.rank(held.group), number);
                held.place = Where::Due(place);
                self.due.insert(place, id);
            }
        }
    }

    /// A group for the messages of one alert.
    pub fn new_group(&mut self) -> Group {
        self.turns.new_group()
    }

    /// Holds a message that is given out when it is due, in its group or, when it is new here, in one of its own.
    pub fn wait(&mut self, message: Message, due: Instant, hidden_until: Instant) {
        let group = self.group(&message.message_id);
        self.wait_in(group, message, due, hidden_until);
    }

    /// Makes a message wait in this group until it is due.
    pub fn wait_in(&mut self, group: Group, message: Message, due: Instant, hidden_until: Instant) {
        self.release(&message.message_id);
        self.last += 1;
        let place = (due, self.last);
        let id = message.message_id.clone();
        self.waiting.insert(place, id.clone());
        let held = Held {
            message,
            group,
            hidden_until,
            due,
            place: Where::Waiting(place),
        };
        self.held.insert(id, held);
    }

    /// Holds a message that a worker has received.
    pub fn hold(&mut self, message: Message, now: Instant, hidden_until: Instant) {
        let id = message.message_id.clone();
        let group = self.group(&id);
        self.release(&id);
        let held = Held {
            message,
            group,
            hidden_until,
            due: now,
            place: Where::Out,
        };
        self.held.insert(id, held);
    }

    /// Whether no other process can have received this message by now.
    pub fn holds(&self, message: &Message, now: Instant) -> bool {
        let held = self.held.get(&message.message_id);
        held.is_some_and(|held| {
            held.message.pop_receipt == message.pop_receipt && held.hidden_until > now
        })
    }

    /// Until when Queue Storage hides a message from other processes.
    pub fn hidden_until(&self, message: &Message) -> Option<Instant> {
        let held = self.held.get(&message.message_id)?;
        Some(held.hidden_until)
    }

    /// When a message is or was due.
    pub fn due(&self, id: &str) -> Option<Instant> {
        self.held.get(id).map(|held| held.due)
    }

    /// No longer holds a message, unless it was received again in between.
    pub fn forget(&mut self, message: &Message) {
        let held = self.held.get(&message.message_id);
        if held.is_some_and(|held| held.message.pop_receipt == message.pop_receipt) {
            self.release(&message.message_id);
        }
    }

    fn release(&mut self, id: &str) -> Option<Held> {
        let held = self.held.remove(id)?;
        match held.place {
            Where::Waiting(place) => drop(self.waiting.remove(&place)),
            Where::Due(place) => drop(self.due.remove(&place)),
            Where::Out => {}
        }
        Some(held)
    }

    fn group(&mut self, id: &str) -> Group {
        match self.held.get(id) {
            Some(held) => held.group,
            None => self.turns.new_group(),
        }
    }

    /// Forgets messages whose receivers never came back: others see them by now.
    pub fn forget_abandoned(&mut self, now: Instant) {
        self.held
            .retain(|_, held| held.place != Where::Out || held.hidden_until > now);
    }

    /// Messages held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Everything held, with the instants when it is due.
    pub fn drain(&mut self) -> Vec<(Message, Instant)> {
        self.waiting.clear();
        self.due.clear();
        let held = self.held.drain();
        held.map(|(_, held)| (held.message, held.due)).collect()
    }
}

#[cfg(test)]
mod tests;
