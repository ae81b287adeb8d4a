//! One run over all machines: what was found so far, and what is still to be checked. It can be stored half-way and
//! continued by another process.

use super::{Cause, Change, Weight};
use crate::resource_id::ResourceId;
use time::OffsetDateTime;

/// Whether a capture would start on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Ready,
    NotReady,
    /// Something could not be read. Never counted as ready.
    Unknown,
}

/// One machine of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    pub id: ResourceId,
    /// What was found on it; sorted.
    pub causes: Vec<Cause>,
    /// Whether its turn came.
    pub checked: bool,
    /// Whether it was ready when that was last known, in this run or before it.
    pub known: Option<bool>,
    /// What [`Run::verdict`] said when the run finished.
    pub(super) verdict: Option<Verdict>,
}

impl Machine {
    /// Whether it is ready, if the finished run knows.
    pub(super) fn known_now(&self) -> Option<bool> {
        match self.verdict {
            Some(Verdict::Ready) => Some(true),
            Some(Verdict::NotReady) => Some(false),
            Some(Verdict::Unknown) | None => None,
        }
    }

    /// Whether the finished run did not know, for a reason that does not pass by itself.
    pub(super) fn is_unknown(&self) -> bool {
        let mut causes = self.causes.iter();
        self.known_now().is_none()
            && causes.any(|it| it.weight() == Weight::Unknown && !it.is_passing())
    }
}

/// Which machines a finding concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    All,
    /// Those in this scope.
    Within(ResourceId),
    /// None: an alert rule that would start nothing, a receiver that cannot be reached.
    None,
}

/// Something that concerns more than one machine: a permission, the storage account, an alert rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub reach: Reach,
    /// What was checked, in the words of the doctor: `shared keys`.
    pub check: String,
    pub weight: Weight,
    pub message: String,
    /// The command that fixes it.
    pub fix: Option<String>,
}

impl Finding {
    /// Whether a capture on this machine depends on it.
    pub(super) fn concerns(&self, machine: &ResourceId) -> bool {
        match &self.reach {
            Reach::All => true,
            Reach::Within(scope) => scope.contains(machine),
            Reach::None => false,
        }
    }
}

/// How many machines there are of each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub ready: usize,
    pub not_ready: usize,
    pub unknown: usize,
}

impl Counts {
    pub const fn machines(self) -> usize {
        self.ready
            .saturating_add(self.not_ready)
            .saturating_add(self.unknown)
    }

    pub(super) const fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Ready => self.ready = self.ready.saturating_add(1),
            Verdict::NotReady => self.not_ready = self.not_ready.saturating_add(1),
            Verdict::Unknown => self.unknown = self.unknown.saturating_add(1),
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub started: OffsetDateTime,
    /// `None` while machines are still to be checked.
    pub finished: Option<OffsetDateTime>,
    /// Where its machines come from: the value of `Readiness__Targets`.
    pub targets: String,
    /// What concerns more than one machine.
    pub findings: Vec<Finding>,
    /// Calls to Azure, those of a process before this one too.
    pub calls: u32,
    /// Number of machines that were found and are beyond what one run checks. They count as unknown.
    pub left_out: usize,
    /// What differs from the run before it; set when it finishes.
    pub change: Change,
    /// By id, in ascending order of its text in lower case.
    pub(super) machines: Vec<Machine>,
    /// Machines that the stored form had no room for.
    pub(super) not_stored: Counts,
}

impl Run {
    /// A run that is to check these machines. Each is checked once, whatever the case of its id.
    pub fn new(
        started: OffsetDateTime,
        targets: &str,
        machines: impl IntoIterator<Item = ResourceId>,
    ) -> Self {
        let machine = |id| Machine {
            id,
            causes: Vec::new(),
            checked: false,
            known: None,
            verdict: None,
        };
        let mut run = Self {
            started,
            finished: None,
            targets: targets.to_owned(),
            findings: Vec::new(),
            calls: 0,
            left_out: 0,
            change: Change::default(),
            machines: machines.into_iter().map(machine).collect(),
            not_stored: Counts::default(),
        };
        run.sort();
        run
    }

    /// Brings the machines into order, each once.
    pub(super) fn sort(&mut self) {
        self.machines.sort_by_cached_key(|it| key(&it.id));
        self.machines.dedup_by(|a, b| a.id == b.id);
    }

    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// The machines whose turn is still to come.
    pub fn unchecked(&self) -> impl Iterator<Item = &ResourceId> {
        self.machines
            .iter()
            .filter(|it| !it.checked)
            .map(|it| &it.id)
    }

    /// Adds to what is known of a machine while its turn is still to come. One that is not in the run is left out.
    pub fn found(&mut self, id: &ResourceId, cause: Cause) {
        if let Some(machine) = self.find(id)
            && !machine.causes.contains(&cause)
        {
            machine.causes.push(cause);
            machine.causes.sort();
        }
    }

    /// Ends a machine's turn, with what was found on it.
    pub fn checked(&mut self, id: &ResourceId, causes: impl IntoIterator<Item = Cause>) {
        for cause in causes {
            self.found(id, cause);
        }
        if let Some(machine) = self.find(id) {
            machine.checked = true;
        }
    }

    /// Adds a machine that was checked.
    pub fn add(&mut self, id: ResourceId, causes: Vec<Cause>) {
        self.replace(&id.clone(), vec![(id, causes)], usize::MAX);
    }

    /// Puts checked machines, such as the instances of a scale set, in the place of what stood for them. Beyond `maximum`
    /// machines they are counted.
    pub fn replace(
        &mut self,
        instead_of: &ResourceId,
        machines: Vec<(ResourceId, Vec<Cause>)>,
        maximum: usize,
    ) {
        self.machines.retain(|it| it.id != *instead_of);
        for (id, mut causes) in machines {
            if self.machines.len() >= maximum {
                self.left_out = self.left_out.saturating_add(1);
                continue;
            }
            causes.sort();
            self.machines.push(Machine {
                id,
                causes,
                checked: true,
                known: None,
                verdict: None,
            });
        }
        self.sort();
    }

    /// Ends the run. What was not checked is unknown.
    pub fn finish(&mut self, now: OffsetDateTime) {
        self.finished = Some(now);
        for at in 0..self.machines.len() {
            let verdict = self.verdict(&self.machines[at]);
            let machine = &mut self.machines[at];
            machine.verdict = Some(verdict);
            machine.known = machine.known_now();
        }
    }

    /// Compares a finished run with the one before. What this run does not know is carried over from there, so that a run
    /// in which Azure throttled hides no change from the next one.
    pub fn compare(&mut self, before: &Run) {
        self.change = Change::between(before, self);
        for machine in &mut self.machines {
            if machine.known.is_none() {
                machine.known = before.get(&machine.id).and_then(|it| it.known);
            }
        }
    }

    /// Whether a capture would start on the machine, as far as this run knows.
    pub fn verdict(&self, machine: &Machine) -> Verdict {
        let has = |weight| {
            let mut concerning = self.findings.iter().filter(|it| it.concerns(&machine.id));
            machine.causes.iter().any(|it| it.weight() == weight)
                || concerning.any(|it| it.weight == weight)
        };
        if has(Weight::Blocks) {
            return Verdict::NotReady;
        }
        match machine.checked && !has(Weight::Unknown) {
            true => Verdict::Ready,
            false => Verdict::Unknown,
        }
    }

    /// How many machines are ready, and how many not.
    pub fn counts(&self) -> Counts {
        let mut counts = self.not_stored;
        counts.unknown = counts.unknown.saturating_add(self.left_out);
        for machine in &self.machines {
            counts.add(self.verdict(machine));
        }
        counts
    }

    /// Number of machines that were checked, for a progress bar; [`Counts::machines`] is the whole.
    pub fn progress(&self) -> usize {
        self.machines.iter().filter(|it| it.checked).count()
    }

    pub(super) fn get(&self, id: &ResourceId) -> Option<&Machine> {
        let at = self.position(id)?;
        self.machines.get(at)
    }

    fn find(&mut self, id: &ResourceId) -> Option<&mut Machine> {
        let at = self.position(id)?;
        self.machines.get_mut(at)
    }

    fn position(&self, id: &ResourceId) -> Option<usize> {
        let wanted = key(id);
        let by_key = |it: &Machine| key(&it.id).cmp(&wanted);
        self.machines.binary_search_by(by_key).ok()
    }
}

/// Ids are equal whatever their letter case, and so sorted.
fn key(id: &ResourceId) -> String {
    id.to_string().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{GROUP, finding, machine, run, vm};
    use super::super::{Because, Check};
    use super::*;

    fn unknown() -> Cause {
        Cause::Unknown(Check::Power, Because::Throttled)
    }

    fn warning() -> Cause {
        Cause::AgentOld {
            windows: false,
            version: "1.3".to_owned(),
        }
    }

    #[test]
    fn verdicts_follow_the_table() {
        for (causes, expected) in [
            (vec![], Verdict::Ready),
            (vec![warning()], Verdict::Ready),
            (vec![unknown()], Verdict::Unknown),
            (vec![warning(), unknown()], Verdict::Unknown),
            (vec![Cause::OldModel], Verdict::NotReady),
            (vec![unknown(), Cause::OldModel], Verdict::NotReady),
        ] {
            let run = run(vec![(vm("web-01"), causes.clone())]);
            assert_eq!(run.verdict(&run.machines()[0]), expected, "{causes:?}");
        }
    }

    #[test]
    fn what_was_not_checked_is_unknown_and_never_ready() {
        let started = time::macros::datetime!(2026-11-28 16:00 UTC);
        let mut run = Run::new(started, "rules", [vm("web-01"), vm("WEB-01"), vm("web-02")]);
        assert_eq!(run.machines().len(), 2, "one machine, written twice");
        run.left_out = 3;
        assert_eq!(run.counts().unknown, 5);
        run.checked(&vm("Web-01"), []);
        run.checked(&vm("other"), []);
        run.finish(started);
        let counts = run.counts();
        assert_eq!((counts.ready, counts.unknown, counts.machines()), (1, 4, 5));
        assert_eq!(run.unchecked().collect::<Vec<_>>(), [&vm("web-02")]);
        assert_eq!(run.progress(), 1);
        assert_eq!(machine(&run, "web-02").known, None);
    }

    #[test]
    fn a_finding_blocks_the_machines_of_its_scope() {
        let group = |name: &str| Reach::Within(GROUP.replace("rg-shop", name).parse().unwrap());
        for (reach, weight, expected) in [
            (Reach::All, Weight::Blocks, Verdict::NotReady),
            (group("rg-shop"), Weight::Blocks, Verdict::NotReady),
            (group("rg-other"), Weight::Blocks, Verdict::Ready),
            (Reach::None, Weight::Blocks, Verdict::Ready),
            (Reach::All, Weight::Warns, Verdict::Ready),
            (Reach::All, Weight::Unknown, Verdict::Unknown),
            (Reach::None, Weight::Unknown, Verdict::Ready),
        ] {
            let mut run = run(vec![(vm("web-01"), vec![])]);
            run.findings.push(finding(reach, weight, "shared keys"));
            assert_eq!(run.verdict(&run.machines()[0]), expected, "{run:?}");
        }
    }
}
