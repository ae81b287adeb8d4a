//! Two instances and thousands of alerts on some machines: as many incidents as machines, and no capture twice.
//! `APC_ALERTS=10000 APC_MACHINES=200 cargo test --test it as_many_incidents -- --nocapture` runs more.

use super::*;
use crate::support::length::full_or_short;
use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{collections::BTreeSet, time::Instant};

const SEED: u64 = 20_261_128;
/// Requests at once.
const AT_ONCE: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_at_two_instances_is_as_many_incidents_as_machines() {
    let began = Instant::now();
    let number = |name, usual| {
        let named = std::env::var(name).ok();
        named.map_or(usual, |text| text.parse().expect("a number"))
    };
    let alerts = number("APC_ALERTS", full_or_short(1_000, 300));
    let machines = number("APC_MACHINES", full_or_short(40, 12));
    let azure = Azure::start().await;
    let machine = |number: usize| samples::WEB_01.replace("web-01", &format!("vm-{number:03}"));
    for number in 0..machines {
        azure.add_vm(&machine(number), "westeurope");
    }
    let settings = durable(
        &azure,
        &[
            ("PacketCapture__Name", "PSAzureFunction-{vm}"),
            ("PacketCapture__Limit", "10000"),
            ("PacketCapture__ReplyWaitSeconds", "0"),
            ("PacketCapture__CooldownSeconds", "3600"),
            ("JobQueue__Capacity", "20000"),
        ],
    );
    let worlds = [
        instance(&azure, &settings).await,
        instance(&azure, &settings).await,
    ];
    let mut random = StdRng::seed_from_u64(SEED);
    let sent: Vec<(usize, Value)> = (0..alerts)
        .flat_map(|number| {
            let alert = common_alert(&[&machine(number % machines)]);
            let instance = random.random_range(0..2);
            // Some senders repeat, at the other instance.
            let repeated = random.random_range(0..4) == 0;
            let again = repeated.then(|| (1 - instance, alert.clone()));
            std::iter::once((instance, alert)).chain(again)
        })
        .collect();
    let count = sent.len();
    let replies = stream::iter(sent)
        .map(|(instance, alert)| {
            let world = &worlds[instance];
            async move {
                loop {
                    let reply = world.post(&alert).await;
                    // As senders do: the first delivery is not in the queue yet.
                    if reply.status != 503 {
                        return reply;
                    }
                }
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>();
    let replies = replies.await;
    assert_eq!(replies.len(), count);
    for reply in &replies {
        assert!(
            matches!(reply.status, 200 | 202),
            "{} {:?}",
            reply.status,
            reply.body
        );
    }
    run_out(&worlds[0]).await;
    for world in worlds {
        world.end().await;
    }
    let made = azure.captures_made();
    let captured: BTreeSet<&String> = made.iter().collect();
    assert_eq!((captured.len(), made.len()), (machines, machines));
    let rows = rows(&azure).await;
    let of: BTreeSet<String> = rows.iter().map(|row| row.machine.to_string()).collect();
    assert_eq!((rows.len(), of.len()), (machines, machines));
    let calls = azure.journal().len();
    println!(
        "storm: {alerts} alerts on {machines} machines in {count} requests, {} incidents, {} captures, {calls} calls to the \
         sandbox, {:.1} s",
        rows.len(),
        made.len(),
        began.elapsed().as_secs_f64()
    );
}
