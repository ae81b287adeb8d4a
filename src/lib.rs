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
//! # The rooms
//!
//! `docs/architecture.md` lists the rooms and which may use which. In short: [`functions`] and [`worker`] stand above
//! [`capture`], [`incident`] and [`notify`], these above [`azure`] and [`alert`], and [`resource_id`], [`text`] and
//! [`retry_after`] below all. [`config`] reads settings into the plain values of the rooms that act on them. [`app`] puts
//! everything together; [`commands`] is the command line, and [`readiness`] the checks of `handler doctor`,
//! whose result for all machines is a value of [`fleet`]. Only `main` and
//! `config` read the process environment. Tests guard all of this. The sandbox is a package of its own, which this one uses
//! in its tests alone.

pub mod advice;
pub mod alert;
pub mod app;
pub mod azure;
pub mod capture;
pub mod changes;
pub mod commands;
pub mod config;
pub mod fleet;
pub mod functions;
pub mod gather;
pub mod incident;
pub mod look;
pub mod notify;
pub mod queue;
pub mod readiness;
pub mod record;
pub mod resource_id;
pub mod retry_after;
pub mod shell;
pub mod storage;
pub mod telemetry;
pub mod text;
pub mod worker;
pub mod write_back;
