//! Ids of Azure resources, read strictly, because they come from outside and end up in URLs that carry our token.
//! Whatever has been parsed holds no segment that a URL could read as anything but one name.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod name;
mod operation_url;
mod short_name;
mod text;

pub use operation_url::OperationUrl;

pub use name::InvalidResourceId;
use std::sync::Arc;

/// Room for every id Azure gives out, and an end to those that only a body could think of.
const MAX_BYTES: usize = 2048;

/// Types whose casing is settled here, so that one resource has one text. Others stay as written.
const KNOWN_TYPES: [&str; 4] = [
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
    "Microsoft.Network/networkWatchers/packetCaptures",
    "Microsoft.Storage/storageAccounts",
];

/// The id of a subscription, a resource group, or a resource at any depth:
///
/// ```text
/// /subscriptions/{guid}
/// /subscriptions/{guid}/resourceGroups/{group}
/// {either}/providers/{namespace}/{type}/{name}[/{type}/{name}]…
/// {resource}/providers/{namespace}/{type}/{name}[/{type}/{name}]…     an extension of the resource
/// ```
///
/// The GUID and the fixed segments take one casing; group and names stay as written. Two ids are equal when they
/// differ in letter case only, since Resource Manager holds them for the same
/// ([naming rules](https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules)).
///
/// A clone shares the text: a job, its report and what is remembered of it name the same few resources.
#[derive(Clone)]
pub struct ResourceId {
    text: Arc<str>,
}

impl ResourceId {
    /// Reads the id, or says what is wrong with it. Nothing is decoded, trimmed or fixed.
    pub fn parse(text: &str) -> Result<ResourceId, InvalidResourceId> {
        let wrong = |what: &str| Err(InvalidResourceId::new(what));
        if text.len() > MAX_BYTES {
            return wrong("the id is longer than 2048 bytes");
        }
        let Some(path) = text.strip_prefix('/') else {
            return wrong("the id does not start with '/subscriptions/'");
        };
        let written: Vec<&str> = path.split('/').collect();
        let mut rest = written.as_slice();
        let mut segments = Vec::with_capacity(rest.len());

        let [fixed, guid, tail @ ..] = rest else {
            return wrong("the id does not start with '/subscriptions/{guid}'");
        };
        if !fixed.eq_ignore_ascii_case("subscriptions") {
            return wrong("the id does not start with '/subscriptions/'");
        }
        name::subscription(guid)?;
        let guid = guid.to_ascii_lowercase();
        segments.extend(["subscriptions", &guid]);
        rest = tail;

        let mut in_group = false;
        if let [fixed, group, tail @ ..] = rest
            && fixed.eq_ignore_ascii_case("resourceGroups")
        {
            name::group(group)?;
            segments.extend(["resourceGroups", group]);
            rest = tail;
            in_group = true;
        }

        while !rest.is_empty() {
            let end = block_end(rest);
            provider(&rest[..end], segments.len(), in_group, &mut segments)?;
            rest = &rest[end..];
        }
        Ok(ResourceId::from_segments(&segments))
    }

    /// The subscription's GUID in lower case.
    pub fn subscription(&self) -> &str {
        self.iter().nth(1).unwrap_or_default()
    }

    /// The subscription that the resource is in, as an id of its own.
    pub fn subscription_id(&self) -> ResourceId {
        ResourceId::from_segments(&self.segments()[..2])
    }

    /// The resource group as written, if the id is of one or in one.
    pub fn resource_group(&self) -> Option<&str> {
        let mut segments = self.iter().skip(2);
        (segments.next() == Some("resourceGroups")).then(|| segments.next())?
    }

    /// The resource's own name, the last segment; none for a subscription or a group.
    pub fn name(&self) -> Option<&str> {
        let segments = self.segments();
        last_block(&segments)?;
        segments.last().copied()
    }

    /// Whether the resource is of this type, written in full (`Microsoft.Network/networkWatchers/packetCaptures`),
    /// compared without case.
    pub fn is_type(&self, full_type: &str) -> bool {
        let segments = self.segments();
        let Some(block) = last_block(&segments) else {
            return false;
        };
        let own = type_path(&segments[block..]);
        own.len() == full_type.split('/').count()
            && own
                .iter()
                .zip(full_type.split('/'))
                .all(|(a, b)| a.eq_ignore_ascii_case(b))
    }

    /// The id of something in or below this one. `kind` is `resourceGroups`, a child's type (`packetCaptures`), or a
    /// type in full (`Microsoft.Compute/virtualMachines`), which in a group makes a resource and below a resource an
    /// extension. The name is checked, so that it can never add a segment of its own.
    pub fn child(&self, kind: &str, name: &str) -> Result<ResourceId, InvalidResourceId> {
        if name.contains('/') || kind.matches('/').count() > 1 {
            return Err(InvalidResourceId::new("a child has one type and one name"));
        }
        let provider = if kind.contains('/') { "/providers" } else { "" };
        ResourceId::parse(&format!("{}{provider}/{kind}/{name}", self.text))
    }

    /// What holds this one: a resource's parent resource, its group, or the subscription, which itself has none.
    pub fn parent(&self) -> Option<ResourceId> {
        let segments = self.segments();
        let cut = match last_block(&segments) {
            Some(block) if segments.len().checked_sub(block) == Some(4) => block,
            Some(_) => segments.len().saturating_sub(2),
            None if segments.len() > 2 => 2,
            None => return None,
        };
        Some(ResourceId::from_segments(&segments[..cut]))
    }

    /// The canonical segments in order, fixed ones included; each is to be percent-encoded on its way into a URL.
    pub fn segments(&self) -> Vec<&str> {
        self.iter().collect()
    }

    /// Whether `other` is this scope or in it: a subscription holds its groups, a group its resources, a resource
    /// its children and extensions.
    pub fn contains(&self, other: &ResourceId) -> bool {
        let (own, other) = (self.text.as_bytes(), other.text.as_bytes());
        let start = other.get(..own.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(own))
            && other.get(own.len()).is_none_or(|next| *next == b'/')
    }

    fn iter(&self) -> std::str::Split<'_, char> {
        self.text.strip_prefix('/').unwrap_or(&self.text).split('/')
    }

    fn from_segments(segments: &[&str]) -> ResourceId {
        let length = segments
            .iter()
            .map(|segment| segment.len().saturating_add(1))
            .sum();
        let mut text = String::with_capacity(length);
        for segment in segments {
            text.push('/');
            text.push_str(segment);
        }
        ResourceId { text: text.into() }
    }
}

/// One `providers/{namespace}/{type}/{name}…` stretch, checked and appended in canonical form.
fn provider<'a>(
    block: &[&'a str],
    at: usize,
    in_group: bool,
    segments: &mut Vec<&'a str>,
) -> Result<(), InvalidResourceId> {
    let wrong = |what: &str| Err(InvalidResourceId::new(what));
    if !block[0].eq_ignore_ascii_case("providers") {
        return wrong(
            "'resourceGroups' or 'providers' was expected after the subscription or group",
        );
    }
    if block.len() < 4 || !block.len().is_multiple_of(2) {
        return wrong("after 'providers' come a namespace, then pairs of type and name");
    }
    let mut types = type_path(block);
    for kind in &types {
        name::kind(kind)?;
    }
    recase(&mut types);

    let is_machine = types[0] == "Microsoft.Compute" && name::MACHINE_TYPES.contains(&types[1]);
    if is_machine && !(in_group && at == 4) {
        return wrong("a virtual machine or scale set is in a resource group");
    }
    segments.extend(["providers", types[0]]);
    let named = block[2..].chunks(2).zip(&types[1..]);
    for (depth, (pair, kind)) in named.enumerate() {
        match (is_machine, depth) {
            (true, 0) => name::machine(pair[1])?,
            (true, 1) if types[1..3] == name::INSTANCE_TYPES => name::instance(pair[1])?,
            _ => name::other(pair[1])?,
        }
        segments.extend([*kind, pair[1]]);
    }
    Ok(())
}

/// Where the block that starts `segments` ends: at a `providers` in the place of a type. In the place of a name that
/// word is a name.
fn block_end(segments: &[&str]) -> usize {
    (2..segments.len())
        .step_by(2)
        .find(|&at| segments[at].eq_ignore_ascii_case("providers"))
        .unwrap_or(segments.len())
}

/// Where the last `providers` block of a canonical id starts.
fn last_block(segments: &[&str]) -> Option<usize> {
    let mut start = if segments.get(2) == Some(&"resourceGroups") {
        4
    } else {
        2
    };
    let mut last = None;
    while start < segments.len() {
        last = Some(start);
        start = start.saturating_add(block_end(&segments[start..]));
    }
    last
}

/// The namespace and the types of a block, without the names.
fn type_path<'a>(block: &[&'a str]) -> Vec<&'a str> {
    let types = block[2..].iter().step_by(2);
    std::iter::once(block[1]).chain(types.copied()).collect()
}

/// Gives known types their usual casing, as deep as they are known.
fn recase(types: &mut [&str]) {
    for known in KNOWN_TYPES {
        let alike = types
            .iter()
            .zip(known.split('/'))
            .take_while(|(a, b)| a.eq_ignore_ascii_case(b))
            .count();
        if alike >= 2 {
            for (own, known) in types[..alike].iter_mut().zip(known.split('/')) {
                *own = known;
            }
        }
    }
}

#[cfg(test)]
mod tests;
