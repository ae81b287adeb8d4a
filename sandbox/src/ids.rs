//! Resource ids as text. Azure compares them without case and gives them back in mixed casing,
//! so nothing in the sandbox may use `==` on them.

/// Whether two ids or names mean the same resource.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/')
        .eq_ignore_ascii_case(b.trim_end_matches('/'))
}

/// The segment after `key`: `part(id, "resourceGroups")` is the group's name.
pub(super) fn part<'a>(id: &'a str, key: &str) -> Option<&'a str> {
    let mut segments = id.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case(key))?;
    segments.next().filter(|segment| !segment.is_empty())
}

/// The last segment.
pub(super) fn name(id: &str) -> &str {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id)
}

pub(super) fn subscription(id: &str) -> &str {
    part(id, "subscriptions").unwrap_or_default()
}

pub(super) fn group(id: &str) -> &str {
    part(id, "resourceGroups").unwrap_or_default()
}

/// Regions are written "West Europe" and "westeurope".
pub(super) fn region(location: &str) -> String {
    location.replace(' ', "").to_ascii_lowercase()
}

/// The id with its group in capitals, as Compute answers.
pub(super) fn shouting_group(id: &str) -> String {
    let group = group(id);
    id.replacen(
        &format!("/{group}/"),
        &format!("/{}/", group.to_ascii_uppercase()),
        1,
    )
}

/// The id with `resourcegroups` in lower case, as lists answer.
pub(super) fn lower_groups(id: &str) -> String {
    id.replacen("/resourceGroups/", "/resourcegroups/", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_whatever_their_case() {
        let id = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/VirtualMachines/vm";
        assert_eq!((subscription(id), group(id), name(id)), ("s", "g", "vm"));
        assert_eq!(part(id, "locations"), None);
        assert_eq!(region("West Europe"), "westeurope");
    }
}
