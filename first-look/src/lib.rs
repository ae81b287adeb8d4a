//! Reads a packet capture once, front to back, and says what is in it.
mod address;
mod apps;
mod container;
mod figures;
mod findings;
mod frame;
mod look;
mod options;
mod render;
mod spread;
mod tally;
mod tcp;
mod text;
mod traffic;
mod unread;
mod words;

pub use findings::{Finding, Kind};
pub use look::{Look, Seen};
pub use options::{Alert, Context, Counted, Metric, Options};
pub use render::{NamePolicy, html_style};
