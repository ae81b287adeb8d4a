//! Makes captures: same seed, same bytes. For tests and measurements.
#![allow(dead_code)] // Each test uses a part of it.

pub mod bulk;
pub mod chance;
pub mod file;
pub mod frames;
pub mod mixed;
pub mod talk;
