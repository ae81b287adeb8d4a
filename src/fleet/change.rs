//! What differs between a run and the one before it. Only what got worse or recovered is worth a notification.

use super::{Finding, Run, Weight};
use crate::resource_id::ResourceId;

/// Maximum machines, and findings, that each list names.
pub const MAXIMUM_NAMED: usize = 100;

/// What differs from the run before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Machines that are not ready and were not known to be so: they were ready, or are new.
    pub worse: Vec<ResourceId>,
    pub recovered: Vec<ResourceId>,
    /// Machines about which the run before knew more, for a reason that does not pass by itself, such as a missing right.
    pub unknown: Vec<ResourceId>,
    /// The checks that failed or could not be made in this run and not in the one before, such as `shared keys`; and the other
    /// way round.
    pub failed: Vec<String>,
    pub fixed: Vec<String>,
    /// Number of machines beyond those that the lists name.
    pub more: usize,
}

impl Change {
    /// What differs between two finished runs. What became unknown for a while is no change: the next run says more.
    pub fn between(before: &Run, now: &Run) -> Self {
        let mut change = Self::default();
        for machine in now.machines() {
            let earlier = before.get(&machine.id);
            let was = earlier.and_then(|it| it.known);
            let lasting = || {
                let mut unknown = machine.causes.iter();
                unknown.any(|it| it.weight() == Weight::Unknown && !it.is_passing())
            };
            let list = match (was, machine.known_now()) {
                (Some(true) | None, Some(false)) => &mut change.worse,
                (Some(false), Some(true)) => &mut change.recovered,
                (Some(_), None) if lasting() && earlier.is_some_and(|it| !it.is_unknown()) => {
                    &mut change.unknown
                }
                _ => continue,
            };
            match list.len() < MAXIMUM_NAMED {
                true => list.push(machine.id.clone()),
                false => change.more = change.more.saturating_add(1),
            }
        }
        change.failed = only_in(now, before);
        change.fixed = only_in(before, now);
        change
    }

    /// Whether something is worse than before.
    pub fn is_worse(&self) -> bool {
        !(self.worse.is_empty() && self.unknown.is_empty() && self.failed.is_empty())
    }

    /// Whether something recovered.
    pub fn is_recovered(&self) -> bool {
        !(self.recovered.is_empty() && self.fixed.is_empty())
    }
}

/// The checks that fail in one run only. What they say may hold counts that differ each day, so it is not compared.
fn only_in(run: &Run, other: &Run) -> Vec<String> {
    let fails = |it: &&Finding| it.weight != Weight::Warns;
    let same = |a: &Finding, b: &Finding| a.check == b.check && a.reach == b.reach;
    let mut found: Vec<String> = Vec::new();
    for finding in run.findings.iter().filter(fails) {
        let mut known = other.findings.iter().filter(fails);
        if !known.any(|it| same(it, finding)) && !found.contains(&finding.check) {
            found.push(finding.check.clone());
        }
    }
    found.truncate(MAXIMUM_NAMED);
    found
}

#[cfg(test)]
mod tests {
    use super::super::samples::{finding, run, vm};
    use super::super::{Because, Cause, Check, Reach};
    use super::*;

    #[test]
    fn changes_follow_the_table() {
        let ready = || vec![];
        let bad = || vec![Cause::OldModel];
        let passing = || vec![Cause::Unknown(Check::Power, Because::Throttled)];
        let lasting = || vec![Cause::Unknown(Check::Power, Because::NotReported)];
        for (before, now, worse, recovered, unknown) in [
            (ready(), ready(), false, false, false),
            (ready(), bad(), true, false, false),
            (bad(), ready(), false, true, false),
            (bad(), bad(), false, false, false),
            (bad(), vec![Cause::NotFound], false, false, false),
            (ready(), passing(), false, false, false),
            (ready(), lasting(), false, false, true),
            (bad(), lasting(), false, false, true),
            (lasting(), lasting(), false, false, false),
            (lasting(), ready(), false, false, false),
            (lasting(), bad(), true, false, false),
        ] {
            let shown = format!("{before:?} {now:?}");
            let before = run(vec![(vm("web-01"), before)]);
            let now = run(vec![(vm("web-01"), now)]);
            let change = Change::between(&before, &now);
            let lists = [&change.worse, &change.recovered, &change.unknown];
            let found = lists.map(|list| !list.is_empty());
            assert_eq!(found, [worse, recovered, unknown], "{shown}");
            assert_eq!(change.is_worse(), worse || unknown, "{shown}");
            assert_eq!(change.is_recovered(), recovered, "{shown}");
        }
    }

    #[test]
    fn what_was_known_before_a_throttled_run_is_compared() {
        let first = run(vec![(vm("a"), vec![Cause::OldModel]), (vm("b"), vec![])]);
        let throttled = || vec![Cause::Unknown(Check::Power, Because::Throttled)];
        let mut second = run(vec![(vm("a"), throttled()), (vm("b"), throttled())]);
        second.compare(&first);
        assert_eq!(second.change, Change::default());
        let mut third = run(vec![(vm("a"), vec![Cause::OldModel]), (vm("b"), vec![])]);
        third.compare(&second);
        assert_eq!(third.change, Change::default());
    }

    #[test]
    fn a_new_machine_that_is_not_ready_is_worse_and_a_deleted_one_is_nothing() {
        let before = run(vec![(vm("old"), vec![Cause::OldModel])]);
        let now = run(vec![
            (vm("new"), vec![Cause::OldModel]),
            (vm("good"), vec![]),
        ]);
        let change = Change::between(&before, &now);
        assert_eq!(change.worse, [vm("new")]);
        assert!(!change.is_recovered());
    }

    #[test]
    fn checks_of_the_setup_are_compared_by_name() {
        let with = |reach: Option<Reach>, weight| {
            let mut run = run(vec![(vm("a"), vec![])]);
            run.findings
                .extend(reach.map(|it| finding(it, weight, "shared keys")));
            run
        };
        let blocks = Weight::Blocks;
        for (before, now, failed, fixed) in [
            (None, Some(Reach::All), true, false),
            (Some(Reach::All), None, false, true),
            (Some(Reach::All), Some(Reach::All), false, false),
            (Some(Reach::None), Some(Reach::All), true, true),
        ] {
            let change = Change::between(&with(before, blocks), &with(now, blocks));
            assert_eq!(!change.failed.is_empty(), failed, "{change:?}");
            assert_eq!(!change.fixed.is_empty(), fixed, "{change:?}");
        }
        let warned = Change::between(&with(None, blocks), &with(Some(Reach::All), Weight::Warns));
        assert_eq!(warned, Change::default());
    }

    #[test]
    fn the_lists_are_bounded() {
        let all = |causes: Vec<Cause>| {
            run((0..5_000)
                .map(|it| (vm(&format!("m-{it}")), causes.clone()))
                .collect())
        };
        let change = Change::between(&all(vec![]), &all(vec![Cause::OldModel]));
        assert_eq!((change.worse.len(), change.more), (MAXIMUM_NAMED, 4_900));
    }
}
