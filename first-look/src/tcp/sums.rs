//! Sums over finished streams: outcomes by endpoint, resets, retransmissions by direction, closed windows, scans.

use std::collections::HashSet;

use super::rules::Mark;
use super::stream::{Outcome, Stream, UNSET};
use crate::address::{Address, Endpoint};
use crate::spread::Spread;
use crate::tally::{Tally, Weight};

/// An attempt this short before the file's end may still be answered: the first repetition of a SYN comes after 1 s
/// (RFC 6298, section 2.1).
pub(crate) const TOO_LATE: i64 = 1_000_000_000;

/// Attempts at one endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndpointSums {
    pub attempts: u64,
    pub answered: u64,
    pub no_answer: u64,
    pub refused: u64,
    pub other: u64,
    /// Of `no_answer`: so close to the file's end that the answer may have come later.
    pub too_late: u64,
    /// Of `no_answer`: the client's next packets show that it was answered; the answer is not in the file.
    pub answer_missing: u64,
    /// Who asked, if it is one address only.
    pub client: Option<Address>,
    pub more_clients: bool,
    pub round_trips: u64,
    pub round_trip_sum: i64,
    pub round_trip_most: i64,
}

impl EndpointSums {
    /// Attempts of which it can be said that nothing came back.
    pub fn silent(&self) -> u64 {
        self.no_answer
            .saturating_sub(self.too_late)
            .saturating_sub(self.answer_missing)
    }
}

impl Weight for EndpointSums {
    fn weight(&self) -> u64 {
        self.attempts
    }
}

/// Resets before a FIN, by their sender and the server's endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResetSums {
    pub count: u64,
    pub idle_most: i64,
    pub idle_sum: i64,
}

impl Weight for ResetSums {
    fn weight(&self) -> u64 {
        self.count
    }
}

/// Data from one address to another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quality {
    pub data_packets: u64,
    pub data_again: u64,
    /// Of `data_again`: in the file twice, and not sent again.
    pub doubles: u64,
    pub packets: u64,
    pub marks: [u64; Mark::COUNT],
}

impl Quality {
    pub fn of(&self, mark: Mark) -> u64 {
        self.marks[mark as usize]
    }
}

impl Weight for Quality {
    fn weight(&self) -> u64 {
        self.packets
    }
}

/// Times that a receiver had no room, by the receiver, who sent to it, and the server among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ZeroWindows {
    pub times: u64,
    pub longest: i64,
    pub total: i64,
    /// Windows still closed at the end of their stream in the file.
    pub still_closed: u64,
}

impl Weight for ZeroWindows {
    fn weight(&self) -> u64 {
        self.times
    }
}

#[derive(Debug, Clone)]
pub(crate) struct TcpSums {
    pub answered: u64,
    pub no_answer: u64,
    pub refused: u64,
    pub other: u64,
    pub midstream: u64,
    pub too_late: u64,
    pub answer_missing: u64,
    pub one_sided: u64,
    pub reset_streams: u64,
    /// Streams that were open: answered, or without their beginning in the file.
    pub open_streams: u64,
    pub endpoints: Tally<Endpoint, EndpointSums>,
    pub resets_by_sender: Tally<Address>,
    pub resets: Tally<(Address, Endpoint), ResetSums>,
    pub quality: Tally<(Address, Address), Quality>,
    pub zero_windows: Tally<(Address, Address, Endpoint), ZeroWindows>,
    pub initial_rtt: Spread,
    failed: HashSet<(Address, Endpoint)>,
    failed_limit: usize,
    pub failed_beyond: bool,
}

impl TcpSums {
    pub fn new(streams: usize) -> TcpSums {
        // Fewer keys than streams: sums are for what is listed, streams for what is counted.
        let limit = (streams / 4).max(16);
        TcpSums {
            answered: 0,
            no_answer: 0,
            refused: 0,
            other: 0,
            midstream: 0,
            too_late: 0,
            answer_missing: 0,
            one_sided: 0,
            reset_streams: 0,
            open_streams: 0,
            endpoints: Tally::new(limit),
            resets_by_sender: Tally::new(limit),
            resets: Tally::new(limit),
            quality: Tally::new(limit),
            zero_windows: Tally::new(limit),
            initial_rtt: Spread::default(),
            failed: HashSet::new(),
            failed_limit: streams,
            failed_beyond: false,
        }
    }

    /// Adds a finished stream. `end` is the time of the file's last packet, if that is known.
    pub fn fold(&mut self, stream: &Stream, end: Option<i64>) {
        let client = stream.client();
        let (asking, server) = (stream.ends[client], stream.ends[1 - client]);
        let outcome = stream.outcome();
        let one_sided = stream.is_one_sided();
        self.one_sided += u64::from(one_sided);
        if stream.initial_rtt != UNSET {
            self.initial_rtt.add(stream.initial_rtt);
        }
        if outcome == Outcome::Midstream {
            self.midstream += 1;
        } else {
            self.fold_attempt(stream, outcome, asking, server, one_sided, end);
        }
        self.fold_quality(stream);
        let open = matches!(outcome, Outcome::Answered | Outcome::Midstream);
        self.open_streams += u64::from(open);
        if let Some(rare) = &stream.rare {
            for side in 0..2 {
                let sent = u64::from(stream.sides[side].rst);
                if sent > 0 {
                    self.resets_by_sender.add(stream.ends[side].address, sent);
                }
            }
            if let Some(reset) = rare.reset.filter(|reset| open && !reset.after_fin) {
                self.reset_streams += 1;
                let sums = self.resets.entry((stream.ends[reset.side].address, server));
                sums.count += 1;
                sums.idle_most = sums.idle_most.max(reset.idle);
                sums.idle_sum = sums.idle_sum.saturating_add(reset.idle);
            }
            self.fold_windows(stream);
        }
    }

    fn fold_attempt(
        &mut self,
        stream: &Stream,
        outcome: Outcome,
        asking: Endpoint,
        server: Endpoint,
        one_sided: bool,
        end: Option<i64>,
    ) {
        let sums = self.endpoints.entry(server);
        match sums.client {
            None if sums.attempts == 0 => sums.client = Some(asking.address),
            Some(known) if known != asking.address => sums.more_clients = true,
            _ => {}
        }
        sums.attempts += 1;
        if stream.initial_rtt != UNSET && outcome == Outcome::Answered {
            sums.round_trips += 1;
            sums.round_trip_sum = sums.round_trip_sum.saturating_add(stream.initial_rtt);
            sums.round_trip_most = sums.round_trip_most.max(stream.initial_rtt);
        }
        let late = end.is_some_and(|end| end.saturating_sub(stream.first) < TOO_LATE);
        match outcome {
            Outcome::Answered => {
                (self.answered, sums.answered) = (self.answered + 1, sums.answered + 1)
            }
            Outcome::Refused => (self.refused, sums.refused) = (self.refused + 1, sums.refused + 1),
            Outcome::Other | Outcome::Midstream => {
                (self.other, sums.other) = (self.other + 1, sums.other + 1)
            }
            Outcome::NoAnswer => {
                (self.no_answer, sums.no_answer) = (self.no_answer + 1, sums.no_answer + 1);
                let (late, missing) = (u64::from(late && !one_sided), u64::from(one_sided));
                (self.too_late, sums.too_late) = (self.too_late + late, sums.too_late + late);
                (self.answer_missing, sums.answer_missing) =
                    (self.answer_missing + missing, sums.answer_missing + missing);
            }
        }
        if matches!(outcome, Outcome::NoAnswer | Outcome::Refused) {
            if self.failed.len() < self.failed_limit {
                self.failed.insert((asking.address, server));
            } else {
                self.failed_beyond |= !self.failed.contains(&(asking.address, server));
            }
        }
    }

    fn fold_quality(&mut self, stream: &Stream) {
        for side in 0..2 {
            let own = &stream.sides[side];
            if own.packets == 0 {
                continue;
            }
            let sums = self
                .quality
                .entry((stream.ends[side].address, stream.ends[1 - side].address));
            sums.packets += u64::from(own.packets);
            sums.data_packets += u64::from(own.data_packets);
            sums.data_again += u64::from(own.data_again);
            if let Some(rare) = &stream.rare {
                sums.doubles += u64::from(rare.doubles[side]);
                for (sum, count) in sums.marks.iter_mut().zip(rare.marks[side]) {
                    *sum += u64::from(count);
                }
            }
        }
    }

    fn fold_windows(&mut self, stream: &Stream) {
        let Some(rare) = &stream.rare else { return };
        for side in (0..2).filter(|side| rare.closed_times[*side] > 0) {
            let (receiver, sender) = (stream.ends[side].address, stream.ends[1 - side].address);
            let server = stream.ends[1 - stream.client()];
            let sums = self.zero_windows.entry((receiver, sender, server));
            let open =
                rare.closed_since[side].map(|since| stream.last.saturating_sub(since).max(0));
            sums.times += u64::from(rare.closed_times[side]);
            sums.longest = sums
                .longest
                .max(rare.closed_longest[side])
                .max(open.unwrap_or(0));
            sums.total = sums
                .total
                .saturating_add(rare.closed_total[side])
                .saturating_add(open.unwrap_or(0));
            sums.still_closed += u64::from(open.is_some());
        }
    }

    /// Hosts and endpoints that did not answer or refused, by who asked; the one with most endpoints first.
    pub fn failed_by_client(&self) -> Vec<(Address, usize, usize)> {
        let mut all: Vec<_> = self.failed.iter().copied().collect();
        all.sort_unstable();
        let mut clients: Vec<(Address, usize, usize)> = Vec::new();
        let mut host = None;
        for (client, server) in all {
            match clients.last_mut() {
                Some((known, hosts, endpoints)) if *known == client => {
                    *hosts += usize::from(host != Some(server.address));
                    *endpoints += 1;
                }
                _ => clients.push((client, 1, 1)),
            }
            host = Some(server.address);
        }
        clients.sort_by(|one, other| other.2.cmp(&one.2).then(one.0.cmp(&other.0)));
        clients
    }
}
