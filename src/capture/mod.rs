//! From a job to its evidence: `plan` and `ending` decide (pure), `step` reads Azure and makes one change (`prepare` up
//! to the create, `follow` after it, `failure` when it went wrong), `outcome` says it in sentences.

// Times, limits and counts of others are reckoned with here.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod ending;
mod failure;
mod flights;
mod follow;
mod locate;
mod looks;
pub mod name;
pub mod outcome;
mod parameters;
pub mod places;
pub mod plan;
mod prepare;
pub mod step;
pub mod times;
pub mod turns;

pub use name::CaptureName;
pub use parameters::{Parameters, Polling, RemoveFinished, is_ours};
pub use step::{Capturer, Checkpoint, Next};
