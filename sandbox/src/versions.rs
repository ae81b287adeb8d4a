//! Which api-versions each provider takes. A client that leaves the version out is refused before
//! its token is checked.

use super::answer::{Answer, gateway_error};
use super::arm::Asked;
use super::world::World;

/// The versions in use between the oldest and the newest client that was seen.
const VERSIONS: [(&str, &[&str]); 7] = [
    (
        "Microsoft.Network",
        &[
            "2022-01-01",
            "2022-11-01",
            "2023-09-01",
            "2023-11-01",
            "2024-01-01",
            "2024-03-01",
            "2024-05-01",
            "2024-07-01",
            "2024-10-01",
            "2025-01-01",
            "2025-03-01",
            "2025-05-01",
            "2026-01-01",
            "2026-03-01",
        ],
    ),
    (
        "Microsoft.Compute",
        &[
            "2023-03-01",
            "2023-09-01",
            "2024-03-01",
            "2024-07-01",
            "2024-11-01",
            "2025-04-01",
            "2026-04-01",
        ],
    ),
    (
        "Microsoft.Storage",
        &[
            "2023-01-01",
            "2023-05-01",
            "2024-01-01",
            "2025-01-01",
            "2025-06-01",
        ],
    ),
    (
        "Microsoft.Authorization",
        &["2015-07-01", "2018-07-01", "2022-04-01"],
    ),
    (
        "Microsoft.Insights",
        &["2015-04-01", "2018-01-01", "2023-10-01", "2024-02-01"],
    ),
    (
        "Microsoft.ResourceHealth",
        &["2020-05-01", "2022-10-01", "2025-05-01"],
    ),
    // The earlier ones take no comment.
    ("Microsoft.AlertsManagement", &["2025-05-25-preview"]),
];

pub(super) fn check(world: &World, asked: &Asked<'_>) -> Result<(), Answer> {
    let version = asked.api_version;
    if version.is_empty() {
        let message =
            "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(gateway_error(400, "MissingApiVersionParameter", message));
    }
    let date = version.get(..10).unwrap_or_default();
    let well_formed = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if date.len() != 10 || !well_formed {
        let message = format!("The api-version '{version}' is invalid.");
        return Err(gateway_error(400, "InvalidApiVersionParameter", message));
    }
    let action = asked.route.call.action();
    let known = VERSIONS
        .iter()
        .find(|(namespace, _)| action.starts_with(namespace));
    let Some((namespace, usual)) = known else {
        return Ok(());
    };
    let versions = match world.versions.get(*namespace) {
        Some(few) => few.iter().map(String::as_str).collect(),
        None => usual.to_vec(),
    };
    match versions.contains(&version) {
        false => {
            let message = format!(
                "No registered resource provider found for API version '{version}' of '{namespace}'. \
                 The supported api-versions are '{}'.",
                versions.join(", ")
            );
            Err(gateway_error(400, "NoRegisteredProviderFound", message))
        }
        true => Ok(()),
    }
}
