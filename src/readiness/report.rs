//! The result of all checks, as a value: the commands print it, and others may keep or compare it.

use crate::{
    resource_id::ResourceId,
    shell::{ShellCommand, one_line},
};
use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// The function works, but not as well as it could, or not for long.
    Warning,
    Failed,
    /// Not checked, because another check failed or because the caller did not ask for it.
    Skipped,
}

/// One check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked: the same words in every run, for machines to compare.
    pub check: String,
    pub status: Status,
    /// What was found.
    pub message: String,
    /// The command that fixes it.
    pub fix: Option<ShellCommand>,
    /// The machines in this scope are concerned; all of them without one.
    #[serde(skip)]
    pub scope: Option<ResourceId>,
}

/// All checks, in the order in which they were made.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Report {
    checks: Vec<Check>,
    /// What the checks are about that are added next.
    #[serde(skip)]
    scope: Option<ResourceId>,
}

impl Report {
    /// The checks from now on are about the machines in this scope, or about all of them.
    pub fn about(&mut self, scope: Option<&ResourceId>) {
        self.scope = scope.cloned();
    }

    pub fn ok(&mut self, check: &str, message: impl AsRef<str>) {
        self.add(check, Status::Ok, message, None);
    }

    pub fn warning(&mut self, check: &str, message: impl AsRef<str>, fix: ShellCommand) {
        self.add(check, Status::Warning, message, Some(fix));
    }

    pub fn failed(&mut self, check: &str, message: impl AsRef<str>, fix: ShellCommand) {
        self.add(check, Status::Failed, message, Some(fix));
    }

    pub fn skipped(&mut self, check: &str, reason: impl AsRef<str>) {
        self.add(check, Status::Skipped, reason, None);
    }

    /// Messages hold texts of Azure and of settings.
    fn add(
        &mut self,
        check: &str,
        status: Status,
        message: impl AsRef<str>,
        fix: Option<ShellCommand>,
    ) {
        self.checks.push(Check {
            check: one_line(check).into_owned(),
            status,
            message: one_line(message.as_ref()).into_owned(),
            fix,
            scope: self.scope.clone(),
        });
    }

    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether this check failed.
    pub fn has_failed(&self, check: &str) -> bool {
        let failed = |it: &Check| it.check == check && it.status == Status::Failed;
        self.checks.iter().any(failed)
    }

    /// How many checks came out like this.
    pub fn count(&self, status: Status) -> usize {
        let alike = |check: &&Check| check.status == status;
        self.checks.iter().filter(alike).count()
    }
}
