//! From a wanted capture to a running one: `plan` decides (pure), `step` looks at Azure and acts once,
//! `outcome` says it in sentences, `ledger` remembers what became of each job.

pub mod job;
pub mod ledger;
pub mod outcome;
pub mod places;
pub mod plan;
pub mod step;

pub use job::{Job, JobId, Phase, Report, Status};
pub use ledger::Ledger;
pub use step::{Capturer, Next, Parameters, StepError};
