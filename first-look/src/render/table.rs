//! What text and page both show: rows with a bar, sums of many seconds, lists of the largest.

use crate::figures::{Figures, Times};
use crate::words::{Words, time};

/// A name, its value in words, and the value that its bar is drawn for.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub name: String,
    pub words: String,
    pub value: u64,
}

/// A time span of the file: packets and bytes sent, received, and neither.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    /// Seconds since the first packet.
    pub start: i64,
    pub packets: [u64; 3],
    pub bytes: [u64; 3],
}

/// The seconds of the file in at most `columns` spans of equal length, and that length in seconds. A file with time
/// stamps far apart has most of its spans empty.
pub(super) fn spans(figures: &Figures, columns: usize) -> (i64, Vec<Span>) {
    let rows = &figures.per_second.rows;
    let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) else {
        return (1, Vec::new());
    };
    let seconds = last
        .saturating_sub(*first)
        .saturating_add(figures.per_second.width.max(1));
    let width = (seconds / columns as i64 + i64::from(seconds % columns as i64 != 0)).max(1);
    let count = (seconds / width + i64::from(seconds % width != 0)).clamp(1, columns as i64);
    let mut spans: Vec<Span> = (0..count)
        .map(|index| Span {
            start: first.saturating_add(index * width),
            ..Span::default()
        })
        .collect();
    for (start, bucket) in rows {
        let index = (start.saturating_sub(*first) / width) as usize;
        let Some(span) = spans.get_mut(index.min(count as usize - 1)) else {
            continue;
        };
        let other = bucket
            .packets
            .saturating_sub(bucket.sent_packets + bucket.received_packets);
        let other_bytes = bucket
            .bytes
            .saturating_sub(bucket.sent_bytes + bucket.received_bytes);
        for (sum, value) in
            span.packets
                .iter_mut()
                .zip([bucket.sent_packets, bucket.received_packets, other])
        {
            *sum += value;
        }
        for (sum, value) in
            span.bytes
                .iter_mut()
                .zip([bucket.sent_bytes, bucket.received_bytes, other_bytes])
        {
            *sum += value;
        }
    }
    (width, spans)
}

/// A host and its bytes: from the VM to it and back; where the VM is not known, received and sent by the host.
pub(super) struct Talker {
    pub name: String,
    pub bytes: [u64; 2],
}

/// Hosts with most bytes. Where the VM is known, they are those that it talked to.
pub(super) fn talkers(words: &Words<'_>, count: usize) -> Vec<Talker> {
    let figures = words.figures;
    let talker = |address, bytes| Talker {
        name: words.host(address).full,
        bytes,
    };
    if figures.vm.is_empty() {
        let hosts = figures.hosts.iter().take(count);
        return hosts
            .map(|host| talker(host.address, [host.received_bytes, host.sent_bytes]))
            .collect();
    }
    let with_vm = figures
        .conversations
        .iter()
        .filter(|row| figures.is_vm(row.a));
    with_vm
        .take(count)
        .map(|row| talker(row.b, row.bytes))
        .collect()
}

/// The same as rows.
pub(super) fn talker_rows(words: &Words<'_>, count: usize) -> Vec<Row> {
    let rows = talkers(words, count).into_iter().map(|talker| Row {
        words: talker.words(words),
        value: talker.bytes.iter().sum(),
        name: talker.name,
    });
    rows.collect()
}

impl Talker {
    /// From the VM's side, or the host's.
    pub fn words(&self, words: &Words<'_>) -> String {
        let [to, from] = self.bytes.map(crate::words::bytes);
        match words.figures.vm.is_empty() {
            true => format!("{from} sent, {to} received"),
            false => format!("{to} sent, {from} received"),
        }
    }
}

/// How many times are in each range.
pub(super) fn times(times: &Times) -> Vec<Row> {
    let mut rows: Vec<Row> = times
        .shape
        .iter()
        .enumerate()
        .map(|(index, count)| {
            let name = match (
                index.checked_sub(1).map(|at| Times::BOUNDS[at]),
                Times::BOUNDS.get(index),
            ) {
                (None, _) => "under 1 ms".to_owned(),
                (Some(low), None) => format!("from {}", short(low)),
                (Some(low), Some(high)) => format!("{} to {}", short(low), short(*high)),
            };
            Row {
                name,
                words: crate::words::number(*count),
                value: *count,
            }
        })
        .collect();
    while rows.last().is_some_and(|row| row.value == 0) {
        rows.pop();
    }
    let empty = rows.iter().take_while(|row| row.value == 0).count();
    rows.split_off(empty)
}

/// A bound that is a round number of its unit.
fn short(nanoseconds: i64) -> String {
    match nanoseconds {
        1_000_000_000.. => format!("{} s", nanoseconds / 1_000_000_000),
        _ => format!("{} ms", nanoseconds / 1_000_000),
    }
}

/// Count, median, 95th percentile and longest in words.
pub(super) fn times_words(times: &Times) -> String {
    let about = if times.exact { "" } else { "about " };
    format!(
        "median {about}{}, 95 % under {about}{}, longest {}",
        time(times.p50),
        time(times.p95),
        time(times.max)
    )
}
