//! An alert is resolved: its job and its incident say so, at whichever instance they are.

use super::Incidents;
use crate::{
    incident::{
        JobId, Machine,
        machine::Change,
        record::{Addition, Resolved},
    },
    resource_id::ResourceId,
};
use std::sync::Arc;

impl Incidents {
    /// An alert is resolved. `job_id`: the job of its firing, where its key is known; `rule`: for the classic schema.
    pub fn resolve(
        self: &Arc<Self>,
        machine: &ResourceId,
        job_id: Option<JobId>,
        rule: Option<&str>,
    ) {
        let rule: Option<Box<str>> = rule.map(Into::into);
        self.resolve_here(machine, job_id, rule.clone());
        if !self.is_shared() {
            return;
        }
        // Its job may be another instance's.
        let (incidents, machine) = (self.clone(), machine.clone());
        tokio::spawn(async move {
            incidents.refresh(std::iter::once(machine.clone())).await;
            incidents.resolve_here(&machine, job_id, rule);
        });
    }

    fn resolve_here(&self, machine: &ResourceId, job_id: Option<JobId>, rule: Option<Box<str>>) {
        let name = Machine::blob_name(machine);
        let incident = self.machines.with(&name, |known| {
            let by_job = job_id.and_then(|job| known.find(&job)?.incident.clone());
            by_job.or_else(|| known.incident.clone())
        });
        let Some(id) = incident.flatten() else {
            return;
        };
        let change = Change::Resolve {
            job_id,
            rule: rule.clone(),
        };
        self.change(machine, change);
        let resolved = Resolved {
            job_id,
            rule,
            at: self.now(),
        };
        let key = (id.clone(), machine.clone());
        let addition = Addition::of_resolved(resolved);
        self.incidents.apply(&id.blob_name(), &key, addition, false);
    }
}
