//! Judges an id of a main target field: a target, some other resource, or not to be trusted. The last is what a path
//! would be that walks out of its scope, or a machine's id that is only nearly one.

use super::target::{Target, TargetKind};
use crate::resource_id::ResourceId;

/// A target; nothing, if the id is of something else (a child of a machine too); or what is wrong with it.
pub(super) fn read(id: &str) -> Result<Option<Target>, String> {
    if id.is_empty() {
        return Ok(None);
    }
    let decoded = percent_decoded(id);
    for spelling in std::iter::once(id).chain(decoded.as_deref()) {
        check_path(spelling)?;
    }
    if !names_machine(id) && !decoded.as_deref().is_some_and(names_machine) {
        return Ok(None);
    }
    let Some((machine, below)) = split(id) else {
        return machine_target(id).map(Some);
    };
    let machine = machine_target(machine)?;
    let below: Vec<&str> = below.split('/').collect();
    if machine.kind == TargetKind::ScaleSet
        && below[0].eq_ignore_ascii_case("virtualMachines")
        && below.len() > 1
    {
        let instance = machine
            .id
            .child("virtualMachines", below[1])
            .map_err(|wrong| wrong.to_string())?;
        if below.len() == 2 {
            return Ok(Target::of(instance));
        }
    }
    if !is_child_path(&below) {
        return Err("below a machine come pairs of type and name, or 'providers' with a namespace and pairs".to_owned());
    }
    Ok(None)
}

fn check_path(id: &str) -> Result<(), String> {
    let wrong = |problem: &str| Err(problem.to_owned());
    if id.chars().any(char::is_control) {
        return wrong("it has a control character");
    }
    if id.contains('\\') {
        return wrong("it has a backslash");
    }
    for segment in id.strip_prefix('/').unwrap_or(id).split('/') {
        match segment {
            "" => return wrong("it has an empty segment"),
            "." | ".." => return wrong("it has a dot segment"),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a machine's or scale set's type stands anywhere in the path.
fn names_machine(id: &str) -> bool {
    let mut previous = "";
    id.split('/').any(|segment| {
        let machine = previous.eq_ignore_ascii_case("Microsoft.Compute")
            && ["virtualMachines", "virtualMachineScaleSets"]
                .iter()
                .any(|kind| segment.eq_ignore_ascii_case(kind));
        previous = segment;
        machine
    })
}

/// A machine's id and what follows it, if anything does. A machine's id has eight segments.
fn split(id: &str) -> Option<(&str, &str)> {
    let (end, _) = id.match_indices('/').nth(8)?;
    let (machine, below) = id.split_at(end);
    Some((machine, below.strip_prefix('/')?))
}

fn machine_target(id: &str) -> Result<Target, String> {
    let id = ResourceId::parse(id).map_err(|wrong| wrong.to_string())?;
    Target::of(id).ok_or_else(|| "it names a machine where none can be".to_owned())
}

/// Names below a machine are not ours to judge; only the form is. See [`ResourceId`] for it.
fn is_child_path(below: &[&str]) -> bool {
    let is_providers = |segment: &str| segment.eq_ignore_ascii_case("providers");
    let fixed: Vec<&str> = below.iter().copied().step_by(2).collect();
    let follows = |pair: &[&str]| !(is_providers(pair[0]) && is_providers(pair[1]));
    below.len().is_multiple_of(2)
        && fixed.windows(2).all(follows)
        && !fixed.last().is_some_and(|last| is_providers(last))
}

/// The id with `%xx` decoded once, if it has any. Bytes that are then no UTF-8 are replaced: no name has them.
fn percent_decoded(id: &str) -> Option<String> {
    if !id.contains('%') {
        return None;
    }
    let bytes = id.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at..).and_then(|rest| rest.get(1..3));
        let hex = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let hex = hex.and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = hex.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (read, next) = match (byte, escaped) {
            (b'%', Some(escaped)) => (escaped, at.saturating_add(3)),
            _ => (byte, at.saturating_add(1)),
        };
        decoded.push(read);
        at = next;
    }
    Some(String::from_utf8_lossy(&decoded).into_owned())
}
