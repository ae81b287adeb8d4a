//! The machines that are not ready, by cause: the most frequent cause first.

use super::{Counts, Finding, Machine, Run, Verdict, Weight};
use crate::resource_id::ResourceId;
use std::{cmp::Reverse, collections::BTreeMap};

/// Machines with the same cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'r> {
    /// A few words, such as `agent not installed`.
    pub cause: String,
    /// The cause's stable word.
    pub key: &'static str,
    /// In the order of their ids.
    pub machines: Vec<&'r ResourceId>,
}

/// What metrics and groups call a finding that concerns more than one machine.
const SETUP: &str = "setup";

/// The machines of this verdict. Each is in one group: that of its most frequent cause.
pub fn groups(run: &Run, verdict: Verdict) -> Vec<Group<'_>> {
    let weight = match verdict {
        Verdict::NotReady => Weight::Blocks,
        Verdict::Unknown => Weight::Unknown,
        Verdict::Ready => return Vec::new(),
    };
    let machines = || {
        run.machines()
            .iter()
            .filter(|it| run.verdict(it) == verdict)
    };
    let mut frequency: BTreeMap<String, usize> = BTreeMap::new();
    for machine in machines() {
        for (cause, _) in causes(run, machine, weight) {
            let count = frequency.entry(cause).or_default();
            *count = count.saturating_add(1);
        }
    }
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for machine in machines() {
        let most = causes(run, machine, weight)
            .into_iter()
            .max_by_key(|(cause, _)| (frequency.get(cause), Reverse(cause.clone())));
        let (cause, key) = most.unwrap_or_else(|| ("not checked".to_owned(), "unknown"));
        let group = groups.entry(cause.clone()).or_insert_with(|| Group {
            cause,
            key,
            machines: Vec::new(),
        });
        group.machines.push(&machine.id);
    }
    let mut groups: Vec<Group<'_>> = groups.into_values().collect();
    groups.sort_by_key(|group| Reverse(group.machines.len()));
    groups
}

impl Run {
    /// How many machines there are by the stable word of each cause, for metrics. A machine with two causes counts twice.
    pub fn by_cause(&self) -> BTreeMap<&'static str, usize> {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for machine in self.machines() {
            let own = machine.causes.iter().map(super::Cause::key);
            let shared = blocking(self, machine, Weight::Blocks).map(|_| SETUP);
            let mut keys: Vec<&str> = own.chain(shared).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let count = counts.entry(key).or_default();
                *count = count.saturating_add(1);
            }
        }
        counts
    }

    /// How many of the machines in this scope are ready.
    pub fn counts_within(&self, scope: &ResourceId) -> Counts {
        let mut counts = Counts::default();
        for machine in self.machines().iter().filter(|it| scope.contains(&it.id)) {
            counts.add(self.verdict(machine));
        }
        counts
    }
}

fn blocking<'r>(
    run: &'r Run,
    machine: &'r Machine,
    weight: Weight,
) -> impl Iterator<Item = &'r Finding> {
    let concerning = run.findings.iter();
    concerning.filter(move |it| it.weight == weight && it.concerns(&machine.id))
}

/// The causes of this weight, those of the setup too.
fn causes(run: &Run, machine: &Machine, weight: Weight) -> Vec<(String, &'static str)> {
    let own = machine.causes.iter().filter(|it| it.weight() == weight);
    let own = own.map(|it| (it.to_string(), it.key()));
    let shared = blocking(run, machine, weight);
    let shared = shared.map(|it| (format!("{}: {}", it.check, it.message), SETUP));
    own.chain(shared).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{finding, run, vm};
    use super::super::{Because, Cause, Check, Reach};
    use super::*;

    fn stopped() -> Cause {
        Cause::Stopped("deallocated".to_owned())
    }

    const MISSING: Cause = Cause::AgentMissing { windows: false };

    fn shown(groups: &[Group<'_>]) -> Vec<String> {
        let names = |group: &Group<'_>| {
            let names: Vec<_> = group.machines.iter().filter_map(|it| it.name()).collect();
            format!("{}: {}", group.cause, names.join(" "))
        };
        groups.iter().map(names).collect()
    }

    #[test]
    fn a_machine_is_in_the_group_of_its_most_frequent_cause() {
        let run = run(vec![
            (vm("a"), vec![stopped()]),
            (vm("b"), vec![MISSING]),
            (vm("c"), vec![MISSING, stopped()]),
            (vm("d"), vec![MISSING]),
            (vm("e"), vec![]),
            (
                vm("f"),
                vec![Cause::Unknown(Check::Power, Because::Throttled)],
            ),
        ]);
        assert_eq!(
            shown(&groups(&run, Verdict::NotReady)),
            ["agent not installed: b c d", "deallocated: a"]
        );
        assert_eq!(
            shown(&groups(&run, Verdict::Unknown)),
            ["power state not known: Azure throttled the call: f"]
        );
        assert_eq!(groups(&run, Verdict::Ready), []);
        let counts = run.by_cause();
        let expected = [("agent_missing", 3), ("stopped", 2), ("unknown", 1)];
        assert_eq!(counts, BTreeMap::from(expected));
    }

    #[test]
    fn what_concerns_all_machines_is_the_most_frequent_cause() {
        let mut run = run(vec![(vm("a"), vec![stopped()]), (vm("b"), vec![])]);
        run.findings
            .push(finding(Reach::All, Weight::Blocks, "shared keys"));
        assert_eq!(
            shown(&groups(&run, Verdict::NotReady)),
            ["shared keys: disabled: a b"]
        );
        assert_eq!(
            run.by_cause(),
            BTreeMap::from([("setup", 2), ("stopped", 1)])
        );
    }
}
