//! Bodies that a forwarder put round an alert on its way: an Automation webhook's record, a Logic App's request, a
//! CloudEvent. One is opened, never a second, so that no body can make us dig.

use serde_json::Value;

use super::fields::Object;

/// What the envelope holds and where, if the body is one. A body with a `schemaId` of its own is never one.
pub(super) fn content<'a>(top: &Object<'a>) -> Option<(&'a Value, String)> {
    let inside = |name: &str| top.get(name).map(|value| (value, top.path_of(name)));
    if top.get("schemaId").is_some() {
        return None;
    }
    if ["WebhookName", "RequestBody", "RequestHeader"]
        .iter()
        .all(|name| top.has(name))
    {
        return inside("RequestBody");
    }
    if top.has("headers") && top.has("body") {
        return inside("body");
    }
    if top.has("specversion")
        && top
            .loose_object("data")
            .is_some_and(|data| data.has("schemaId"))
    {
        return inside("data");
    }
    None
}
