//! `Microsoft.Authorization/permissions`: what the caller may do. One role that allows everything, less
//! what the sandbox's owner has denied.

use serde_json::json;

use super::answer::Outcome;
use super::arm::{Asked, page};
use super::world::World;

pub(super) fn list(world: &World, asked: &Asked<'_>) -> Outcome {
    let role = json!({
        "actions": ["*"],
        "notActions": world.denied,
        "dataActions": [],
        "notDataActions": [],
    });
    page(world, asked, vec![role], None)
}
