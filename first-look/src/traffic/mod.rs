//! Figures that need no transport: who talked with whom, per second, doubles, ICMP, ARP, UDP flows.

mod doubles;
mod neighbors;
mod own;
mod seconds;
mod talkers;

pub(crate) use doubles::Doubles;
pub(crate) use neighbors::{Arps, Icmps};
pub(crate) use own::{Direction, Own, Sample};
pub(crate) use seconds::{Bucket, Seconds};
pub(crate) use talkers::{Host, Talkers};
