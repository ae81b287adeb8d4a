//! Reads a packet capture once, front to back, and says what is in it: figures, what stands out, and pages about it.
//!
//! Bytes of the file go into a [`Look`], in chunks of any size; [`Look::finish`] makes a [`Seen`] of it, which renders as
//! [JSON](Seen::json), [text](Seen::text), [an HTML page](Seen::html) and [lines of a notification](Seen::notice_lines).
//! Nothing here waits, opens a file, or asks for the time: what else is known of the capture comes as a [`Context`].
//!
//! - **Formats**: pcap (microseconds, nanoseconds, modified) and pcapng, in both byte orders and all units of time, of
//!   Ethernet, Linux cooked, loopback and raw IP. Files that are cut, damaged, empty or no capture at all are distinguished.
//! - **Figures** of TCP, DNS, TLS and ICMP mean what TShark 4.0 means by them; the tests hold them against it. What a
//!   reader cannot read is listed as not analyzed, with its count.
//! - **Findings** are counts and places, never causes, from thresholds that are printed beside them.
//! - **Memory** is bounded by [`Options`], whatever the file holds: about 100 MB at most with the defaults.

#![warn(missing_docs)]

mod address;
mod apps;
mod container;
mod figures;
mod findings;
mod frame;
mod look;
mod manifest;
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
pub use manifest::{AlertEntry, CaptureEntry, Digest, FileEntry, Manifest, Tool, Verdict};
pub use options::{Alert, Context, Counted, Metric, Options};
pub use render::{NamePolicy, html_style};
