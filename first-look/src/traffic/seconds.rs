//! Packets and bytes per second since the first packet. Time stamps can be decades apart, so only seconds with packets
//! are kept, and their width doubles when there are too many.

use std::collections::HashMap;

use super::own::Direction;

/// Packets and bytes of one second: all, sent by the VM, received by it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    pub packets: u64,
    pub bytes: u64,
    pub sent_packets: u64,
    pub sent_bytes: u64,
    pub received_packets: u64,
    pub received_bytes: u64,
}

impl Bucket {
    fn add(&mut self, other: &Bucket) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.sent_packets += other.sent_packets;
        self.sent_bytes += other.sent_bytes;
        self.received_packets += other.received_packets;
        self.received_bytes += other.received_bytes;
    }
}

pub(crate) struct Seconds {
    buckets: HashMap<i64, Bucket>,
    limit: usize,
    width: i64,
    /// The bucket of the packet before, not yet in `buckets`.
    latest: Option<(i64, Bucket)>,
}

impl Seconds {
    pub fn new(limit: usize) -> Seconds {
        Seconds {
            buckets: HashMap::new(),
            limit: limit.max(2),
            width: 1,
            latest: None,
        }
    }

    /// `since` is the time since the file's first packet.
    pub fn add(&mut self, since: i64, length: u32, direction: Direction) {
        let key = since.div_euclid(1_000_000_000).div_euclid(self.width);
        if self.latest.is_none_or(|(latest, _)| latest != key) {
            self.flush();
            // The flush may have changed the width.
            self.latest = Some((
                since.div_euclid(1_000_000_000).div_euclid(self.width),
                Bucket::default(),
            ));
        }
        if let Some((_, bucket)) = &mut self.latest {
            let length = u64::from(length);
            bucket.packets += 1;
            bucket.bytes += length;
            match direction {
                Direction::Sent => {
                    (bucket.sent_packets, bucket.sent_bytes) =
                        (bucket.sent_packets + 1, bucket.sent_bytes + length)
                }
                Direction::Received => {
                    (bucket.received_packets, bucket.received_bytes) =
                        (bucket.received_packets + 1, bucket.received_bytes + length);
                }
                Direction::Neither => {}
            }
        }
    }

    /// Gives packets of before the VM's address was known their direction.
    pub fn direct(&mut self, since: i64, length: u32, direction: Direction) {
        let key = since.div_euclid(1_000_000_000).div_euclid(self.width);
        self.flush();
        let (bucket, length) = (self.buckets.entry(key).or_default(), u64::from(length));
        match direction {
            Direction::Sent => {
                (bucket.sent_packets, bucket.sent_bytes) =
                    (bucket.sent_packets + 1, bucket.sent_bytes + length)
            }
            Direction::Received => {
                (bucket.received_packets, bucket.received_bytes) =
                    (bucket.received_packets + 1, bucket.received_bytes + length);
            }
            Direction::Neither => {}
        }
    }

    fn flush(&mut self) {
        let Some((key, bucket)) = self.latest.take() else {
            return;
        };
        self.buckets.entry(key).or_default().add(&bucket);
        while self.buckets.len() > self.limit {
            self.width *= 2;
            let mut wider: HashMap<i64, Bucket> = HashMap::new();
            for (key, bucket) in self.buckets.drain() {
                wider.entry(key.div_euclid(2)).or_default().add(&bucket);
            }
            self.buckets = wider;
        }
    }

    pub fn held(&self) -> usize {
        self.buckets.len()
    }

    /// Width of a bucket in seconds, and the buckets in order: start in seconds since the first packet.
    pub fn finish(mut self) -> (i64, Vec<(i64, Bucket)>) {
        self.flush();
        let width = self.width;
        let mut rows: Vec<(i64, Bucket)> = self
            .buckets
            .into_iter()
            .map(|(key, bucket)| (key.saturating_mul(width), bucket))
            .collect();
        rows.sort_unstable_by_key(|(start, _)| *start);
        (width, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_cost_no_memory_and_nothing_is_lost() {
        let mut seconds = Seconds::new(64);
        let decades = 68 * 365 * 86_400_i64;
        for step in 0..10_000 {
            seconds.add(
                (decades / 10_000 * step - 5) * 1_000_000_000,
                100,
                Direction::Sent,
            );
            assert!(seconds.held() <= 65);
        }
        let (width, rows) = seconds.finish();
        assert!(width > 1 && rows.len() <= 64);
        assert_eq!(
            rows.iter()
                .map(|(_, bucket)| bucket.sent_packets)
                .sum::<u64>(),
            10_000
        );
    }
}
