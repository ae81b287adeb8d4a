//! What changed around an alert: the control plane as it was frozen beside a capture, as one bounded value, and the
//! sentences that say it. Values and pure functions; the calls leave from `gather`.
//!
//! - [`ControlPlane`] is what the record keeps ([`ControlPlane::to_json`], [`ControlPlane::parse`]) and what a page shows.
//! - [`ChangesNote`] has the lines of a notification; [`sentence`] makes one of them.
//! - [`ordered`] groups what the sources report of the same operation, and puts it in the order of reading.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod change;
mod control_plane;
mod kind;
mod missing;
mod network;
mod note;
mod order;
mod prefix;
mod reach;
mod say;
mod series;
mod silent;

pub use change::{Change, ChangedValue};
pub use control_plane::{
    ACTIVITY_LOG, ControlPlane, EFFECTIVE_ROUTES, EFFECTIVE_RULES, METRICS, POWER_STATE,
    RESOURCE_CHANGES, RESOURCE_HEALTH, SURROUNDINGS, Unreadable, VERSION,
};
pub use kind::{Kind, Verb, subject};
pub use missing::{Cause, Missing};
pub use network::{EffectiveRoute, EffectiveRule, Health};
pub use note::ChangesNote;
pub use order::ordered;
pub use reach::{Direction, Flow, Reach, Transport, reach};
pub use say::{relative, sentence};
pub use series::MetricSeries;
pub use silent::{RuleNote, Silent};
