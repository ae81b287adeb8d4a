//! A run over all machines that alerts can name: which they are, what keeps captures from starting there, and what is not known.
//! It reads Azure a few calls a second, never before an alert, and can be continued by another process.

mod calls;
mod inventory;
mod judge;
mod outbound;
mod query;
mod rules;
mod setup;
mod targets;

pub use calls::Quiet;

use super::{
    Learned, Parts, Targets, examine,
    required::{EFFECTIVE_RULES, INSTANCE_VIEW_READ, USAGES_READ},
};
use crate::{
    azure::{
        client::ArmClient, compute::ComputeClient, network::NetworkClient,
        network_interfaces::NetworkInterfaceClient,
    },
    config::Settings,
    fleet::{Because, Cause, Check, Run},
    resource_id::ResourceId,
};
use calls::Calls;
use inventory::{Inventory, Listed};
use judge::{Around, judge};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;

/// Maximum duration of a run. 5,000 machines take about 25 minutes.
const LONGEST: Duration = Duration::from_secs(4 * 60 * 60);
/// Number of machines after which the progress is kept, and the time after which it is kept with fewer: others take a run over
/// whose progress is not kept.
const KEPT_EVERY: (usize, Duration) = (50, Duration::from_secs(30));
/// Number of machines in a row without an answer after which a run ends: the others would only take time.
const MAXIMUM_SILENT: u32 = 20;
/// A run that is older is not continued: its findings would be stale.
const OLDEST: time::Duration = time::Duration::hours(12);

/// Keeps runs, so that they outlive the process.
#[async_trait::async_trait]
pub trait Keep: Send + Sync {
    /// The last finished run.
    async fn last(&self) -> Option<Run>;
    /// The run that a process began and did not finish.
    async fn unfinished(&self) -> Option<Run>;
    /// Keeps what is known so far, finished or not. `false`: another instance makes this run; this one is to stop.
    async fn keep(&self, run: &Run) -> bool;
}

/// A run over all machines, and what it needs.
pub struct Everywhere<'a> {
    /// With a client whose calls never come before those of alerts.
    pub parts: &'a Parts,
    pub quiet: &'a dyn Quiet,
    pub keep: &'a dyn Keep,
    /// Interval between two calls to Azure.
    pub pace: Duration,
}

impl Everywhere<'_> {
    /// Makes a run, or continues one. `None`: another instance makes it.
    pub async fn run(&self, now: OffsetDateTime) -> Option<Run> {
        let before = self.keep.last().await;
        let unfinished = self.keep.unfinished().await;
        let unfinished = unfinished.filter(|run| now - run.started < OLDEST);
        let (Some(settings), Some(arm)) = (&self.parts.found.settings, &self.parts.arm) else {
            let (report, _) = examine(self.parts, &Targets::default()).await;
            let mut run = Run::new(now, "rules", []);
            run.findings = setup::findings(&report);
            return self.finish(run, before.as_ref()).await;
        };
        let round = Round {
            everywhere: self,
            settings,
            arm,
            calls: Calls::new(self.pace, self.quiet),
            until: Instant::now() + LONGEST,
        };
        let run = round.run(now, unfinished, before.as_ref()).await?;
        self.finish(run, before.as_ref()).await
    }

    async fn finish(&self, mut run: Run, before: Option<&Run>) -> Option<Run> {
        run.finish(OffsetDateTime::now_utc());
        if let Some(before) = before {
            run.compare(before);
        }
        self.keep.keep(&run).await.then_some(run)
    }
}

/// One run, under way.
struct Round<'a> {
    everywhere: &'a Everywhere<'a>,
    settings: &'a Settings,
    arm: &'a ArmClient,
    calls: Calls<'a>,
    until: Instant,
}

impl Round<'_> {
    async fn run(
        mut self,
        now: OffsetDateTime,
        unfinished: Option<Run>,
        before: Option<&Run>,
    ) -> Option<Run> {
        let parts = self.everywhere.parts;
        let assignee = self
            .settings
            .azure
            .as_ref()
            .map(|azure| super::identity::assignee(&azure.identity, &parts.hosting));
        let mut inventory = Inventory::default();
        let listed = targets::list(&mut self.calls, self.arm, self.settings, &mut inventory).await;
        let places = targets::places(self.settings, &inventory);
        let agents_unread = targets::unread(
            &mut self.calls,
            self.arm,
            &places,
            assignee.as_ref(),
            self.settings,
            &mut inventory,
        )
        .await;
        let targets = Targets {
            subscriptions: places,
            machines: Vec::new(),
        };
        let (report, learned) = examine(parts, &targets).await;
        let mut around = self.around(learned, &mut inventory).await;
        around.agents_unread = agents_unread;
        let word = self.settings.readiness.targets.word();
        let mut run = self.begin(now, word, unfinished, &inventory, before, listed);
        run.findings = setup::findings(&report);
        run.findings.append(&mut inventory.findings);
        run.left_out = inventory.left_out;
        let earlier = run.calls;
        if !self.everywhere.keep.keep(&run).await {
            return None;
        }
        if !self.machines(&mut run, &inventory, &around, earlier).await {
            return None;
        }
        run.findings
            .extend(setup::missing_rights(&run, assignee.as_ref()));
        run.calls = earlier.saturating_add(self.calls.made());
        Some(run)
    }

    /// The run with all its machines: those that a process before this one checked are done.
    fn begin(
        &self,
        now: OffsetDateTime,
        word: &str,
        unfinished: Option<Run>,
        inventory: &Inventory,
        before: Option<&Run>,
        listed: Result<(), Because>,
    ) -> Run {
        let ids = inventory.ids();
        let mut run = match (listed, before) {
            // What was there the last time is still there, as far as anyone can say.
            (Err(because), Some(before)) if ids.is_empty() => {
                let known = before.machines().iter().map(|it| it.id.clone());
                let known: Vec<ResourceId> = known.collect();
                let mut run = Run::new(now, word, known.iter().cloned());
                for id in &known {
                    run.checked(id, [Cause::Unknown(Check::Machine, because.clone())]);
                }
                run
            }
            _ => Run::new(now, word, ids),
        };
        if let Some(unfinished) = unfinished {
            run.started = unfinished.started;
            run.calls = unfinished.calls;
            for machine in unfinished.machines().iter().filter(|it| it.checked) {
                run.checked(&machine.id, machine.causes.iter().cloned());
            }
        }
        run
    }

    /// What machines share: watchers, room, the account's region.
    async fn around(&mut self, learned: Learned, inventory: &mut Inventory) -> Around {
        let mut around = Around {
            allowed: self.settings.allowed.allowed.scopes.clone(),
            account_region: learned.account_region.clone(),
            full: Vec::new(),
            quota_unread: Vec::new(),
            agents_unread: Vec::new(),
            learned,
        };
        let network = NetworkClient::new(self.arm.clone());
        for (subscription, region) in inventory.regions() {
            let room = || network.list_usages(&subscription, &region);
            match self.calls.patiently(room).await {
                Ok(usages) => {
                    let captures = usages.iter().find(|it| it.name == "PacketCaptures");
                    if captures.is_some_and(|it| it.current >= it.limit) {
                        around.full.push((subscription, region));
                    }
                }
                Err(error) => {
                    let why = calls::because(&error, USAGES_READ.action);
                    inventory.quota_unknown(&subscription, why.clone());
                    around.quota_unread.push((subscription, region, why));
                }
            }
        }
        around
    }

    /// Checks the machines whose turn is still to come. `false`: another instance does.
    async fn machines(
        &mut self,
        run: &mut Run,
        inventory: &Inventory,
        around: &Around,
        earlier: u32,
    ) -> bool {
        let compute = ComputeClient::new(self.arm.clone());
        for set in &inventory.sets {
            if run.unchecked().all(|id| !set.id.contains(id)) {
                continue;
            }
            let read = || compute.list_instances(&set.id);
            let instances = self.calls.patiently(read).await;
            inventory::add_instances(run, set, instances, around);
        }
        let left: Vec<ResourceId> = run.unchecked().cloned().collect();
        let (mut since, mut kept) = (0_usize, Instant::now());
        let mut silent = 0_u32;
        for id in &left {
            if Instant::now() >= self.until || silent >= MAXIMUM_SILENT {
                run.found(id, Cause::Unknown(Check::Machine, Because::NotReached));
                continue;
            }
            let listed = inventory.get(id);
            let causes = self.machine(&compute, id, listed, around).await;
            silent = match causes.iter().any(Cause::is_passing) {
                true => silent.saturating_add(1),
                false => 0,
            };
            // It was deleted after it was listed: no fault, unless a rule names it, and the next run says so.
            match causes == [Cause::NotFound] && listed.is_some_and(|it| it.region.is_some()) {
                true => run.replace(id, Vec::new(), usize::MAX),
                false => run.checked(id, causes),
            }
            since = since.saturating_add(1);
            if since >= KEPT_EVERY.0 || kept.elapsed() >= KEPT_EVERY.1 {
                (since, kept) = (0, Instant::now());
                run.calls = earlier.saturating_add(self.calls.made());
                if !self.everywhere.keep.keep(run).await {
                    return false;
                }
            }
        }
        true
    }

    async fn machine(
        &mut self,
        compute: &ComputeClient,
        id: &ResourceId,
        listed: Option<&Listed>,
        around: &Around,
    ) -> Vec<Cause> {
        let unknown = Listed::default();
        let listed = listed.unwrap_or(&unknown);
        let view = self.calls.patiently(|| compute.get_instance_view(id)).await;
        let view = view.map_err(|error| match error.is_not_found() {
            true => None,
            false => Some(calls::because(&error, INSTANCE_VIEW_READ.action)),
        });
        let mut causes = judge(id, listed, view.as_ref().map_err(Option::as_ref), around);
        let runs = view.is_ok_and(|view| judge::is_running(&view));
        if runs && self.settings.readiness.effective_rules {
            if listed.interfaces.is_empty() {
                causes.push(Cause::Unknown(Check::Outbound, Because::NotReported));
            }
            for interface in &listed.interfaces {
                causes.extend(self.outbound(interface).await);
            }
        }
        causes
    }

    async fn outbound(&mut self, interface: &ResourceId) -> Vec<Cause> {
        // Azure computes them after the call: the first poll too early costs another one.
        let shortest = self.everywhere.pace.saturating_mul(4);
        let poll = (shortest, shortest.max(Duration::from_secs(10)));
        let network = NetworkInterfaceClient::new(self.arm.clone(), poll);
        let account = self
            .settings
            .capture
            .parameters
            .storage
            .storage_id
            .is_some();
        let read = || network.list_effective_network_security_groups(interface);
        match self.calls.patiently(read).await {
            Ok(groups) => outbound::blocked(&outbound::rules(&groups), account),
            Err(error) => {
                let because = calls::because(&error, EFFECTIVE_RULES.action);
                vec![Cause::Unknown(Check::Outbound, because)]
            }
        }
    }
}
