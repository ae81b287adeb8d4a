//! `Microsoft.Authorization/permissions`: what the caller may do. One role that allows everything, or what the
//! sandbox's owner has granted, less what was denied.

use serde_json::json;

use super::answer::Outcome;
use super::arm::{Asked, page};
use super::world::World;

pub(super) fn list(world: &World, asked: &Asked<'_>) -> Outcome {
    let all = ["*".to_owned()];
    let scope = &asked.route.scope;
    let here = |denied: &&(String, String)| world.denies_at(&denied.0, scope);
    let at = world.denied_at.iter().filter(here).map(|denied| &denied.0);
    let denied: Vec<&String> = world.denied.iter().chain(at).collect();
    let role = json!({
        "actions": world.granted.as_deref().unwrap_or(&all),
        "notActions": denied,
        "dataActions": [],
        "notDataActions": [],
    });
    page(world, asked, vec![role], None)
}
