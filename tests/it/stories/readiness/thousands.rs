//! Thousands of machines in one run: what it costs.

use super::{add_rule, fix, healthy, insights, run};
use crate::support::length::full_or_short;
use alert_packet_capture::fleet::{MAXIMUM_STORED_BYTES, fixes};
use azure_sandbox::{Call, samples};

const GROUP: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-fleet";

/// One call each and some 20 for the lists: `FULL_TESTS=1` checks 5,000 machines instead of 1,200.
#[tokio::test]
async fn a_run_costs_a_call_a_machine_and_some_for_the_lists() {
    let machines = full_or_short(5_000, 1_200);
    let practice = healthy().await;
    practice.azure.add_vms(GROUP, "vm", "westeurope", machines);
    add_rule(&practice, "all", &[GROUP]);
    practice
        .azure
        .change_alert_resource(&insights("metricAlerts", "all"), |it| {
            it["targetResourceType"] = "Microsoft.Compute/virtualMachines".into();
        });
    let name = |number: usize| {
        format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-{number:05}")
    };
    for number in 0..machines / 10 {
        practice.azure.remove_agent(&name(number));
        practice.azure.deallocate_vm(&name(machines - 1 - number));
    }
    let began = std::time::Instant::now();
    let run_of_all = run(&practice).await;
    let counts = run_of_all.counts();
    assert_eq!(counts.machines(), machines + 6);
    assert_eq!((counts.not_ready, counts.unknown), (machines / 5, 0));
    let journal = practice.azure.journal();
    let count = |kind: Call| journal.iter().filter(|it| it.kind == kind).count();
    // The sample's other virtual machines are three.
    assert_eq!(count(Call::GetInstanceView), machines + 3);
    let lists = count(Call::QueryResources);
    assert!(lists <= 5 + 2 * machines.div_ceil(1_000), "{lists} queries");
    let rest = journal.len() - count(Call::GetInstanceView);
    let json = run_of_all.to_json(MAXIMUM_STORED_BYTES).to_string();
    println!(
        "{machines} machines: {} calls of the run, {lists} queries, {rest} calls beside instance views, {:.1} s, {} KB stored",
        run_of_all.calls,
        began.elapsed().as_secs_f32(),
        json.len() / 1_024
    );
    assert!(rest < 60, "{rest} calls beside the machines'");
    assert!(json.len() < MAXIMUM_STORED_BYTES);
    let commands = fixes(&run_of_all)
        .iter()
        .map(|it| it.commands.len())
        .sum::<usize>();
    assert!(
        commands <= 2 * machines.div_ceil(500),
        "{commands} commands"
    );
    fix(&practice, &run_of_all);
    for id in [samples::WEB_01, &name(0), &name(machines - 1)] {
        assert!(
            run_of_all
                .machines()
                .iter()
                .any(|it| it.id.to_string().eq_ignore_ascii_case(id))
        );
    }
}
