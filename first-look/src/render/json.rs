//! JSON: `file`, `figures`, `findings`, `notLookedInto`.

use serde_json::{Value, json};

use super::notice::STANDS_OUT_NOT;
use crate::findings::check_next;
use crate::look::Seen;

impl Seen {
    /// Everything as one JSON value. Members of `figures` are never renamed; new ones may come.
    pub fn json(&self) -> Value {
        let figures = &self.figures;
        let check_next: Vec<Value> = check_next(&self.findings)
            .into_iter()
            .map(|(kind, check)| json!({ "kind": kind, "check": check }))
            .collect();
        json!({
            "file": {
                "name": self.context.name,
                "size": figures.file.size,
                "format": figures.file.format,
                "complete": figures.file.error.is_none() && self.is_whole(),
                "problem": figures.file.error,
                "packets": figures.packets,
            },
            "figures": figures,
            "findings": self.findings,
            "nothingStandsOut": if self.findings.is_empty() { Some(STANDS_OUT_NOT) } else { None },
            "checkNext": check_next,
            "measures": self.measures,
            "notLookedInto": self.not_looked_into,
        })
    }

    /// The file was read to its end.
    fn is_whole(&self) -> bool {
        self.context
            .whole_size
            .is_none_or(|whole| whole <= self.figures.file.size)
    }
}
