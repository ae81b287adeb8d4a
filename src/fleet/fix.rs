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

/// A rule before the one that blocks. The priorities 100 to 4096 are allowed.
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
    let priority = blocks_at.saturating_sub(before).clamp(FIRST, 4096);
    let priority = priority.to_string();
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
mod tests {
    use super::super::samples::{causes, finding, instance, nsg, run, vm};
    use super::super::{Reach, Weight};
    use super::*;
    use crate::fleet::samples::GROUP;

    const SUB: &str = "0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";

    fn commands(run: &Run) -> Vec<String> {
        fixes(run).into_iter().flat_map(|it| it.commands).collect()
    }

    #[test]
    fn one_machine_gets_the_command_of_its_cause() {
        let id = vm("web-01").to_string();
        let nsg_words = format!("--nsg-name nsg-web --resource-group rg-shop --subscription {SUB}");
        let agent = "az vm extension set --publisher Microsoft.Azure.NetworkWatcher --name";
        let expected = [
            Some(format!("az vm start --ids {id}")),
            Some(format!("{agent} NetworkWatcherAgentLinux --ids {id}")),
            Some(format!("{agent} NetworkWatcherAgentWindows --ids {id}")),
            Some(format!("{agent} NetworkWatcherAgentLinux --ids {id}")),
            Some(format!(
                "az vm restart --ids {id}   # interrupts what runs there"
            )),
            Some(format!(
                "az vm update --ids {id} --set osProfile.allowExtensionOperations=true"
            )),
            None,
            Some(format!(
                "az network nsg rule create --name Allow-NetworkWatcher-168.63.129.16-8037 {nsg_words} --priority 199 --direction Outbound --access Allow --protocol Tcp --destination-address-prefixes 168.63.129.16 --destination-port-ranges 8037   # check that the priority is free"
            )),
            Some(format!(
                "az network watcher configure --resource-group NetworkWatcherRG --locations westeurope --enabled true --subscription {SUB}"
            )),
            Some(format!(
                "az network watcher packet-capture list --location westeurope --output table --subscription {SUB}   # delete what is finished"
            )),
            None,
            None,
            None,
            None,
            None,
        ];
        assert_eq!(causes().len(), expected.len());
        for (cause, expected) in causes().into_iter().zip(expected) {
            let shown = cause.to_string();
            let run = run(vec![(vm("web-01"), vec![cause])]);
            let found = commands(&run);
            assert_eq!(found, Vec::from_iter(expected), "{shown}");
            if run.counts().ready == 0 {
                assert_eq!(run.fixes_of(&run.machines()[0]), found);
            }
        }
    }

    #[test]
    fn an_instance_of_a_scale_set_is_fixed_through_its_set() {
        let of_set = format!("pool --resource-group rg-shop --subscription {SUB}");
        for (cause, expected) in causes().into_iter().zip([
            format!("az vmss start --name {of_set} --instance-ids 1 2"),
            format!(
                "az vmss extension set --publisher Microsoft.Azure.NetworkWatcher --name NetworkWatcherAgentLinux --vmss-name {of_set}   # the next run says which instances to update"
            ),
            format!(
                "az vmss extension set --publisher Microsoft.Azure.NetworkWatcher --name NetworkWatcherAgentWindows --vmss-name {of_set}   # the next run says which instances to update"
            ),
            format!(
                "az vmss extension set --publisher Microsoft.Azure.NetworkWatcher --name NetworkWatcherAgentLinux --vmss-name {of_set}   # the next run says which instances to update"
            ),
            format!(
                "az vmss restart --name {of_set} --instance-ids 1 2   # interrupts what runs there"
            ),
            format!(
                "az vmss update --name {of_set} --set virtualMachineProfile.osProfile.allowExtensionOperations=true"
            ),
            format!("az vmss update-instances --name {of_set} --instance-ids 1 2"),
        ]) {
            let both = (1..=2).map(|it| (instance("pool", it), vec![cause.clone()]));
            assert_eq!(commands(&run(both.collect())), [expected]);
        }
    }

    #[test]
    fn one_command_fixes_many_and_the_most_frequent_cause_comes_first() {
        let stopped = || vec![Cause::Stopped("deallocated".to_owned())];
        let missing = |windows| vec![Cause::AgentMissing { windows }];
        let blocked = || {
            vec![Cause::Blocked {
                to: "169.254.169.254:80".to_owned(),
                group: nsg("nsg-web"),
                rule: "deny-all".to_owned(),
                priority: 100,
            }]
        };
        let mut machines = vec![(vm("s"), stopped()), (vm("w"), missing(true))];
        machines.extend((0..120).map(|it| (vm(&format!("l-{it:03}")), missing(false))));
        machines.extend((0..60).map(|it| (vm(&format!("n-{it:03}")), blocked())));
        let mut run = run(machines);
        let mut setup = finding(
            Reach::Within(GROUP.parse().unwrap()),
            Weight::Warns,
            "first look",
        );
        setup.fix = Some("az role assignment create".to_owned());
        run.findings.push(setup);
        let found: Vec<_> = fixes(&run)
            .into_iter()
            .map(|it| (it.cause, it.machines, it.commands.len()))
            .collect();
        let row = |cause: &str, machines, commands| (cause.to_owned(), machines, commands);
        assert_eq!(
            found,
            [
                row("first look: disabled", 182, 1),
                row("agent not installed", 121, 4),
                row("deny-all of nsg-web blocks 169.254.169.254:80", 60, 1),
                row("deallocated", 1, 1),
            ]
        );
        assert!(
            commands(&run)
                .iter()
                .any(|it| it.contains("--priority 100 "))
        );
    }

    #[test]
    fn one_command_fixes_many_findings() {
        let mut run = run(vec![(vm("a"), vec![])]);
        for check in ["permission x/read", "permission x/write"] {
            let mut missing = finding(Reach::All, Weight::Blocks, check);
            missing.fix = Some("az role assignment create".to_owned());
            run.findings.push(missing);
        }
        let found = fixes(&run);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            found[0].cause,
            "permission x/read: disabled; permission x/write"
        );
        assert_eq!(commands(&run), ["az role assignment create"]);
    }

    #[test]
    fn a_command_for_a_whole_set_is_printed_once() {
        let missing = |it| {
            let cause = Cause::AgentMissing { windows: false };
            (instance("pool", it), vec![cause])
        };
        let found = commands(&run((0..120).map(missing).collect()));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn rules_before_one_that_blocks_have_priorities_of_their_own() {
        let blocked = |to: &str| Cause::Blocked {
            to: to.to_owned(),
            group: nsg("nsg-web"),
            rule: "deny-all".to_owned(),
            priority: 200,
        };
        let all = ["168.63.129.16:8037", "169.254.169.254:80", "Storage:443"].map(blocked);
        let found = commands(&run(vec![(vm("a"), all.to_vec())]));
        for priority in [197, 198, 199] {
            let priority = format!("--priority {priority} ");
            let with = found.iter().filter(|it| it.contains(&priority));
            assert_eq!(with.count(), 1, "{found:?}");
        }
    }

    #[test]
    fn hostile_names_stay_one_word_and_the_commands_are_bounded() {
        let hostile = Cause::NoWatcher("x; reboot".to_owned());
        let found = commands(&run(vec![(vm("a"), vec![hostile])]));
        assert!(found[0].contains("--locations 'x; reboot' "), "{found:?}");
        let each = |it| {
            (
                vm(&format!("m-{it}")),
                vec![Cause::NoWatcher(format!("r{it}"))],
            )
        };
        let found = fixes(&run((0..2_000).map(each).collect()));
        let commands: usize = found.iter().map(|it| it.commands.len()).sum();
        assert_eq!(commands, MAXIMUM_COMMANDS);
    }
}
