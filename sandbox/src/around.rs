//! What is around the machines of the sandbox, and what changed there: interfaces, NSGs, subnets, load balancers, the
//! activity log and how Azure says that a machine is.

use serde_json::{Value, json};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Sandbox;
use super::ids::same;

/// A network interface of a machine.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    pub id: String,
    pub machine: String,
    pub address: String,
    pub subnet: String,
    pub security_group: Option<String>,
    /// Ids of backend address pools of load balancers.
    pub pools: Vec<String>,
}

/// A subnet of a virtual network.
#[derive(Clone, Debug, Default)]
pub struct Subnet {
    pub id: String,
    pub security_group: Option<String>,
    pub route_table: Option<String>,
}

/// One change of a resource, as the activity log and Resource Graph report it.
#[derive(Clone, Debug)]
pub struct ResourceChange {
    /// The resource that the operation was about, such as a rule of an NSG.
    pub resource: String,
    /// Such as `Microsoft.Network/networkSecurityGroups/securityRules/write`.
    pub operation: String,
    pub at: OffsetDateTime,
    pub by: String,
    /// The HTTP status in words, such as `Created`; `Failed` and the like with `error`.
    pub sub_status: String,
    /// Azure's error code, where the operation failed.
    pub error: Option<String>,
    /// Of Resource Graph: `Create`, `Update`, `Delete`; nothing there when it is empty.
    pub kind: String,
    /// Of Resource Graph: paths with `previousValue` and `newValue`.
    pub values: Value,
    pub correlation: String,
    /// Queries of the activity log and of Resource Graph that come too early to see it.
    pub late_in_log: usize,
    pub late_in_graph: usize,
}

impl ResourceChange {
    /// An update that succeeded, some minutes ago.
    pub fn new(resource: &str, operation: &str, minutes_ago: i64) -> Self {
        Self {
            resource: resource.to_owned(),
            operation: operation.to_owned(),
            at: OffsetDateTime::now_utc() - Duration::minutes(minutes_ago),
            by: "deploy-pipeline".to_owned(),
            sub_status: "OK".to_owned(),
            error: None,
            kind: "Update".to_owned(),
            values: json!({}),
            correlation: Uuid::new_v4().to_string(),
            late_in_log: 0,
            late_in_graph: 0,
        }
    }

    /// A rule that denies traffic to a port was added to an NSG.
    pub fn rule_added(nsg: &str, rule: &str, minutes_ago: i64) -> Self {
        let value = |new: &str| json!({ "previousValue": null, "newValue": new });
        let path = format!("properties.securityRules[\"{rule}\"]");
        Self {
            sub_status: "Created".to_owned(),
            values: json!({
                format!("{path}.name"): value(rule),
                format!("{path}.properties.access"): value("Deny"),
            }),
            ..Self::new(
                &format!("{nsg}/securityRules/{rule}"),
                "Microsoft.Network/networkSecurityGroups/securityRules/write",
                minutes_ago,
            )
        }
    }

    /// The resource that Resource Graph knows: a rule is a part of its NSG.
    pub(super) fn root(&self) -> &str {
        ["/securityRules/", "/subnets/", "/routes/"]
            .iter()
            .find_map(|child| self.resource.split_once(child))
            .map_or(&self.resource, |(root, _)| root)
    }
}

/// How Azure says that a machine is.
#[derive(Clone, Debug)]
pub(super) struct Health {
    pub state: String,
    pub summary: String,
}

/// What is around the machines.
#[derive(Default)]
pub(super) struct Around {
    pub interfaces: Vec<Interface>,
    pub subnets: Vec<Subnet>,
    pub changes: Vec<ResourceChange>,
    /// By machine, in lower case.
    pub health: HashMap<String, Health>,
    /// By interface, in lower case: `value` of the effective rules.
    pub rules: HashMap<String, Value>,
    pub routes: HashMap<String, Value>,
    /// Answers of operations that were accepted, with the polls that come too early.
    pub results: HashMap<String, (usize, Value)>,
    /// Events on a page of the activity log.
    pub event_page: Option<usize>,
}

impl Around {
    pub fn interface(&self, id: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|known| same(&known.id, id))
    }
}

impl Sandbox {
    /// Adds an interface of a machine.
    pub fn add_interface(&self, interface: Interface) {
        self.shared
            .with_world(|world, _| world.around.interfaces.push(interface));
    }

    /// Adds a subnet.
    pub fn add_subnet(&self, subnet: Subnet) {
        self.shared
            .with_world(|world, _| world.around.subnets.push(subnet));
    }

    /// Something was changed.
    pub fn change(&self, change: ResourceChange) {
        self.shared
            .with_world(|world, _| world.around.changes.push(change));
    }

    /// How Azure says that a machine is; `Available` otherwise.
    pub fn set_health(&self, machine: &str, state: &str, summary: &str) {
        let health = Health {
            state: state.to_owned(),
            summary: summary.to_owned(),
        };
        self.shared.with_world(|world, _| {
            let machine = machine.to_ascii_lowercase();
            world.around.health.insert(machine, health);
        });
    }

    /// The effective NSGs and routes of an interface, each as `value` of Azure's answer.
    pub fn set_effective(&self, interface: &str, groups: Value, routes: Value) {
        self.shared.with_world(|world, _| {
            let id = interface.to_ascii_lowercase();
            world.around.rules.insert(id.clone(), groups);
            world.around.routes.insert(id, routes);
        });
    }

    /// Events on each page of the activity log; all on one page otherwise.
    pub fn set_event_page(&self, events: usize) {
        self.shared
            .with_world(|world, _| world.around.event_page = Some(events));
    }
}
