//! What operators are notified of after a run: that something got worse, or recovered, or once a week how things are. Pure.

use super::{Run, Verdict, fixes};
use crate::resource_id::ResourceId;
use serde_json::{Value, json};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Machines that a sentence names; more are counted.
const NAMED: usize = 8;
/// Commands that a notification shows, and that its JSON has.
const MOST_SHOWN: usize = 3;
const MOST_COMMANDS: usize = 20;
/// Interval between two weekly notifications. Less than seven days, since a run takes its time.
const WEEK: Duration = Duration::from_secs(7 * 86_400 - 12 * 3_600);

/// Which news a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Degraded,
    Restored,
    Weekly,
}

/// What operators were notified of, kept beside the runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notified {
    /// The start of the last run whose news were delivered, or that had none.
    pub run: Option<OffsetDateTime>,
    /// When the last weekly notification was sent.
    pub weekly: Option<OffsetDateTime>,
}

impl Notified {
    /// As it is stored.
    pub fn to_json(self) -> Value {
        let time = |at: Option<OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok());
        json!({ "run": time(self.run), "weekly": time(self.weekly) })
    }

    /// Reads what was stored.
    pub fn of_json(value: &Value) -> Self {
        let time = |name: &str| OffsetDateTime::parse(value[name].as_str()?, &Rfc3339).ok();
        Self {
            run: time("run"),
            weekly: time("weekly"),
        }
    }
}

impl Run {
    /// What operators are to be notified of after this finished run. `weekly`: whether they want a notification each week in
    /// any case.
    pub fn news(&self, notified: &Notified, weekly: bool, now: OffsetDateTime) -> Option<News> {
        if self.finished.is_none() || notified.run == Some(self.started) {
            return None;
        }
        let counts = self.counts();
        // The first run has none to be compared with.
        let is_first = notified.run.is_none();
        let bad = counts.not_ready > 0 || (counts.machines() == 0 && !self.findings.is_empty());
        if self.change.is_worse() || (is_first && bad) {
            return Some(News::Degraded);
        }
        if self.change.is_recovered() {
            return Some(News::Restored);
        }
        let due = notified.weekly.is_none_or(|at| {
            let week = time::Duration::try_from(WEEK).unwrap_or(time::Duration::WEEK);
            now >= at.saturating_add(week)
        });
        (weekly && due).then_some(News::Weekly)
    }

    /// Whether nothing is left to be fixed.
    pub fn is_ready(&self) -> bool {
        let counts = self.counts();
        counts.not_ready == 0 && counts.unknown == 0
    }

    /// A few words for the title of a notification.
    pub fn headline(&self, news: News) -> String {
        let counts = self.counts();
        let machines = |number: usize| match number {
            1 => "1 machine".to_owned(),
            _ => format!("{number} machines"),
        };
        let all = || format!("{} of {} ready", counts.ready, machines(counts.machines()));
        let change = &self.change;
        match news {
            News::Degraded => {
                let worse = change.worse.len().saturating_add(change.more);
                let what = match (worse, change.failed.is_empty(), change.unknown.len()) {
                    (0, false, _) => change.failed.join(", "),
                    (0, true, 0) => all(),
                    (0, true, unknown) => format!("{} unknown", machines(unknown)),
                    (worse, _, _) => format!("{} not ready any more", machines(worse)),
                };
                format!("Readiness degraded: {what}")
            }
            News::Restored => {
                let what = match (change.recovered.len(), change.fixed.is_empty()) {
                    (0, false) => change.fixed.join(", "),
                    (0, true) => all(),
                    (recovered, _) => format!("{} ready again", machines(recovered)),
                };
                format!("Readiness restored: {what}")
            }
            News::Weekly => format!("Readiness: {}", all()),
        }
    }

    /// Label and value of what differs from the run before, and the first commands that fix what was found.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let change = &self.change;
        let mut facts = Vec::new();
        for (label, text) in [
            ("Not ready any more", self.listed_with_cause(&change.worse)),
            (
                "Not known any more",
                self.listed_with_cause(&change.unknown),
            ),
            ("Failed checks", change.failed.join(", ")),
            ("Ready again", self.listed_with_cause(&change.recovered)),
            ("Passed checks", change.fixed.join(", ")),
        ] {
            if !text.is_empty() {
                facts.push((label, text));
            }
        }
        let fixes = fixes(self);
        for fix in fixes.iter().take(MOST_SHOWN) {
            if let Some(command) = fix.commands.first() {
                facts.push(("Fix", format!("{}: {command}", fix.cause)));
            }
        }
        if fixes.len() > MOST_SHOWN {
            let more = fixes.len().saturating_sub(MOST_SHOWN);
            facts.push((
                "More fixes",
                format!("{more}, by handler doctor --all --script"),
            ));
        }
        facts
    }

    /// The same for programs.
    pub fn news_json(&self) -> Value {
        let change = &self.change;
        let counts = self.counts();
        let mut room = MOST_COMMANDS;
        let fixes: Vec<Value> = fixes(self)
            .into_iter()
            .take(MOST_COMMANDS)
            .map(|mut fix| {
                fix.commands.truncate(room);
                room = room.saturating_sub(fix.commands.len());
                json!({ "cause": fix.cause, "machines": fix.machines, "commands": fix.commands })
            })
            .collect();
        json!({
            "machines": { "ready": counts.ready, "notReady": counts.not_ready, "unknown": counts.unknown },
            "causes": self.by_cause(),
            "worse": change.worse,
            "unknown": change.unknown,
            "failed": change.failed,
            "recovered": change.recovered,
            "fixed": change.fixed,
            "fixes": fixes,
        })
    }

    /// Machines with their first cause, as far as a sentence has room.
    fn listed_with_cause(&self, machines: &[ResourceId]) -> String {
        let mut names: Vec<String> = machines
            .iter()
            .take(NAMED)
            .map(|id| {
                let machine = self.get(id);
                let bad = machine.filter(|it| self.verdict(it) != Verdict::Ready);
                match bad.and_then(|machine| machine.causes.first()) {
                    Some(cause) => format!("{} ({cause})", id.short_name()),
                    None => id.short_name(),
                }
            })
            .collect();
        if let Some(more @ 1..) = machines.len().checked_sub(NAMED) {
            names.push(format!("{more} more"));
        }
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Cause, Change,
        samples::{run, vm},
    };
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-28 16:00 UTC);

    fn stopped() -> Vec<Cause> {
        vec![Cause::Stopped("deallocated".to_owned())]
    }

    fn after(change: Change, causes: Vec<Cause>) -> Run {
        let mut run = run(vec![(vm("web-01"), Vec::new()), (vm("sql-02"), causes)]);
        run.finish(NOW);
        run.change = change;
        run
    }

    #[test]
    fn operators_are_notified_by_the_table() {
        let worse = || Change {
            worse: vec![vm("sql-02")],
            recovered: vec![vm("web-01")],
            ..Change::default()
        };
        let recovered = || Change {
            recovered: vec![vm("sql-02")],
            ..Change::default()
        };
        let day = time::Duration::DAY;
        let known = |weekly: Option<OffsetDateTime>| Notified {
            run: Some(NOW - day),
            weekly,
        };
        for (change, causes, notified, weekly, expected) in [
            // The first run of all.
            (Change::default(), vec![], Notified::default(), false, None),
            (
                Change::default(),
                stopped(),
                Notified::default(),
                false,
                Some(News::Degraded),
            ),
            // Nothing changed.
            (Change::default(), stopped(), known(None), false, None),
            (worse(), stopped(), known(None), false, Some(News::Degraded)),
            (
                recovered(),
                vec![],
                known(None),
                false,
                Some(News::Restored),
            ),
            // Once a week.
            (
                Change::default(),
                vec![],
                known(None),
                true,
                Some(News::Weekly),
            ),
            (
                Change::default(),
                vec![],
                known(Some(NOW - 6 * day)),
                true,
                None,
            ),
            (
                Change::default(),
                vec![],
                known(Some(NOW - 7 * day)),
                true,
                Some(News::Weekly),
            ),
            (
                worse(),
                stopped(),
                known(Some(NOW - 7 * day)),
                true,
                Some(News::Degraded),
            ),
        ] {
            let run = after(change, causes);
            assert_eq!(
                run.news(&notified, weekly, NOW),
                expected,
                "{:?} {notified:?} {weekly}",
                run.change
            );
            let told = Notified {
                run: Some(run.started),
                ..notified
            };
            assert_eq!(run.news(&told, weekly, NOW), None);
            assert_eq!(Notified::of_json(&told.to_json()), told);
        }
    }

    #[test]
    fn what_changed_is_named() {
        let change = Change {
            worse: vec![vm("sql-02")],
            failed: vec!["shared keys".to_owned()],
            ..Change::default()
        };
        let run = after(change, stopped());
        assert_eq!(
            run.headline(News::Degraded),
            "Readiness degraded: 1 machine not ready any more"
        );
        assert_eq!(
            run.headline(News::Weekly),
            "Readiness: 1 of 2 machines ready"
        );
        let facts = run.facts();
        assert_eq!(
            facts[0],
            ("Not ready any more", "sql-02 (deallocated)".to_owned())
        );
        assert_eq!(facts[1], ("Failed checks", "shared keys".to_owned()));
        assert!(
            facts[2].1.starts_with("deallocated: az vm start --ids"),
            "{facts:?}"
        );
        assert_eq!(run.news_json()["causes"]["stopped"], 1);
    }
}
