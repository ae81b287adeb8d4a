//! What the segments of a resource id may hold. Only the rules for groups, machines and instances are known exactly;
//! for all other resources the letters are refused that would mean something in a URL or mislead a reader.

use crate::text;
use std::fmt;

pub(super) const MACHINE_TYPES: [&str; 2] = ["virtualMachines", "virtualMachineScaleSets"];
pub(super) const INSTANCE_TYPES: [&str; 2] = ["virtualMachineScaleSets", "virtualMachines"];

/// No name of any type is longer, by
/// [the naming rules](https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).
const MAX_NAME: usize = 260;
const MAX_GROUP: usize = 90;
/// Characters of a segment that an error quotes.
const MAX_EXCERPT: usize = 40;
/// Of the resource; the host name inside the machine may be shorter.
const MAX_MACHINE: usize = 80;

/// Why a text is not the id of an Azure resource. Quotes at most a few printable characters of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidResourceId {
    problem: String,
}

impl InvalidResourceId {
    pub(super) fn new(problem: &str) -> Self {
        InvalidResourceId {
            problem: problem.to_owned(),
        }
    }

    fn of(segment: &str, problem: &str) -> Self {
        InvalidResourceId {
            problem: format!("'{}' {problem}", text::excerpt(segment, MAX_EXCERPT)),
        }
    }
}

impl fmt::Display for InvalidResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for InvalidResourceId {}

pub(super) fn subscription(guid: &str) -> Result<(), InvalidResourceId> {
    let hyphens = [8, 13, 18, 23];
    let well_formed = guid.len() == 36
        && guid.bytes().enumerate().all(|(at, byte)| {
            if hyphens.contains(&at) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        });
    if well_formed {
        Ok(())
    } else {
        Err(InvalidResourceId::of(
            guid,
            "is not the GUID of a subscription",
        ))
    }
}

pub(super) fn group(group: &str) -> Result<(), InvalidResourceId> {
    let wrong = |problem| Err(InvalidResourceId::of(group, problem));
    if group.is_empty() || group.chars().count() > MAX_GROUP {
        return wrong("is no resource group: it has 1 to 90 characters");
    }
    if !group
        .chars()
        .all(|c| "_-.()".contains(c) || c.is_alphanumeric() && !text::is_mark(c))
    {
        return wrong("is no resource group: it has letters, digits and _ - . ( ) only");
    }
    if group.ends_with('.') {
        return wrong("is no resource group: it does not end in a dot");
    }
    Ok(())
}

/// The name of a virtual machine or a scale set. Whether Azure takes letters beyond ASCII is not settled; they are
/// refused until such a machine is reported.
pub(super) fn machine(name: &str) -> Result<(), InvalidResourceId> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well
        && name.len() <= MAX_MACHINE
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    {
        return Ok(());
    }
    Err(InvalidResourceId::of(
        name,
        "is no name of a virtual machine or scale set: 1 to 80 ASCII letters, digits and . _ -, first a letter or digit",
    ))
}

/// The instance of a scale set: a number, or a machine-like name in flexible ones.
pub(super) fn instance(id: &str) -> Result<(), InvalidResourceId> {
    let fits = (1..=MAX_NAME).contains(&id.len());
    if fits
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    {
        return Ok(());
    }
    Err(InvalidResourceId::of(
        id,
        "is no scale set instance: ASCII letters, digits and _ - only",
    ))
}

/// A namespace or a type, such as `Microsoft.Network` and `networkWatchers`.
pub(super) fn kind(kind: &str) -> Result<(), InvalidResourceId> {
    let starts_well = kind.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fits = kind.len() <= MAX_NAME && !kind.contains("..") && !kind.ends_with('.');
    if starts_well
        && fits
        && kind
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    {
        return Ok(());
    }
    Err(InvalidResourceId::of(
        kind,
        "is no resource provider namespace or resource type",
    ))
}

/// The name of any other resource.
pub(super) fn other(name: &str) -> Result<(), InvalidResourceId> {
    let wrong = |problem| Err(InvalidResourceId::of(name, problem));
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return wrong("is no resource name: it has 1 to 260 characters");
    }
    if name == "." || name == ".." {
        return wrong("is a step in a path, not a resource name");
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        return wrong("is no resource name: it has a space at its start or end");
    }
    if name
        .chars()
        .any(|c| text::is_mark(c) || "\\/?#%&<>\"".contains(c))
    {
        return wrong(
            "is no resource name: it has a control character or one of \\ / ? # % & < > \"",
        );
    }
    Ok(())
}
