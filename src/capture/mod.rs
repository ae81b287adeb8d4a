//! From a wanted capture to its evidence: `allowed`, `plan` and `ending` decide (pure), `step` looks at Azure and
//! acts once (`prepare` up to the create, `follow` after it), `outcome` says it in sentences, `ledger` remembers
//! what became of each job.

mod ending;
mod follow;
mod locate;
pub mod name;
pub mod outcome;
mod parameters;
pub mod places;
pub mod plan;
mod prepare;
pub mod step;

pub use name::CaptureName;
pub use parameters::{Parameters, RemoveFinished};
pub use step::{Capturer, Checkpoint, Next, StepError};
