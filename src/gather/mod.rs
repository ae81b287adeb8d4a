//! Gathers what changed around an alert, beside its capture: each source is asked with calls that neither a create nor a poll
//! waits for, and what a source lacks is a line in the result. Nothing is asked before the capture is created.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod activity;
mod around;
mod effective;
mod graph;
mod metrics;

use crate::{
    azure::{
        client::ArmClient,
        compute::ComputeClient,
        error::AzureError,
        monitor::MonitorClient,
        network_interfaces::NetworkInterfaceClient,
        resource_graph::{MAXIMUM_ROWS, ResourceGraphClient},
        resource_health::ResourceHealthClient,
    },
    changes::{
        ACTIVITY_LOG, Cause, ControlPlane, EFFECTIVE_ROUTES, EFFECTIVE_RULES, Health, METRICS,
        Missing, POWER_STATE, RESOURCE_CHANGES, RESOURCE_HEALTH, SURROUNDINGS,
    },
    resource_id::ResourceId,
};
pub use around::Around;
use serde_json::Value;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::watch;

/// How long before the alert changes are asked for.
pub const BEFORE: time::Duration = time::Duration::hours(6);
/// Maximum number of interfaces whose effective rules are asked for.
const MOST_INTERFACES: usize = 4;
/// Maximum pages of rows that are read of one query.
const MOST_PAGES: usize = 5;
const MACHINES: &str = "Microsoft.Compute/virtualMachines";

/// What is asked, and about what.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    pub machine: ResourceId,
    /// When the alert fired.
    pub alert_at: OffsetDateTime,
    /// The metrics that the alert is about.
    pub metrics: Vec<String>,
}

/// Which sources are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Effective security rules and routes, too.
    pub effective_rules: bool,
    /// Who made a change is kept.
    pub callers: bool,
    /// The shortest and longest time between two polls.
    pub poll: (Duration, Duration),
}

/// Asks Azure what changed.
#[derive(Debug, Clone)]
pub struct Gatherer {
    graph: ResourceGraphClient,
    monitor: MonitorClient,
    health: ResourceHealthClient,
    compute: ComputeClient,
    interfaces: NetworkInterfaceClient,
    options: Options,
}

/// What is known while the sources are asked; who holds it reads it at any time.
type Known = watch::Sender<ControlPlane>;

impl Gatherer {
    /// `arm` is used beside captures only.
    pub fn new(arm: &ArmClient, options: Options) -> Self {
        let arm = arm.beside();
        Self {
            graph: ResourceGraphClient::new(arm.clone()),
            monitor: MonitorClient::new(arm.clone()),
            health: ResourceHealthClient::new(arm.clone()),
            compute: ComputeClient::new(arm.clone()),
            interfaces: NetworkInterfaceClient::new(arm, options.poll),
            options,
        }
    }

    /// What is known of an alert before a source has answered: that no source has.
    pub fn unknown(subject: &Subject, now: OffsetDateTime) -> ControlPlane {
        let since = subject.alert_at.saturating_sub(BEFORE);
        let mut unknown = ControlPlane::new(subject.alert_at, since, now);
        unknown.resources = vec![subject.machine.to_string().into()];
        unknown.missing = [
            (ACTIVITY_LOG, activity::ACTION),
            (RESOURCE_CHANGES, graph::ACTION),
        ]
        .map(|(source, action)| Missing::new(source, action, Cause::NoAnswer, None))
        .into();
        unknown
    }

    /// Whether effective rules were read, refused, or are not wanted.
    pub fn knows_rules(&self, known: &ControlPlane) -> bool {
        let mut missing = known.missing.iter();
        !self.options.effective_rules
            || !known.rules.is_empty()
            || missing.any(|it| &*it.source == EFFECTIVE_RULES)
    }

    /// Asks every source, and writes each answer into `known` when it comes. `again`: what only has a meaning at the time of
    /// the alert is not asked again.
    pub async fn gather(
        &self,
        subject: &Subject,
        around: Option<Around>,
        again: bool,
        known: &Known,
    ) -> Around {
        let now = OffsetDateTime::now_utc();
        let machine = &subject.machine;
        let changes = async {
            let around = match around {
                Some(around) => around,
                None => self.find_around(subject, known).await,
            };
            let effective = async {
                if self.options.effective_rules && !again {
                    self.effective(&around, known).await;
                }
            };
            tokio::join!(
                self.resource_changes(subject, &around, now, known),
                self.activity(subject, &around, now, known),
                effective,
            );
            around
        };
        let health = async {
            if again || !machine.is_type(MACHINES) {
                return;
            }
            tokio::join!(
                self.power(machine, known),
                self.availability(machine, known)
            );
        };
        let (around, (), ()) = tokio::join!(changes, self.metrics(subject, now, known), health);
        around
    }

    async fn find_around(&self, subject: &Subject, known: &Known) -> Around {
        let mut around = Around::of(&subject.machine);
        let subscription = subject.machine.subscription_id();
        let query = around::interfaces_query(&subject.machine);
        let interfaces = self.rows(&subscription, &query).await;
        // Resource Graph leaves out what the identity may not read, and each machine has an interface.
        let unread = interfaces.as_ref().is_ok_and(|(rows, _)| rows.is_empty());
        let mut found = interfaces.map(|(rows, _)| around.add_interfaces(&rows));
        if found.is_ok()
            && let Some(query) = around.subnets_query()
        {
            let subnets = self.rows(&subscription, &query).await;
            found = subnets.map(|(rows, _)| around.add_subnets(&rows));
        }
        known.send_modify(|known| {
            known.resources = around.ids();
            note(known, SURROUNDINGS, around::ACTION, found.err().as_ref());
            if unread && subject.machine.is_type(MACHINES) {
                let missing = Missing::new(SURROUNDINGS, around::ACTION, Cause::Right, None);
                known.missing.push(missing);
            }
        });
        around
    }

    /// The rows of a query over a subscription. `true`: there are more than are read.
    async fn rows(
        &self,
        subscription: &ResourceId,
        query: &str,
    ) -> Result<(Vec<Value>, bool), AzureError> {
        let subscriptions = [subscription.subscription()];
        let (mut rows, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let after: Option<String> = next.take();
            let page = self
                .graph
                .resources(query, &subscriptions, after.as_deref(), MAXIMUM_ROWS)
                .await?;
            rows.extend(page.rows);
            next = page.next;
            if next.is_none() {
                return Ok((rows, false));
            }
        }
        Ok((rows, true))
    }

    async fn resource_changes(
        &self,
        subject: &Subject,
        around: &Around,
        now: OffsetDateTime,
        known: &Known,
    ) {
        let since = subject.alert_at.saturating_sub(BEFORE);
        let query = graph::changes_query(around, since, now);
        let subscription = subject.machine.subscription_id();
        let answer = self.rows(&subscription, &query).await;
        known.send_modify(|known| {
            if let Ok((rows, truncated)) = &answer {
                let found = rows.iter().filter_map(graph::change);
                let left_out = u32::from(*truncated);
                self.add(known, found.collect(), left_out);
            }
            note(
                known,
                RESOURCE_CHANGES,
                graph::ACTION,
                answer.err().as_ref(),
            );
        });
    }

    /// One query for each resource group: most often it is the machine's alone.
    async fn activity(
        &self,
        subject: &Subject,
        around: &Around,
        now: OffsetDateTime,
        known: &Known,
    ) {
        let since = subject.alert_at.saturating_sub(BEFORE);
        let groups = around.groups();
        let asked = groups
            .iter()
            .map(|group| self.monitor.list_activity_log(group, since, now));
        let answers = futures_util::future::join_all(asked).await;
        let mut refused = None;
        let (mut found, mut left_out) = (Vec::new(), 0_u32);
        for (group, answer) in groups.iter().zip(answers) {
            let (events, more) = answer;
            // Of another group only what is around the machine matters.
            let own = Some(group) == groups.first();
            let events = events.iter().filter_map(activity::change);
            found.extend(events.filter(|it| own || around.has(&it.resource)));
            match more {
                Ok(more) => left_out = left_out.saturating_add(u32::from(more)),
                Err(error) => refused = Some(error),
            }
        }
        known.send_modify(|known| {
            self.add(known, found, left_out);
            note(known, ACTIVITY_LOG, activity::ACTION, refused.as_ref());
        });
    }

    fn add(&self, known: &mut ControlPlane, found: Vec<crate::changes::Change>, left_out: u32) {
        let found = found.into_iter().map(|change| match self.options.callers {
            true => change,
            false => change.without_callers(),
        });
        known.changes.extend(found);
        // Both sources report the same changes: what is beyond the bound counts once, by the source that has more.
        let left_out_before = std::mem::take(&mut known.changes_left_out).max(left_out);
        let all = std::mem::replace(
            known,
            ControlPlane::new(known.alert_at, known.since, known.asked_at),
        );
        *known = all.bounded();
        known.changes_left_out = known.changes_left_out.max(left_out_before);
    }

    async fn metrics(&self, subject: &Subject, now: OffsetDateTime, known: &Known) {
        let since = metrics::since(subject.alert_at);
        let (usual, own) = metrics::names(&subject.metrics);
        let machine = &subject.machine;
        let usual = async { self.monitor.list_metrics(machine, &usual, since, now).await };
        let own = async {
            match own.is_empty() {
                true => Ok(Vec::new()),
                false => self.monitor.list_metrics(machine, &own, since, now).await,
            }
        };
        let (usual, own) = tokio::join!(usual, own);
        known.send_modify(|known| {
            for answer in [&own, &usual].into_iter().flatten() {
                let series = answer.iter();
                let series = series.map(|it| metrics::series(it, since, &subject.metrics));
                known.metrics.extend(series);
            }
            note(
                known,
                METRICS,
                metrics::ACTION,
                usual.err().or(own.err()).as_ref(),
            );
        });
    }

    async fn power(&self, machine: &ResourceId, known: &Known) {
        let answer = self.compute.get_instance_view(machine).await;
        let answer = answer.map(|view| view.power);
        known.send_modify(|known| {
            if let Ok(Some(power)) = &answer {
                let health = known.health.get_or_insert_with(Health::default);
                health.power = Some(power.as_str().into());
            }
            let action = "Microsoft.Compute/virtualMachines/instanceView/read";
            note(known, POWER_STATE, action, answer.err().as_ref());
        });
    }

    async fn availability(&self, machine: &ResourceId, known: &Known) {
        let answer = self.health.get_availability(machine).await;
        known.send_modify(|known| {
            if let Ok(found) = &answer {
                let health = known.health.get_or_insert_with(Health::default);
                let boxed = |text: &Option<String>| text.as_deref().map(Into::into);
                health.availability = boxed(&found.availability_state);
                health.summary = boxed(&found.summary);
                health.reason = boxed(&found.reason_type);
            }
            let action = "Microsoft.ResourceHealth/availabilityStatuses/read";
            note(known, RESOURCE_HEALTH, action, answer.err().as_ref());
        });
    }

    async fn effective(&self, around: &Around, known: &Known) {
        for interface in around.interfaces().iter().take(MOST_INTERFACES) {
            let (rules, routes) = tokio::join!(
                self.interfaces
                    .list_effective_network_security_groups(interface),
                self.interfaces.get_effective_route_table(interface),
            );
            known.send_modify(|known| {
                let id = interface.to_string();
                if let Ok(groups) = &rules {
                    known.rules.extend(effective::rules(&id, groups));
                }
                if let Ok(rows) = &routes {
                    let routes = rows.iter().map(|row| effective::route(&id, row));
                    known.routes.extend(routes);
                }
                note(
                    known,
                    EFFECTIVE_RULES,
                    effective::RULES,
                    rules.err().as_ref(),
                );
                note(
                    known,
                    EFFECTIVE_ROUTES,
                    effective::ROUTES,
                    routes.err().as_ref(),
                );
            });
        }
    }
}

/// What a source could not say; without an error it has said it.
fn note(known: &mut ControlPlane, source: &str, action: &str, error: Option<&AzureError>) {
    known.missing.retain(|it| &*it.source != source);
    if let Some(error) = error {
        tracing::info!(
            error.code = error.code(),
            "what changed around the alert is not complete: {error}"
        );
        known.missing.push(Missing::new(
            source,
            action,
            cause(error),
            Some(error.code()),
        ));
    }
}

fn cause(error: &AzureError) -> Cause {
    use crate::azure::error::Failure;
    match &error.failure {
        _ if error.lacks_permission() => Cause::Right,
        Failure::Refused { status: 429, .. } => Cause::Throttled,
        Failure::NotSent { code, .. } if code == "TooManyCalls" => Cause::Busy,
        Failure::NotSent { .. } => Cause::Throttled,
        Failure::NoAnswer { .. } => Cause::NoAnswer,
        _ => Cause::Refused,
    }
}
