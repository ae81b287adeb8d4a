//! The commands that fix what a run found, grouped: where one command fixes many machines, it is printed once. Nothing here
//! is ever run.

use super::{Cause, Run, Verdict};
use crate::{resource_id::ResourceId, shell::ShellCommand};
use std::collections::BTreeMap;

/// Maximum ids in one command: the argument list of a process has a limit, and people read it before they run it.
const MAXIMUM_IDS: usize = 50;
/// Maximum commands of one run. A run over 5,000 machines with one cause has 100.
const MAXIMUM_COMMANDS: usize = 500;

/// What fixes one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is wrong, such as `agent not installed`.
    pub cause: String,
    /// Number of machines that it concerns.
    pub machines: usize,
    /// Each command is one line.
    pub commands: Vec<String>,
    /// Whether others fail before it: an extension is installed on a machine that runs and allows extensions.
    pub comes_first: bool,
}

/// What the machines of one command have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// Machines that one command names by their ids. The agent's extension differs between the systems.
    Machines { windows: bool },
    /// Instances of this scale set, by their numbers.
    Instances(String),
    /// Something else that is fixed once for all of them, such as a region.
    Once(String),
}

/// The fixes of a run, those of the setup first, then the most frequent cause first.
pub fn fixes(run: &Run) -> Vec<Fix> {
    let mut fixes: Vec<Fix> = Vec::new();
    for finding in &run.findings {
        let Some(command) = &finding.fix else {
            continue;
        };
        let concerned = run.machines().iter().filter(|it| finding.concerns(&it.id));
        let concerned = concerned.count();
        // One role gives several permissions.
        if let Some(same) = fixes.iter_mut().find(|it| it.commands[0] == *command) {
            same.machines = same.machines.max(concerned);
            same.cause = format!("{}; {}", same.cause, finding.check);
            continue;
        }
        fixes.push(Fix {
            cause: format!("{}: {}", finding.check, finding.message),
            machines: concerned,
            commands: vec![command.clone()],
            comes_first: true,
        });
    }
    let mut by_cause: BTreeMap<String, Causes<'_>> = BTreeMap::new();
    for machine in run.machines() {
        for cause in &machine.causes {
            let causes = by_cause.entry(cause.to_string()).or_default();
            causes.machines = causes.machines.saturating_add(1);
            causes.comes_first = matches!(cause, Cause::Stopped(_) | Cause::ExtensionsForbidden);
            let targets = causes
                .targets
                .entry(target(cause, &machine.id))
                .or_default();
            targets.push((cause, &machine.id));
        }
    }
    let mut of_machines: Vec<Fix> = Vec::new();
    for (cause, causes) in by_cause {
        let commands = causes.targets.iter().flat_map(|(target, all)| {
            let size = match target {
                Target::Once(_) => usize::MAX,
                _ => MAXIMUM_IDS,
            };
            all.chunks(size.min(all.len()).max(1))
                .filter_map(command)
                .collect::<Vec<_>>()
        });
        let mut commands: Vec<String> = commands.map(|it| it.to_string()).collect();
        // A command for a whole set is the same for each part of its instances.
        commands.dedup();
        if !commands.is_empty() {
            of_machines.push(Fix {
                cause,
                machines: causes.machines,
                commands,
                comes_first: causes.comes_first,
            });
        }
    }
    of_machines.sort_by_key(|fix| std::cmp::Reverse(fix.machines));
    fixes.extend(of_machines);
    let mut room = MAXIMUM_COMMANDS;
    for fix in &mut fixes {
        fix.commands.truncate(room);
        room = room.saturating_sub(fix.commands.len());
    }
    fixes.retain(|fix| !fix.commands.is_empty());
    fixes
}

impl Run {
    /// What fixes one machine: a command for each cause.
    pub fn fixes_of(&self, machine: &super::Machine) -> Vec<String> {
        if self.verdict(machine) == Verdict::Ready {
            return Vec::new();
        }
        let causes = machine.causes.iter();
        causes
            .filter_map(|cause| command(&[(cause, &machine.id)]))
            .map(|it| it.to_string())
            .collect()
    }
}

#[derive(Default)]
struct Causes<'r> {
    machines: usize,
    comes_first: bool,
    targets: BTreeMap<Target, Vec<(&'r Cause, &'r ResourceId)>>,
}

fn target(cause: &Cause, machine: &ResourceId) -> Target {
    match (cause, scale_set(machine)) {
        (Cause::NoWatcher(region) | Cause::NoRoom(region), _) => {
            Target::Once(format!("{} {region}", machine.subscription()))
        }
        (Cause::Blocked { group, to, .. }, _) => {
            Target::Once(format!("{group} {to}").to_ascii_lowercase())
        }
        (_, Some(set)) => Target::Instances(set.to_string().to_ascii_lowercase()),
        (
            Cause::AgentMissing { windows }
            | Cause::AgentFailed { windows, .. }
            | Cause::AgentOld { windows, .. },
            None,
        ) => Target::Machines { windows: *windows },
        (_, None) => Target::Machines { windows: false },
    }
}

/// The scale set of a uniform instance.
fn scale_set(machine: &ResourceId) -> Option<ResourceId> {
    let instance = machine.is_type("Microsoft.Compute/virtualMachineScaleSets/virtualMachines");
    machine.parent().filter(|_| instance)
}

/// The command for machines of one target; `None` where no command helps.
fn command(all: &[(&Cause, &ResourceId)]) -> Option<ShellCommand> {
    let (cause, first) = *all.first()?;
    let set = scale_set(first);
    match (cause, set) {
        (Cause::NoWatcher(region), _) => Some(
            ShellCommand::new("az network watcher configure")
                .with("--resource-group", "NetworkWatcherRG")
                .with("--locations", region)
                .words("--enabled true")
                .with("--subscription", first.subscription()),
        ),
        (Cause::NoRoom(region), _) => Some(
            ShellCommand::new("az network watcher packet-capture list")
                .with("--location", region)
                .words("--output table")
                .with("--subscription", first.subscription())
                .remark("delete what is finished"),
        ),
        (
            Cause::Blocked {
                to,
                group,
                priority,
                ..
            },
            _,
        ) => allow(to, group, *priority),
        (cause, Some(set)) => of_instances(cause, &set, all),
        (cause, None) => of_machines(cause, all),
    }
}

fn of_machines(cause: &Cause, all: &[(&Cause, &ResourceId)]) -> Option<ShellCommand> {
    let ids: Vec<String> = all.iter().map(|(_, id)| id.to_string()).collect();
    let ids = || ids.iter().map(String::as_str);
    Some(match cause {
        Cause::Stopped(_) => ShellCommand::new("az vm start").with_each("--ids", ids()),
        Cause::AgentMissing { windows }
        | Cause::AgentFailed { windows, .. }
        | Cause::AgentOld { windows, .. } => {
            ShellCommand::new("az vm extension set --publisher Microsoft.Azure.NetworkWatcher")
                .with("--name", agent(*windows))
                .with_each("--ids", ids())
        }
        Cause::VmAgent(_) => ShellCommand::new("az vm restart")
            .with_each("--ids", ids())
            .remark("interrupts what runs there"),
        Cause::ExtensionsForbidden => ShellCommand::new("az vm update")
            .with_each("--ids", ids())
            .words("--set osProfile.allowExtensionOperations=true"),
        _ => return None,
    })
}

fn of_instances(
    cause: &Cause,
    set: &ResourceId,
    all: &[(&Cause, &ResourceId)],
) -> Option<ShellCommand> {
    let named = |command: ShellCommand, option| {
        command
            .with(option, set.name().unwrap_or_default())
            .with("--resource-group", set.resource_group().unwrap_or_default())
            .with("--subscription", set.subscription())
    };
    let instances = |command: ShellCommand| {
        let numbers = all.iter().filter_map(|(_, id)| id.name());
        command.with_each("--instance-ids", numbers)
    };
    Some(match cause {
        Cause::Stopped(_) => instances(named(ShellCommand::new("az vmss start"), "--name")),
        Cause::AgentMissing { windows }
        | Cause::AgentFailed { windows, .. }
        | Cause::AgentOld { windows, .. } => named(
            ShellCommand::new("az vmss extension set --publisher Microsoft.Azure.NetworkWatcher")
                .with("--name", agent(*windows)),
            "--vmss-name",
        )
        .remark("the next run says which instances to update"),
        Cause::OldModel => instances(named(
            ShellCommand::new("az vmss update-instances"),
            "--name",
        )),
        Cause::VmAgent(_) => instances(named(ShellCommand::new("az vmss restart"), "--name"))
            .remark("interrupts what runs there"),
        Cause::ExtensionsForbidden => named(ShellCommand::new("az vmss update"), "--name")
            .words("--set virtualMachineProfile.osProfile.allowExtensionOperations=true"),
        _ => return None,
    })
}

/// A rule before the one that blocks, where there is room. The priorities 100 to 4096 are allowed.
fn allow(to: &str, group: &ResourceId, blocks_at: u32) -> Option<ShellCommand> {
    const FIRST: u32 = 100;
    let (address, port) = to.rsplit_once(':')?;
    let name = format!("Allow-NetworkWatcher-{address}-{port}");
    // Azure refuses two rules of one direction with the same priority.
    let before = match port {
        "8037" => 1,
        "80" => 2,
        _ => 3,
    };
    let Some(priority) = blocks_at.checked_sub(before).filter(|it| *it >= FIRST) else {
        return Some(
            ShellCommand::new("az network nsg rule list")
                .with("--nsg-name", group.name().unwrap_or_default())
                .with(
                    "--resource-group",
                    group.resource_group().unwrap_or_default(),
                )
                .with("--subscription", group.subscription())
                .words("--output table")
                .remark("no rule fits before the one that blocks: give that one a higher number"),
        );
    };
    let priority = priority.min(4096).to_string();
    Some(
        ShellCommand::new("az network nsg rule create")
            .with("--name", &name.replace([':', '/'], "-"))
            .with("--nsg-name", group.name().unwrap_or_default())
            .with(
                "--resource-group",
                group.resource_group().unwrap_or_default(),
            )
            .with("--subscription", group.subscription())
            .with("--priority", &priority)
            .words("--direction Outbound --access Allow --protocol Tcp")
            .with("--destination-address-prefixes", address)
            .with("--destination-port-ranges", port)
            .remark("check that the priority is free"),
    )
}

const fn agent(windows: bool) -> &'static str {
    match windows {
        true => "NetworkWatcherAgentWindows",
        false => "NetworkWatcherAgentLinux",
    }
}

#[cfg(test)]
mod tests;
