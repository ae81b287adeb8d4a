//! An Azure Monitor alert starts a Network Watcher packet capture on the machine that it names.
//!
//! # The walk of one alert
//!
//! 1. [`functions`] gets the POST from the Functions host, raw or wrapped, checks who sends it where that is
//!    asked for (`secure_webhook`), and hands the body to `intake`.
//! 2. [`alert`] reads it into an [`alert::Alert`], or says at which JSON path it is wrong. Pure.
//! 3. [`capture::allowed`] decides whether and on which targets to capture. Pure.
//! 4. `intake` writes a [`capture::Job`] for each target into the [`queue`] and waits a little for what the
//!    [`capture::Ledger`] says of them. A job that a killed process left comes back through `job_trigger`.
//! 5. [`worker`] receives each job and asks [`capture::step`] to take one step after the other.
//! 6. A step looks at Azure through [`azure`], decides (`plan` before the create, `ending` after it, both pure),
//!    acts once and says when to come back.
//! 7. [`notify`] tells how it ended; `status` shows all jobs to who asks.
//!
//! # The arrows
//!
//! `functions` → `alert`, `capture`, `queue`; `worker` → `capture`, `queue`, `notify`; `capture` → `alert`,
//! `azure`; `alert` → `azure::resource_id` alone. `azure`, `notify`, `config`, `queue` and `sandbox` use
//! nothing of ours, nor does [`telemetry`], whose metrics and traces `functions` and `worker` fill. [`app`] puts
//! them together, with [`sign_in`] for the identity; [`explain`], [`credentials_command`] and [`doctor`] are the
//! command line's ways in. Only `main`, the sandbox's executable and `config` touch the process environment. A
//! test guards all of this.

pub mod alert;
pub mod app;
pub mod azure;
pub mod capture;
pub mod config;
pub mod credentials_command;
pub mod doctor;
pub mod explain;
pub mod functions;
pub mod notify;
pub mod queue;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod sign_in;
pub mod telemetry;
pub mod worker;
