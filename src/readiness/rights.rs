//! The rights that the identity needs. Those of a call that can be tried are told from its answer, the others
//! from the roles that Azure says the identity has.

use super::{Doctor, mend, permissions};
use crate::{
    advice,
    azure::{
        authorization::AuthorizationClient,
        error::{AzureError, Failure, chain},
    },
    resource_id::ResourceId,
};

/// A right, and the built-in role that gives it. A smaller role of one's own does as well.
#[derive(Debug, Clone, Copy)]
pub struct Right {
    pub action: &'static str,
    pub role: &'static str,
    /// Why its lack is only a warning.
    pub merely: Option<&'static str>,
}

const fn needed(action: &'static str, role: &'static str) -> Right {
    Right {
        action,
        role,
        merely: None,
    }
}

const fn wanted(action: &'static str, role: &'static str, merely: &'static str) -> Right {
    Right {
        action,
        role,
        merely: Some(merely),
    }
}

const NETWORK: &str = "Network Contributor";
const READER: &str = "Reader";
const STORAGE: &str = "Storage Account Contributor";

pub const WATCHERS_READ: Right = needed("Microsoft.Network/networkWatchers/read", NETWORK);
pub const CAPTURES_READ: Right = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/read",
    NETWORK,
);
pub const CAPTURES_QUERY: Right = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/queryStatus/action",
    NETWORK,
);
pub const CAPTURES_WRITE: Right = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/write",
    NETWORK,
);
pub const CAPTURES_DELETE: Right = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/delete",
    NETWORK,
);
/// For alerts that resolve, where `PacketCapture__StopOnResolved` is set.
pub const CAPTURES_STOP: Right = needed(
    "Microsoft.Network/networkWatchers/packetCaptures/stop/action",
    NETWORK,
);
pub const OPERATIONS_READ: Right = wanted(
    "Microsoft.Network/locations/operations/read",
    NETWORK,
    "Azure may ask for it when an operation is followed",
);
pub const MACHINES_READ: Right = needed("Microsoft.Compute/virtualMachines/read", READER);
pub const SCALE_SETS_READ: Right = wanted(
    "Microsoft.Compute/virtualMachineScaleSets/read",
    READER,
    "only alerts on scale sets need it",
);
pub const INSTANCES_READ: Right = wanted(
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
    READER,
    "only alerts on instances of scale sets need it",
);
pub const EXTENSIONS_READ: Right = wanted(
    "Microsoft.Compute/virtualMachines/extensions/read",
    READER,
    "only this check needs it",
);
pub const INSTANCE_VIEW_READ: Right = wanted(
    "Microsoft.Compute/virtualMachines/instanceView/read",
    READER,
    "only this check needs it",
);
pub const ACCOUNTS_READ: Right = needed("Microsoft.Storage/storageAccounts/read", STORAGE);
/// The service makes the SAS for the upload in the caller's name.
pub const ACCOUNT_KEYS: [Right; 3] = [
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
const PERMISSIONS_READ: Right = wanted(
    "Microsoft.Authorization/permissions/read",
    READER,
    "only this check needs it",
);

impl Doctor<'_> {
    /// The call was let through.
    pub fn has(&mut self, right: Right, at: &str) {
        self.report
            .ok(&label(right), format!("tried with success on {at}"));
    }

    /// The call was refused, or the roles do not allow it, at these scopes; `scope` is where the role belongs.
    pub fn lacks(&mut self, right: Right, at: &[&ResourceId], scope: &ResourceId) {
        let message = format!("not given on {}", names(at));
        let mend = mend::assign_role(&self.assignee, right.role, scope);
        match right.merely {
            None => self.report.failed(&label(right), message, mend),
            Some(why) => {
                self.report
                    .warning(&label(right), format!("{message}; {why}"), mend);
            }
        }
    }

    /// Tells what became of a call that failed: a lack of the right, or else a failure of `check`.
    pub fn refused(
        &mut self,
        check: &str,
        right: Right,
        scope: &ResourceId,
        error: &AzureError,
        mend: String,
    ) {
        if error.status() == Some(403) {
            self.lacks(right, &[scope], scope);
            self.report
                .skipped(check, format!("needs the {}", label(right)));
            return;
        }
        self.unreachable = matches!(error.failure, Failure::NoAnswer { .. });
        // Neither our identity nor the resource is at fault when nobody answers or the token is not for them.
        let mend = match error.status() {
            Some(_) if error.unknown_version().is_some() => self.mend_version(error, mend),
            None => mend::show_cloud("resourceManager", "AZURE_RESOURCE_MANAGER_ENDPOINT"),
            Some(401) => mend::show_cloud(
                "activeDirectoryResourceId",
                "AZURE_RESOURCE_MANAGER_AUDIENCE",
            ),
            Some(_) => mend,
        };
        self.report.failed(check, told(error), mend);
    }

    /// The command for an api-version that the cloud does not know, and `otherwise` for all other errors.
    pub fn mend_version(&self, error: &AzureError, otherwise: String) -> String {
        error.unknown_version().map_or(otherwise, |unknown| {
            mend::app_setting(
                self.environment,
                &format!("{}=<version>", advice::api_version_setting(unknown)),
            )
        })
    }

    /// Looks the rights up that cannot be tried without changing something. `scope` is where a role belongs
    /// when one is missing at any of the places.
    pub async fn look_up(&mut self, rights: &[Right], places: &[&ResourceId], scope: &ResourceId) {
        let mut roles = Vec::new();
        for place in places {
            match AuthorizationClient::new(self.arm.clone())
                .list_permissions(place)
                .await
            {
                Ok(permissions) => roles.push((*place, permissions)),
                Err(error) => {
                    let text = format!("the roles on {} could not be listed", names(&[place]));
                    let mend = match error.status() {
                        Some(403) => {
                            mend::assign_role(&self.assignee, PERMISSIONS_READ.role, place)
                        }
                        _ => self.mend_version(&error, mend::show_subscription(place)),
                    };
                    self.report.warning(
                        &label(PERMISSIONS_READ),
                        format!("{text} ({}); only this check needs it", error.code()),
                        mend,
                    );
                    for right in rights {
                        self.report.skipped(&label(*right), &text);
                    }
                    return;
                }
            }
        }
        for right in rights {
            let lacking: Vec<&ResourceId> = roles
                .iter()
                .filter(|(_, roles)| !permissions::allows(roles, right.action))
                .map(|(place, _)| *place)
                .collect();
            if lacking.is_empty() {
                let message = format!("given by the roles on {}", names(places));
                self.report.ok(&label(*right), message);
            } else {
                self.lacks(*right, &lacking, scope);
            }
        }
    }
}

/// What went wrong, its causes, and what to do.
pub fn told(error: &AzureError) -> String {
    match advice::for_error(error) {
        Some(advice) => format!("{}: {advice}", chain(error)),
        None => chain(error),
    }
}

pub fn label(right: Right) -> String {
    format!("right {}", right.action)
}

/// The names of resources in a row, or how many when they are too many to read.
pub fn names(ids: &[&ResourceId]) -> String {
    const MOST: usize = 4;
    if ids.len() > MOST {
        return format!("{} resources", ids.len());
    }
    let name = |id: &&ResourceId| match (id.name(), id.resource_group()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(group)) => format!("resource group {group}"),
        (None, None) => format!("subscription {}", id.subscription()),
    };
    ids.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The custom roles that are deployed hold what the doctor asks for, and nothing else.
    #[test]
    fn the_roles_and_the_doctor_are_of_one_mind() {
        let roles = [
            include_str!("../../deploy/roles/watchers.json"),
            include_str!("../../deploy/roles/machines.json"),
            include_str!("../../deploy/roles/storage.json"),
        ];
        let mut given = BTreeSet::new();
        for role in roles {
            let role: serde_json::Value = serde_json::from_str(role).unwrap();
            for action in role["Actions"].as_array().unwrap() {
                let action = action.as_str().unwrap().to_owned();
                assert!(given.insert(action.clone()), "{action} is given twice");
            }
            assert!(role["DataActions"].as_array().unwrap().is_empty());
        }
        // All of this file's, so that none can be forgotten in a list.
        let source = include_str!("rights.rs").split("#[cfg(test)]").next();
        let asked = source.unwrap().split('"').skip(1).step_by(2);
        let asked: BTreeSet<String> = asked
            .filter(|text| text.starts_with("Microsoft.") && text.contains('/'))
            .map(str::to_owned)
            .collect();
        assert_eq!(given, asked);
    }
}
