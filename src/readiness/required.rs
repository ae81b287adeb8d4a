//! The permissions that the identity needs, and which built-in role has each of them.

/// An action, and the built-in role that permits it. A custom role can be smaller.
#[derive(Debug, Clone, Copy)]
pub struct Permission {
    pub action: &'static str,
    pub role: &'static str,
    /// Why only a warning is given without it.
    pub optional_because: Option<&'static str>,
}

const fn needed(action: &'static str, role: &'static str) -> Permission {
    Permission {
        action,
        role,
        optional_because: None,
    }
}

const fn wanted(
    action: &'static str,
    role: &'static str,
    optional_because: &'static str,
) -> Permission {
    Permission {
        action,
        role,
        optional_because: Some(optional_because),
    }
}

const NETWORK: &str = "Network Contributor";
const READER: &str = "Reader";
const MONITORING: &str = "Monitoring Contributor";
const MONITORING_READER: &str = "Monitoring Reader";
const STORAGE: &str = "Storage Account Contributor";

pub const WATCHERS_READ: Permission = needed("Microsoft.Network/networkWatchers/read", NETWORK);
pub const CAPTURES_READ: Permission = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/read",
    NETWORK,
);
pub const CAPTURES_QUERY: Permission = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/queryStatus/action",
    NETWORK,
);
pub const CAPTURES_WRITE: Permission = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/write",
    NETWORK,
);
pub const CAPTURES_DELETE: Permission = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/delete",
    NETWORK,
);
/// Stops a capture for a resolved alert, where `PacketCapture__StopOnResolved` is set.
pub const CAPTURES_STOP: Permission = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/stop/action",
    NETWORK,
);
pub const OPERATIONS_READ: Permission = wanted(
    "Microsoft.Network/locations/operations/read",
    NETWORK,
    "Azure may require it to poll an operation",
);
pub const MACHINES_READ: Permission = needed("Microsoft.Compute/virtualMachines/read", READER);
pub const SCALE_SETS_READ: Permission = wanted(
    "Microsoft.Compute/virtualMachineScaleSets/read",
    READER,
    "only alerts on scale sets need it",
);
pub const INSTANCES_READ: Permission = wanted(
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
    READER,
    "only alerts on instances of scale sets need it",
);
pub const EXTENSIONS_READ: Permission = wanted(
    "Microsoft.Compute/virtualMachines/extensions/read",
    READER,
    "only this check needs it",
);
pub const INSTANCE_VIEW_READ: Permission = wanted(
    "Microsoft.Compute/virtualMachines/instanceView/read",
    READER,
    "only this check needs it",
);
/// In a role of its own, `deploy/roles/changes.json`: each source of what changed is read where its action is granted. Reader has
/// all but the last two, which only `Changes__EffectiveRules` needs.
pub const WHAT_CHANGED: [&str; 12] = [
    "Microsoft.Insights/eventtypes/values/read",
    "Microsoft.Insights/metrics/read",
    "Microsoft.Network/loadBalancers/read",
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.Network/networkSecurityGroups/read",
    "Microsoft.Network/publicIPAddresses/read",
    "Microsoft.Network/routeTables/read",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.Resources/changes/read",
    "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action",
    "Microsoft.Network/networkInterfaces/effectiveRouteTable/action",
];
pub const ACCOUNTS_READ: Permission = needed("Microsoft.Storage/storageAccounts/read", STORAGE);
/// The service creates the SAS for the upload with the caller's permissions.
pub const ACCOUNT_KEYS: [Permission; 3] = [
    needed("Microsoft.Storage/storageAccounts/listKeys/action", STORAGE),
    needed(
        "Microsoft.Storage/storageAccounts/listServiceSas/action",
        STORAGE,
    ),
    needed(
        "Microsoft.Storage/storageAccounts/listAccountSas/action",
        STORAGE,
    ),
];
/// In a role of its own, `deploy/roles/doctor.json`: nothing but two lines of the doctor needs it.
pub const POLICIES_READ: Permission = wanted(
    "Microsoft.Storage/storageAccounts/managementPolicies/read",
    READER,
    "only this check needs it",
);
/// Both in a role of their own, `deploy/roles/write-back.json`, for `Alert__WriteBack`.
pub const ALERTS_READ: Permission = wanted(
    "Microsoft.AlertsManagement/alerts/read",
    MONITORING,
    "only the comment on the Azure alert needs it",
);
pub const ALERTS_CHANGE_STATE: Permission = wanted(
    "Microsoft.AlertsManagement/alerts/changestate/action",
    MONITORING,
    "only the comment on the Azure alert needs it",
);
pub const PERMISSIONS_READ: Permission = wanted(
    "Microsoft.Authorization/permissions/read",
    READER,
    "only this check needs it",
);

/// In a role of its own, `deploy/roles/readiness.json`: runs over all machines need it.
const fn of_runs(action: &'static str, role: &'static str) -> Permission {
    wanted(action, role, "only runs over all machines need it")
}

pub const RULES_READ: [Permission; 4] = [
    of_runs("Microsoft.Insights/metricAlerts/read", MONITORING_READER),
    of_runs(
        "Microsoft.Insights/activityLogAlerts/read",
        MONITORING_READER,
    ),
    of_runs(
        "Microsoft.Insights/scheduledQueryRules/read",
        MONITORING_READER,
    ),
    of_runs("Microsoft.Insights/actionGroups/read", MONITORING_READER),
];
pub const USAGES_READ: Permission = of_runs("Microsoft.Network/locations/usages/read", READER);
/// Reads where `Readiness__EffectiveRules` is set.
pub const EFFECTIVE_RULES: Permission = of_runs(
    "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action",
    NETWORK,
);
/// Azure requires it for the effective rules.
pub const INTERFACES_READ: Permission =
    of_runs("Microsoft.Network/networkInterfaces/read", NETWORK);

/// The rights without which only some alerts, or some checks, fail.
pub const OPTIONAL: [Permission; 8] = [
    ALERTS_READ,
    ALERTS_CHANGE_STATE,
    OPERATIONS_READ,
    SCALE_SETS_READ,
    INSTANCES_READ,
    EXTENSIONS_READ,
    INSTANCE_VIEW_READ,
    POLICIES_READ,
];

/// A built-in role that permits what runs over all machines do.
pub fn role_of(action: &str) -> &'static str {
    match action.ends_with("/read") {
        true => READER,
        false => NETWORK,
    }
}

impl Permission {
    /// The name of its check.
    pub fn label(self) -> String {
        format!("permission {}", self.action)
    }
}

#[cfg(test)]
mod tests {
    use super::{EFFECTIVE_RULES, INTERFACES_READ};
    use std::collections::BTreeSet;

    #[test]
    fn the_roles_hold_these_actions_and_no_other() {
        let roles = [
            include_str!("../../deploy/roles/watchers.json"),
            include_str!("../../deploy/roles/machines.json"),
            include_str!("../../deploy/roles/changes.json"),
            include_str!("../../deploy/roles/storage.json"),
            include_str!("../../deploy/roles/doctor.json"),
            include_str!("../../deploy/roles/write-back.json"),
            include_str!("../../deploy/roles/readiness.json"),
        ];
        let (mut given, mut read) = (BTreeSet::new(), Vec::new());
        for role in roles {
            let role: serde_json::Value = serde_json::from_str(role).unwrap();
            for action in role["Actions"].as_array().unwrap() {
                let action = action.as_str().unwrap().to_owned();
                // Each of the two optional roles that need these is enough by itself.
                let twice = [EFFECTIVE_RULES.action, INTERFACES_READ.action];
                let new = given.insert(action.clone());
                assert!(new || twice.contains(&&*action), "{action} is given twice");
            }
            let data = role["DataActions"].as_array().unwrap();
            read.extend(data.iter().map(|it| it.as_str().unwrap().to_owned()));
        }
        // The doctor tries it: Resource Manager does not know it.
        let blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
        assert_eq!(read, [blobs]);
        // Read from this file, so that a list cannot miss one.
        let source = include_str!("required.rs").split("#[cfg(test)]").next();
        let asked = source.unwrap().split('"').skip(1).step_by(2);
        let asked: BTreeSet<String> = asked
            .filter(|text| text.starts_with("Microsoft.") && text.contains('/'))
            .map(str::to_owned)
            .collect();
        assert_eq!(given, asked);
    }
}
