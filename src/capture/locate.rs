//! Which network watcher serves a target: its region, and the watcher there. Asked of Azure side by side, and
//! remembered.

use super::{outcome, parameters::capture_target, step::Capturer};
use crate::incident::Job;
use crate::{
    alert::Target,
    azure::{error::AzureError, network_watcher::NetworkWatcher},
    resource_id::ResourceId,
};
use futures_util::FutureExt;
use std::sync::Arc;

impl Capturer {
    /// The watcher of the target's region. `None` when there is none: the report says so.
    pub(super) async fn find_watcher(
        &self,
        job: &mut Job,
    ) -> Result<Option<ResourceId>, AzureError> {
        let found = self.watcher_in_region(job).await?;
        Ok(found.map(|watcher| {
            self.places.use_watcher(&watcher);
            watcher.id
        }))
    }

    async fn watcher_in_region(&self, job: &mut Job) -> Result<Option<NetworkWatcher>, AzureError> {
        if let Some(member) = self.flexible_member(&job.target).await? {
            job.target = member;
        }
        let target = &job.target.id;
        let (region, watchers) = tokio::try_join!(
            self.region(&job.target, job.region.as_deref()),
            self.watchers(target)
        )?;
        let in_region = |watchers: &[NetworkWatcher]| {
            watchers
                .iter()
                .find(|watcher| watcher.location == region)
                .cloned()
        };
        let (watchers, from_memory) = watchers;
        if let Some(found) = in_region(&watchers) {
            return Ok(Some(found));
        }
        // It may have been enabled since.
        if from_memory {
            self.places.forget(target);
            let (watchers, _) = self.watchers(target).await?;
            if let Some(found) = in_region(&watchers) {
                return Ok(Some(found));
            }
        }
        job.report = outcome::no_network_watcher(&job.target, &region);
        Ok(None)
    }

    /// Whether another job has begun to read what this one has to know of its target.
    pub(super) fn is_being_read(&self, job: &Job) -> bool {
        let target = &job.target.id;
        let machine = capture_target(&job.target);
        self.places.region_reads.is_in_progress(&*machine)
            || (self.places.watcher_reads).is_in_progress(&target.subscription_id())
    }

    /// The virtual machine that a target is which was named as an instance of a flexible scale set: such instances have
    /// no number, and are captured as machines. That it is a member of the set, the machine itself says: log data can
    /// write any name below a set.
    async fn flexible_member(&self, target: &Target) -> Result<Option<Target>, AzureError> {
        let set = capture_target(target);
        let Some(member) = target.flexible_member() else {
            return Ok(None);
        };
        let is_flexible = match self.places.is_flexible(&set) {
            Some(known) => known,
            None => {
                let read = self.compute.get_scale_set(&set).await?;
                self.places.remember_flexible(&set, read.is_flexible);
                self.places.remember_region(&target.id, &read.location);
                read.is_flexible
            }
        };
        if !is_flexible {
            return Ok(None);
        }
        let machine = self.compute.get_virtual_machine(&member.id).await?;
        if machine.scale_set.as_ref() != Some(&*set) {
            return Ok(None);
        }
        self.places.remember_region(&member.id, &machine.location);
        Ok(Some(member))
    }

    async fn region(&self, target: &Target, named: Option<&str>) -> Result<String, AzureError> {
        if let Some(region) = named {
            return Ok(region.to_owned());
        }
        if let Some(region) = self.places.region(&target.id) {
            return Ok(region);
        }
        let machine = capture_target(target).into_owned();
        let (compute, read) = (self.compute.clone(), machine.clone());
        let read = move || async move { compute.get_location(&read).await }.boxed();
        let region = self.places.region_reads.join(&machine, read).await?;
        self.places.remember_region(&target.id, &region);
        Ok(region)
    }

    /// Whether the machine is in another region than remembered. A create in the wrong region would be refused; for
    /// what happens without one, such as that a limit is reached there, the region must be the machine's own.
    pub(super) async fn has_moved(&self, job: &Job) -> Result<bool, AzureError> {
        let target = &job.target.id;
        if job.region.is_some() {
            return Ok(false);
        }
        let Some(remembered) = self.places.old_region(target) else {
            return Ok(false);
        };
        let region = self
            .compute
            .get_location(&capture_target(&job.target))
            .await?;
        self.places.remember_region(target, &region);
        Ok(region != remembered)
    }

    async fn watchers(
        &self,
        target: &ResourceId,
    ) -> Result<(Arc<[NetworkWatcher]>, bool), AzureError> {
        if let Some(watchers) = self.places.watchers(target.subscription()) {
            return Ok((watchers, true));
        }
        let watchers = self.read_watchers(&target.subscription_id()).await?;
        Ok((watchers, false))
    }

    /// Reads a subscription's watchers, with those who do the same, and remembers them.
    async fn read_watchers(
        &self,
        subscription: &ResourceId,
    ) -> Result<Arc<[NetworkWatcher]>, AzureError> {
        let (client, read) = (self.client.clone(), subscription.clone());
        let read = move || {
            async move {
                let watchers = client.list_network_watchers(&read).await?;
                Ok(Arc::from(watchers))
            }
            .boxed()
        };
        let watchers: Arc<[NetworkWatcher]> =
            self.places.watcher_reads.join(subscription, read).await?;
        self.places
            .remember_watchers(subscription.subscription(), watchers.clone());
        Ok(watchers)
    }
}
