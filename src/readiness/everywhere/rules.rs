//! Which alert rules call this function, on which scopes, and which of them would start no capture. Pure.
//! <https://learn.microsoft.com/en-us/azure/templates/microsoft.insights/metricalerts>

use super::setup::note;
use crate::{
    azure::resource_graph::id,
    fleet::{Finding, Weight},
    resource_id::ResourceId,
    shell::ShellCommand,
};
use serde_json::Value;
use std::collections::HashSet;
use url::Url;

/// The name of the function that receives alerts.
const FUNCTION: &str = "AlertPacketCapture";
const CHECK: &str = "alert rules";
/// Maximum findings about rules.
const MAXIMUM_FINDINGS: usize = 100;

/// How this function is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// Its host names.
    pub hosts: Vec<String>,
    /// The name of the function app.
    pub site: Option<String>,
    /// What secure webhooks name it.
    pub audiences: Vec<String>,
}

impl Own {
    pub fn is_known(&self) -> bool {
        !(self.hosts.is_empty() && self.site.is_none() && self.audiences.is_empty())
    }

    /// Whether a receiver of an action group is this function. The address has a key in its query, which is not kept.
    fn is_webhook(&self, receiver: &Value) -> bool {
        let named = |member: &str| {
            let text = receiver[member].as_str().unwrap_or_default();
            self.audiences
                .iter()
                .any(|it| it.eq_ignore_ascii_case(text))
        };
        let Some(url) = receiver["serviceUri"]
            .as_str()
            .and_then(|it| Url::parse(it).ok())
        else {
            return false;
        };
        let host = url.host_str().unwrap_or_default();
        let own = self.hosts.iter().any(|it| it.eq_ignore_ascii_case(host));
        let path = url.path().trim_end_matches('/').to_ascii_lowercase();
        let here = path.ends_with(&format!("/{}", FUNCTION.to_ascii_lowercase()));
        here && own
            || receiver["useAadAuth"] == Value::Bool(true)
                && (named("objectId") || named("identifierUri"))
    }

    fn is_function(&self, receiver: &Value) -> bool {
        let app = id(receiver, "functionAppResourceId");
        let name = receiver["functionName"].as_str().unwrap_or_default();
        let site = app.as_ref().and_then(|it| it.name());
        name.eq_ignore_ascii_case(FUNCTION)
            && site
                .zip(self.site.as_deref())
                .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
    }
}

/// What the rows of rules and action groups come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Where the machines are that the rules send here.
    pub scopes: HashSet<ResourceId>,
    pub findings: Vec<Finding>,
}

/// A rule as far as it matters here.
struct Rule {
    id: ResourceId,
    enabled: bool,
    groups: Vec<ResourceId>,
    scopes: Vec<ResourceId>,
    names: Names,
    /// Where `az resource update --add` puts an action group, and how it is written there.
    add: (&'static str, &'static str),
}

/// What the alerts of a rule name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Machines in its scopes.
    Machines,
    Nothing,
    /// Machines that only the data of the alert says.
    AtRunTime,
}

/// Reads the rows of rules and action groups.
pub fn read(rows: &[Value], own: &Own) -> Found {
    let is = |row: &Value, kind: &str| {
        row["type"]
            .as_str()
            .is_some_and(|it| it.eq_ignore_ascii_case(kind))
    };
    let (groups, rules): (Vec<&Value>, Vec<&Value>) = rows
        .iter()
        .partition(|it| is(it, "microsoft.insights/actiongroups"));
    let any = |row: &Value, list: &str, matches: &dyn Fn(&Value) -> bool| {
        let list = row["properties"][list].as_array();
        list.into_iter().flatten().any(matches)
    };
    let calls = |row: &&&Value| {
        any(row, "webhookReceivers", &|it| own.is_webhook(it))
            || any(row, "azureFunctionReceivers", &|it| own.is_function(it))
    };
    let ours: Vec<(ResourceId, bool)> = groups
        .iter()
        .filter(calls)
        .filter_map(|row| {
            Some((
                id(row, "id")?,
                row["properties"]["enabled"] != Value::Bool(false),
            ))
        })
        .collect();
    let known: Vec<ResourceId> = groups.iter().filter_map(|row| id(row, "id")).collect();
    let mut found = Found::default();
    for (group, enabled) in &ours {
        if !enabled {
            let message = format!(
                "the action group {} is disabled: it calls nothing",
                name(group)
            );
            found.add(message, Weight::Blocks, Some(enable(group)));
        }
    }
    let mut callers = 0_usize;
    for rule in rules.into_iter().filter_map(rule) {
        let calls = rule
            .groups
            .iter()
            .any(|it| ours.iter().any(|(own, _)| own == it));
        if calls {
            callers = callers.saturating_add(1);
            found.caller(&rule);
        } else if rule.enabled && rule.names == Names::Machines {
            found.bystander(&rule, &known, ours.first().map(|it| &it.0));
        }
    }
    if callers == 0 {
        let fix = ShellCommand::new("az monitor action-group list --output table");
        let message = "no alert rule that can be read calls this function".to_owned();
        found.add(message, Weight::Blocks, Some(fix));
    }
    found
}

impl Found {
    fn add(&mut self, message: String, weight: Weight, fix: Option<ShellCommand>) {
        if self.findings.len() < MAXIMUM_FINDINGS {
            let fix = fix.map(|it| it.to_string());
            self.findings.push(note(CHECK, weight, message, fix));
        }
    }

    /// A rule that calls this function.
    fn caller(&mut self, rule: &Rule) {
        let rule_name = name(&rule.id);
        if !rule.enabled {
            let message = format!("{rule_name} is disabled: it starts no capture");
            self.add(message, Weight::Blocks, Some(enable(&rule.id)));
        }
        match rule.names {
            Names::Machines => self.scopes.extend(rule.scopes.iter().cloned()),
            Names::Nothing => {
                let message = format!(
                    "{rule_name} names no machine: its alerts are answered with no_vm_target"
                );
                let fix = ShellCommand::new("az resource show")
                    .with("--ids", &rule.id.to_string())
                    .words("--query properties.scopes");
                self.add(message, Weight::Blocks, Some(fix));
            }
            Names::AtRunTime => {
                let message = format!(
                    "{rule_name} names its machines when it fires: they are not known before; Readiness__Targets=scopes checks all"
                );
                self.add(message, Weight::Unknown, None);
            }
        }
    }

    /// A rule on machines that calls something else, or nothing.
    fn bystander(&mut self, rule: &Rule, known: &[ResourceId], own: Option<&ResourceId>) {
        let gone = |it: &ResourceId| !known.contains(it);
        let what = match &rule.groups[..] {
            [] => "has no action group".to_owned(),
            groups if groups.iter().all(gone) => {
                let names: Vec<String> = groups.iter().take(3).map(name).collect();
                format!(
                    "has the action group {}, which does not exist or may not be read",
                    names.join(", ")
                )
            }
            _ => return,
        };
        let fix = own.map(|group| {
            let (list, written) = rule.add;
            ShellCommand::new("az resource update")
                .with("--ids", &rule.id.to_string())
                .with_each("--add", [list, &format!("{written}{group}")])
        });
        self.add(
            format!("{} {what}: it calls nothing", name(&rule.id)),
            Weight::Warns,
            fix,
        );
    }
}

fn enable(id: &ResourceId) -> ShellCommand {
    ShellCommand::new("az resource update")
        .with("--ids", &id.to_string())
        .words("--set properties.enabled=true")
}

fn name(id: &ResourceId) -> String {
    id.short_name()
}

fn rule(row: &Value) -> Option<Rule> {
    let properties = &row["properties"];
    let kind = row["type"].as_str()?.to_ascii_lowercase();
    let scopes = texts(&properties["scopes"]);
    let scopes: Vec<ResourceId> = scopes.filter_map(|it| ResourceId::parse(it).ok()).collect();
    let groups = |list: &Value| {
        let list = list.as_array().into_iter().flatten();
        let ids = list.filter_map(|it| it.as_str().or(it["actionGroupId"].as_str()));
        ids.filter_map(|it| ResourceId::parse(it).ok()).collect()
    };
    let (groups, names, add) = match kind.rsplit('/').next()? {
        "metricalerts" => {
            let target = properties["targetResourceType"]
                .as_str()
                .unwrap_or_default();
            let names = by_type(&mut std::iter::once(target), &scopes);
            let add = ("properties.actions", "actionGroupId=");
            (groups(&properties["actions"]), names, add)
        }
        "activitylogalerts" => {
            let add = ("properties.actions.actionGroups", "actionGroupId=");
            let names = by_condition(&properties["condition"], &scopes);
            (groups(&properties["actions"]["actionGroups"]), names, add)
        }
        "scheduledqueryrules" => {
            let add = ("properties.actions.actionGroups", "");
            let names = by_query(properties, &scopes);
            (groups(&properties["actions"]["actionGroups"]), names, add)
        }
        _ => return None,
    };
    Some(Rule {
        id: id(row, "id")?,
        enabled: properties["enabled"] != Value::Bool(false),
        groups,
        scopes,
        names,
        add,
    })
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Machines and scale sets, and instances of these.
fn is_machine_type(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    kind.starts_with("microsoft.compute/virtualmachine")
}

/// Whether a scope is one of machines, or one that contains some.
fn may_contain(scope: &ResourceId) -> bool {
    scope.name().is_none() || is_machine(scope)
}

fn is_machine(scope: &ResourceId) -> bool {
    [
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Compute/virtualMachineScaleSets",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
    ]
    .iter()
    .any(|kind| scope.is_type(kind))
}

/// By the types that the rule names, else by its scopes.
fn by_type(types: &mut dyn Iterator<Item = &str>, scopes: &[ResourceId]) -> Names {
    let types: Vec<&str> = types.filter(|it| !it.is_empty()).collect();
    let machines = match types.is_empty() {
        true => scopes.iter().any(is_machine),
        false => types.iter().any(|it| is_machine_type(it)),
    };
    match machines && scopes.iter().any(may_contain) {
        true => Names::Machines,
        false => Names::Nothing,
    }
}

/// By what the condition asks of the event: its category, the type of its resource, or the resource.
fn by_condition(condition: &Value, scopes: &[ResourceId]) -> Names {
    let all = condition["allOf"].as_array().map_or(&[][..], Vec::as_slice);
    let value = |wanted: &str| {
        let field = |it: &&Value| {
            it["field"]
                .as_str()
                .is_some_and(|it| it.eq_ignore_ascii_case(wanted))
        };
        all.iter().find(field).and_then(|it| it["equals"].as_str())
    };
    if value("category").is_some_and(|it| it.eq_ignore_ascii_case("ServiceHealth")) {
        return Names::Nothing;
    }
    let resource = value("resourceId").and_then(|it| ResourceId::parse(it).ok());
    let machines = match (value("resourceType"), resource) {
        (Some(kind), _) => is_machine_type(kind),
        (None, Some(resource)) => may_contain(&resource),
        (None, None) => true,
    };
    match machines && scopes.iter().any(may_contain) {
        true => Names::Machines,
        false => Names::Nothing,
    }
}

/// A query over machines names them; one over a workspace only through a column with their ids.
fn by_query(properties: &Value, scopes: &[ResourceId]) -> Names {
    let types = texts(&properties["targetResourceTypes"]);
    let mut criteria = properties["criteria"]["allOf"]
        .as_array()
        .into_iter()
        .flatten();
    if by_type(&mut types.into_iter(), scopes) == Names::Machines {
        return Names::Machines;
    }
    match criteria.any(|it| {
        it["resourceIdColumn"]
            .as_str()
            .is_some_and(|it| !it.is_empty())
    }) {
        true => Names::AtRunTime,
        false => Names::Nothing,
    }
}

#[cfg(test)]
mod tests;
