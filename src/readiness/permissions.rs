//! The checks of permissions. Those of a call that can be tried follow from its answer, the others from the roles that
//! Azure lists for the identity.

use super::{
    azure::{AzureChecks, names},
    fix,
    required::{PERMISSIONS_READ, Permission},
    roles,
};
use crate::shell::ShellCommand;
use crate::{
    advice,
    azure::{
        authorization::AuthorizationClient,
        error::{AzureError, Failure, chain},
    },
    resource_id::ResourceId,
};

impl AzureChecks<'_> {
    /// A call that needs it succeeded.
    pub fn has(&mut self, permission: Permission, at: &str) {
        self.report
            .ok(&permission.label(), format!("tried successfully on {at}"));
    }

    /// A call that needs it was refused, or the roles do not permit it, on the resources `at`. The role is assigned
    /// at `scope`.
    pub fn lacks(&mut self, permission: Permission, at: &[&ResourceId], scope: &ResourceId) {
        let message = format!("missing on {}", names(at));
        let fix = fix::assign_role(&self.assignee, permission.role, &scope.to_string());
        let label = permission.label();
        match permission.optional_because {
            None => self.report.failed(&label, message, fix),
            Some(why) => self
                .report
                .warning(&label, format!("{message}; {why}"), fix),
        }
    }

    /// Reports a failed call: as a missing permission, or else as a failure of `check` with Azure's own reason.
    pub fn refused(
        &mut self,
        check: &str,
        permission: Permission,
        scope: &ResourceId,
        error: &AzureError,
        fix: ShellCommand,
    ) {
        if error.lacks_permission() {
            self.lacks(permission, &[scope], scope);
            self.report
                .skipped(check, format!("needs the {}", permission.label()));
            return;
        }
        self.unreachable = matches!(error.failure, Failure::NoAnswer { .. });
        // Without an answer, or with a token that is not accepted, the fault is not in the resource.
        let fix = match error.status() {
            Some(_) if error.unknown_version().is_some() => self.fix_version(error, fix),
            None => fix::show_cloud("resourceManager", "AZURE_RESOURCE_MANAGER_ENDPOINT"),
            Some(401) => fix::show_cloud(
                "activeDirectoryResourceId",
                "AZURE_RESOURCE_MANAGER_AUDIENCE",
            ),
            Some(_) => fix,
        };
        self.report.failed(check, with_advice(error), fix);
    }

    /// The command for an api-version that the cloud does not know, and `otherwise` for all other errors.
    pub fn fix_version(&self, error: &AzureError, otherwise: ShellCommand) -> ShellCommand {
        error.unknown_version().map_or(otherwise, |unknown| {
            let pair = format!("{}=<version>", advice::api_version_setting(unknown));
            self.parts.hosting.set(&pair)
        })
    }

    /// Looks permissions up that cannot be tried without changing something. The role is assigned at `scope` when
    /// one is missing on any of the places.
    pub async fn look_up(
        &mut self,
        permissions: &[Permission],
        places: &[&ResourceId],
        scope: &ResourceId,
    ) {
        let client = AuthorizationClient::new(self.arm.clone());
        let mut listed = Vec::new();
        for place in places {
            match client.list_permissions(place).await {
                Ok(roles) => listed.push((*place, roles)),
                Err(error) => return self.not_listed(permissions, place, &error),
            }
        }
        for permission in permissions {
            let lacking: Vec<&ResourceId> = listed
                .iter()
                .filter(|(_, roles)| !roles::allow(roles, permission.action))
                .map(|(place, _)| *place)
                .collect();
            if lacking.is_empty() {
                let message = format!("in the roles on {}", names(places));
                self.report.ok(&permission.label(), message);
            } else {
                self.lacks(*permission, &lacking, scope);
            }
        }
    }

    fn not_listed(&mut self, permissions: &[Permission], place: &ResourceId, error: &AzureError) {
        let text = format!("could not list the roles on {}", names(&[place]));
        let (reason, fix) = match error.lacks_permission() {
            true => {
                let role = PERMISSIONS_READ.role;
                let fix = fix::assign_role(&self.assignee, role, &place.to_string());
                (error.code().to_owned(), fix)
            }
            false => {
                let fix = self.fix_version(error, fix::show_subscription(place));
                (with_advice(error), fix)
            }
        };
        self.report.warning(
            &PERMISSIONS_READ.label(),
            format!("{text}: {reason}; only this check needs it"),
            fix,
        );
        for permission in permissions {
            self.report.skipped(&permission.label(), &text);
        }
    }
}

/// An error, its causes, and what to do.
pub fn with_advice(error: &AzureError) -> String {
    match advice::for_error(error) {
        Some(advice) => format!("{}: {advice}", chain(error)),
        None => chain(error),
    }
}
