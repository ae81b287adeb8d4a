//! An incident that is kept in memory alone holds as little as it can: steps that follow from an entry are made again when
//! the incident is shown.

use super::{Addition, Incident, SharedReport, What, upsert::steps};

impl Addition {
    /// Leaves out what the entry has.
    pub fn packed(mut self) -> Self {
        let of_job = |entry: &super::Entry| matches!(entry.report, SharedReport::OfJob(_));
        if self.entry.as_ref().is_some_and(of_job) {
            self.steps.retain(|step| !step.what.follows());
        }
        self
    }
}

impl Incident {
    /// The incident with what was left out.
    pub fn unpacked(&self) -> Self {
        let mut whole = self.clone();
        let jobs = self.entries.iter();
        let jobs = jobs.filter(|entry| matches!(entry.report, SharedReport::OfJob(_)));
        let steps: Vec<_> = jobs.flat_map(|entry| steps(None, entry)).collect();
        for step in steps.iter().filter(|step| step.what.follows()) {
            whole.note(step);
        }
        whole
    }
}

impl What {
    /// Whether a step of this kind follows from its entry, also once the job is finished; when it joined a capture does not.
    fn follows(self) -> bool {
        matches!(
            self,
            What::AlertFired | What::Accepted | What::Running | What::Ended
        )
    }
}
