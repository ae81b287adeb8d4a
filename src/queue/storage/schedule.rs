//! The messages of a storage queue that this process holds, and which one is next. Queue Storage hides them
//! from everybody, this process included, so that a due message is given out here without asking the service.

use crate::queue::Message;
use std::collections::{BTreeMap, HashMap};
use tokio::time::Instant;

/// When a message is due, then the order in which they came.
type Place = (Instant, u64);

struct Held {
    message: Message,
    /// Queue Storage hides it until then, as far as this process knows.
    hidden_until: Instant,
    due: Instant,
    /// `None` while somebody works on it or renews it.
    place: Option<Place>,
}

/// See the file's head.
#[derive(Default)]
pub(super) struct Schedule {
    held: HashMap<String, Held>,
    waiting: BTreeMap<Place, String>,
    /// Messages that are being put and may soon be held.
    reserved: usize,
    last: u64,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
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
        let Some((&place, id)) = self.waiting.first_key_value() else {
            return Turn::Wait(None);
        };
        if place.0 > now {
            return Turn::Wait(Some(place.0));
        }
        let id = id.clone();
        self.waiting.remove(&place);
        let Some(held) = self.held.get_mut(&id) else {
            return self.next(now, ahead);
        };
        held.place = None;
        let message = held.message.clone();
        if held.hidden_until < now + ahead {
            Turn::Renew(message)
        } else {
            Turn::Take(message)
        }
    }

    /// Holds a message that is given out when it is due.
    pub fn wait(&mut self, message: Message, due: Instant, hidden_until: Instant) {
        self.release(&message.message_id);
        self.last += 1;
        let place = (due, self.last);
        let id = message.message_id.clone();
        self.waiting.insert(place, id.clone());
        let held = Held {
            message,
            hidden_until,
            due,
            place: Some(place),
        };
        self.held.insert(id, held);
    }

    /// Holds a message that somebody works on.
    pub fn hold(&mut self, message: Message, now: Instant, hidden_until: Instant) {
        let id = message.message_id.clone();
        self.release(&id);
        let held = Held {
            message,
            hidden_until,
            due: now,
            place: None,
        };
        self.held.insert(id, held);
    }

    /// When a message is or was due.
    /// Whether nobody else can have received this message by now.
    pub fn holds(&self, message: &Message, now: Instant) -> bool {
        let held = self.held.get(&message.message_id);
        held.is_some_and(|held| {
            held.message.pop_receipt == message.pop_receipt && held.hidden_until > now
        })
    }

    pub fn due(&self, id: &str) -> Option<Instant> {
        self.held.get(id).map(|held| held.due)
    }

    /// No longer holds a message, unless it was received anew in between.
    pub fn forget(&mut self, message: &Message) {
        let held = self.held.get(&message.message_id);
        if held.is_some_and(|held| held.message.pop_receipt == message.pop_receipt) {
            self.release(&message.message_id);
        }
    }

    fn release(&mut self, id: &str) -> Option<Held> {
        let held = self.held.remove(id)?;
        if let Some(place) = held.place {
            self.waiting.remove(&place);
        }
        Some(held)
    }

    /// Makes room for messages, or says how many there are.
    pub fn reserve(&mut self, count: usize, capacity: usize, now: Instant) -> Result<(), usize> {
        // Whoever worked on these never came back, and others see them by now.
        self.held
            .retain(|_, held| held.place.is_some() || held.hidden_until > now);
        let waiting = self.len();
        if waiting + count > capacity {
            return Err(waiting);
        }
        self.reserved += count;
        Ok(())
    }

    pub fn unreserve(&mut self, count: usize) {
        self.reserved -= count;
    }

    /// Messages held or being put.
    pub fn len(&self) -> usize {
        self.held.len() + self.reserved
    }

    /// Everything held, with the instants when it is due.
    pub fn drain(&mut self) -> Vec<(Message, Instant)> {
        self.waiting.clear();
        let held = self.held.drain();
        held.map(|(_, held)| (held.message, held.due)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const AHEAD: Duration = Duration::from_secs(60);

    fn message(id: &str, receipt: &str) -> Message {
        Message {
            message_id: id.to_owned(),
            pop_receipt: receipt.to_owned(),
            delivered: 0,
            body: String::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_is_first_and_what_is_nearly_visible_is_renewed() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let mut schedule = Schedule::default();
        schedule.wait(message("late", "1"), after(10), after(130));
        schedule.wait(message("a", "1"), now, after(120));
        schedule.wait(message("b", "1"), now, after(59));
        assert_eq!(
            schedule.next(now, AHEAD),
            Turn::Take(message("a", "1")),
            "first come, first served"
        );
        assert_eq!(schedule.next(now, AHEAD), Turn::Renew(message("b", "1")));
        assert_eq!(schedule.next(now, AHEAD), Turn::Wait(Some(after(10))));
        schedule.wait(message("b", "2"), now, after(120));
        assert_eq!(schedule.next(now, AHEAD), Turn::Take(message("b", "2")));
        assert_eq!(
            schedule.next(after(71), AHEAD),
            Turn::Renew(message("late", "1"))
        );
        assert_eq!(schedule.next(after(71), AHEAD), Turn::Wait(None));
    }

    #[tokio::test(start_paused = true)]
    async fn room_is_counted_and_abandoned_messages_do_not_take_it() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        assert_eq!(schedule.reserve(2, 2, now), Ok(()));
        assert_eq!(schedule.reserve(1, 2, now), Err(2));
        schedule.unreserve(2);
        schedule.wait(message("a", "1"), now, now + AHEAD);
        schedule.hold(message("b", "1"), now, now + AHEAD);
        assert_eq!(schedule.reserve(1, 2, now), Err(2));
        assert_eq!(schedule.reserve(1, 2, now + AHEAD), Ok(()));
        assert_eq!(schedule.len(), 2, "one waits, one is being put");
    }

    #[tokio::test(start_paused = true)]
    async fn a_receipt_that_is_old_forgets_nothing() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        schedule.hold(message("a", "1"), now, now + AHEAD);
        schedule.wait(message("a", "2"), now, now + AHEAD);
        schedule.forget(&message("a", "1"));
        assert_eq!(schedule.len(), 1);
        schedule.forget(&message("a", "2"));
        assert_eq!(schedule.next(now, AHEAD), Turn::Wait(None));
        schedule.wait(message("b", "1"), now + AHEAD, now + AHEAD);
        assert_eq!(schedule.drain(), [(message("b", "1"), now + AHEAD)]);
        assert_eq!(schedule.len(), 0);
    }
}
