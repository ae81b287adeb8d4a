//! Members of a JSON object by name, without ASCII case, with the path to them for messages. The deciding members are
//! typed and refuse a wrong type; all others are taken when they fit and passed over when not.

use serde_json::{Map, Value};

use super::body::BadBody;
use crate::text;

/// A JSON object and where it was found.
pub(super) struct Object<'a> {
    members: &'a Map<String, Value>,
    path: String,
}

impl<'a> Object<'a> {
    pub(super) fn new(value: &'a Value, path: String) -> Result<Object<'a>, BadBody> {
        match value {
            Value::Object(members) => Ok(Object { members, path }),
            other => Err(BadBody::at(
                path,
                format!("an object was expected, not {}", kind(other)),
            )),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where the member is, or would be.
    pub(super) fn path_of(&self, name: &str) -> String {
        let spelled = self.find(name).map_or(name, |(spelled, _)| spelled);
        format!("{}.{spelled}", self.path)
    }

    /// Whether the member is present, even if null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The member, unless it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.find(name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_null())
    }

    /// A deciding member that is an object.
    pub(super) fn object(&self, name: &str) -> Result<Option<Object<'a>>, BadBody> {
        let value = self.get(name);
        value
            .map(|value| Object::new(value, self.path_of(name)))
            .transpose()
    }

    /// A deciding member that is a string.
    pub(super) fn string(&self, name: &str) -> Result<Option<&'a str>, BadBody> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(BadBody::at(
                self.path_of(name),
                format!("a string was expected, not {}", kind(other)),
            )),
        }
    }

    /// An object that decides nothing.
    pub(super) fn loose_object(&self, name: &str) -> Option<Object<'a>> {
        Object::new(self.get(name)?, self.path_of(name)).ok()
    }

    /// A text that decides nothing, as written; empty is absent.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// A text or number that decides nothing, as a short text for people. Both are used for the same thing.
    pub(super) fn scalar(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::Number(number) => Some(number.to_string()),
            _ => text::cleaned(self.text(name)?, text::VALUE),
        }
    }

    /// A list that decides nothing.
    pub(super) fn list(&self, name: &str) -> &'a [Value] {
        self.get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The exact spelling wins over others.
    fn find(&self, name: &str) -> Option<(&'a str, &'a Value)> {
        let exact = self.members.get_key_value(name);
        let found = exact.or_else(|| {
            self.members
                .iter()
                .find(|(spelled, _)| spelled.eq_ignore_ascii_case(name))
        });
        found.map(|(spelled, value)| (spelled.as_str(), value))
    }
}

/// Whether a word of Azure's is this one. Which letter case it comes in depends on the sender.
pub(super) fn is(written: Option<&str>, word: &str) -> bool {
    written.is_some_and(|written| written.eq_ignore_ascii_case(word))
}

/// The JSON type in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
