//! Members of flexible scale sets: named below their set, captured as the virtual machines that they are.

use super::*;
use crate::support::azure::Azure;

const SET: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachineScaleSets/cart";
const MEMBER: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/cart_9f3e01ab";

async fn shop_with_a_cart() -> World {
    let azure = Azure::start().await;
    azure.add_flexible_scale_set(SET, "westeurope", MEMBER);
    World::on(azure, &[]).await
}

fn below_the_set(name: &str) -> String {
    format!("{SET}/virtualMachines/{name}")
}

#[tokio::test]
async fn a_member_named_below_its_set_is_captured_as_a_virtual_machine() {
    let world = shop_with_a_cart().await;
    let reply = world
        .post(&common_alert(&[&below_the_set("cart_9f3e01ab")]))
        .await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let capture = &world.azure.captures(samples::WATCHER_WESTEUROPE)[0];
    assert!(
        capture.target.eq_ignore_ascii_case(MEMBER),
        "{}",
        capture.target
    );
    assert_eq!(capture.target_type, "AzureVM");
    assert!(capture.scope_include.is_empty());
    world.end().await;
}

/// Log data can write any name below a set.
#[tokio::test]
async fn a_machine_that_is_no_member_of_the_set_is_not_captured() {
    let world = shop_with_a_cart().await;
    let reply = world.post(&common_alert(&[&below_the_set("web-01")])).await;
    assert_eq!(reply.status, 502, "{:?}", reply.body);
    assert!(world.azure.captures(samples::WATCHER_WESTEUROPE).is_empty());
    world.end().await;
}

#[tokio::test]
async fn the_orchestration_mode_is_read_once() {
    let world = shop_with_a_cart().await;
    for name in ["cart_1", "cart_2", "cart_9f3e01ab"] {
        world.post(&common_alert(&[&below_the_set(name)])).await;
    }
    assert_eq!(world.count("GET virtualMachineScaleSets/cart "), 1);
    world.end().await;
}
