//! The commands that a person types: arguments and printing alone.

pub mod credentials;
pub mod explain;
