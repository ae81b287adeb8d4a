//! What is asked of watchers while the machine's region or the subscription's watchers are being read: when it is known
//! which watcher serves the machine, that one's captures are there. Such an answer counts only if it is young and this
//! process has changed nothing at the watcher since it was asked for.

use super::{look::Look, places::MOST_AHEAD, step::Capturer};
use crate::{
    alert::TargetKind,
    azure::{error::chain, network_watcher::NetworkWatcher},
    incident::{Job, Session},
    resource_id::ResourceId,
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{future::Future, pin::pin};

/// The reads in progress and those that have ended.
#[derive(Default)]
pub(super) struct Beside<'c> {
    asked: FuturesUnordered<BoxFuture<'c, (Session, Option<Look>)>>,
    answered: Vec<(Session, Look)>,
}

impl Beside<'_> {
    /// Waits for other work while the answers come. A read must not be kept without waiting for it: it holds one of the
    /// places for calls.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(answer) = self.asked.next() => self.keep(answer),
            }
        }
    }

    /// What was read of this session's watcher, if it was asked and answers. The others are given up.
    pub async fn of(mut self, session: &Session) -> Option<Look> {
        loop {
            let found = self.answered.iter().position(|(of, _)| of == session);
            if let Some(at) = found {
                return Some(self.answered.swap_remove(at).1);
            }
            let answer = self.asked.next().await?;
            self.keep(answer);
        }
    }

    fn keep(&mut self, (session, look): (Session, Option<Look>)) {
        self.answered.extend(look.map(|look| (session, look)));
    }
}

impl Capturer {
    /// Asks the watchers that may serve this job's target for their captures.
    pub(super) fn beside(&self, job: &Job) -> Beside<'_> {
        let beside = Beside::default();
        let target = &job.target;
        // An instance may turn out to be a machine of its own, with another name for its capture. And after an answer that
        // was lost, only a list that is read in the turn says what became of the create.
        if target.kind == TargetKind::ScaleSetInstance || job.create_unconfirmed {
            return beside;
        }
        let named = job.region.clone();
        let region = named.or_else(|| self.places.region(&target.id));
        let watchers = self.places.watchers(target.id.subscription());
        let used = self.places.used_watchers(target.id.subscription());
        let subscription = target.id.subscription_id();
        let name = self.parameters.name.of(target, job.rule());
        for watcher in candidates(region.as_deref(), watchers.as_deref(), &used, &subscription) {
            let is_known = (self.places).is_free(&watcher, &name, self.parameters.limit);
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
                    tracing::debug!("{}; it was not needed yet", chain(error));
                    self.places.remember_silence(&session.watcher);
                }
                (session, looked.ok())
            }));
        }
        beside
    }
}

/// The watchers that may serve a machine, the likeliest first. None when there is nothing to wait for.
///
/// Azure names the watcher that it makes itself after the region. Others have any name, so this one counts only if the
/// list of watchers has it.
/// <https://learn.microsoft.com/en-us/azure/network-watcher/network-watcher-create>
fn candidates(
    region: Option<&str>,
    watchers: Option<&[NetworkWatcher]>,
    used: &[NetworkWatcher],
    subscription: &ResourceId,
) -> Vec<ResourceId> {
    let id = |watcher: &NetworkWatcher| watcher.id.clone();
    match (region, watchers) {
        (Some(_), Some(_)) => Vec::new(),
        (Some(region), None) => {
            let known = used.iter().find(|watcher| watcher.location == region);
            let by_azure = || {
                format!(
                    "{subscription}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_{region}"
                )
            };
            let found = known.map(id).or_else(|| by_azure().parse().ok());
            found.into_iter().collect()
        }
        (None, Some(watchers)) => {
            let there = |watcher: &&NetworkWatcher| watchers.contains(watcher);
            let unused = watchers.iter().filter(|watcher| !used.contains(watcher));
            let all = used.iter().filter(there).chain(unused);
            all.map(id).take(MOST_AHEAD).collect()
        }
        (None, None) => used.iter().map(id).take(MOST_AHEAD).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIPTION: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";

    fn watchers(regions: &[&str]) -> Vec<NetworkWatcher> {
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
        for (region, known, used, expected) in [
            // Nothing is unknown.
            (Some("a"), Some(all), &["a"][..], &[][..]),
            // The watchers are unknown: the one used before, or the one that Azure makes.
            (Some("b"), None, &["a", "b"], &["b"]),
            (Some("b"), None, &["a"], &["NetworkWatcher_b"]),
            (Some("b"), None, &[], &["NetworkWatcher_b"]),
            (Some("no/region"), None, &[], &[]),
            // The region is unknown: those used last, then others.
            (None, Some(all), &["f", "c"], &["f", "c", "a", "b"]),
            (None, Some(&["a", "b"]), &["c", "b"], &["b", "a"]),
            (None, Some(&[]), &["c"], &[]),
            (None, None, &["c", "b"], &["c", "b"]),
            (None, None, &[], &[]),
        ] {
            let known = known.map(watchers);
            let subscription = SUBSCRIPTION.parse().unwrap();
            let found = candidates(region, known.as_deref(), &watchers(used), &subscription);
            let names: Vec<&str> = found.iter().filter_map(ResourceId::name).collect();
            assert_eq!(names, expected, "{region:?} {known:?} {used:?}");
        }
    }
}
