//! How many calls are made in a row, each after the answer to the one before.

use super::{Kind, machine_id};
use std::time::Instant;

/// One call.
pub struct Span {
    pub kind: Kind,
    pub path: String,
    pub arrived: Instant,
    pub answered: Instant,
}

/// The longest row of calls that an alert about this machine waited for, which was sent and led to a PUT at these times.
/// Other alerts' operations and what is read ahead of alerts are left out.
pub fn in_a_row(mut spans: Vec<Span>, machine: &str, sent: Instant, put: Instant) -> usize {
    let id = machine_id(machine);
    spans.retain(|span| {
        let within = span.answered >= sent && span.answered <= put;
        within
            && match span.kind {
                Kind::Token | Kind::Watchers | Kind::List => true,
                Kind::Machine => span.path == id,
                Kind::Status | Kind::Delete => span.path.contains(machine),
                Kind::Machines | Kind::Put | Kind::Operation | Kind::Other => false,
            }
    });
    spans.sort_by_key(|span| span.answered);
    let mut row = 0;
    let mut free_from = None;
    for span in spans {
        if free_from.is_none_or(|from| span.arrived >= from) {
            row += 1;
            free_from = Some(span.answered);
        }
    }
    row
}
