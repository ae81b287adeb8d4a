//! What is read ahead of an alert, or beside another call, before it is known that it will be needed: how it saves a
//! round trip, and what happens when the guess was wrong.

use super::*;
use alert_packet_capture::{alert::Target, capture::CaptureName};

const NAMES: (&str, &str) = ("PacketCapture__Name", "PSAzureFunction-{vm}");
const LIST: &str = "GET packetCaptures 200";

/// The name of this function's captures on a machine.
fn name_on(machine: &str) -> String {
    let target = Target::of(machine.parse().unwrap()).unwrap();
    CaptureName::parse(NAMES.1).unwrap().of(&target, None)
}

/// A capture that this function left on a machine.
fn left_over(machine: &str, status: SessionStatus, started: f64) -> ExistingCapture {
    ExistingCapture {
        name: name_on(machine),
        ..existing(machine, status, ago(started))
    }
}

fn status_of(machine: &str) -> String {
    format!("POST packetCaptures/{}/queryStatus", name_on(machine))
}

/// A function that knows the sample watchers and what the one in westeurope lists.
async fn acquainted(settings: &[(&str, &str)], captures: &[ExistingCapture]) -> World {
    let world = World::with(&[&[NAMES], settings].concat()).await;
    for capture in captures {
        world.azure.add_capture(capture.clone());
    }
    let reply = world.post(&common_alert(&[samples::WEB_02])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world
}

async fn until_line(world: &World, start: &str, times: usize) {
    let starts = |lines: &[String]| lines.iter().filter(|line| line.starts_with(start)).count();
    world.until(|lines| starts(lines) >= times).await;
}

/// A function that has read where the machines of the sample subscription are.
async fn informed(azure: Azure) -> World {
    informed_with(azure, &[]).await
}

async fn informed_with(azure: Azure, more: &[(&str, &str)]) -> World {
    const ELSEWHERE: &str = "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/none";
    let scopes = format!("/subscriptions/{}, {ELSEWHERE}", samples::SUBSCRIPTION_ID);
    let settings = [&[("PacketCapture__AllowedScopes", &*scopes)], more].concat();
    let world = World::on(azure, &settings).await;
    // Scopes are read one after the other, so that what was read of the first one is known by now.
    until_line(&world, "GET virtualMachines/none", 1).await;
    until_line(&world, "GET networkWatchers", 2).await;
    world
}

mod regions {
    use super::*;

    #[tokio::test]
    async fn the_first_alert_needs_one_call_before_the_create() {
        let options = Options {
            machine_page_size: Some(1),
            ..Options::default()
        };
        let world = informed(Azure::with(options).await).await;
        let before = world.calls().len();
        let reply = world.post(&common_alert(&[samples::SQL_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        let calls = &world.calls()[before..];
        assert!(
            calls[0].starts_with(LIST) && calls[1].starts_with(PUT),
            "{calls:?}"
        );
        world.end().await;
    }

    /// A machine that was listed in one region is in another when its alert comes.
    #[tokio::test]
    async fn a_machine_that_has_moved_is_looked_up_again() {
        let world = informed(Azure::start().await).await;
        world.azure.move_vm(samples::WEB_01, "northeurope");
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(world.count("GET virtualMachines/web-01 200"), 1);
        assert_eq!(world.count("PUT packetCaptures/PSAzureFunction 400"), 1);
        assert_eq!(world.azure.captures(samples::WATCHER_NORTHEUROPE).len(), 1);
        assert!(world.azure.captures(samples::WATCHER_WESTEUROPE).is_empty());
        world.end().await;
    }

    /// What is in the way in the region where it was is not in its way: another machine's capture, or a limit.
    #[tokio::test]
    async fn a_machine_that_has_moved_waits_for_nothing_in_its_old_region() {
        for (name, limit) in [("psazurefunction", "10"), ("theirs", "1")] {
            let azure = Azure::start().await;
            azure.add_capture(ExistingCapture {
                name: name.to_owned(),
                time_limit_seconds: 3600,
                ..existing(samples::WEB_02, SessionStatus::Running, ago(1.0))
            });
            let world = informed_with(azure, &[("PacketCapture__Limit", limit)]).await;
            world.azure.move_vm(samples::WEB_01, "northeurope");
            let reply = world.post(&common_alert(&[samples::WEB_01])).await;
            assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
            assert_eq!(world.azure.captures(samples::WATCHER_NORTHEUROPE).len(), 1);
            world.end().await;
        }
    }

    #[tokio::test]
    async fn a_watcher_that_was_enabled_since_is_found() {
        let world = informed(Azure::start().await).await;
        let machine = samples::WEB_01.replace("web-01", "web-fr");
        let watcher = samples::WATCHER_WESTEUROPE.replace("westeurope", "francecentral");
        world.azure.add_vm(&machine, "francecentral");
        world.azure.add_watcher(&watcher, "francecentral");
        let reply = world.post(&common_alert(&[&machine])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(world.azure.captures(&watcher).len(), 1);
        assert_eq!(world.count("GET networkWatchers 200"), 2);
        world.end().await;
    }

    /// A role on single machines does not permit to list them. The alert asks for what it needs.
    #[tokio::test]
    async fn without_the_right_to_list_machines_the_alert_asks_for_its_own() {
        let azure = Azure::start().await;
        for on in [Call::ListVirtualMachines, Call::ListWatchers] {
            azure.fault(Fault {
                on,
                times: 1,
                what: What::arm_error(403, "AuthorizationFailed", "no right"),
            });
        }
        let world = informed(azure).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(world.count("GET virtualMachines/web-01 200"), 1);
        assert_eq!(world.count("GET networkWatchers 200"), 1);
        world.end().await;
    }

    /// Azure throttles the list of machines for minutes, by a limit of its own. The alert's calls are sent.
    #[tokio::test]
    async fn a_list_ahead_that_is_throttled_pauses_no_alert() {
        let azure = Azure::start().await;
        azure.fault(Fault {
            on: Call::ListVirtualMachines,
            times: 1,
            what: What::Status {
                code: 429,
                retry_after: Some("300".to_owned()),
                body: FaultBody::ArmError {
                    code: "OperationNotAllowed".to_owned(),
                    message: "too many lists".to_owned(),
                },
            },
        });
        let world = informed(azure).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.end().await;
    }

    /// The list of network watchers gets no answer. The alert does not wait for it, but asks itself.
    #[tokio::test]
    async fn a_list_ahead_that_hangs_delays_no_alert() {
        let azure = Azure::start().await;
        azure.fault(Fault {
            on: Call::ListWatchers,
            times: 1,
            what: What::Hang,
        });
        let scope = format!("/subscriptions/{}", samples::SUBSCRIPTION_ID);
        let world = World::on(azure, &[("PacketCapture__AllowedScopes", &scope)]).await;
        until_line(&world, "GET networkWatchers", 1).await;
        let alert = classic_alert(samples::WEB_01, "westeurope");
        let reply = world.post(&alert).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        // A further try of the same call has the same id.
        let journal = world.azure.journal();
        let lists = journal.iter().filter(|it| it.kind == Call::ListWatchers);
        let ids: Vec<_> = lists.map(|it| &it.client_request_id).collect();
        assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
        world.end().await;
    }

    /// An alert that waits goes first: nothing more is read ahead until its capture is created.
    #[tokio::test]
    async fn an_alert_that_waits_goes_first() {
        let options = Options {
            machine_page_size: Some(1),
            ..Options::default()
        };
        let azure = Azure::with(options).await;
        azure.hold(Call::ListVirtualMachines);
        azure.hold(Call::PutCapture);
        let scope = format!("/subscriptions/{}", samples::SUBSCRIPTION_ID);
        let world = World::on(azure, &[("PacketCapture__AllowedScopes", &scope)]).await;
        let posted = world.post_later(&common_alert(&[samples::WEB_01]));
        until_line(&world, LIST, 1).await;
        world.azure.release(Call::ListVirtualMachines);
        until_line(&world, "GET virtualMachines 200", 1).await;
        // Another alert gets as far while the first one's create is held.
        let other = world.post_later(&common_alert(&[samples::SQL_01]));
        until_line(&world, LIST, 2).await;
        assert_eq!(world.count("GET virtualMachines 200"), 1, "of three pages");
        world.azure.release(Call::PutCapture);
        for posted in [posted, other] {
            let reply = posted.await.unwrap();
            assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        }
        until_line(&world, "GET virtualMachines 200", 3).await;
        world.end().await;
    }
}

mod lists {
    use super::*;

    /// The captures are listed while the machine is asked for its region.
    #[tokio::test]
    async fn a_list_is_read_beside_the_region() {
        let stale = left_over(samples::WEB_01, SessionStatus::Stopped, 9000.0);
        let world = acquainted(&[], &[stale]).await;
        world.azure.hold(Call::GetVirtualMachine);
        let posted = world.post_later(&common_alert(&[samples::WEB_01]));
        // The list of a moment ago has the name, so that the status is asked for as well.
        until_line(&world, LIST, 2).await;
        until_line(&world, &status_of(samples::WEB_01), 1).await;
        world.azure.release(Call::GetVirtualMachine);
        until_line(&world, "DELETE", 1).await;
        world.azure.complete_operations();
        let reply = posted.await.unwrap();
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(world.count(&status_of(samples::WEB_01)), 1);
        world.end().await;
    }

    /// Between the list and the region another alert replaces the stale capture by its own, which is running.
    #[tokio::test]
    async fn a_list_that_is_older_than_a_create_is_read_again() {
        let stale = left_over(samples::WEB_01, SessionStatus::Stopped, 9000.0);
        let world = acquainted(&[], &[stale]).await;
        world.azure.hold(Call::GetVirtualMachine);
        let first = world.post_later(&common_alert(&[samples::WEB_01]));
        until_line(&world, &status_of(samples::WEB_01), 1).await;
        until_line(&world, LIST, 2).await;
        let second = world.post_later(&classic_alert(samples::WEB_01, "westeurope"));
        until_line(&world, "DELETE", 1).await;
        world.azure.complete_operations();
        let second = second.await.unwrap();
        assert_eq!(second.body["outcome"], "created", "{:?}", second.body);
        world.azure.complete_operations();
        world.azure.release(Call::GetVirtualMachine);
        let first = first.await.unwrap();
        assert_eq!(first.body["outcome"], "joined", "{:?}", first.body);
        assert_eq!(world.count("DELETE"), 1);
        world.end().await;
    }

    /// The machine is in another region than those before it: the watcher that was asked is not its own.
    #[tokio::test]
    async fn a_list_of_another_region_decides_nothing() {
        let world = acquainted(&[("PacketCapture__Limit", "1")], &[]).await;
        let reply = world.post(&common_alert(&[samples::SQL_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(world.azure.captures(samples::WATCHER_NORTHEUROPE).len(), 1);
        world.end().await;
    }

    /// A watcher that refuses its list is of no interest while the region is not known, and is not asked each time.
    #[tokio::test]
    async fn a_list_that_is_refused_delays_nothing() {
        let world = acquainted(&[("PacketCapture__Limit", "1")], &[]).await;
        world.azure.hold(Call::GetVirtualMachine);
        world.azure.fault(Fault {
            on: Call::ListCaptures,
            times: 1,
            what: What::arm_error(403, "AuthorizationFailed", "no right"),
        });
        let posted = world.post_later(&common_alert(&[samples::SQL_01]));
        until_line(&world, "GET packetCaptures 403", 1).await;
        world.azure.release(Call::GetVirtualMachine);
        let reply = posted.await.unwrap();
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.end().await;
    }

    /// After a start the watcher of the function app's region is asked before the machine's is known.
    #[tokio::test]
    async fn the_first_list_is_read_beside_the_region() {
        let azure = Azure::start().await;
        azure.hold(Call::GetVirtualMachine);
        azure.hold(Call::ListWatchers);
        let world = World::on(azure, &[("REGION_NAME", "West Europe")]).await;
        let posted = world.post_later(&common_alert(&[samples::WEB_01]));
        until_line(&world, LIST, 1).await;
        world.azure.release(Call::GetVirtualMachine);
        world.azure.release(Call::ListWatchers);
        let reply = posted.await.unwrap();
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(world.count(LIST), 1);
        world.end().await;
    }

    /// After a start the watcher that Azure makes itself is asked beside the list of watchers, and need not be there.
    #[tokio::test]
    async fn a_watcher_of_another_name_is_found() {
        let azure = Azure::start().await;
        let machine = samples::WEB_01.replace("web-01", "web-fr");
        let watcher = samples::WATCHER_WESTEUROPE.replace("NetworkWatcher_westeurope", "paris");
        azure.add_vm(&machine, "francecentral");
        azure.add_watcher(&watcher, "francecentral");
        let world = World::on(azure, &[]).await;
        let reply = world.post(&classic_alert(&machine, "francecentral")).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(world.azure.captures(&watcher).len(), 1);
        world.end().await;
    }
}

mod statuses {
    use super::*;

    /// A capture is stopped between the two reads and the machine's region: it runs no longer, so it is not joined.
    #[tokio::test]
    async fn a_capture_that_was_stopped_meanwhile_is_not_joined() {
        let running = ExistingCapture {
            time_limit_seconds: 3600,
            ..left_over(samples::WEB_01, SessionStatus::Running, 60.0)
        };
        let world = acquainted(&[("PacketCapture__StopOnResolved", "true")], &[running]).await;
        world.azure.hold(Call::GetVirtualMachine);
        let posted = world.post_later(&common_alert(&[samples::WEB_01]));
        until_line(&world, LIST, 2).await;
        until_line(&world, &status_of(samples::WEB_01), 1).await;
        let mut resolved = classic_alert(samples::WEB_01, "westeurope");
        resolved["status"] = "Resolved".into();
        resolved["context"]["name"] = "another-rule".into();
        world.post(&resolved).await;
        let stop = format!("POST packetCaptures/{}/stop", name_on(samples::WEB_01));
        until_line(&world, &stop, 1).await;
        world.azure.complete_operations();
        world.azure.release(Call::GetVirtualMachine);
        until_line(&world, "DELETE", 1).await;
        world.azure.complete_operations();
        let reply = posted.await.unwrap();
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.end().await;
    }

    #[tokio::test]
    async fn the_status_of_a_known_capture_is_read_beside_the_list() {
        let stale = left_over(samples::WEB_01, SessionStatus::Stopped, 9000.0);
        let world = acquainted(&[], &[stale]).await;
        world.azure.hold(Call::ListCaptures);
        let posted = world.post_later(&classic_alert(samples::WEB_01, "westeurope"));
        until_line(&world, &status_of(samples::WEB_01), 1).await;
        world.azure.release(Call::ListCaptures);
        until_line(&world, "DELETE", 1).await;
        assert_eq!(world.count(&status_of(samples::WEB_01)), 1);
        world.azure.complete_operations();
        let reply = posted.await.unwrap();
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.end().await;
    }

    /// Another instance replaces the stale capture between the status and the list: its capture is running and stays.
    #[tokio::test]
    async fn the_status_of_an_earlier_capture_deletes_nothing() {
        let stale = left_over(samples::WEB_01, SessionStatus::Stopped, 9000.0);
        let world = acquainted(&[], &[stale]).await;
        world.azure.hold(Call::ListCaptures);
        let posted = world.post_later(&classic_alert(samples::WEB_01, "westeurope"));
        until_line(&world, &status_of(samples::WEB_01), 1).await;
        let watcher = samples::WATCHER_WESTEUROPE;
        world
            .azure
            .remove_capture(watcher, &name_on(samples::WEB_01));
        world
            .azure
            .add_capture(left_over(samples::WEB_01, SessionStatus::Running, 1.0));
        world.azure.release(Call::ListCaptures);
        let reply = posted.await.unwrap();
        assert_eq!(reply.body["outcome"], "joined", "{:?}", reply.body);
        assert_eq!(world.count("DELETE"), 0);
        world.end().await;
    }

    /// A capture that was created a moment ago starts between the two reads: a status from before its start, beside a
    /// list from after it, does not make it a stale one.
    #[tokio::test]
    async fn a_status_from_before_the_start_deletes_nothing() {
        let world = acquainted(&[], &[]).await;
        let alert = || classic_alert(samples::WEB_01, "westeurope");
        let first = world.post(&alert()).await;
        assert_eq!(first.body["outcome"], "created", "{:?}", first.body);
        world.azure.hold(Call::ListCaptures);
        let second = world.post_later(&alert());
        until_line(&world, &status_of(samples::WEB_01), 1).await;
        world.azure.complete_operations();
        world.azure.release(Call::ListCaptures);
        let second = second.await.unwrap();
        assert_eq!(second.body["outcome"], "joined", "{:?}", second.body);
        assert_eq!(world.count("DELETE"), 0);
        world.end().await;
    }

    /// An operator has deleted it: the status says so, and the list has room.
    #[tokio::test]
    async fn a_capture_that_is_gone_delays_nothing() {
        let stale = left_over(samples::WEB_01, SessionStatus::Stopped, 9000.0);
        let world = acquainted(&[], &[stale]).await;
        let watcher = samples::WATCHER_WESTEUROPE;
        world
            .azure
            .remove_capture(watcher, &name_on(samples::WEB_01));
        let reply = world
            .post(&classic_alert(samples::WEB_01, "westeurope"))
            .await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(world.count("DELETE"), 0);
        world.end().await;
    }
}
