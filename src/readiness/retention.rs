//! How long capture files and records of incidents are kept, by the lifecycle rules of their accounts. Shown, not judged:
//! to keep them is a decision, too.

use super::{azure::AzureChecks, permissions::with_advice, required::POLICIES_READ};
use crate::{
    azure::storage::{Deletion, LifecycleRule, Since, StorageAccountClient},
    config::QueueKind,
    resource_id::ResourceId,
};

/// The container that Network Watcher uploads into.
/// <https://learn.microsoft.com/en-us/azure/network-watcher/packet-capture-overview>
const CAPTURES: &str = "network-watcher-logs";
/// The container of the records, in the account of the job queue.
const RECORDS: &str = "packet-capture-incidents";
const RECORD_RETENTION: &str = "record retention";
pub const CAPTURE_RETENTION: &str = "capture retention";

impl AzureChecks<'_> {
    pub async fn capture_retention(&mut self, account: &ResourceId) {
        self.retention(CAPTURE_RETENTION, account, CAPTURES).await;
    }

    /// Records are in storage where the job queue is.
    pub async fn record_retention(&mut self) {
        let jobs = &self.settings.jobs;
        if !matches!(jobs.kind, QueueKind::Storage(_)) {
            return;
        }
        match jobs.storage_account.clone() {
            Some(account) => self.retention(RECORD_RETENTION, &account, RECORDS).await,
            None => self
                .report
                .skipped(RECORD_RETENTION, "JobQueue__StorageAccountId is not set"),
        }
    }

    async fn retention(&mut self, check: &str, account: &ResourceId, container: &str) {
        let client = StorageAccountClient::new(self.arm.clone());
        match client.get_management_policy(account).await {
            Ok(rules) => {
                let name = account.name().unwrap_or_default();
                let message = describe(deletion(&rules, container), container, name);
                self.report.ok(check, message);
            }
            Err(error) if error.lacks_permission() => self.report.skipped(
                check,
                format!("unknown: needs the {}", POLICIES_READ.label()),
            ),
            Err(error) => {
                let reason = format!("unknown: {}", with_advice(&error));
                self.report.skipped(check, reason);
            }
        }
    }
}

/// The earliest deletion by a rule that holds for every blob of the container.
fn deletion(rules: &[LifecycleRule], container: &str) -> Option<Deletion> {
    let inside = format!("{container}/");
    // A longer prefix, or a tag, selects some of its blobs only.
    let all = |rule: &&LifecycleRule| {
        let prefixes = &rule.prefixes;
        !rule.tagged_only
            && (prefixes.is_empty() || prefixes.iter().any(|it| inside.starts_with(it.as_str())))
    };
    let deletions = rules.iter().filter(all).map(|rule| rule.deletion);
    deletions.min_by_key(|deletion| deletion.days)
}

fn describe(deletion: Option<Deletion>, container: &str, account: &str) -> String {
    let Some(Deletion { days, since }) = deletion else {
        return format!("no lifecycle rule deletes all files in {container} of {account}");
    };
    let since = match since {
        Since::Modification => "last change",
        Since::Creation => "creation",
        Since::LastAccess => "last access",
    };
    format!("files in {container} of {account} are deleted {days} days after their {since}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(prefixes: &[&str], days: i64) -> LifecycleRule {
        LifecycleRule {
            prefixes: prefixes.iter().map(|&it| it.to_owned()).collect(),
            tagged_only: false,
            deletion: Deletion {
                days,
                since: Since::Modification,
            },
        }
    }

    #[test]
    fn only_a_rule_for_the_whole_container_counts() {
        let tagged = LifecycleRule {
            tagged_only: true,
            ..rule(&[], 1)
        };
        for (rules, expected) in [
            (vec![], None),
            (vec![rule(&[], 30)], Some(30)),
            (vec![rule(&["logs/"], 30)], Some(30)),
            (vec![rule(&["logs"], 30)], Some(30)),
            (vec![rule(&["other/", "lo"], 30)], Some(30)),
            (vec![rule(&["logs/subscriptions/"], 30)], None),
            (vec![rule(&["logs2/"], 30)], None),
            (vec![rule(&["LOGS/"], 30)], None),
            (vec![tagged], None),
            (vec![rule(&["logs/"], 90), rule(&[], 30)], Some(30)),
        ] {
            let days = deletion(&rules, "logs").map(|it| it.days);
            assert_eq!(days, expected, "{rules:?}");
        }
    }
}
