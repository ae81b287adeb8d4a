pub mod alert;
pub mod azure;
