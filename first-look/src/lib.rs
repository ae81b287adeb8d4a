//! Reads a packet capture once, front to back, and says what is in it.
mod address;
mod container;
mod frame;
