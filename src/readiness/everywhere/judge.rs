//! What keeps a capture from starting on a machine, from what Azure says of it. Pure.

use super::inventory::{Listed, Set};
use crate::{
    azure::{
        compute::Instance,
        instance_view::{ExtensionView, InstanceView},
    },
    fleet::{Because, Cause, Check},
    readiness::{
        Learned,
        machine::{AGENT_PUBLISHER, is_agent_type},
        required::{EXTENSIONS_READ, WATCHERS_READ},
    },
    resource_id::ResourceId,
};

/// Agents before this version are known to be too old.
const LEAST_AGENT: (u32, u32) = (1, 4);

/// What machines share.
#[derive(Debug, Default)]
pub struct Around {
    /// `PacketCapture__AllowedScopes`.
    pub allowed: Vec<ResourceId>,
    pub learned: Learned,
    pub account_region: Option<String>,
    /// Subscriptions and regions whose quota of captures is used up.
    pub full: Vec<(ResourceId, String)>,
    /// Subscriptions and regions whose quota could not be read, and why.
    pub quota_unread: Vec<(ResourceId, String, Because)>,
    /// Scopes whose extensions may not be read: there, one that is not listed may be installed.
    pub agents_unread: Vec<ResourceId>,
}

/// Whether the machine runs.
pub fn is_running(view: &InstanceView) -> bool {
    let power = view.power.as_deref();
    power.is_some_and(|power| power.eq_ignore_ascii_case("running"))
}

/// The causes of a virtual machine. `view`: why there is none, with `None` for a machine that does not exist.
pub fn judge(
    id: &ResourceId,
    listed: &Listed,
    view: Result<&InstanceView, Option<&Because>>,
    around: &Around,
) -> Vec<Cause> {
    let view = match view {
        Err(None) => return vec![Cause::NotFound],
        Err(Some(because)) => Err(because),
        Ok(view) => Ok(view),
    };
    let mut causes = surroundings(id, listed.region.as_deref(), around);
    if listed.forbids_extensions {
        causes.push(Cause::ExtensionsForbidden);
    }
    match view {
        Err(because) => {
            for check in [Check::Power, Check::VmAgent] {
                causes.push(Cause::Unknown(check, because.clone()));
            }
            match &listed.agent {
                Some(state) => causes.extend(failed(state, listed.is_windows)),
                None => causes.push(Cause::Unknown(Check::Agent, because.clone())),
            }
        }
        Ok(view) => {
            causes.extend(powered(view));
            let reports = is_running(view) && is_ready(view);
            let unread = || around.agents_unread.iter().any(|it| it.contains(id));
            let absent = match !reports && unread() {
                true => Cause::Unknown(
                    Check::Agent,
                    Because::Lacks(EXTENSIONS_READ.action.to_owned()),
                ),
                false => Cause::AgentMissing {
                    windows: listed.is_windows,
                },
            };
            let state = listed.agent.as_deref();
            causes.extend(agent(view, listed.is_windows, state, Some(absent)));
        }
    }
    causes
}

/// The causes of an instance of a uniform scale set.
pub fn judge_instance(instance: &Instance, set: &Set, around: &Around) -> Vec<Cause> {
    let region = Some(set.region.as_str()).filter(|it| !it.is_empty());
    let mut causes = surroundings(&instance.id, region, around);
    if set.forbids_extensions {
        causes.push(Cause::ExtensionsForbidden);
    }
    causes.extend(powered(&instance.view));
    let absent = match (set.has_agent_in_model, instance.has_latest_model) {
        // A stopped instance reports nothing.
        (true, Some(true)) if !is_running(&instance.view) => None,
        (true, Some(false) | None) => Some(Cause::OldModel),
        (true, Some(true)) | (false, _) => Some(Cause::AgentMissing {
            windows: set.is_windows,
        }),
    };
    causes.extend(agent(&instance.view, set.is_windows, None, absent));
    causes
}

/// What does not depend on the machine itself: whether it is allowed, and what its region has.
fn surroundings(id: &ResourceId, region: Option<&str>, around: &Around) -> Vec<Cause> {
    let mut causes = Vec::new();
    let allowed = &around.allowed;
    if !allowed.is_empty() && !allowed.iter().any(|scope| scope.contains(id)) {
        causes.push(Cause::NotAllowed);
    }
    let Some(region) = region else {
        causes.push(Cause::Unknown(Check::Watcher, Because::NotReported));
        return causes;
    };
    match around.learned.watchers_of(id) {
        None => causes.push(Cause::Unknown(
            Check::Watcher,
            Because::Lacks(WATCHERS_READ.action.to_owned()),
        )),
        Some(watchers) => match watchers.iter().find(|it| it.location == region) {
            None => causes.push(Cause::NoWatcher(region.to_owned())),
            Some(watcher) => {
                let quota = |(subscription, full): &(ResourceId, String)| {
                    subscription.contains(id) && full == region
                };
                if around.learned.full.contains(&watcher.id) || around.full.iter().any(quota) {
                    causes.push(Cause::NoRoom(region.to_owned()));
                }
                let unread = around.quota_unread.iter();
                let unread = unread.filter(|(subscription, unread, _)| {
                    subscription.contains(id) && unread == region
                });
                causes.extend(unread.map(|(.., why)| Cause::Unknown(Check::Room, why.clone())));
            }
        },
    }
    if let Some(account) = &around.account_region
        && account != region
    {
        causes.push(Cause::OtherRegion {
            account: account.clone(),
            machine: region.to_owned(),
        });
    }
    causes
}

fn powered(view: &InstanceView) -> Option<Cause> {
    match view.power.as_deref() {
        None => return Some(Cause::Unknown(Check::Power, Because::NotReported)),
        Some(_) if is_running(view) => {}
        Some(state) => return Some(Cause::Stopped(state.to_owned())),
    }
    match view.vm_agent.as_deref() {
        Some(_) if is_ready(view) => None,
        Some(status) => Some(Cause::VmAgent(status.to_owned())),
        None => Some(Cause::Unknown(Check::VmAgent, Because::NotReported)),
    }
}

fn is_ready(view: &InstanceView) -> bool {
    let status = view.vm_agent.as_deref();
    status.is_some_and(|status| status.eq_ignore_ascii_case("Ready"))
}

/// What is wrong with the Network Watcher agent. `listed` is the provisioning state of its resource; `absent` what it means
/// that there is none.
fn agent(
    view: &InstanceView,
    windows: bool,
    listed: Option<&str>,
    absent: Option<Cause>,
) -> Option<Cause> {
    let seen = view.extensions.iter().find(|it| is_agent(it));
    match (seen, listed) {
        (Some(seen), _) => {
            let state = seen.state.as_deref().or(listed);
            state
                .and_then(|state| failed(state, windows))
                .or_else(|| too_old(seen.version.as_deref()?, windows))
        }
        (None, Some(state)) => failed(state, windows),
        (None, None) => absent,
    }
}

fn failed(state: &str, windows: bool) -> Option<Cause> {
    let bad = ["failed", "canceled"]
        .iter()
        .any(|it| it.eq_ignore_ascii_case(state));
    bad.then(|| Cause::AgentFailed {
        windows,
        state: state.to_ascii_lowercase(),
    })
}

fn too_old(version: &str, windows: bool) -> Option<Cause> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let major = parts.next().flatten()?;
    let minor = parts.next().flatten()?;
    ((major, minor) < LEAST_AGENT).then(|| Cause::AgentOld {
        windows,
        version: version.to_owned(),
    })
}

/// By publisher and type: the name of an extension is free.
fn is_agent(extension: &ExtensionView) -> bool {
    let kind = extension.kind.rsplit_once('.');
    kind.is_some_and(|(publisher, kind)| {
        publisher.eq_ignore_ascii_case(AGENT_PUBLISHER) && is_agent_type(kind)
    })
}

#[cfg(test)]
mod tests;
