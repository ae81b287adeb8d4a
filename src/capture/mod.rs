//! From a wanted capture to a running one: `allowed` and `plan` decide (pure), `step` looks at Azure and acts once,
//! `outcome` says it in sentences, `ledger` remembers what became of each job.

pub mod allowed;
pub mod job;
pub mod ledger;
mod locate;
pub mod outcome;
mod parameters;
pub mod places;
pub mod plan;
pub mod step;

pub use allowed::{Allowed, Decision};
pub use job::{Job, JobId, Phase, Report, Status};
pub use ledger::Ledger;
pub use parameters::Parameters;
pub use step::{Capturer, Next, StepError};
