//! From a job to its evidence: `plan` and `ending` decide (pure), `step` reads Azure and makes one change (`prepare` up
//! to the create, `follow` after it, `failure` when it went wrong), `outcome` says it in sentences. What a step needs is read
//! at once where that is possible (`beside`, `look`), and before the alert (`ahead`).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod ahead;
mod beside;
mod differences;
mod drill;
mod ending;
mod failure;
mod flights;
mod follow;
mod job_parameters;
mod locate;
mod look;
mod looks;
mod machines;
pub mod name;
mod names;
pub mod outcome;
mod parameters;
pub mod places;
pub mod plan;
mod prepare;
mod remembered;
pub mod step;
mod stop;
pub mod times;
pub mod turns;
mod writes;

pub use job_parameters::JobParameters;
pub use name::CaptureName;
pub use parameters::{Parameters, Polling, RemoveFinished, is_ours};
pub use step::{Capturer, Checkpoint, Next};
