//! Azure Monitor alerts, as action groups deliver them, read into one type. Here the vendor's JSON ends: all that comes
//! after works with an [`Alert`]. Nothing here waits, logs or looks anything up.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod activity_log;
mod body;
mod common;
mod condition;
mod dimensions;
pub mod drill;
mod envelope;
mod facts;
mod fields;
mod key;
mod log_v1;
mod metric;
mod other;
mod outcome;
mod property;
mod shape;
mod subject;
mod target;
mod target_id;
mod targets;

use serde::{Deserialize, Serialize};

pub use body::{BadBody, MAX_BODY_BYTES};
pub use condition::Condition;
pub use dimensions::Dimensions;
pub use facts::AlertFacts;
pub use outcome::{IgnoreReason, ignore_reason};
pub use property::PROPERTY;
pub use shape::Schema;
pub use subject::Named;
use subject::Subject;
pub use target::{Target, TargetKind};

/// What a target is named by.
pub use crate::resource_id::ResourceId;
use crate::text;

/// What an alert says, whichever of its shapes it came in. Texts are those of the body, cleaned and bounded; an empty
/// text counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    pub schema: Schema,
    /// Azure Monitor's monitor condition.
    pub state: State,
    /// What people see of it.
    #[serde(flatten)]
    pub facts: AlertFacts,
    /// The alert rule's resource id, unchecked: for reading, not for calling.
    pub rule_id: Option<String>,
    /// The alert targets that can be captured on: each machine or scale set once, in the order of the body.
    pub targets: Vec<Target>,
    /// What the alert names when there is no target.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub named: Named,
    /// An Azure region's code (`westcentralus`). Most bodies have none; then the machine has to be read.
    pub region: Option<String>,
    /// Equal for two deliveries of the same alert, and for nothing else.
    pub dedupe_key: Option<String>,
    /// Sent by the portal's "test action group", about a machine that does not exist.
    pub is_test: bool,
    pub description: Option<String>,
    /// The profile of captures that the rule's property names, unchecked.
    #[serde(skip)]
    pub profile: Option<String>,
    /// What the rule splits by, as written.
    #[serde(skip)]
    pub dimensions: Dimensions,
}

impl Alert {
    /// An alert of which only the shape is known yet.
    fn of(schema: Schema) -> Alert {
        Alert {
            schema,
            state: State::Unknown,
            facts: AlertFacts::default(),
            rule_id: None,
            targets: Vec::new(),
            named: Named::default(),
            region: None,
            dedupe_key: None,
            is_test: false,
            description: None,
            profile: None,
            dimensions: Dimensions::default(),
        }
    }

    /// The alert with its targets or, when there are none, with what it names in their place.
    fn about(self, targets: Vec<Target>, subject: Subject) -> Alert {
        let named = match targets.is_empty() {
            true => subject.named(),
            false => Named::default(),
        };
        Alert {
            targets,
            named,
            ..self
        }
    }

    /// Whether this function made it, to prove the whole way.
    pub fn is_drill(&self) -> bool {
        self.facts.is_drill()
    }

    /// Why no machine can be captured, for people: what the alert names instead, and what to change. `None` for an
    /// alert with a target.
    pub fn why_no_target(&self) -> Option<String> {
        if !self.targets.is_empty() {
            return None;
        }
        let names = match self.named.is_empty() {
            true => String::new(),
            false => {
                let named = self.named.to_string();
                format!("; it names {}", text::clean(&named, text::MESSAGE))
            }
        };
        let fix = match self.facts.signal.as_deref() {
            Some("Log") => "split the alert rule by the dimension _ResourceId",
            _ => "set the scope of the alert rule to virtual machines or scale sets",
        };
        Some(format!(
            "the alert names no virtual machine or scale set{names}. Fix: {fix}"
        ))
    }
}

/// Azure Monitor's monitor condition, or the older shapes' words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Fired,
    Resolved,
    /// Neither was said, or a third word.
    Unknown,
}

impl State {
    /// `fired`, `resolved`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Fired => "fired",
            State::Resolved => "resolved",
            State::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads a webhook's body: one of Azure Monitor's shapes, perhaps in an envelope. See [`Schema`] for the shapes.
///
/// One bad target id refuses the whole body, since a sender who makes up one id is not to be trusted with the others.
pub fn read(body: &[u8]) -> Result<Alert, BadBody> {
    let value = body::parse(body)?;
    let top = fields::Object::new(&value, "$".to_owned())?;
    match envelope::content(&top) {
        None => shape::read(&top),
        Some((serde_json::Value::String(text), path)) => {
            let inner = body::parse_text(text, &path)?;
            shape::read(&fields::Object::new(&inner, path)?)
        }
        Some((inner, path)) => shape::read(&fields::Object::new(inner, path)?),
    }
}
