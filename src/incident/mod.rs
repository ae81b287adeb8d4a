//! What happened to one machine: the nouns (job, report) that every room shares, and the policy that decides what an
//! alert leads to. Values and pure functions; no call leaves from here.

pub mod allowed;
pub mod deadline;
pub mod job;
pub mod ledger;
pub mod notification;
pub mod report;
pub mod retry;

pub use allowed::{Allowed, Decision};
pub use job::{Action, AlertSummary, Deliveries, Job, JobId, Phase, Session};
pub use ledger::{JobRecord, Ledger};
pub use notification::{Event, Notification};
pub use report::{Report, Status};
pub use retry::Retry;
