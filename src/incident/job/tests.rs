//! How the attempts of a job are counted.

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
