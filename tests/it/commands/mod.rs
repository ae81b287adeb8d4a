//! The built executable: as the server that the Functions host starts, and with its commands.

mod credentials;
mod doctor;
mod drill;
mod executable;
mod identity;
mod look;
mod profiles;
mod verify;
