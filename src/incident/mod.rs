//! What happened to one machine: the nouns (job, report) that every room shares, and the policy that decides what an
//! alert leads to. Values and pure functions; no call leaves from here.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod allowed;
pub mod budget;
mod closing;
pub mod deadline;
pub mod decide;
mod delivered;
pub mod drill;
mod facts;
pub mod filter;
pub mod job;
pub mod ledger;
mod look;
pub mod machine;
mod message;
pub mod notification;
mod packet_filters;
pub mod profile;
mod profiles;
mod reason;
pub mod record;
pub mod report;
pub mod retry;
mod skipped;
mod suggestion;
mod write_back;

pub use allowed::Allowed;
pub use decide::{Decision, Known, KnownAlert, LeftOut, Plan, Policy, decide, job_id};
pub use delivered::Delivered;
pub use facts::PackedFacts;
pub use job::{Action, Deliveries, Job, JobId, Phase, Session};
pub use ledger::{Full, JobRecord, Ledger};
pub use look::{FileFinding, FileLook, FileProblem, InNotice};
pub use machine::{CopyId, Limits, Machine};
pub use message::InvalidJob;
pub use notification::{Event, IncidentContext, Notification, Readiness, Thread};
pub use packet_filters::PacketFilters;
pub use profile::ChosenProfile;
pub use profiles::{Conditions, Profile, Profiles};
pub use reason::Reason;
pub use record::{Incident, IncidentId, Summary};
pub use report::{Report, Status};
pub use retry::Retry;
pub use suggestion::{Suggestion, suggest};
pub use write_back::CommentState;
