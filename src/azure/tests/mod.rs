//! The clients against answers that no sandbox gives over a socket: endless bodies, foreign URLs, calls that hang. The
//! transport is scripted, everything above it is the real client.

// The numbers here are the tests' own.
#![allow(clippy::arithmetic_side_effects)]

mod answers;
mod concurrency;
mod script;
