//! Much data at once over a path that loses some of it: the receiver asks for what is missing with duplicate ACKs, and
//! the sender sends it again.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::io;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use super::message;
use super::talk::Talk;

/// Bytes of a segment: what Azure's network carries without fragments.
const SEGMENT: usize = 1_400;
/// Duplicate ACKs after which a segment is sent again (RFC 5681, section 3.2).
const DUPLICATES: u32 = 3;
const TURN: Duration = Duration::from_micros(40);

/// How the data is sent.
pub(super) struct Burst {
    pub segments: usize,
    /// Mean time between segments.
    pub gap: Duration,
    pub round_trip: Duration,
    /// Share of segments that are lost behind the VM.
    pub loss: f64,
}

/// Sends the burst from the client of an open stream.
pub(super) fn send(talk: &mut Talk, burst: &Burst, random: &mut StdRng) -> io::Result<()> {
    let way = burst.round_trip / 2;
    // Numbers of segments by the time at which they arrive.
    let mut arrivals = BinaryHeap::new();
    let mut sent = Vec::with_capacity(burst.segments);
    for number in 0..burst.segments {
        talk.wait(burst.gap.mul_f64(random.random_range(0.4..1.6)));
        let payload = message::noise(random, SEGMENT);
        sent.push(talk.send(0, &payload)?);
        // The last ones arrive: nothing after them would ask for them.
        let is_last = number + DUPLICATES as usize >= burst.segments;
        if is_last || !random.random_bool(burst.loss) {
            arrivals.push(Reverse((talk.now + way, number)));
        }
    }
    let end = talk.now;
    let (mut expected, mut duplicates, mut beyond) = (0, 0, BTreeSet::new());
    while let Some(Reverse((at, number))) = arrivals.pop() {
        talk.now = at + way;
        if number != expected {
            beyond.insert(number);
            talk.ack_to(1, sent[expected])?;
            duplicates += 1;
            if duplicates == DUPLICATES {
                talk.wait(TURN);
                let payload = message::noise(random, SEGMENT);
                talk.again(0, sent[expected], &payload)?;
                arrivals.push(Reverse((talk.now + way, expected)));
            }
            continue;
        }
        expected += 1;
        while beyond.remove(&expected) {
            expected += 1;
        }
        let is_asked_for = std::mem::take(&mut duplicates) > 0;
        if is_asked_for || expected.is_multiple_of(2) || expected == sent.len() {
            match sent.get(expected) {
                Some(next) => talk.ack_to(1, *next)?,
                None => talk.ack(1)?,
            }
        }
    }
    talk.now = talk.now.max(end);
    Ok(())
}
