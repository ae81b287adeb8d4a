//! Which of the imitated calls a request is. Paths are matched without case, as Azure does.

use url::form_urlencoded;

use super::arm::parameter;
use super::calls::Call;

/// A recognised request.
#[derive(Debug)]
pub(super) struct Route {
    pub call: Call,
    /// The id of the top resource, or of the subscription or group that a list is about.
    pub scope: String,
    /// What is named below it: a capture, an operation, an instance, a tenant.
    pub child: String,
    /// The path as the journal's short lines show it.
    pub short: String,
}

impl Route {
    /// `platform` is whether it came to App Service's identity endpoint, which answers one call; no other
    /// endpoint answers that one.
    pub fn at(platform: bool, method: &str, path: &str, query: &str) -> Self {
        let route = Self::of(method, path, query);
        match platform == (route.call == Call::ManagedIdentityToken) {
            true => route,
            false => Self {
                call: Call::Unknown,
                scope: String::new(),
                child: String::new(),
                short: path.to_owned(),
            },
        }
    }

    pub fn of(method: &str, path: &str, query: &str) -> Self {
        let parts: Vec<String> = path.split('/').skip(1).map(decode).collect();
        let lower: Vec<String> = parts.iter().map(|p| p.to_ascii_lowercase()).collect();
        let key: Vec<&str> = lower.iter().map(String::as_str).collect();
        let up_to = |n: usize| format!("/{}", parts[..n].join("/"));
        let from = |n: usize| parts[n..].join("/");
        let route = |call, scope: String, child: &str, short: String| Self {
            call,
            scope,
            child: child.to_owned(),
            short,
        };

        match (method, key.as_slice()) {
            ("POST", [_, "oauth2", "v2.0", "token"]) => {
                route(Call::Token, String::new(), &parts[0], "token".to_owned())
            }
            ("GET", ["msi", "token"]) => {
                route(Call::ManagedIdentityToken, String::new(), "", from(0))
            }
            ("GET", [_, "v2.0", ".well-known", "openid-configuration"]) => {
                route(Call::OpenIdConfiguration, String::new(), &parts[0], from(3))
            }
            ("GET", [_, "discovery", "v2.0", "keys"]) => {
                route(Call::Keys, String::new(), &parts[0], from(3))
            }
            ("GET", ["common", "discovery", "instance"]) => {
                route(Call::InstanceDiscovery, String::new(), "", from(1))
            }
            ("GET", ["metadata", "endpoints"]) => {
                route(Call::Endpoints, String::new(), "", from(0))
            }
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    "providers",
                    "microsoft.network",
                    "locations",
                    _,
                    "usages",
                ],
            ) => route(Call::ListUsages, up_to(2), &parts[5], from(5)),
            // At any scope, so it comes before the resources.
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    ..,
                    "providers",
                    "microsoft.authorization",
                    "permissions",
                ],
            ) => route(
                Call::ListPermissions,
                up_to(parts.len() - 3),
                "",
                "permissions".to_owned(),
            ),
            ("POST", ["providers", "microsoft.resourcegraph", "resources"]) => {
                route(Call::QueryResources, String::new(), "", from(1))
            }
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    "providers",
                    "microsoft.insights",
                    "eventtypes",
                    "management",
                    "values",
                ],
            ) => route(
                Call::ListActivityLog,
                up_to(2),
                "",
                "activity log".to_owned(),
            ),
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    ..,
                    "providers",
                    "microsoft.insights",
                    "metrics",
                ],
            ) => route(
                Call::ListMetrics,
                up_to(parts.len() - 3),
                "",
                "metrics".to_owned(),
            ),
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    ..,
                    "providers",
                    "microsoft.resourcehealth",
                    "availabilitystatuses",
                    "current",
                ],
            ) => route(
                Call::GetAvailability,
                up_to(parts.len() - 4),
                "",
                "availabilityStatuses/current".to_owned(),
            ),
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    "providers",
                    "microsoft.network",
                    "locations",
                    _,
                    "effectiveresults",
                    _,
                ],
            ) => route(Call::EffectiveResult, up_to(2), &parts[7], parts[6].clone()),
            (
                _,
                [
                    "subscriptions",
                    _,
                    "providers",
                    "microsoft.alertsmanagement",
                    "alerts",
                    _,
                    tail @ ..,
                ],
            ) => {
                let call = match (method, tail) {
                    ("GET", []) => Call::GetAlert,
                    ("GET", ["history"]) => Call::GetAlertHistory,
                    ("POST", ["changestate"]) => Call::ChangeAlertState,
                    _ => Call::Unknown,
                };
                let id = up_to(6);
                // Its GUID would only make the line long.
                let short = ["alert"].iter().chain(tail).copied();
                let short = short.collect::<Vec<_>>().join(" ");
                route(call, up_to(2), &id, short)
            }
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    "providers",
                    "microsoft.network",
                    "networkwatchers",
                ],
            ) => route(Call::ListWatchers, up_to(2), "", from(4)),
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    "providers",
                    "microsoft.compute",
                    "virtualmachines",
                ],
            ) => route(Call::ListVirtualMachines, up_to(2), "", from(4)),
            (
                "GET",
                [
                    "subscriptions",
                    _,
                    "providers",
                    "microsoft.network",
                    "locations",
                    _,
                    kind,
                    _,
                ],
            ) if ["operations", "operationresults"].contains(kind) => {
                let call = match *kind {
                    "operations" => Call::OperationStatus,
                    _ => Call::OperationResult,
                };
                route(call, up_to(2), &parts[7], parts[6].clone())
            }
            (
                _,
                [
                    "subscriptions",
                    _,
                    "resourcegroups",
                    _,
                    "providers",
                    rest @ ..,
                ],
            ) => {
                let found = match (method, rest) {
                    ("GET", ["microsoft.network", "networkwatchers"]) => {
                        return route(Call::ListWatchers, up_to(4), "", from(6));
                    }
                    ("GET", ["microsoft.network", "networkwatchers", _]) => Call::GetWatcher,
                    (
                        "POST",
                        [
                            "microsoft.network",
                            "networkinterfaces",
                            _,
                            "effectivenetworksecuritygroups",
                        ],
                    ) => Call::EffectiveRules,
                    (
                        "POST",
                        [
                            "microsoft.network",
                            "networkinterfaces",
                            _,
                            "effectiveroutetable",
                        ],
                    ) => Call::EffectiveRoutes,
                    (
                        _,
                        [
                            "microsoft.network",
                            "networkwatchers",
                            _,
                            "packetcaptures",
                            tail @ ..,
                        ],
                    ) => {
                        let call = match (method, tail) {
                            ("GET", []) => Call::ListCaptures,
                            ("GET", [_]) => Call::GetCapture,
                            ("PUT", [_]) => Call::PutCapture,
                            ("DELETE", [_]) => Call::DeleteCapture,
                            ("POST", [_, "stop"]) => Call::StopCapture,
                            ("POST", [_, "querystatus"]) => Call::QueryStatus,
                            _ => Call::Unknown,
                        };
                        let child = parts.get(9).map_or("", String::as_str);
                        return route(call, up_to(8), child, from(8));
                    }
                    ("GET", ["microsoft.compute", "virtualmachines"]) => {
                        return route(Call::ListVirtualMachines, up_to(4), "", from(6));
                    }
                    ("GET", ["microsoft.compute", "virtualmachines", _]) => Call::GetVirtualMachine,
                    ("GET", ["microsoft.compute", "virtualmachines", _, "instanceview"]) => {
                        Call::GetInstanceView
                    }
                    ("GET", ["microsoft.compute", "virtualmachines", _, "extensions"]) => {
                        Call::ListExtensions
                    }
                    ("GET", ["microsoft.compute", "virtualmachinescalesets", _]) => {
                        Call::GetScaleSet
                    }
                    (
                        "GET",
                        [
                            "microsoft.compute",
                            "virtualmachinescalesets",
                            _,
                            "virtualmachines",
                        ],
                    ) => Call::ListScaleSetInstances,
                    (
                        "GET",
                        [
                            "microsoft.compute",
                            "virtualmachinescalesets",
                            _,
                            "virtualmachines",
                            _,
                        ],
                    ) => Call::GetScaleSetInstance,
                    ("GET", ["microsoft.storage", "storageaccounts", _]) => Call::GetStorageAccount,
                    (
                        "GET",
                        [
                            "microsoft.storage",
                            "storageaccounts",
                            _,
                            "managementpolicies",
                            "default",
                        ],
                    ) => Call::GetManagementPolicy,
                    _ => return route(Call::Unknown, String::new(), "", path.to_owned()),
                };
                let child = parts.get(9).map_or("", String::as_str);
                route(found, up_to(8), child, from(6))
            }
            // What begins so is Resource Manager's, imitated or not.
            (_, ["subscriptions", ..]) => route(Call::Unknown, String::new(), "", path.to_owned()),
            // Blobs and queues share one address here: a container is named by the query, and no blob is called "messages".
            (_, [_, container]) if is_container(query) => {
                let call = match (method, lists(query)) {
                    ("PUT", false) => Call::CreateContainer,
                    ("GET" | "HEAD", false) => Call::GetContainer,
                    ("GET", true) => Call::ListBlobs,
                    _ => return route(Call::Unknown, String::new(), "", path.to_owned()),
                };
                let short = match call {
                    Call::ListBlobs => format!("container {container} blobs"),
                    _ => format!("container {container}"),
                };
                route(call, from(0), "", short)
            }
            (_, [_, _, first, ..]) if *first != "messages" && !first.is_empty() => {
                let call = match method {
                    "GET" => Call::GetBlob,
                    "HEAD" => Call::GetBlobProperties,
                    "PUT" => Call::PutBlob,
                    "DELETE" => Call::DeleteBlob,
                    _ => return route(Call::Unknown, String::new(), "", path.to_owned()),
                };
                let name = from(2);
                let last = name.rsplit('/').next().unwrap_or_default();
                route(call, parts[..2].join("/"), &name, format!("blob {last}"))
            }
            (_, [_, queue, rest @ ..]) => {
                let call = match (method, rest) {
                    ("PUT", []) => Call::CreateQueue,
                    ("GET", []) => Call::GetQueue,
                    ("POST", ["messages"]) => Call::PutMessage,
                    ("GET", ["messages"]) => Call::GetMessages,
                    ("DELETE", ["messages"]) => Call::ClearMessages,
                    ("PUT", ["messages", _]) => Call::UpdateMessage,
                    ("DELETE", ["messages", _]) => Call::DeleteMessage,
                    _ => return route(Call::Unknown, String::new(), "", path.to_owned()),
                };
                let child = parts.get(3).map_or("", String::as_str);
                // An id would only make the line long.
                let short = match rest {
                    [] => format!("queue {queue}"),
                    _ => format!("queue {queue} messages"),
                };
                route(call, parts[1].clone(), child, short)
            }
            _ => route(Call::Unknown, String::new(), "", path.to_owned()),
        }
    }
}

fn is_container(query: &str) -> bool {
    parameter(query, "restype").is_some_and(|value| value == "container")
}

fn lists(query: &str) -> bool {
    parameter(query, "comp").is_some_and(|value| value == "list")
}

/// Percent-decoding; the form decoder would take a plus for a space.
fn decode(segment: &str) -> String {
    let form = format!("={}", segment.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
