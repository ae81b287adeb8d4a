//! Where Azure reports on a long-running operation. A value of its own, since it must be stored but never printed.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A poll URL, kept byte for byte. It carries a signature of about 3.5 KB, which `Debug` leaves out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationUrl(String);

impl OperationUrl {
    /// Takes the URL as Azure sent it; nothing is checked here.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The whole URL, with its signature: for the request alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OperationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let without_query = self.0.split('?').next().unwrap_or_default();
        write!(f, "OperationUrl({without_query}?…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_leaves_the_signature_out() {
        let url = OperationUrl::new("https://m/operations/1?api-version=1&s=secret");
        assert!(!format!("{url:?}").contains("secret"));
    }
}
