//! The result in a sentence: "41 of 44 machines ready. Not ready: web-03 (agent not installed), sql-02 (deallocated)."

use super::{Run, Verdict, Weight, groups};
use std::fmt::Write;

/// Maximum machines of one cause that are named; more are counted.
const MAXIMUM_NAMES: usize = 3;
/// Maximum causes that are named.
const MAXIMUM_GROUPS: usize = 5;

impl Run {
    /// The result in a sentence or two. Texts of Azure are in it: escape it where it is shown.
    pub fn sentence(&self) -> String {
        let counts = self.counts();
        if counts.machines() == 0 {
            let mut failed = self.findings.iter().filter(|it| it.weight != Weight::Warns);
            let why = failed.next();
            let why = why.map(|it| format!(" {}: {}.", it.check, it.message));
            return format!("No machines to check.{}", why.unwrap_or_default());
        }
        let machines = match counts.machines() {
            1 => "machine",
            _ => "machines",
        };
        let mut text = format!(
            "{} of {} {machines} ready.",
            counts.ready,
            counts.machines()
        );
        for (verdict, count, words) in [
            (Verdict::NotReady, counts.not_ready, "Not ready"),
            (Verdict::Unknown, counts.unknown, "Unknown"),
        ] {
            if count > 0 {
                let _ = write!(text, " {words}: {}.", self.named(verdict, count));
            }
        }
        text
    }

    /// Machines by name, the most frequent cause first.
    fn named(&self, verdict: Verdict, count: usize) -> String {
        let groups = groups(self, verdict);
        let mut parts = Vec::new();
        let mut named = 0_usize;
        for group in groups.iter().take(MAXIMUM_GROUPS) {
            named = named.saturating_add(group.machines.len());
            if group.machines.len() > MAXIMUM_NAMES {
                parts.push(format!(
                    "{} machines ({})",
                    group.machines.len(),
                    group.cause
                ));
                continue;
            }
            for machine in &group.machines {
                parts.push(format!("{} ({})", machine.short_name(), group.cause));
            }
        }
        match (count.saturating_sub(named), parts.is_empty()) {
            (0, _) => {}
            (more, true) => parts.push(format!("{more} machines")),
            (more, false) => parts.push(format!("{more} more")),
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{finding, instance, run, vm};
    use super::super::{Because, Cause, Check, Reach, Weight};

    fn stopped(state: &str) -> Cause {
        Cause::Stopped(state.to_owned())
    }

    const MISSING: Cause = Cause::AgentMissing { windows: false };

    #[test]
    fn a_run_is_a_sentence() {
        let mut machines: Vec<_> = (1..=41)
            .map(|it| (vm(&format!("ok-{it}")), vec![]))
            .collect();
        assert_eq!(run(machines.clone()).sentence(), "41 of 41 machines ready.");
        machines.extend([
            (vm("sql-02"), vec![stopped("deallocated")]),
            (vm("web-03"), vec![MISSING]),
            (instance("pool", 3), vec![MISSING]),
        ]);
        assert_eq!(
            run(machines.clone()).sentence(),
            "41 of 44 machines ready. Not ready: web-03 (agent not installed), pool, instance 3 (agent not installed), sql-02 (deallocated)."
        );
        machines.push((
            vm("x"),
            vec![Cause::Unknown(Check::Power, Because::NoAnswer)],
        ));
        assert_eq!(
            run(machines).sentence(),
            "41 of 45 machines ready. Not ready: web-03 (agent not installed), pool, instance 3 (agent not installed), sql-02 (deallocated). Unknown: x (power state not known: Azure did not answer)."
        );
        assert_eq!(
            run(vec![(vm("a"), vec![MISSING])]).sentence(),
            "0 of 1 machine ready. Not ready: a (agent not installed)."
        );
        let mut none = run(vec![]);
        assert_eq!(none.sentence(), "No machines to check.");
        none.findings
            .push(finding(Reach::None, Weight::Blocks, "alert rules"));
        assert_eq!(
            none.sentence(),
            "No machines to check. alert rules: disabled."
        );
    }

    #[test]
    fn a_sentence_stays_short() {
        let many = |run: usize| {
            (0..run).map(|it| {
                (
                    vm(&format!("vm-{it:04}")),
                    vec![stopped(&format!("state {it}"))],
                )
            })
        };
        let text = run(many(5_000).collect()).sentence();
        assert!(text.ends_with(", 4995 more."), "{text}");
        assert!(text.len() < 400);
        let alike = (0..5_000).map(|it| (vm(&format!("vm-{it}")), vec![MISSING]));
        let mut alike = run(alike.collect());
        assert_eq!(
            alike.sentence(),
            "0 of 5000 machines ready. Not ready: 5000 machines (agent not installed)."
        );
        alike.left_out = 7;
        assert!(alike.sentence().ends_with(" Unknown: 7 machines."));
        alike
            .findings
            .push(finding(Reach::All, Weight::Warns, "first look"));
        assert!(!alike.sentence().contains("first look"));
    }
}
