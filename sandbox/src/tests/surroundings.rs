//! What is around a machine, through the front door: known queries only, the filter of the contract, lists that Azure computes.

use super::*;
use crate::ResourceChange;
use serde_json::Value;

const GRAPH: &str = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";

fn query(text: &str) -> Option<Value> {
    Some(json!({
        "subscriptions": [samples::SUBSCRIPTION_ID],
        "query": text,
        "options": { "$top": 1000, "resultFormat": "objectArray" },
    }))
}

fn interfaces(machine: &str) -> String {
    format!(
        "resources | where type =~ 'microsoft.network/networkinterfaces' | where tostring(properties.virtualMachine.id) =~ '{machine}' | project id, nsg = tostring(properties.networkSecurityGroup.id), configurations = properties.ipConfigurations | order by id asc"
    )
}

#[tokio::test]
async fn only_known_queries_are_answered() {
    let azure = Client::start(Options::default()).await;
    let known = interfaces(&samples::WEB_01.to_uppercase());
    let found = azure.send(Method::POST, GRAPH, query(&known)).await;
    assert_eq!(found.status, 200, "{}", found.text);
    assert_eq!(found.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(azure.sandbox.left_over(), Vec::<String>::new());
    let other = azure.send(Method::POST, GRAPH, query("resources | take 1"));
    assert_eq!(other.await.status, 501);
    assert_eq!(azure.sandbox.left_over().len(), 1, "it fails a test");
}

#[tokio::test]
async fn what_the_caller_may_not_read_is_missing_without_an_error() {
    let azure = Client::start(Options::default()).await;
    azure
        .sandbox
        .deny("Microsoft.Network/networkInterfaces/read");
    let known = interfaces(samples::WEB_01);
    let found = azure.send(Method::POST, GRAPH, query(&known)).await;
    assert_eq!((found.status, &found.json()["data"]), (200, &json!([])));
}

#[tokio::test]
async fn the_activity_log_takes_the_filter_of_the_contract_only() {
    let azure = Client::start(Options::default()).await;
    let change = ResourceChange::rule_added(samples::NSG_WEB, "deny-sql", 5);
    azure.sandbox.change(change);
    let log = |filter: &str| {
        let mut url = url::Url::parse(&format!(
            "{}/subscriptions/{}/providers/Microsoft.Insights/eventtypes/management/values",
            azure.sandbox.endpoint(),
            samples::SUBSCRIPTION_ID
        ))
        .unwrap();
        url.query_pairs_mut()
            .append_pair("api-version", "2015-04-01")
            .append_pair("$filter", filter);
        url.to_string()
    };
    let span =
        "eventTimestamp ge '2020-01-01T00:00:00Z' and eventTimestamp le '2099-01-01T00:00:00Z'";
    let good = log(&format!("{span} and resourceGroupName eq 'RG-Shop'"));
    let events = azure.get(&good).await.json();
    // Begun, and ended.
    assert_eq!(events["value"].as_array().unwrap().len(), 2);
    for wrong in [span.to_owned(), format!("{span} and caller eq 'x'")] {
        assert_eq!(azure.get(&log(&wrong)).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn effective_lists_are_computed_after_the_call() {
    let azure = Client::start(Options::default()).await;
    let nic = samples::NIC_WEB_01;
    azure.sandbox.set_effective(nic, json!([1]), json!([2]));
    for (action, expected) in [
        ("effectiveNetworkSecurityGroups", json!([1])),
        ("effectiveRouteTable", json!([2])),
    ] {
        let url = format!("{nic}/{action}?{NETWORK}");
        let accepted = azure.send(Method::POST, &url, None).await;
        assert_eq!(accepted.status, 202, "{}", accepted.text);
        let location = accepted.header("location").to_owned();
        assert_eq!(azure.get(&location).await.status, 202);
        assert_eq!(azure.get(&location).await.json()["value"], expected);
    }
    azure.sandbox.deallocate_vm(samples::WEB_01);
    let url = format!("{nic}/effectiveRouteTable?{NETWORK}");
    let refused = azure.send(Method::POST, &url, None).await;
    assert_eq!(refused.status, 400, "the machine must run");
}
