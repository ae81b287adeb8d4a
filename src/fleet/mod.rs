//! Whether captures would start on the machines that alerts can name: the result of one run over all of them, as values.
//! Everything here is pure, but for [`Start`]; `readiness` reads Azure and fills a [`Run`], others render it, keep it and compare it.

mod cause;
mod change;
mod fix;
mod group;
mod news;
mod run;
mod script;
mod sentence;
mod start;
mod wire;

pub use cause::{Because, Cause, Check, Weight};
pub use change::Change;
pub use fix::{Fix, fixes};
pub use group::{Group, groups};
pub use news::{News, Notified};
pub use run::{Counts, Finding, Machine, Reach, Run, Verdict};
pub use start::Start;
pub use wire::{MAXIMUM_STORED_BYTES, VERSION};
#[cfg(test)]
mod samples;
