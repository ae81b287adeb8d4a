//! The step for a resolved alert: find the capture that this function created, and stop it.

use super::{
    ending::is_over,
    outcome,
    parameters::covers,
    step::{Capturer, Checkpoint, Next},
};
use crate::{
    azure::error::AzureError,
    incident::{Job, Session},
};
use std::time::Duration;

impl Capturer {
    /// Stops the capture that this function created on the target of a resolved alert.
    pub(super) async fn stop(
        &self,
        job: &mut Job,
        checkpoint: &mut dyn Checkpoint,
    ) -> Result<Next, AzureError> {
        let Some(watcher) = self.find_watcher(job).await? else {
            return Ok(Next::Decided);
        };
        // A create that is being sent is seen by the list after it.
        let Some(_turn) = self.turn(&watcher, checkpoint).await else {
            return Ok(Next::After(Duration::ZERO));
        };
        let name = self.parameters(job).name.of(&job.target, job.rule());
        let session = Session { watcher, name };
        let listed = self.list(&session).await?;
        let found = listed.taken_by.filter(|it| covers(it, &job.target));
        if let Some(capture) = &found {
            let status = self
                .client
                .query_status(&session.watcher, &session.name)
                .await?;
            if status.is_some_and(|status| !is_over(capture, &status)) {
                let Session { watcher, name } = &session;
                // A status that was read before is out of date.
                let write = self.places.writes.begin(watcher);
                self.client.stop_packet_capture(watcher, name).await?;
                drop(write);
                job.report = outcome::stopped(&job.target.id, &session);
                return Ok(Next::Decided);
            }
        }
        job.report = outcome::nothing_to_stop(&job.target.id);
        Ok(Next::Decided)
    }
}
