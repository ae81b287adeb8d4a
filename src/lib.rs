pub mod alert;
pub mod azure;
pub mod capture;
pub mod config;
pub mod notify;
pub mod queue;
