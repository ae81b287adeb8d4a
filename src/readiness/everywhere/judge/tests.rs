//! The tables of what keeps captures from starting.

use super::*;
use crate::azure::network_watcher::NetworkWatcher;

const GROUP: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/rg-shop";

fn id(below: &str) -> ResourceId {
    format!("{GROUP}/providers/{below}").parse().unwrap()
}

fn vm() -> ResourceId {
    id("Microsoft.Compute/virtualMachines/web-01")
}

fn watcher() -> NetworkWatcher {
    NetworkWatcher {
        id: id("Microsoft.Network/networkWatchers/nw"),
        location: "westeurope".to_owned(),
    }
}

fn around() -> Around {
    Around {
        learned: Learned {
            watchers: vec![(vm().subscription_id(), Some(vec![watcher()]))],
            ..Learned::default()
        },
        ..Around::default()
    }
}

fn listed() -> Listed {
    Listed {
        region: Some("westeurope".to_owned()),
        agent: Some("Succeeded".to_owned()),
        ..Listed::default()
    }
}

fn extension(version: &str, state: &str) -> ExtensionView {
    ExtensionView {
        kind: "Microsoft.Azure.NetworkWatcher.NetworkWatcherAgentLinux".to_owned(),
        version: Some(version.to_owned()),
        state: Some(state.to_owned()),
    }
}

fn view() -> InstanceView {
    InstanceView {
        power: Some("running".to_owned()),
        vm_agent: Some("Ready".to_owned()),
        extensions: vec![extension("1.4.905.3", "succeeded")],
    }
}

fn shown(causes: &[Cause]) -> Vec<String> {
    causes.iter().map(ToString::to_string).collect()
}

#[test]
fn machines_are_judged_by_the_table() {
    let bare = || InstanceView {
        extensions: vec![],
        ..view()
    };
    let stopped = || InstanceView {
        power: Some("deallocated".to_owned()),
        ..InstanceView::default()
    };
    let no_agent = || Listed {
        agent: None,
        ..listed()
    };
    for (listed, view, expected) in [
        (listed(), view(), &[][..]),
        // The list lags behind: what the machine reports counts.
        (no_agent(), view(), &[]),
        (no_agent(), bare(), &["agent not installed"]),
        (listed(), bare(), &[]),
        (
            Listed {
                agent: Some("Failed".to_owned()),
                ..listed()
            },
            bare(),
            &["agent installation: failed"],
        ),
        (
            listed(),
            InstanceView {
                extensions: vec![extension("1.4.1", "failed")],
                ..view()
            },
            &["agent installation: failed"],
        ),
        (
            listed(),
            InstanceView {
                extensions: vec![extension("1.3.9", "succeeded")],
                ..view()
            },
            &["agent 1.3.9 is too old"],
        ),
        (
            listed(),
            InstanceView {
                extensions: vec![extension("nonsense", "succeeded")],
                ..view()
            },
            &[],
        ),
        (listed(), stopped(), &["deallocated"]),
        (
            no_agent(),
            stopped(),
            &["deallocated", "agent not installed"],
        ),
        (
            listed(),
            InstanceView {
                vm_agent: Some("Not Ready".to_owned()),
                ..view()
            },
            &["VM agent: Not Ready"],
        ),
        (
            listed(),
            InstanceView {
                vm_agent: None,
                ..view()
            },
            &["VM agent not known: Azure does not report it"],
        ),
        (
            listed(),
            InstanceView {
                power: None,
                ..view()
            },
            &["power state not known: Azure does not report it"],
        ),
        (
            Listed {
                forbids_extensions: true,
                ..listed()
            },
            view(),
            &["extensions not allowed"],
        ),
        (
            Listed {
                region: Some("westeurope2".to_owned()),
                ..listed()
            },
            view(),
            &["no network watcher in westeurope2"],
        ),
        (
            Listed {
                region: None,
                ..listed()
            },
            view(),
            &["network watcher not known: Azure does not report it"],
        ),
    ] {
        let causes = judge(&vm(), &listed, Ok(&view), &around());
        assert_eq!(shown(&causes), expected, "{listed:?} {view:?}");
    }
}

#[test]
fn what_could_not_be_read_is_unknown() {
    let lacks = Because::Lacks("a/read".to_owned());
    let read = |listed: &Listed| judge(&vm(), listed, Err(Some(&lacks)), &around());
    let unknown = |what: &str| format!("{what} not known: permission a/read is missing");
    let (power, vm_agent) = (unknown("power state"), unknown("VM agent"));
    assert_eq!(shown(&read(&listed())), [power.clone(), vm_agent.clone()]);
    let bare = Listed {
        agent: None,
        ..listed()
    };
    let agent = unknown("agent");
    assert_eq!(shown(&read(&bare)), [power, vm_agent, agent]);
    assert_eq!(judge(&vm(), &bare, Err(None), &around()), [Cause::NotFound]);

    // A stopped machine whose extensions may not be read: one may be installed.
    let stopped = InstanceView {
        power: Some("stopped".to_owned()),
        ..InstanceView::default()
    };
    let mut unread = around();
    unread.agents_unread.push(vm().subscription_id());
    let causes = judge(&vm(), &bare, Ok(&stopped), &unread);
    assert_eq!(causes.len(), 2);
    assert!(matches!(
        &causes[1],
        Cause::Unknown(Check::Agent, Because::Lacks(_))
    ));
    let running = InstanceView {
        extensions: vec![],
        ..view()
    };
    let causes = judge(&vm(), &bare, Ok(&running), &unread);
    assert_eq!(causes, [Cause::AgentMissing { windows: false }]);
    unread.learned.watchers[0].1 = None;
    let causes = judge(&vm(), &listed(), Ok(&view()), &unread);
    assert!(matches!(
        &causes[..],
        [Cause::Unknown(Check::Watcher, Because::Lacks(_))]
    ));
}

#[test]
fn what_machines_share_is_judged_by_the_table() {
    let judged = |change: &dyn Fn(&mut Around)| {
        let mut around = around();
        change(&mut around);
        shown(&judge(&vm(), &listed(), Ok(&view()), &around))
    };
    let other = id("Microsoft.Compute/virtualMachines/other");
    let outside = "outside PacketCapture__AllowedScopes";
    let full = "no room for a capture in westeurope";
    assert_eq!(judged(&|it| it.allowed.push(other.clone())), [outside]);
    assert!(judged(&|it| it.allowed.push(vm().subscription_id())).is_empty());
    assert_eq!(judged(&|it| it.learned.full.push(watcher().id)), [full]);
    let quota = |region: &str| (vm().subscription_id(), region.to_owned());
    assert_eq!(judged(&|it| it.full.push(quota("westeurope"))), [full]);
    assert!(judged(&|it| it.full.push(quota("northeurope"))).is_empty());
    assert_eq!(
        judged(&|it| it.account_region = Some("northeurope".to_owned())),
        ["in westeurope, the storage account in northeurope"]
    );
    assert!(judged(&|it| it.account_region = Some("westeurope".to_owned())).is_empty());
}

#[test]
fn instances_are_judged_by_the_table() {
    let set = |has_agent_in_model| Set {
        id: id("Microsoft.Compute/virtualMachineScaleSets/pool"),
        region: "westeurope".to_owned(),
        is_windows: true,
        forbids_extensions: false,
        has_agent_in_model,
        instances: vec![],
    };
    let bare = InstanceView {
        extensions: vec![],
        ..view()
    };
    let stopped = InstanceView {
        power: Some("stopped".to_owned()),
        ..InstanceView::default()
    };
    let missing = "agent not installed";
    let old = "not at the scale set's latest model";
    for (model, latest, view, expected) in [
        (true, Some(true), view(), &[][..]),
        (false, Some(true), view(), &[]),
        (false, Some(true), bare.clone(), &[missing]),
        (false, Some(false), bare.clone(), &[missing]),
        (true, Some(true), bare.clone(), &[missing]),
        (true, Some(false), bare.clone(), &[old]),
        (true, None, bare, &[old]),
        (true, Some(true), stopped.clone(), &["stopped"]),
        (true, Some(false), stopped.clone(), &["stopped", old]),
        (false, Some(true), stopped, &["stopped", missing]),
    ] {
        let instance = Instance {
            id: id("Microsoft.Compute/virtualMachineScaleSets/pool/virtualMachines/3"),
            has_latest_model: latest,
            view,
        };
        let causes = judge_instance(&instance, &set(model), &around());
        assert_eq!(shown(&causes), expected, "{instance:?} {model}");
    }
}
