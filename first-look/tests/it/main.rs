//! The reader from its front door: bytes in, figures, findings and pages out.

mod ceilings;
mod compare;
mod containers;
mod findings;
mod generator;
mod hand;
mod hostile;
mod pages;
mod truth;
mod tshark;
