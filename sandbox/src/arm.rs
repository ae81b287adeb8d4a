//! Resource Manager's front: the checks before a provider is asked, and what all providers share.

use axum::http::HeaderMap;
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::form_urlencoded;
use uuid::Uuid;

use super::answer::{Answer, Outcome, gateway_error};
use super::calls::Call;
use super::ids;
use super::oddities::Oddity;
use super::routes::Route;
use super::world::World;
use super::{
    alerts, blob_storage, compute, headers, managed_identity, monitor, network, operations,
    packet_captures, permissions, queue_storage, resource_graph, storage, versions, watchers,
};

/// A request as the handlers see it.
pub(super) struct Asked<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    pub route: &'a Route,
    pub api_version: &'a str,
    pub now: OffsetDateTime,
}

impl Asked<'_> {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The query's `name`, if it is there and not empty.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, value)| ids::same(key, name) && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

/// Answers any request. Refusals and successes leave the same way.
pub(super) fn answer(world: &mut World, asked: &Asked<'_>) -> Answer {
    let route = asked.route;
    let outcome = match route.call {
        Call::Token => world.directory.token(route, asked.body, asked.now),
        Call::ManagedIdentityToken => managed_identity::token(world, asked),
        Call::OpenIdConfiguration => world.directory.openid_configuration(route),
        Call::Keys => world.directory.keys(route),
        Call::InstanceDiscovery => world.directory.instance_discovery(),
        Call::Endpoints => Ok(endpoints(world)),
        Call::Unknown | Call::Any => Err(unknown(asked)),
        call if call.is_queue() => queue_storage::answer(world, asked),
        call if call.is_blob() => blob_storage::answer(world, asked),
        _ => checks(world, asked).and_then(|()| provider(world, asked)),
    };
    let answer = outcome.unwrap_or_else(|refusal| refusal);
    match route.call.is_arm() {
        true => headers::added(asked, answer),
        false => {
            let answer = match world.storage_clock {
                ahead if !ahead.is_zero() && route.call.is_blob() => {
                    answer.with("date", httpdate::fmt_http_date((asked.now + ahead).into()))
                }
                _ => answer,
            };
            answer.with("x-ms-request-id", Uuid::new_v4().to_string())
        }
    }
}

fn provider(world: &mut World, asked: &Asked<'_>) -> Outcome {
    match asked.route.call {
        Call::ListWatchers => watchers::list(world, asked),
        Call::GetWatcher => watchers::get(world, asked),
        Call::ListCaptures => packet_captures::list(world, asked),
        Call::GetCapture => packet_captures::get(world, asked),
        Call::PutCapture => packet_captures::put(world, asked),
        Call::DeleteCapture => packet_captures::delete(world, asked),
        Call::StopCapture => packet_captures::stop(world, asked),
        Call::QueryStatus => packet_captures::query_status(world, asked),
        Call::OperationStatus => operations::status(world, asked.route, asked.query),
        Call::OperationResult => operations::result(world, asked.route, asked.query),
        Call::ListVirtualMachines => compute::list_virtual_machines(world, asked),
        Call::GetVirtualMachine => compute::get_virtual_machine(world, asked),
        Call::GetInstanceView => compute::get_instance_view(world, asked),
        Call::ListExtensions => compute::list_extensions(world, asked),
        Call::GetScaleSet => compute::get_scale_set(world, asked),
        Call::ListScaleSetInstances => compute::list_instances(world, asked),
        Call::GetScaleSetInstance => compute::get_instance(world, asked),
        Call::GetStorageAccount => storage::get_account(world, asked),
        Call::GetManagementPolicy => storage::get_management_policy(world, asked),
        Call::GetAlert => alerts::get(world, asked),
        Call::GetAlertHistory => alerts::history(world, asked),
        Call::ChangeAlertState => alerts::change_state(world, asked),
        Call::ListUsages => network::list_usages(world, asked),
        Call::ListPermissions => permissions::list(world, asked),
        Call::QueryResources => resource_graph::query(world, asked),
        Call::ListActivityLog => monitor::activity_log(world, asked),
        Call::ListMetrics => monitor::metrics(world, asked),
        Call::GetAvailability => monitor::availability(world, asked),
        Call::EffectiveRules | Call::EffectiveRoutes => monitor::effective(world, asked),
        Call::EffectiveResult => monitor::effective_result(world, asked),
        _ => Err(unknown(asked)),
    }
}

/// How a cloud's endpoints are found, without a token.
fn endpoints(world: &World) -> Answer {
    let audience = &world.directory.audience;
    Answer::json(
        200,
        json!([{
            "name": "Sandbox",
            "resourceManager": world.endpoint,
            "authentication": {"loginEndpoint": world.endpoint, "audiences": [audience]},
        }]),
    )
}

/// In the order of the real front end: length, version, token, subscription, rights, group.
fn checks(world: &World, asked: &Asked<'_>) -> Result<(), Answer> {
    let sized = asked.headers.contains_key("content-length")
        || asked.headers.contains_key("transfer-encoding");
    if asked.method == "POST" && !sized {
        return Err(Answer::raw(
            411,
            "text/html; charset=us-ascii",
            "<!DOCTYPE HTML><HTML><HEAD><TITLE>Length Required</TITLE></HEAD>\
             <BODY><h2>Length Required</h2><p>HTTP Error 411.</p></BODY></HTML>",
        ));
    }
    versions::check(world, asked)?;
    world
        .directory
        .check(asked.header("authorization"), asked.now)?;

    if asked.route.call == Call::QueryResources {
        return Ok(());
    }
    let scope = &asked.route.scope;
    let subscription = ids::subscription(scope);
    if !world
        .subscriptions
        .iter()
        .any(|known| ids::same(known, subscription))
    {
        let message = format!("The subscription '{subscription}' could not be found.");
        return Err(gateway_error(404, "SubscriptionNotFound", message));
    }
    let action = asked.route.call.action();
    // What has no right of its own is for everyone with a token.
    if !action.is_empty() && world.denies_at(action, scope) {
        let message = format!(
            "The client '{}' does not have authorization to perform action '{action}' over scope '{scope}'.",
            super::samples::CLIENT_ID
        );
        return Err(gateway_error(403, "AuthorizationFailed", message));
    }
    match ids::part(scope, "resourceGroups") {
        Some(group) if !world.has_group(subscription, group) => {
            let message = format!("Resource group '{group}' could not be found.");
            Err(gateway_error(404, "ResourceGroupNotFound", message))
        }
        _ => Ok(()),
    }
}

/// A list, in pages when a size is set. The next page's address is absolute and has a token.
pub(super) fn page(
    world: &World,
    asked: &Asked<'_>,
    all: Vec<Value>,
    size: Option<usize>,
) -> Outcome {
    let from = match parameter(asked.query, "$skiptoken") {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|at| at.parse().ok())
            .ok_or_else(|| {
                gateway_error(400, "InvalidSkipToken", "The skip token is not valid.")
            })?,
    };
    let size = size.unwrap_or(all.len()).max(1);
    let mut body = json!({"value": all.iter().skip(from).take(size).collect::<Vec<_>>()});
    let odd = asked.route.call == Call::ListCaptures && world.oddities.contains(&Oddity::OddLists);
    if odd && let Some(list) = body["value"].as_array_mut() {
        list.push(json!({"name": "odd-1", "properties": null}));
        list.push(json!({"name": "odd-2", "properties": {"timeLimitInSeconds": 10.5}}));
        list.push(Value::Null);
    }
    let next = from.saturating_add(size);
    if odd && next >= all.len() {
        body["nextLink"] = json!(format!(
            "{}{}?api-version={}&$skiptoken=page-0",
            world.endpoint, asked.path, asked.api_version
        ));
    }
    if next < all.len() {
        // A list that is filtered stays so on its further pages.
        let filter = parameter(asked.query, "$filter").map_or(String::new(), |filter| {
            let mut pair = form_urlencoded::Serializer::for_suffix("&".to_owned(), 1);
            pair.append_pair("$filter", &filter).finish()
        });
        body["nextLink"] = json!(format!(
            "{}{}?api-version={}{filter}&$skiptoken=page-{next}",
            world.endpoint, asked.path, asked.api_version
        ));
    }
    Ok(Answer::json(200, body))
}

pub(super) fn resource_not_found(id: &str) -> Answer {
    let resource = id
        .split_once("/providers/")
        .map_or(id, |(_, resource)| resource);
    let message = format!(
        "The Resource '{resource}' under resource group '{}' was not found.",
        ids::group(id)
    );
    gateway_error(404, "ResourceNotFound", message)
}

pub(super) fn parent_not_found(id: &str) -> Answer {
    let message = format!(
        "Failed to perform the requested operation: the parent resource '{id}' is not found."
    );
    gateway_error(404, "ParentResourceNotFound", message)
}

/// Loud, because it means that a client makes a call that the sandbox does not imitate.
fn unknown(asked: &Asked<'_>) -> Answer {
    let what = format!("{} {}", asked.method, asked.path);
    Answer::json(
        501,
        json!({"error": {
            "code": "SandboxDoesNotImitateThis",
            "message": format!("THE SANDBOX DOES NOT IMITATE: {what}"),
        }}),
    )
    .noted("not imitated")
}
