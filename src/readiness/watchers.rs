//! A subscription: its network watchers, the captures on them and the rights to make more.

use super::{
    Doctor, mend,
    rights::{
        self, CAPTURES_DELETE, CAPTURES_QUERY, CAPTURES_READ, CAPTURES_STOP, CAPTURES_WRITE,
        OPERATIONS_READ, Right, WATCHERS_READ,
    },
};
use crate::{
    azure::network_watcher::{NetworkWatcher, NetworkWatcherClient, PacketCapture},
    capture::{
        is_ours,
        plan::{Verdict, judge},
    },
    resource_id::ResourceId,
};
use time::OffsetDateTime;

/// Captures of ours that are asked for their status, one call each.
const MOST_LEFTOVERS: usize = 20;

type Listed<'a> = (&'a NetworkWatcher, Vec<PacketCapture>);

impl Doctor<'_> {
    /// Gives the subscription's network watchers, unless they could not be listed.
    pub async fn subscription(&mut self, subscription: &ResourceId) -> Option<Vec<NetworkWatcher>> {
        const CHECK: &str = "network watchers";
        let client = NetworkWatcherClient::new(self.arm.clone());
        let watchers = match client.list_network_watchers(subscription).await {
            Ok(watchers) => watchers,
            Err(error) => {
                let mend = mend::show_subscription(subscription);
                self.refused(CHECK, WATCHERS_READ, subscription, &error, mend);
                for check in ["room", "leftovers"] {
                    self.report
                        .skipped(check, "the network watchers are not known");
                }
                if error.status() == Some(403) {
                    let mut rights = vec![CAPTURES_READ, CAPTURES_QUERY];
                    rights.extend(self.writing());
                    rights.push(OPERATIONS_READ);
                    self.look_up(&rights, &[subscription], subscription).await;
                }
                return None;
            }
        };
        let at = rights::names(&[subscription]);
        self.has(WATCHERS_READ, &at);
        if watchers.is_empty() {
            let mend = mend::enable_watcher(subscription, "<region>");
            self.report.failed(CHECK, format!("none in {at}"), mend);
            return Some(watchers);
        }
        let locations: Vec<&str> = watchers.iter().map(|it| it.location.as_str()).collect();
        self.report
            .ok(CHECK, format!("in {at}: {}", locations.join(", ")));

        let listed = self.captures(&client, &watchers, subscription).await;
        self.room(&listed, watchers.len());
        let tried = self.leftovers(&client, &listed, watchers.len()).await;
        let mut rights = self.writing();
        if !tried {
            rights.insert(0, CAPTURES_QUERY);
        }
        let places: Vec<&ResourceId> = watchers.iter().map(|it| &it.id).collect();
        self.look_up(&rights, &places, subscription).await;
        self.look_up(&[OPERATIONS_READ], &[subscription], subscription)
            .await;
        Some(watchers)
    }

    /// The rights that cannot be tried. Deleting is for stale captures of ours, whatever else is removed.
    fn writing(&self) -> Vec<Right> {
        let mut rights = vec![CAPTURES_WRITE, CAPTURES_DELETE];
        if self.capture.stop_on_resolved {
            rights.push(CAPTURES_STOP);
        }
        rights
    }

    /// Lists the captures of each watcher where that is allowed.
    async fn captures<'w>(
        &mut self,
        client: &NetworkWatcherClient,
        watchers: &'w [NetworkWatcher],
        subscription: &ResourceId,
    ) -> Vec<Listed<'w>> {
        let mut listed = Vec::new();
        let mut refused = Vec::new();
        for watcher in watchers {
            match client.list_packet_captures(&watcher.id).await {
                Ok(captures) => listed.push((watcher, captures)),
                Err(error) if error.status() == Some(403) => refused.push(&watcher.id),
                Err(error) => {
                    let mend = mend::list_captures(&watcher.id, &watcher.location);
                    let mend = self.mend_version(&error, mend);
                    self.report
                        .failed("packet captures", rights::told(&error), mend);
                }
            }
        }
        if !refused.is_empty() {
            self.lacks(CAPTURES_READ, &refused, subscription);
        } else if !listed.is_empty() {
            let ids: Vec<&ResourceId> = listed.iter().map(|(it, _)| &it.id).collect();
            self.has(CAPTURES_READ, &rights::names(&ids));
        }
        listed
    }

    /// Our own leftover makes room for its successor, so it does not count where all captures have one name.
    fn room(&mut self, listed: &[Listed<'_>], watchers: usize) {
        const CHECK: &str = "room";
        let limit = self.capture.parameters.limit;
        let mut most = 0;
        let mut full = false;
        for (watcher, captures) in listed {
            let others = captures
                .iter()
                .filter(|it| !(self.name.is_fixed() && self.is_ours(it)))
                .count();
            most = most.max(others);
            if others >= limit {
                full = true;
                let name = rights::names(&[&watcher.id]);
                self.report.failed(
                    CHECK,
                    format!("{others} other captures are listed on {name} and PacketCapture__Limit is {limit}: alerts are skipped; delete those that have ended, or raise the limit"),
                    mend::list_captures(&watcher.id, &watcher.location),
                );
            }
        }
        if listed.len() < watchers {
            let missing = watchers - listed.len();
            self.report.skipped(
                CHECK,
                format!("the captures of {missing} watchers are not known"),
            );
        } else if !full {
            let message =
                format!("at most {most} other captures on a watcher, the limit is {limit}");
            self.report.ok(CHECK, message);
        }
    }

    /// Captures with our name. Says whether `queryStatus` was tried on one.
    async fn leftovers(
        &mut self,
        client: &NetworkWatcherClient,
        listed: &[Listed<'_>],
        watchers: usize,
    ) -> bool {
        const CHECK: &str = "leftovers";
        let mut ours = Vec::new();
        for (watcher, captures) in listed {
            ours.extend(
                captures
                    .iter()
                    .filter(|it| self.is_ours(it))
                    .map(|it| (*watcher, it)),
            );
        }
        if listed.len() < watchers {
            self.report
                .skipped(CHECK, format!("needs the {}", rights::label(CAPTURES_READ)));
        } else if ours.is_empty() {
            let template = self.name.template();
            self.report.ok(CHECK, format!("none named {template}"));
        }
        let mut tried = false;
        let asked = ours.len().min(MOST_LEFTOVERS);
        for (watcher, capture) in &ours[..asked] {
            let name = &capture.name;
            let at = rights::names(&[&watcher.id]);
            let status = match client.query_status(&watcher.id, name).await {
                Ok(status) => status,
                Err(error) => {
                    let mend = mend::delete_capture(&watcher.id, &watcher.location, name);
                    tried |= error.status() == Some(403);
                    self.refused(CHECK, CAPTURES_QUERY, &watcher.id, &error, mend);
                    continue;
                }
            };
            if !tried {
                self.has(CAPTURES_QUERY, &at);
                tried = true;
            }
            let now = OffsetDateTime::now_utc();
            let state = status.as_ref().map_or("gone", |it| it.status.as_str());
            match judge(capture, status.as_ref(), true, now, now) {
                Verdict::Stale => self.report.warning(
                    CHECK,
                    format!(
                        "{name} on {at} is {state}; the next alert there spends time on deleting it"
                    ),
                    mend::delete_capture(&watcher.id, &watcher.location, name),
                ),
                _ => self.report.ok(CHECK, format!("{name} on {at} is {state}")),
            }
        }
        if ours.len() > asked {
            let more = ours.len() - asked;
            self.report.ok(
                CHECK,
                format!("{more} more captures of ours were not asked for their status"),
            );
        }
        tried
    }

    fn is_ours(&self, capture: &PacketCapture) -> bool {
        is_ours(&self.name, capture)
    }
}
