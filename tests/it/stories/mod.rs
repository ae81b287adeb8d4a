//! What a caller or an operator sees: an alert arrives, Azure does something, and this is what becomes of it.

mod admission;
mod azure_answer;
mod capture;
mod endless;
mod fault;
mod field;
mod follow;
mod front_door;
mod hostile_text;
mod identity;
mod incident;
mod kill;
mod notification;
mod panic;
mod queue;
mod resolved;
mod role;
mod secret;
mod secure_webhook;
mod sick_part;
mod soak;
mod status;
mod stop;
mod storm;
mod trace;
mod version;
