//! What happened to one machine: the nouns (job, report) that every room shares, and the policy that decides what an
//! alert leads to. Values and pure functions; no call leaves from here.

pub mod allowed;
pub mod job;
pub mod ledger;

pub use allowed::{Allowed, Decision};
pub use job::{Action, AlertSummary, Job, JobId, Phase, Report, Session, Status};
pub use ledger::{JobView, Ledger};
