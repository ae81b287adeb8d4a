//! The queries about what is around a machine, and about what changed there. The caller sees what it may read; the rest is
//! missing without an error.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ids::{self, same};
use super::world::World;

/// The rows of a query of this file.
pub(super) fn rows(
    world: &mut World,
    subscriptions: &Value,
    query: &str,
    now: OffsetDateTime,
) -> Option<Vec<Value>> {
    if let Some(machine) = between(
        query,
        "resources | where type =~ 'microsoft.network/networkinterfaces' | where tostring(properties.virtualMachine.id) =~ '",
        "' | project id, nsg = tostring(properties.networkSecurityGroup.id), configurations = properties.ipConfigurations | order by id asc",
    ) {
        return Some(interfaces(world, subscriptions, machine));
    }
    if let Some(middle) = between(
        query,
        "resources | where type =~ 'microsoft.network/virtualnetworks' | where id in~ (",
        ") | project id = tostring(subnet.id), nsg = tostring(subnet.properties.networkSecurityGroup.id), routes = tostring(subnet.properties.routeTable.id) | order by id asc",
    ) {
        let (_, subnets) = middle.split_once(
            ") | mv-expand subnet = properties.subnets | where tostring(subnet.id) in~ (",
        )?;
        return Some(subnets_of(world, subscriptions, subnets));
    }
    let middle = between(
        query,
        "resourcechanges | extend target = tostring(properties.targetResourceId), at = todatetime(properties.changeAttributes.timestamp) | where at between (datetime(",
        ") | project id, target, at, properties | order by at desc",
    )?;
    let (since, rest) = middle.split_once(") .. datetime(")?;
    let (until, rest) = rest.split_once(")) | where resourceGroup =~ '")?;
    let (group, ids) = rest.split_once("' or target in~ (")?;
    let span = (moment(since)?, moment(until)?);
    Some(changes(world, subscriptions, span, group, ids, now))
}

fn between<'q>(query: &'q str, start: &str, end: &str) -> Option<&'q str> {
    query.strip_prefix(start)?.strip_suffix(end)
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Whether a query is about the subscription of a resource.
fn among(subscriptions: &Value, id: &str) -> bool {
    let all = subscriptions.as_array().into_iter().flatten();
    let mut all = all.filter_map(Value::as_str);
    all.any(|known| same(known, ids::subscription(id)))
}

fn names(list: &str, id: &str) -> bool {
    list.split(", ")
        .any(|known| same(known.trim_matches('\''), id))
}

fn interfaces(world: &World, subscriptions: &Value, machine: &str) -> Vec<Value> {
    if world.denies("Microsoft.Network/networkInterfaces/read") {
        return Vec::new();
    }
    let found = world.around.interfaces.iter();
    let found = found.filter(|it| same(&it.machine, machine) && among(subscriptions, &it.id));
    found
        .map(|it| {
            let pools: Vec<Value> = it.pools.iter().map(|id| json!({ "id": id })).collect();
            json!({
                "id": ids::lower_groups(&it.id),
                "nsg": it.security_group.as_deref().unwrap_or_default(),
                "configurations": [{
                    "name": "ipconfig1",
                    "properties": {
                        "privateIPAddress": it.address,
                        "subnet": { "id": it.subnet },
                        "loadBalancerBackendAddressPools": pools,
                    },
                }],
            })
        })
        .collect()
}

fn subnets_of(world: &World, subscriptions: &Value, list: &str) -> Vec<Value> {
    if world.denies("Microsoft.Network/virtualNetworks/read") {
        return Vec::new();
    }
    let found = world.around.subnets.iter();
    let found = found.filter(|it| names(list, &it.id) && among(subscriptions, &it.id));
    found
        .map(|it| {
            json!({
                "id": it.id,
                "nsg": it.security_group.as_deref().unwrap_or_default(),
                "routes": it.route_table.as_deref().unwrap_or_default(),
            })
        })
        .collect()
}

fn changes(
    world: &mut World,
    subscriptions: &Value,
    (since, until): (OffsetDateTime, OffsetDateTime),
    group: &str,
    list: &str,
    now: OffsetDateTime,
) -> Vec<Value> {
    if world.denies("Microsoft.Resources/changes/read") {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for change in &mut world.around.changes {
        let meant = same(ids::group(&change.resource), group)
            || names(list, &change.resource)
            || names(list, change.root());
        let span = (since..=until.max(now)).contains(&change.at);
        if !meant || !span || !among(subscriptions, &change.resource) || change.kind.is_empty() {
            continue;
        }
        // It comes minutes late.
        if change.late_in_graph > 0 {
            change.late_in_graph -= 1;
            continue;
        }
        let at = change.at.format(&Rfc3339).unwrap_or_default();
        rows.push((
            change.at,
            json!({
                "id": format!("{}/providers/Microsoft.Resources/changes/{}", change.resource, change.correlation),
                "target": change.root(),
                "at": at,
                "properties": {
                    "targetResourceId": change.root(),
                    "targetResourceType": "",
                    "changeType": change.kind,
                    "changeAttributes": {
                        "timestamp": at,
                        "correlationId": change.correlation,
                        "changedBy": change.by,
                        "changedByType": "User",
                        "clientType": "Unspecified",
                        "operation": change.operation,
                        "changesCount": change.values.as_object().map_or(0, serde_json::Map::len),
                    },
                    "changes": change.values,
                },
            }),
        ));
    }
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    rows.into_iter().map(|(_, row)| row).collect()
}
