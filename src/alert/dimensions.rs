//! The dimensions that an alert names, as written. Log data may be written by the machine that it is about, so nothing here
//! decides anything: a value may stand in a packet capture filter once it is proven to be an address or a port.

use serde_json::Value;

use super::condition::members;
use super::fields::Object;

/// Maximum number of dimensions that are kept; Azure Monitor allows a few for each of five criteria.
const MOST: usize = 64;
/// Maximum bytes of a name, and of a value. A longer value is kept as an empty one.
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 200;

/// Names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dimensions(Vec<(Box<str>, Box<str>)>);

impl Dimensions {
    /// The value of this name; `None` when it is missing, and when criteria have different ones.
    pub fn single(&self, name: &str) -> Option<&str> {
        let named = |(it, _): &&(Box<str>, Box<str>)| it.eq_ignore_ascii_case(name);
        let mut values = self.0.iter().filter(named).map(|(_, value)| &**value);
        let first = values.next()?;
        values.all(|other| other == first).then_some(first)
    }

    /// The dimensions of a condition: its own and those of each of its criteria.
    pub(super) fn of(condition: Option<&Object>) -> Self {
        let mut found = Self::default();
        if let Some(condition) = condition {
            found.take(condition.list("dimensions"));
            for criterion in members(condition.list("allOf")) {
                found.take(criterion.list("dimensions"));
            }
        }
        found
    }

    /// Adds those of a list.
    pub(super) fn take(&mut self, list: &[Value]) {
        for dimension in members(list) {
            let name = dimension.text("name").filter(|it| it.len() <= MAX_NAME);
            let (Some(name), true) = (name, self.0.len() < MOST) else {
                continue;
            };
            let value = match dimension.get("value") {
                Some(Value::String(text)) if text.len() <= MAX_VALUE => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => String::new(),
            };
            self.0.push((name.into(), value.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_found_by_its_name_unless_two_differ() {
        let criterion = |address: &str| {
            json!({ "dimensions": [
                { "name": "DestinationAddress", "value": address },
                { "name": "DestinationPort", "value": 1433 },
                { "name": "Long", "value": "1".repeat(201) },
                { "name": "Odd", "value": ["10.0.0.1"] },
                { "name": 7, "value": "x" },
                "text",
            ]})
        };
        let of = |all: Value| {
            let condition = json!({ "allOf": all });
            Dimensions::of(Object::new(&condition, String::new()).ok().as_ref())
        };
        let one = of(json!([criterion("10.1.2.3"), criterion("10.1.2.3")]));
        let two = of(json!([criterion("10.1.2.3"), criterion("10.1.2.4")]));
        for (found, name, expected) in [
            (&one, "DestinationAddress", Some("10.1.2.3")),
            (&one, "destinationaddress", Some("10.1.2.3")),
            (&two, "DestinationAddress", None),
            (&two, "DestinationPort", Some("1433")),
            (&one, "Long", Some("")),
            (&one, "Odd", Some("")),
            (&one, "SourceAddress", None),
        ] {
            assert_eq!(found.single(name), expected, "{name}");
        }
        let many = (0..1_000).map(|_| criterion("10.1.2.3")).collect();
        assert_eq!(of(Value::Array(many)).0.len(), MOST);
    }
}
