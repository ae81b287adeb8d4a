//! Which command fixes what, as tables.

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
            .any(|it| it.contains("az network nsg rule list --nsg-name nsg-web"))
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
