//! What is asked of watchers while the machine's region or the subscription's watchers are being read: when it is known
//! which watcher serves the machine, that one's captures are there. Such an answer counts only if it is young and this
//! process has changed nothing at the watcher since it was asked for.

use super::{look::Look, places::MOST_AHEAD, step::Capturer};
use crate::{
    alert::TargetKind,
    azure::{
        error::{AzureError, chain},
        network_watcher::NetworkWatcher,
    },
    incident::{Job, Session},
    resource_id::ResourceId,
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{future::Future, pin::pin};

/// The reads in progress and those that have ended.
#[derive(Default)]
pub(super) struct Beside<'c> {
    asked: FuturesUnordered<BoxFuture<'c, Answer>>,
    answered: Vec<Answer>,
}

type Answer = (Session, Result<Look, AzureError>);

impl Beside<'_> {
    /// Waits for other work while the answers come. A read must not be kept without waiting for it: it holds one of the
    /// places for calls.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(answer) = self.asked.next() => self.answered.push(answer),
            }
        }
    }

    /// What was read of this session's watcher, if it was asked. The others are given up.
    ///
    /// # Errors
    /// As [`Capturer::look`].
    pub async fn of(mut self, session: &Session) -> Result<Option<Look>, AzureError> {
        loop {
            let found = self.answered.iter().position(|(of, _)| of == session);
            if let Some(at) = found {
                let (_, looked) = self.answered.swap_remove(at);
                return looked.map(Some);
            }
            let Some(answer) = self.asked.next().await else {
                return Ok(None);
            };
            self.answered.push(answer);
        }
    }
}

impl Capturer {
    /// Asks the watchers that may serve this job's target for their captures.
    pub(super) fn beside(&self, job: &Job) -> Beside<'_> {
        let beside = Beside::default();
        let (target, parameters) = (&job.target, self.parameters(job));
        // An instance may turn out to be a machine of its own, with another name for its capture. And after an answer that
        // was lost, only a list that is read in the turn says what became of the create.
        if target.kind == TargetKind::ScaleSetInstance || job.create_unconfirmed {
            return beside;
        }
        let named = job.region.clone();
        let region = named.or_else(|| self.places.region(&target.id));
        let watchers = self.places.watchers(target.id.subscription());
        if region.is_some() && watchers.is_some() {
            return beside;
        }
        let known = Known {
            subscription: &target.id.subscription_id(),
            region: region.as_deref(),
            watchers: watchers.as_deref(),
            used: &self.places.used_watchers(target.id.subscription()),
            home_region: parameters.home_region.as_deref(),
        };
        let name = parameters.name.of(target, job.rule());
        for watcher in known.candidates() {
            let is_known = (self.places).is_free(&watcher, &name, parameters.limit);
            if is_known || !self.places.may_ask_ahead(&watcher) {
                continue;
            }
            let session = Session {
                name: name.clone(),
                watcher,
            };
            beside.asked.push(Box::pin(async move {
                let looked = self.look(&session).await;
                if let Err(error) = &looked {
                    tracing::debug!("{}; it may not be needed", chain(error));
                    self.places.remember_silence(&session.watcher);
                }
                (session, looked)
            }));
        }
        beside
    }
}

/// What is known of a machine's watcher.
struct Known<'k> {
    subscription: &'k ResourceId,
    region: Option<&'k str>,
    watchers: Option<&'k [NetworkWatcher]>,
    /// Those of the subscription that jobs needed, the last one first.
    used: &'k [NetworkWatcher],
    /// The function app's region.
    home_region: Option<&'k str>,
}

impl Known<'_> {
    /// The watchers that may serve the machine, the likeliest first. None when there is nothing to wait for.
    fn candidates(&self) -> Vec<ResourceId> {
        let id = |watcher: &NetworkWatcher| watcher.id.clone();
        match (self.region, self.watchers) {
            (Some(_), Some(_)) => Vec::new(),
            (Some(region), None) => {
                let mut used = self.used.iter();
                let used = used.find(|watcher| watcher.location == region);
                let found = used.map(id).or_else(|| self.made_by_azure(region));
                found.into_iter().collect()
            }
            (None, Some(watchers)) => {
                let there = |watcher: &&NetworkWatcher| watchers.contains(watcher);
                let unused = watchers.iter().filter(|it| !self.used.contains(it));
                let all = self.used.iter().filter(there).chain(unused);
                all.map(id).take(MOST_AHEAD).collect()
            }
            (None, None) if self.used.is_empty() => {
                let home = self
                    .home_region
                    .and_then(|region| self.made_by_azure(region));
                home.into_iter().collect()
            }
            (None, None) => self.used.iter().map(id).take(MOST_AHEAD).collect(),
        }
    }

    /// The watcher that Azure makes itself, which is named after its region. Others have any name, so this one counts
    /// only if the list of watchers has it.
    /// <https://learn.microsoft.com/en-us/azure/network-watcher/network-watcher-create>
    fn made_by_azure(&self, region: &str) -> Option<ResourceId> {
        let group = format!("{}/resourceGroups/NetworkWatcherRG", self.subscription);
        let id =
            format!("{group}/providers/Microsoft.Network/networkWatchers/NetworkWatcher_{region}");
        id.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIPTION: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";

    fn regions(regions: &[&str]) -> Vec<NetworkWatcher> {
        let watcher = |region: &&str| {
            NetworkWatcher {
            id: format!("{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Network/networkWatchers/{region}")
                .parse()
                .unwrap(),
            location: (*region).to_owned(),
        }
        };
        regions.iter().map(watcher).collect()
    }

    #[test]
    fn the_watchers_to_ask_follow_the_table() {
        let all = &["a", "b", "c", "d", "e", "f"][..];
        // The machine's region, the watchers, those used last, the function app's region.
        for (region, watchers, used, home_region, expected) in [
            // Nothing is unknown.
            (Some("a"), Some(all), &["a"][..], Some("a"), &[][..]),
            // The watchers are unknown: the one used before, or the one that Azure makes.
            (Some("b"), None, &["a", "b"], None, &["b"]),
            (Some("b"), None, &["a"], Some("a"), &["NetworkWatcher_b"]),
            (Some("b"), None, &[], None, &["NetworkWatcher_b"]),
            (Some("no/region"), None, &[], None, &[]),
            // The region is unknown: those used last, then others.
            (
                None,
                Some(all),
                &["f", "c"],
                Some("a"),
                &["f", "c", "a", "b"],
            ),
            (None, Some(&["a", "b"]), &["c", "b"], None, &["b", "a"]),
            (None, Some(&[]), &["c"], Some("a"), &[]),
            (None, None, &["c", "b"], Some("a"), &["c", "b"]),
            (None, None, &[], Some("a"), &["NetworkWatcher_a"]),
            (None, None, &[], None, &[]),
        ] {
            let listed = watchers.map(regions);
            let known = Known {
                subscription: &SUBSCRIPTION.parse().unwrap(),
                region,
                watchers: listed.as_deref(),
                used: &regions(used),
                home_region,
            };
            let found = known.candidates();
            let names: Vec<&str> = found.iter().filter_map(ResourceId::name).collect();
            assert_eq!(
                names, expected,
                "{region:?} {watchers:?} {used:?} {home_region:?}"
            );
        }
    }
}
