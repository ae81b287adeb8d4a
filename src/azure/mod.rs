//! Azure Resource Manager as this program uses it.

pub mod resource_id;
