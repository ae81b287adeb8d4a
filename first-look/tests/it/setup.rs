//! What the tests of the reader have in common: the VM, a server, a stream between them, and when it all begins.

use serde_json::Value;

use super::compare::figures;
use super::generator::file::{File, MICROSECONDS, Packet};
use super::generator::frames::{End, end};
use super::generator::talk::Talk;

/// The time of the first packet.
pub const START: u64 = 1_790_000_000_000_000_000;
/// A millisecond.
pub const MS: u64 = 1_000_000;

/// A port of the VM.
pub fn vm(port: u16) -> End {
    end("10.0.0.4", port)
}

pub fn server() -> End {
    end("10.1.2.3", 443)
}

/// A stream from the VM to the server.
pub fn talk() -> Talk {
    Talk::new(vm(50_000), server(), [1_000, 5_000], START)
}

/// The figures of packets.
pub fn of(packets: &[Packet]) -> Value {
    figures(&File::of(MICROSECONDS, 262_144, packets))
}
