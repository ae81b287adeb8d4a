//! How the attempts of a job are counted, and how a job that is too long for a message is shortened.

use super::*;

#[test]
fn deliveries_count_until_a_step_is_completed() {
    let mut deliveries = Deliveries::default();
    // Put by this process and never received: 0; received once: 1.
    assert_eq!(
        [0, 1, 2, 5].map(|delivered| deliveries.count(delivered)),
        [0, 0, 1, 4]
    );
    deliveries.step_completed(2);
    assert_eq!(
        [2, 3, 4].map(|delivered| deliveries.count(delivered)),
        [0, 0, 1]
    );
    deliveries.carry_over(4);
    assert_eq!(
        [0, 1, 2].map(|delivered| deliveries.count(delivered)),
        [2, 2, 3]
    );
    deliveries.carry_over(u32::MAX);
    assert_eq!(deliveries.count(u32::MAX), u32::MAX);
}

#[test]
fn a_job_that_is_too_long_sheds_texts() {
    let machine = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-01";
    let body = serde_json::json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": { "essentials": { "monitorCondition": "Fired", "alertTargetIDs": [machine], "alertRule": "r", "alertId": "a" } }
    });
    let alert = crate::alert::read(body.to_string().as_bytes()).unwrap();
    let mut job = Job::new(Action::Capture, alert.targets[0].clone(), &alert);
    let whole = job.to_message(usize::MAX).unwrap();
    job.report.errors = vec!["\u{1F300}".repeat(500); 10];
    for (limit, errors) in [
        (usize::MAX, 10),
        (whole.len() + 4_100, 2),
        (whole.len() + 10, 0),
    ] {
        let text = job.to_message(limit).unwrap();
        assert!(text.len() <= limit);
        let shorter: Job = serde_json::from_str(&text).unwrap();
        assert_eq!(shorter.report.errors.len(), errors, "{limit}");
        assert_eq!(shorter.rule(), job.rule());
    }
    assert!(job.to_message(0).unwrap().len() > 100);
}

/// Messages of an earlier version are in the queue while a new one is deployed.
#[test]
fn the_earlier_name_of_a_phase_is_read() {
    for name in ["telling", "notifying"] {
        let phase: Phase = serde_json::from_value(serde_json::json!({ "name": name })).unwrap();
        assert_eq!(phase, Phase::Notifying);
        let written = serde_json::to_value(&phase).unwrap();
        assert_eq!(written["name"], "notifying");
    }
}
