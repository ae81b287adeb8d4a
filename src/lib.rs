//! An Azure Monitor alert starts a Network Watcher packet capture on the machine that it names.
//!
//! # The walk of one alert
//!
//! 1. [`functions`] gets the POST from the Functions host, raw or wrapped, authenticates the caller where that is
//!    configured (`secure_webhook`), and hands the body to `intake`.
//! 2. [`alert`] parses it into an [`alert::Alert`], or returns the JSON path of the error. Pure.
//! 3. [`incident`] decides whether and on which targets to capture. Pure.
//! 4. `intake` puts an [`incident::Job`] for each target into the [`queue`] and waits briefly for what the
//!    [`incident::Ledger`] reports. A job that a killed process left comes back through `job_trigger`.
//! 5. [`worker`] receives each job and asks [`capture::step`] for one step after the other.
//! 6. A step reads Azure through [`azure`], decides (`plan` before the create, `ending` after it, both pure),
//!    makes one change and says when to come back.
//! 7. [`notify`] sends the result; `status` shows all jobs.
//!
//! # The arrows
//!
//! `functions` → `incident`, `alert`, `queue`; `worker` → `capture`, `incident`, `queue`, `notify`; `capture` →
//! `incident`, `azure`; `incident` → `alert`, `resource_id`; `readiness` → `azure`, `config`, `queue`;
//! `alert`, `azure` → `resource_id`; `advice` → `azure`, for `capture`, `readiness` and the commands. `config` reads
//! settings into the plain values of the rooms that act on them (`capture::Parameters`, `incident::Allowed`,
//! `notify::Format` and the like), so that no value exists twice; only `readiness`, `commands` and `app` use `config`.
//! [`text`], the cleaner of foreign texts, and [`retry_after`] are the ground floor: they use nothing, every room may use
//! them. [`app`] puts everything together; [`commands`] are the command line's ways in.
//! Only `main` and `config` read the process environment. A test guards all of this. The sandbox is a package of its
//! own, which this one uses in its tests alone.

pub mod advice;
pub mod alert;
pub mod app;
pub mod azure;
pub mod capture;
pub mod commands;
pub mod config;
pub mod functions;
pub mod incident;
pub mod notify;
pub mod queue;
pub mod readiness;
pub mod resource_id;
pub mod retry_after;
pub mod telemetry;
pub mod text;
pub mod worker;
