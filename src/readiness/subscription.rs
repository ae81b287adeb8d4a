//! A subscription: its network watchers, the captures on them, and the permissions to create more.

use super::{
    azure::{AzureChecks, names},
    fix,
    permissions::with_advice,
    required::{
        CAPTURES_DELETE, CAPTURES_QUERY, CAPTURES_READ, CAPTURES_STOP, CAPTURES_WRITE,
        OPERATIONS_READ, Permission, WATCHERS_READ,
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

/// Maximum captures of this function whose status is read, one call each.
const MAXIMUM_STATUS_READS: usize = 20;
const SLOTS: &str = "capture slots";
const STALE: &str = "stale captures";

type Listed<'a> = (&'a NetworkWatcher, Vec<PacketCapture>);

impl AzureChecks<'_> {
    /// Returns the network watchers, unless they could not be listed.
    pub async fn subscription(&mut self, subscription: &ResourceId) -> Option<Vec<NetworkWatcher>> {
        const CHECK: &str = "network watchers";
        let client = NetworkWatcherClient::new(self.arm.clone());
        let watchers = match client.list_network_watchers(subscription).await {
            Ok(watchers) => watchers,
            Err(error) => {
                let fix = fix::show_subscription(subscription);
                self.refused(CHECK, WATCHERS_READ, subscription, &error, fix);
                for check in [SLOTS, STALE] {
                    self.report
                        .skipped(check, "the network watchers are not known");
                }
                if error.lacks_permission() {
                    let mut permissions = vec![CAPTURES_READ, CAPTURES_QUERY];
                    permissions.extend(self.writing());
                    permissions.push(OPERATIONS_READ);
                    self.look_up(&permissions, &[subscription], subscription)
                        .await;
                }
                return None;
            }
        };
        let at = names(&[subscription]);
        self.has(WATCHERS_READ, &at);
        if watchers.is_empty() {
            let fix = fix::enable_watcher(subscription, "<region>");
            self.report.failed(CHECK, format!("none in {at}"), fix);
            return Some(watchers);
        }
        let locations: Vec<&str> = watchers.iter().map(|it| it.location.as_str()).collect();
        self.report
            .ok(CHECK, format!("in {at}: {}", locations.join(", ")));

        let listed = self.captures(&client, &watchers, subscription).await;
        self.slots(&listed, watchers.len());
        let tried = self.stale(&client, &listed, watchers.len()).await;
        let mut permissions = self.writing();
        if !tried {
            permissions.insert(0, CAPTURES_QUERY);
        }
        let places: Vec<&ResourceId> = watchers.iter().map(|it| &it.id).collect();
        self.look_up(&permissions, &places, subscription).await;
        self.look_up(&[OPERATIONS_READ], &[subscription], subscription)
            .await;
        Some(watchers)
    }

    /// The permissions that cannot be tried. Stale captures of this function are always deleted.
    fn writing(&self) -> Vec<Permission> {
        let mut permissions = vec![CAPTURES_WRITE, CAPTURES_DELETE];
        let profiles = self.settings.profiles.iter();
        let mut stops = profiles.map(|it| it.profile.stop_on_resolved);
        if self.settings.capture.stop_on_resolved || stops.any(|stops| stops) {
            permissions.push(CAPTURES_STOP);
        }
        permissions
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
                Err(error) if error.lacks_permission() => refused.push(&watcher.id),
                Err(error) => {
                    let fix = fix::list_captures(&watcher.id, &watcher.location);
                    let fix = self.fix_version(&error, fix);
                    self.report
                        .failed("packet captures", with_advice(&error), fix);
                }
            }
        }
        if !refused.is_empty() {
            self.lacks(CAPTURES_READ, &refused, subscription);
        } else if !listed.is_empty() {
            let ids: Vec<&ResourceId> = listed.iter().map(|(it, _)| &it.id).collect();
            self.has(CAPTURES_READ, &names(&ids));
        }
        listed
    }

    /// Whether the limit leaves room for a capture. Where all captures have one name, the own one does not count:
    /// it is deleted before its successor is created.
    fn slots(&mut self, listed: &[Listed<'_>], watchers: usize) {
        let limit = self.settings.capture.parameters.limit;
        let mut most = 0;
        let mut full = false;
        for (watcher, captures) in listed {
            let others = captures
                .iter()
                .filter(|it| !self.has_fixed_name(it))
                .count();
            most = most.max(others);
            if others >= limit {
                full = true;
                self.learned.full.push(watcher.id.clone());
                let name = names(&[&watcher.id]);
                self.report.failed(
                    SLOTS,
                    format!("{name} has {others} other captures and PacketCapture__Limit is {limit}: alerts are skipped; delete finished captures, or raise the limit"),
                    fix::list_captures(&watcher.id, &watcher.location),
                );
            }
        }
        if listed.len() < watchers {
            let missing = watchers - listed.len();
            self.report.skipped(
                SLOTS,
                format!("could not list the captures of {missing} network watchers"),
            );
        } else if !full {
            let message =
                format!("at most {most} other captures on a network watcher; the limit is {limit}");
            self.report.ok(SLOTS, message);
        }
    }

    /// Captures with this function's name that have ended. Returns whether `queryStatus` was tried on one.
    async fn stale(
        &mut self,
        client: &NetworkWatcherClient,
        listed: &[Listed<'_>],
        watchers: usize,
    ) -> bool {
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
                .skipped(STALE, format!("needs the {}", CAPTURES_READ.label()));
        } else if ours.is_empty() {
            let mut templates: Vec<&str> = Vec::new();
            for parameters in self.settings.parameters() {
                let template = parameters.name.template();
                if !templates.contains(&template) {
                    templates.push(template);
                }
            }
            let templates = templates.join(" or ");
            self.report.ok(STALE, format!("none named {templates}"));
        }
        let mut tried = false;
        let read = ours.len().min(MAXIMUM_STATUS_READS);
        for (watcher, capture) in &ours[..read] {
            let name = &capture.name;
            let at = names(&[&watcher.id]);
            let status = match client.query_status(&watcher.id, name).await {
                Ok(status) => status,
                Err(error) => {
                    let fix = fix::delete_capture(&watcher.id, &watcher.location, name);
                    tried |= error.lacks_permission();
                    self.refused(STALE, CAPTURES_QUERY, &watcher.id, &error, fix);
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
                    STALE,
                    format!(
                        "{name} on {at} is {state}; the next alert there deletes it first, which takes time"
                    ),
                    fix::delete_capture(&watcher.id, &watcher.location, name),
                ),
                _ => self.report.ok(STALE, format!("{name} on {at} is {state}")),
            }
        }
        if ours.len() > read {
            let more = ours.len() - read;
            self.report.ok(
                STALE,
                format!("the status of {more} more captures of this function was not read"),
            );
        }
        tried
    }

    fn is_ours(&self, capture: &PacketCapture) -> bool {
        let mut all = self.settings.parameters();
        all.any(|it| is_ours(&it.name, capture))
    }

    /// Whether the capture gives way to its successor, which has the same name.
    fn has_fixed_name(&self, capture: &PacketCapture) -> bool {
        let mut all = self.settings.parameters();
        all.any(|it| it.name.is_fixed() && is_ours(&it.name, capture))
    }
}
