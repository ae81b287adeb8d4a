//! One sick part stops nothing else: a network watcher, a machine or a receiver that hangs, a sender of nonsense.

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{World, common_alert},
};
use azure_sandbox::{Call, Entry, Fault, FaultBody, What, samples};

/// More jobs than the worker has places.
const MANY: usize = 300;

fn machine(number: usize) -> String {
    samples::WEB_01.replace("web-01", &format!("vm-{number}"))
}

fn hangs(on: Call) -> Fault {
    let what = What::Hang;
    Fault { on, times: 1, what }
}

async fn until_hangs(world: &World, call: Call) {
    let hangs = |entry: &Entry| entry.kind == call && entry.fault.is_some();
    let hangs = |entries: &[Entry]| entries.iter().any(hangs);
    world.azure.wait_for(hangs).await;
}

const OWN_CAPTURES: [(&str, &str); 2] = [
    ("PacketCapture__Name", "PSAzureFunction-{vm}"),
    ("PacketCapture__MaxTargets", "1000"),
];

/// Alerts about machines of this region, whose network watcher hangs; then one about a machine elsewhere.
async fn region_hangs(condition: &str) {
    let mut settings = OWN_CAPTURES.to_vec();
    settings.push(("PacketCapture__StopOnResolved", "true"));
    let world = World::with(&settings).await;
    let machines: Vec<String> = (0..MANY).map(machine).collect();
    for machine in &machines {
        world.azure.add_vm(machine, "westeurope");
    }
    let watcher = samples::WATCHER_WESTEUROPE.to_owned();
    world.azure.hang_watchers(&[watcher]);
    let machines: Vec<&str> = machines.iter().map(String::as_str).collect();
    let mut alert = common_alert(&machines);
    alert["data"]["essentials"]["monitorCondition"] = condition.into();
    let sent = world.post_later(&alert);
    until_hangs(&world, Call::ListCaptures).await;
    // All jobs have learned where their machines are and wait for the watcher.
    let located = |lines: &[String]| {
        let reads = lines
            .iter()
            .filter(|line| line.starts_with("GET virtualMachines/vm-"));
        reads.count() == MANY
    };
    world.until(located).await;
    let reply = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    // One job has its turn. While the regions are read, one more asks in a second.
    let hanging = world.azure.journal();
    let hanging = hanging.iter().filter(|entry| entry.fault.is_some());
    assert!(hanging.count() < MANY / 10);
    sent.abort();
    // Not ended: the stop would wait for the call that gets no answer.
}

#[tokio::test]
async fn a_watcher_that_hangs_delays_no_create_elsewhere() {
    region_hangs("Fired").await;
}

#[tokio::test]
async fn a_watcher_that_hangs_with_stops_delays_no_create_elsewhere() {
    region_hangs("Resolved").await;
}

#[tokio::test]
async fn a_machine_that_hangs_costs_one_read_and_no_place() {
    let world = World::with(&[("PacketCapture__ReplyWaitSeconds", "2")]).await;
    world.azure.fault(hangs(Call::GetVirtualMachine));
    let alerts = (0..MANY).map(|_| common_alert(&[samples::WEB_01]));
    let sent: Vec<_> = alerts.map(|alert| world.post_later(&alert)).collect();
    for sent in sent {
        assert_eq!(sent.await.unwrap().body["outcome"], "accepted");
    }
    let reply = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(world.count("GET virtualMachines/web-01"), 1);
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_no_create() {
    let receiver = Receiver::start().await;
    let settings = receiver.settings_for("failed");
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    settings.extend(OWN_CAPTURES);
    let world = World::with(&settings).await;
    receiver.lose(MANY);
    let unknown: Vec<String> = (0..MANY).map(machine).collect();
    let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let reply = world.post(&common_alert(&unknown)).await;
    assert_eq!(reply.status, 502, "{:?}", reply.body["outcome"]);
    receiver.until_came(1).await;
    let reply = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    // Not ended: the stop would wait for the notifications.
}

#[tokio::test]
async fn a_thousand_machines_that_do_not_exist_let_another_sender_in() {
    const UNKNOWN: usize = 1_000;
    let mut settings = OWN_CAPTURES.to_vec();
    settings.push(("PacketCapture__ReplyWaitSeconds", "5"));
    let world = World::with(&settings).await;
    let unknown: Vec<String> = (0..UNKNOWN).map(machine).collect();
    let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let first = world.post_later(&common_alert(&unknown));
    let begun = |lines: &[String]| lines.iter().any(|line| line.ends_with(" 404"));
    world.until(begun).await;
    let reply = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(
        reply.body["outcome"],
        "created",
        "{} calls: {}",
        world.calls().len(),
        reply.body["message"]
    );
    let reads = || world.count("GET virtualMachines/vm-");
    let before = reads();
    assert!(before < UNKNOWN / 2, "{before} reads before the create");
    first.await.unwrap();
    let mut reads = world.calls();
    reads.retain(|line| line.starts_with("GET virtualMachines/vm-"));
    let all = reads.len();
    reads.sort();
    reads.dedup();
    assert_eq!(reads.len(), all, "one read of each machine");
    world.end().await;
}

#[tokio::test]
async fn one_429_pauses_the_calls_of_its_kind() {
    let azure = Azure::start().await;
    let queue = azure.queue_settings();
    let mut settings: Vec<(&str, &str)> = queue.iter().map(|(n, v)| (&**n, &**v)).collect();
    settings.push(("PacketCapture__ReplyWaitSeconds", "0"));
    let world = World::on(azure, &settings).await;
    world.azure.fault(Fault {
        on: Call::ListWatchers,
        times: 1,
        what: What::Status {
            code: 429,
            retry_after: Some("250".to_owned()),
            body: FaultBody::Empty,
        },
    });
    for (number, machine) in [samples::WEB_01, samples::SQL_01].into_iter().enumerate() {
        world.post(&common_alert(&[machine])).await;
        let released = |lines: &[String]| {
            let released = lines
                .iter()
                .filter(|line| line.as_str() == "PUT queue packet-capture-jobs messages 204");
            released.count() > number
        };
        world.until(released).await;
    }
    assert_eq!(world.count("GET networkWatchers"), 1);
    world.end().await;
}
