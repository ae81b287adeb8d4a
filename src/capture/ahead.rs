//! What is read ahead of alerts: the network watchers and the machines' regions of what is allowed to be captured. An
//! alert's own calls always come first, and without the right to read this the alert reads what it needs.

use super::step::Capturer;
use crate::{
    azure::{
        compute::ListedMachine,
        error::{AzureError, chain},
    },
    resource_id::ResourceId,
};
use futures_util::future::join;
use tokio::sync::watch;

/// Maximum number of scopes that are read.
const MOST_SCOPES: usize = 32;
const MACHINE: &str = "Microsoft.Compute/virtualMachines";

/// One read of a scope.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    /// The watchers of a subscription.
    Watchers(ResourceId),
    /// The machines of a subscription or a resource group.
    Machines(ResourceId),
    /// One machine.
    Machine(ResourceId),
}

/// What to read of the scopes that are allowed: each subscription's watchers once, and the machines as far as they are
/// allowed, since the role may not reach further.
fn reads(scopes: &[ResourceId]) -> Vec<Read> {
    let scopes = &scopes[..scopes.len().min(MOST_SCOPES)];
    let mut reads = Vec::new();
    let mut add = |read: Read| {
        if !reads.contains(&read) {
            reads.push(read);
        }
    };
    for scope in scopes {
        add(Read::Watchers(scope.subscription_id()));
        let within = |other: &ResourceId| other != scope && other.contains(scope);
        if scopes.iter().any(within) {
            continue;
        }
        if scope.is_type(MACHINE) {
            add(Read::Machine(scope.clone()));
        } else if scope.name().is_none() {
            add(Read::Machines(scope.clone()));
        }
    }
    reads
}

/// The jobs whose step up to the create is in progress.
pub(super) struct Urgent(watch::Sender<usize>);

impl Default for Urgent {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

/// A job's step up to the create, until it is dropped.
pub(super) struct UrgentStep<'u>(&'u Urgent);

impl Drop for UrgentStep<'_> {
    fn drop(&mut self) {
        self.0
            .0
            .send_modify(|steps| *steps = steps.saturating_sub(1));
    }
}

impl Urgent {
    pub fn begin(&self) -> UrgentStep<'_> {
        self.0.send_modify(|steps| *steps = steps.saturating_add(1));
        UrgentStep(self)
    }

    /// Whether an alert waits for its capture.
    pub fn any(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits until no alert waits for its capture.
    async fn none(&self) {
        let _ = self.0.subscribe().wait_for(|steps| *steps == 0).await;
    }
}

impl Capturer {
    /// Waits until no alert waits for its capture, for reads that have time.
    pub async fn until_quiet(&self) {
        self.urgent.none().await;
    }

    /// Reads ahead of alerts what the next one will need of these scopes.
    pub async fn read_ahead(&self, scopes: &[ResourceId]) {
        self.places.make_room_for_machines();
        let reads = reads(scopes);
        let of_watchers = |read: &&Read| matches!(read, Read::Watchers(_));
        let (watchers, machines): (Vec<_>, Vec<_>) = reads.iter().partition(of_watchers);
        join(self.read_each(watchers), self.read_each(machines)).await;
    }

    async fn read_each(&self, reads: Vec<&Read>) {
        for read in reads {
            self.urgent.none().await;
            let done = match read {
                Read::Watchers(subscription) => self.list_watchers(subscription).await,
                Read::Machines(scope) => self.list_machines(scope).await,
                Read::Machine(machine) => self.get_machine(machine).await,
            };
            if let Err(error) = done {
                tracing::debug!("{}; it is read when an alert needs it", chain(&error));
            }
        }
    }

    /// With a call of its own: an alert that needs the same does not wait for this one, which may hang.
    async fn list_watchers(&self, subscription: &ResourceId) -> Result<(), AzureError> {
        let watchers = self.ahead.list_network_watchers(subscription).await?;
        let subscription = subscription.subscription();
        self.places.remember_watchers(subscription, watchers.into());
        Ok(())
    }

    async fn list_machines(&self, scope: &ResourceId) -> Result<(), AzureError> {
        let mut pages = self.ahead_compute.list_virtual_machines(scope);
        loop {
            let (page, is_last) = pages.next().await?;
            let has_room =
                |machine: &ListedMachine| self.places.add_machine(&machine.id, &machine.location);
            if !page.iter().all(has_room) || is_last {
                return Ok(());
            }
            self.urgent.none().await;
        }
    }

    async fn get_machine(&self, machine: &ResourceId) -> Result<(), AzureError> {
        let region = self.ahead_compute.get_location(machine).await?;
        self.places.add_machine(machine, &region);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_follows_the_table() {
        const ONE: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
        const TWO: &str = "/subscriptions/1d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
        let group = format!("{ONE}/resourceGroups/rg-web");
        let machine = format!("{group}/providers/Microsoft.Compute/virtualMachines/web-01");
        let set = format!(
            "{TWO}/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/api"
        );
        let id = |text: &str| -> ResourceId { text.parse().unwrap() };
        let watchers = |text: &str| Read::Watchers(id(text));
        let machines = |text: &str| Read::Machines(id(text));
        for (scopes, expected) in [
            (vec![ONE], vec![watchers(ONE), machines(ONE)]),
            (vec![&group], vec![watchers(ONE), machines(&group)]),
            (
                vec![&machine],
                vec![watchers(ONE), Read::Machine(id(&machine))],
            ),
            // What is within another scope is listed with it.
            (
                vec![&machine, &group, ONE],
                vec![watchers(ONE), machines(ONE)],
            ),
            (vec![ONE, ONE], vec![watchers(ONE), machines(ONE)]),
            // The regions of scale sets are not read ahead.
            (
                vec![&set, ONE],
                vec![watchers(TWO), watchers(ONE), machines(ONE)],
            ),
            (vec![], vec![]),
        ] {
            let scopes: Vec<ResourceId> = scopes.into_iter().map(id).collect();
            assert_eq!(reads(&scopes), expected, "{scopes:?}");
        }
        let many: Vec<_> = (0..100)
            .map(|n| id(&format!("{ONE}/resourceGroups/g{n}")))
            .collect();
        assert_eq!(reads(&many).len(), MOST_SCOPES + 1);
    }
}
