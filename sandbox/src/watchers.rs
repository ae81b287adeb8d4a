//! `Microsoft.Network/networkWatchers`, read only: the sandbox's owner adds them.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::arm::{Asked, page, resource_not_found};
use super::ids::{self, same};
use super::operations::State;
use super::world::{Watcher, World};

pub(super) fn list(world: &World, asked: &Asked<'_>) -> Outcome {
    let scope = &asked.route.scope;
    let group = ids::part(scope, "resourceGroups");
    let found = world.watchers.iter().filter(|watcher| {
        same(ids::subscription(&watcher.id), ids::subscription(scope))
            && group.is_none_or(|group| same(ids::group(&watcher.id), group))
    });
    let all = found
        .map(|watcher| resource(world, watcher, true))
        .collect();
    page(world, asked, all, world.watcher_page_size)
}

pub(super) fn get(world: &World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    let watcher = world.watcher(id).ok_or_else(|| resource_not_found(id))?;
    let body = resource(world, watcher, false);
    Ok(Answer::json(200, body).with("etag", &watcher.etag))
}

fn resource(world: &World, watcher: &Watcher, listed: bool) -> Value {
    let running = world.operations.iter().filter(|operation| {
        operation.state == State::Running && same(&operation.watcher, &watcher.id)
    });
    let running: Vec<&str> = running.map(|operation| operation.id.as_str()).collect();
    json!({
        "name": ids::name(&watcher.id),
        "id": if listed { ids::lower_groups(&watcher.id) } else { watcher.id.clone() },
        "etag": watcher.etag,
        "type": "Microsoft.Network/networkWatchers",
        "location": ids::region(&watcher.location),
        "tags": {},
        "properties": {"provisioningState": "Succeeded", "runningOperationIds": running},
    })
}
