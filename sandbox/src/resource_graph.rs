//! `Microsoft.ResourceGraph`: queries are not interpreted. Each one that a client makes is known by its exact text, with the
//! values in their places; any other fails loudly.
//! <https://learn.microsoft.com/en-us/rest/api/azureresourcegraph/resourcegraph/resources/resources>

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, gateway_error};
use super::arm::Asked;
use super::world::World;
use super::{fleet_graph, graph_changes};

/// Maximum rows of a page.
const PAGE: usize = 1_000;

/// Rows of a query, or `None` when its text is not one of this file.
type Answers = fn(&mut World, &Value, &str, time::OffsetDateTime) -> Option<Vec<Value>>;

/// The files that know queries.
const KNOWN: [Answers; 2] = [graph_changes::rows, fleet_graph::rows];

pub(super) fn query(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let body: Value = serde_json::from_slice(asked.body)
        .map_err(|error| gateway_error(400, "BadRequest", error.to_string()))?;
    let text = body["query"].as_str().unwrap_or_default();
    if body["options"]["resultFormat"] != "objectArray" {
        return Err(gateway_error(400, "BadRequest", "objectArray only, here"));
    }
    let rows = KNOWN
        .iter()
        .find_map(|known| known(world, &body["subscriptions"], text, asked.now));
    let Some(rows) = rows else {
        let message = format!("THE SANDBOX DOES NOT KNOW THE QUERY: {text}");
        return Err(
            gateway_error(501, "SandboxDoesNotImitateThis", message).noted("query not imitated")
        );
    };
    let options = &body["options"];
    let from = match options["$skipToken"].as_str() {
        None => 0,
        Some(token) => token
            .strip_prefix("rows-")
            .and_then(|at| at.parse().ok())
            .ok_or_else(|| gateway_error(400, "BadRequest", "The skip token is not valid."))?,
    };
    let size = options["$top"].as_u64().map_or(PAGE, |top| top as usize);
    let page: Vec<&Value> = rows.iter().skip(from).take(size.clamp(1, PAGE)).collect();
    let mut answer = json!({
        "totalRecords": rows.len(),
        "count": page.len(),
        "resultTruncated": "false",
        "data": page,
    });
    let next = from + page.len();
    if next < rows.len() {
        answer["$skipToken"] = json!(format!("rows-{next}"));
    }
    Ok(Answer::json(200, answer)
        .with("x-ms-user-quota-remaining", "14")
        .with("x-ms-user-quota-resets-after", "00:00:05"))
}
