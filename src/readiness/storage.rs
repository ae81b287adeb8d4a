//! The storage account that gets the capture files.

use super::{
    Doctor, mend,
    rights::{ACCOUNT_KEYS, ACCOUNTS_READ},
};
use crate::{azure::storage::StorageAccountClient, resource_id::ResourceId};

impl Doctor<'_> {
    pub async fn storage_account(&mut self, account: &ResourceId) {
        const CHECK: &str = "storage account";
        let name = account.name().unwrap_or_default();
        match StorageAccountClient::new(self.arm.clone())
            .get_storage_account(account)
            .await
        {
            Ok(found) => {
                self.has(ACCOUNTS_READ, name);
                self.report.ok(CHECK, format!("{name} is there"));
                if found.allows_shared_keys {
                    self.report.ok("shared keys", "allowed");
                } else {
                    self.report.failed(
                        "shared keys",
                        format!("forbidden on {name}: captures are uploaded with a SAS that its keys sign"),
                        mend::allow_shared_keys(account),
                    );
                }
                if found.premium {
                    self.report.failed(
                        "performance tier",
                        format!("{name} is premium ({}), which captures cannot use; set PacketCapture__StorageAccountId to a standard one", found.sku),
                        mend::create_account(account, "<name>"),
                    );
                } else {
                    self.report.ok("performance tier", found.sku);
                }
            }
            Err(error) => {
                let mend = match error.is_not_found() {
                    true => mend::create_account(account, name),
                    false => mend::show_subscription(account),
                };
                self.refused(CHECK, ACCOUNTS_READ, account, &error, mend);
                for check in ["shared keys", "performance tier"] {
                    self.report.skipped(check, "the account could not be read");
                }
                if error.is_not_found() {
                    return;
                }
            }
        }
        self.look_up(&ACCOUNT_KEYS, &[account], account).await;
    }
}
