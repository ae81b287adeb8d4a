//! The reader from its front door: bytes in, figures, findings and pages out.

mod about_file;
mod ceilings;
mod compare;
mod containers;
mod edges;
mod findings;
mod generator;
mod hand_names;
mod hand_tcp;
mod hostile;
mod pages;
mod percentages;
mod setup;
mod truth;
mod tshark;
