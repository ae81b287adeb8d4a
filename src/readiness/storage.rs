//! The storage account that capture files are uploaded to.

use super::{
    azure::AzureChecks,
    fix,
    required::{ACCOUNT_KEYS, ACCOUNTS_READ},
    retention::CAPTURE_RETENTION,
};
use crate::shell::{ShellCommand, Word};
use crate::{azure::storage::StorageAccountClient, resource_id::ResourceId};

const FIRST_LOOK: &str = "first look";
const NETWORK: &str = "account network";

impl AzureChecks<'_> {
    pub async fn storage_account(&mut self, account: &ResourceId) {
        const CHECK: &str = "storage account";
        let name = account.name().unwrap_or_default();
        let client = StorageAccountClient::new(self.arm.clone());
        match client.get_storage_account(account).await {
            Ok(found) => {
                self.has(ACCOUNTS_READ, name);
                self.report.ok(CHECK, format!("{name} exists"));
                self.learned.account_region = found.location;
                if found.allows_shared_keys {
                    self.report.ok("shared keys", "allowed");
                } else {
                    self.report.failed(
                        "shared keys",
                        format!("disabled on {name}: the upload of captures uses a SAS that the keys of the account sign"),
                        fix::allow_shared_keys(account),
                    );
                }
                if found.premium {
                    self.report.failed(
                        "performance tier",
                        format!("{name} is premium ({}); captures need a standard account in PacketCapture__StorageAccountId", found.sku),
                        fix::create_account(account, "<name>"),
                    );
                } else {
                    self.report.ok("performance tier", found.sku);
                }
                if found.is_restricted {
                    self.report.warning(
                        NETWORK,
                        format!("{name} is open to selected networks only: each machine needs a way to it"),
                        ShellCommand::new("az storage account show")
                            .with("--ids", account.to_string().as_str())
                            .words("--query '[publicNetworkAccess, networkRuleSet]'"),
                    );
                } else {
                    self.report.ok(NETWORK, "open to all networks");
                }
                self.capture_retention(account).await;
                self.first_look(account).await;
            }
            Err(error) => {
                let fix = match error.is_not_found() {
                    true => fix::create_account(account, name),
                    false => fix::show_subscription(account),
                };
                self.refused(CHECK, ACCOUNTS_READ, account, &error, fix);
                for check in [
                    "shared keys",
                    "performance tier",
                    NETWORK,
                    CAPTURE_RETENTION,
                    FIRST_LOOK,
                ] {
                    self.report.skipped(check, "the account could not be read");
                }
                if error.is_not_found() {
                    return;
                }
            }
        }
        self.look_up(&ACCOUNT_KEYS, &[account], account).await;
    }

    /// Whether the files of captures can be read.
    async fn first_look(&mut self, account: &ResourceId) {
        let settings = self.parts.found.settings.as_ref();
        if settings.is_some_and(|settings| !settings.first_look.enabled) {
            let why = "FirstLook__Enabled is false";
            return self.report.skipped(FIRST_LOOK, why);
        }
        let reader = match &self.parts.reader {
            Some(Ok(reader)) => reader,
            Some(Err(_)) | None => {
                return self.report.skipped(FIRST_LOOK, "there is no identity");
            }
        };
        let name = account.name().unwrap_or_default();
        match reader.check(&name.to_lowercase()).await {
            Ok(()) => self.report.ok(
                FIRST_LOOK,
                format!("files of captures in {name} can be read"),
            ),
            Err(error) => {
                let fix = match error.is_missing_role() {
                    true => {
                        let scope = Word::from(account.to_string().as_str());
                        fix::assign_role(&self.assignee, "Storage Blob Data Reader", scope)
                    }
                    false => ShellCommand::new("az storage account show")
                        .with("--ids", account.to_string().as_str())
                        .words("--query '[primaryEndpoints.blob, publicNetworkAccess, networkRuleSet]'"),
                };
                let text = format!("notifications say nothing about the packets: {error}");
                self.report.warning(FIRST_LOOK, text, fix);
            }
        }
    }
}
