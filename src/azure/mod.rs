//! REST clients for Azure Resource Manager. They know Azure's resources and nothing of alerts, so that
//! whoever reads them needs only the vendor's pages.

pub mod api_versions;
pub mod authorization;
pub mod client;
pub mod compute;
pub mod credentials;
pub mod entra_keys;
pub mod error;
mod items;
pub mod network_watcher;
pub mod operation;
pub mod page;
mod pipeline_error;
pub mod reply;
pub mod retry;
pub mod sign_in;
pub mod storage;
pub mod transport;
mod tries;

/// An Azure location as a name that can be compared: "West US" and "westus" are the same place.
pub fn normalise_location(location: &str) -> String {
    location
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}
