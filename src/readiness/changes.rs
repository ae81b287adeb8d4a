//! What may be read of changes around alerts. Each source is read where its action is granted, so what is missing is shown
//! and is no fault.

use super::{azure::AzureChecks, required::WHAT_CHANGED, roles};
use crate::{
    azure::{authorization::AuthorizationClient, error::chain},
    resource_id::ResourceId,
};

const CHECK: &str = "what changed";
/// Number of actions that only effective rules need, the last of the list.
const OF_EFFECTIVE_RULES: usize = 2;

impl AzureChecks<'_> {
    /// Which sources can be read at a scope.
    pub async fn what_changed(&mut self, scope: &ResourceId) {
        let changes = &self.settings.changes;
        if !changes.enabled {
            return self.report.skipped(CHECK, "Changes__Enabled is false");
        }
        let client = AuthorizationClient::new(self.arm.clone());
        let name = scope.short_name();
        let held = match client.list_permissions(scope).await {
            Ok(held) => held,
            Err(error) => {
                let reason = format!("could not list the roles on {name}: {}", chain(&error));
                return self.report.skipped(CHECK, reason);
            }
        };
        let needed = match changes.effective_rules {
            true => WHAT_CHANGED.len(),
            false => WHAT_CHANGED.len().saturating_sub(OF_EFFECTIVE_RULES),
        };
        let needed = WHAT_CHANGED.into_iter().take(needed);
        let missing: Vec<&str> = needed.filter(|it| !roles::allow(&held, it)).collect();
        match missing.as_slice() {
            [] => self
                .report
                .ok(CHECK, format!("all sources can be read on {name}")),
            _ => self.report.skipped(
                CHECK,
                format!(
                    "not all sources can be read on {name}: needs the permissions {}",
                    missing.join(", ")
                ),
            ),
        }
    }
}
