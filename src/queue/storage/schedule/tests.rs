//! Which held message is next, and when.

use super::*;
use std::time::Duration;

const AHEAD: Duration = Duration::from_secs(60);

fn message(id: &str, receipt: &str) -> Message {
    Message {
        message_id: id.to_owned(),
        pop_receipt: receipt.to_owned(),
        delivered: 0,
        job: "".into(),
        replaces: None,
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
async fn abandoned_messages_are_forgotten() {
    let now = Instant::now();
    let mut schedule = Schedule::default();
    schedule.wait(message("a", "1"), now, now + AHEAD);
    schedule.hold(message("b", "1"), now, now + AHEAD);
    schedule.forget_abandoned(now);
    assert_eq!(schedule.len(), 2);
    schedule.forget_abandoned(now + AHEAD);
    assert_eq!(schedule.len(), 1, "one waits");
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
