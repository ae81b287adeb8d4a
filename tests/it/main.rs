//! All tests that go through the front door, in one binary: they build once.

mod commands;
mod contracts;
mod stories;
mod support;
