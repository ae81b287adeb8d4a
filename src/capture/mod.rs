//! From a wanted capture to its evidence: `allowed`, `plan` and `ending` decide (pure), `step` looks at Azure and
//! acts once (`prepare` up to the create, `follow` after it), `outcome` says it in sentences, `ledger` remembers
//! what became of each job.

pub mod allowed;
mod ending;
mod follow;
pub mod job;
pub mod ledger;
mod locate;
pub mod name;
pub mod outcome;
mod parameters;
pub mod places;
pub mod plan;
mod prepare;
pub mod step;

pub use allowed::{Allowed, Decision};
pub use job::{Action, AlertSummary, Job, JobId, Phase, Report, Status};
pub use ledger::{JobView, Ledger};
pub use name::CaptureName;
pub use parameters::{Parameters, RemoveFinished};
pub use step::{Capturer, Checkpoint, Next, StepError};
