//! DNS on port 53: queries, responses, and which answers which. Header and first name are own code: a whole message
//! need not be valid for its query to count, and `simple-dns` refuses such a one.
//! <https://www.rfc-editor.org/rfc/rfc1035#section-4>

use std::collections::HashMap;

use super::assembly::Taken;
use crate::address::{Address, Endpoint, Pair};
use crate::spread::Spread;
use crate::tally::{Tally, Weight};

const HEADER: usize = 12;
/// A query with the id of one that is younger than this and not answered is that query again.
const REPEATED_WITHIN: i64 = 5_000_000_000;
/// A query this short before the file's end may still be answered: resolvers ask again after 1 s or more.
const TOO_LATE: i64 = 1_000_000_000;

/// What one server was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerSums {
    pub queries: u64,
    pub repeated: u64,
    pub answered: u64,
    /// Responses with an rcode other than NOERROR and NXDOMAIN.
    pub failed: u64,
    pub too_late: u64,
    pub slowest: i64,
}

impl ServerSums {
    pub fn unanswered(&self) -> u64 {
        self.queries
            .saturating_sub(self.repeated)
            .saturating_sub(self.answered)
    }

    /// Of those, the ones that had time for an answer.
    pub fn silent(&self) -> u64 {
        self.unanswered().saturating_sub(self.too_late)
    }
}

impl Weight for ServerSums {
    fn weight(&self) -> u64 {
        self.queries
    }
}

struct Transaction {
    server: Address,
    asked: i64,
    answered: bool,
}

pub(crate) struct Dns {
    transactions: HashMap<(Pair, u16), Transaction>,
    limit: usize,
    pub queries: u64,
    pub responses: u64,
    pub repeated: u64,
    pub repeated_responses: u64,
    pub answered: u64,
    pub too_late: u64,
    pub rcodes: Tally<u8>,
    pub failed: Tally<(u8, String)>,
    pub asked: Tally<String>,
    pub servers: Tally<Address, ServerSums>,
    pub times: Spread,
    /// Open transactions that were forgotten because there were too many.
    pub forgotten: u64,
}

pub(crate) fn rcode_name(code: u8) -> String {
    match code {
        0 => "NOERROR".into(),
        1 => "FORMERR".into(),
        2 => "SERVFAIL".into(),
        3 => "NXDOMAIN".into(),
        4 => "NOTIMP".into(),
        5 => "REFUSED".into(),
        other => other.to_string(),
    }
}

impl Dns {
    pub fn new(limit: usize) -> Dns {
        let names = (limit / 8).max(16);
        Dns {
            transactions: HashMap::new(),
            limit: limit.max(2),
            queries: 0,
            responses: 0,
            repeated: 0,
            repeated_responses: 0,
            answered: 0,
            too_late: 0,
            rcodes: Tally::new(16),
            failed: Tally::new(names),
            asked: Tally::new(names),
            servers: Tally::new(names),
            times: Spread::default(),
            forgotten: 0,
        }
    }

    pub fn held(&self) -> usize {
        self.transactions
            .len()
            .max(self.asked.len())
            .max(self.servers.len())
    }

    /// Takes one message of a stream, with its length of two bytes in front.
    pub(super) fn stream(
        &mut self,
        bytes: &[u8],
        pair: Pair,
        from: Endpoint,
        to: Endpoint,
        now: i64,
    ) -> Taken {
        let [high, low, rest @ ..] = bytes else {
            return Taken::Bytes(0);
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(message) = rest.get(..length) else {
            return Taken::Bytes(0);
        };
        self.message(message, pair, from, to, now);
        Taken::Bytes(2 + length)
    }

    pub fn message(&mut self, message: &[u8], pair: Pair, from: Endpoint, to: Endpoint, now: i64) {
        let Some(header) = message.first_chunk::<HEADER>() else {
            return;
        };
        let id = u16::from_be_bytes([header[0], header[1]]);
        let name = if header[4..6] == [0, 0] {
            None
        } else {
            first_name(&message[HEADER..])
        };
        if header[2] & 0x80 == 0 {
            self.query(pair, id, to.address, name, now);
        } else {
            self.response(pair, id, from.address, header[3] & 0x0f, name, now);
        }
    }

    fn query(&mut self, pair: Pair, id: u16, server: Address, name: Option<String>, now: i64) {
        self.queries += 1;
        if let Some(name) = name {
            self.asked.add(name, 1);
        }
        let sums = self.servers.entry(server);
        sums.queries += 1;
        if let Some(known) = self.transactions.get(&(pair, id)) {
            let age = now.saturating_sub(known.asked);
            if !known.answered && age < REPEATED_WITHIN {
                self.repeated += 1;
                sums.repeated += 1;
                return;
            }
        } else if self.transactions.len() >= self.limit {
            self.forget();
        }
        self.transactions.insert(
            (pair, id),
            Transaction {
                server,
                asked: now,
                answered: false,
            },
        );
    }

    fn response(
        &mut self,
        pair: Pair,
        id: u16,
        server: Address,
        rcode: u8,
        name: Option<String>,
        now: i64,
    ) {
        const NOERROR: u8 = 0;
        const NXDOMAIN: u8 = 3;
        self.responses += 1;
        self.rcodes.add(rcode, 1);
        let sums = self.servers.entry(server);
        sums.failed += u64::from(rcode != NOERROR && rcode != NXDOMAIN);
        if rcode != NOERROR
            && let Some(name) = name
        {
            self.failed.add((rcode, name), 1);
        }
        let Some(known) = self.transactions.get_mut(&(pair, id)) else {
            return;
        };
        if known.answered {
            self.repeated_responses += 1;
            return;
        }
        known.answered = true;
        self.answered += 1;
        let time = now.saturating_sub(known.asked);
        self.times.add(time);
        sums.answered += 1;
        sums.slowest = sums.slowest.max(time);
    }

    /// Makes room: what is answered goes first, then the older half.
    fn forget(&mut self) {
        self.transactions.retain(|_, known| !known.answered);
        if self.transactions.len() * 2 > self.limit {
            let mut ages: Vec<i64> = self
                .transactions
                .values()
                .map(|known| known.asked)
                .collect();
            let middle = ages.len() / 2;
            let (_, &mut median, _) = ages.select_nth_unstable(middle);
            let before = self.transactions.len();
            self.transactions.retain(|_, known| known.asked > median);
            self.forgotten += (before - self.transactions.len()) as u64;
        }
    }

    pub fn unanswered(&self) -> u64 {
        self.queries
            .saturating_sub(self.repeated)
            .saturating_sub(self.answered)
    }

    /// Finds the queries that are too close to the file's end to be called unanswered.
    pub fn finish(&mut self, end: i64) {
        let open: Vec<Address> = self
            .transactions
            .values()
            .filter(|known| !known.answered && end.saturating_sub(known.asked) < TOO_LATE)
            .map(|known| known.server)
            .collect();
        for server in open {
            self.too_late += 1;
            self.servers.entry(server).too_late += 1;
        }
    }
}

/// The name in front, its labels joined by dots. A name in a question is not compressed: nothing stands before it.
fn first_name(mut bytes: &[u8]) -> Option<String> {
    const LONGEST: usize = 255;
    let mut name = Vec::new();
    loop {
        let (&length, rest) = bytes.split_first()?;
        if length == 0 {
            break;
        }
        if length > 63 || name.len() + usize::from(length) > LONGEST {
            return None;
        }
        let (label, rest) = rest.split_at_checked(length.into())?;
        if !name.is_empty() {
            name.push(b'.');
        }
        name.extend_from_slice(label);
        bytes = rest;
    }
    Some(if name.is_empty() {
        "<Root>".into()
    } else {
        crate::text::clean(&name)
    })
}
