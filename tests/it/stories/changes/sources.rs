//! What each source gives.

use super::*;
use alert_packet_capture::changes::{Kind, Verb};
use serde_json::json;

#[tokio::test]
async fn changes_of_each_kind_are_said_as_they_are() {
    let vm = samples::WEB_01;
    let resize = json!({ "properties.hardwareProfile.vmSize": {
        "previousValue": "Standard_D2s_v5", "newValue": "Standard_D4s_v5",
    } });
    let of = |resource: &str, operation: &str| ResourceChange::new(resource, operation, 20);
    for (change, kind, verb, expected) in [
        (
            ResourceChange {
                values: resize,
                ..of(vm, "Microsoft.Compute/virtualMachines/write")
            },
            Kind::Machine,
            Verb::Changed,
            "web-01 was changed 20 minutes before the alert by deploy-pipeline: vmSize Standard_D2s_v5 to Standard_D4s_v5.",
        ),
        (
            ResourceChange {
                kind: String::new(),
                ..of(vm, "Microsoft.Compute/virtualMachines/restart/action")
            },
            Kind::Machine,
            Verb::Restarted,
            "web-01 was restarted 20 minutes before the alert by deploy-pipeline.",
        ),
        (
            ResourceChange {
                kind: String::new(),
                sub_status: "Conflict".to_owned(),
                error: Some("SkuNotAvailable".to_owned()),
                ..of(vm, "Microsoft.Compute/virtualMachines/write")
            },
            Kind::Machine,
            Verb::Changed,
            "web-01 could not be changed 20 minutes before the alert by deploy-pipeline (SkuNotAvailable).",
        ),
        (
            of(
                &format!("{}/routes/to-firewall", samples::ROUTES_WEB),
                "Microsoft.Network/routeTables/routes/delete",
            ),
            Kind::RouteTable,
            Verb::Changed,
            "Route table rt-web was changed 20 minutes before the alert by deploy-pipeline: route to-firewall removed.",
        ),
        (
            of(
                samples::LOAD_BALANCER,
                "Microsoft.Network/loadBalancers/write",
            ),
            Kind::LoadBalancer,
            Verb::Changed,
            "Load balancer lb-front was changed 20 minutes before the alert by deploy-pipeline.",
        ),
        (
            ResourceChange {
                kind: "Create".to_owned(),
                sub_status: "Created".to_owned(),
                ..of(
                    &format!("{vm}/extensions/agent"),
                    "Microsoft.Compute/virtualMachines/extensions/write",
                )
            },
            Kind::Extension,
            Verb::Created,
            "Extension agent was created 20 minutes before the alert by deploy-pipeline.",
        ),
    ] {
        let story = Story::with(&[]).await;
        story.world.azure.change(change);
        let notice = story.notice().await;
        assert_eq!(lines(&notice), [expected]);
        let kept = story.until_kept(|kept| !kept.changes.is_empty()).await;
        assert_eq!((kept.changes[0].kind, kept.changes[0].verb), (kind, verb));
        story.world.end().await;
    }
}

#[tokio::test]
async fn the_metrics_are_kept_minute_by_minute() {
    let story = Story::with(&[]).await;
    story.notice().await;
    let kept = story.until_kept(|kept| !kept.metrics.is_empty()).await;
    let names: Vec<&str> = kept.metrics.iter().map(|it| &*it.name).collect();
    for name in ["Network In Total", "Network Out Total", "Percentage CPU"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for series in &kept.metrics {
        assert!(series.points().count() >= 55, "{}", series.name);
        let totals = series.unit.as_deref() == Some("Bytes");
        assert_eq!(
            &*series.aggregation,
            if totals { "Total" } else { "Average" }
        );
    }
    story.world.end().await;
}

#[tokio::test]
async fn a_machine_that_is_not_well_is_said() {
    let story = Story::with(&[]).await;
    let summary = "We're sorry, your virtual machine isn't available.";
    story
        .world
        .azure
        .set_health(samples::WEB_01, "Unavailable", summary);
    let notice = story.notice().await;
    let expected = format!("Azure reports web-01 as Unavailable: {summary}");
    assert_eq!(lines(&notice), [NO_CHANGE, &expected]);
    story.world.end().await;
}

#[tokio::test]
async fn effective_rules_and_routes_are_kept_where_that_is_set() {
    let story = Story::with(&[("Changes__EffectiveRules", "true")]).await;
    let groups = json!([{
        "networkSecurityGroup": { "id": samples::NSG_WEB },
        "association": { "subnet": { "id": samples::SUBNET_WEB } },
        "effectiveSecurityRules": [{
            "name": "securityRules/deny-sql", "protocol": "Tcp", "direction": "Outbound",
            "access": "Deny", "priority": 200, "sourceAddressPrefix": "0.0.0.0/0",
            "sourcePortRange": "0-65535", "destinationAddressPrefix": "10.1.2.0/24",
            "destinationPortRange": "1433-1433",
        }],
    }]);
    let routes = json!([{ "source": "User", "state": "Active", "addressPrefix": ["0.0.0.0/0"],
        "nextHopType": "VirtualAppliance", "nextHopIpAddress": ["10.0.9.4"] }]);
    let azure = &story.world.azure;
    azure.set_effective(samples::NIC_WEB_01, groups, routes);
    story.notice().await;
    let kept = story
        .until_kept(|kept| !kept.rules.is_empty() && !kept.routes.is_empty())
        .await;
    assert_eq!(&*kept.rules[0].name, "securityRules/deny-sql");
    assert!(kept.rules[0].of_subnet);
    assert_eq!(&*kept.routes[0].next_hop_type, "VirtualAppliance");
    story.world.end().await;
}
