//! Typed members of a JSON object, refused in the network provider's words when they do not fit.

use serde_json::{Map, Value};

use super::answer::{Answer, bad_format, provider_error};

pub(super) type Object = Map<String, Value>;

pub(super) fn invalid(message: impl AsRef<str>) -> Answer {
    provider_error(400, "InvalidRequest", message)
}

pub(super) fn wrong_type(member: &str) -> Answer {
    let message = format!("The value of '{member}' has the wrong type.");
    bad_format("InvalidJson", message)
}

pub(super) fn object<'a>(
    value: &'a Value,
    kind: &str,
    known: &[&str],
) -> Result<&'a Object, Answer> {
    let object = value.as_object().ok_or_else(|| wrong_type(kind))?;
    match object
        .keys()
        .find(|member| !known.contains(&member.as_str()))
    {
        Some(stranger) => Err(bad_format(
            "InvalidJson",
            format!("Could not find member '{stranger}' on object of type '{kind}'."),
        )),
        None => Ok(object),
    }
}

pub(super) fn text(object: &Object, member: &str) -> Result<Option<String>, Answer> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong_type(member)),
    }
}

pub(super) fn texts(object: &Object, member: &str) -> Result<Vec<String>, Answer> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| wrong_type(member))
            })
            .collect(),
        Some(_) => Err(wrong_type(member)),
    }
}

pub(super) fn boolean(object: &Object, member: &str) -> Result<Option<bool>, Answer> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_bool().map(Some).ok_or_else(|| wrong_type(member)),
    }
}

pub(super) fn integer(
    object: &Object,
    member: &str,
    least: i64,
    most: i64,
) -> Result<Option<i64>, Answer> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_i64().ok_or_else(|| wrong_type(member))?;
            match (least..=most).contains(&number) {
                true => Ok(Some(number)),
                false => Err(invalid(format!(
                    "{member} must be between {least} and {most}."
                ))),
            }
        }
    }
}
