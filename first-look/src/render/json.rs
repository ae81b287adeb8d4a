//! JSON: `file`, `figures`, `findings`, `notLookedInto`.

use serde_json::{Value, json};

use crate::look::Seen;

impl Seen {
    /// Everything as one JSON value.
    pub fn json(&self) -> Value {
        json!({
            "file": { "name": self.context.name },
            "figures": self.figures,
            "notLookedInto": self.not_looked_into,
        })
    }
}
