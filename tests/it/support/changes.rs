//! What changed around alerts, as samples: a rule that explains a silent endpoint, and texts that only an attacker would
//! write.

use super::incidents::{HOSTILE, SUBSCRIPTION};
use alert_packet_capture::changes::{
    Cause, Change, ChangedValue, ControlPlane, EffectiveRule, Health, Kind, MetricSeries, Missing,
    Verb,
};
use time::{Duration, OffsetDateTime};

/// The id of a resource of the shop.
fn id(below: &str) -> String {
    format!("{SUBSCRIPTION}/resourceGroups/rg-shop/providers/{below}")
}

fn minutes(at: OffsetDateTime, minutes: i64) -> OffsetDateTime {
    at + Duration::minutes(minutes)
}

fn series(name: &str, unit: &str, alert_at: OffsetDateTime, of: fn(i64) -> f64) -> MetricSeries {
    let begins_at = minutes(alert_at, -60);
    // Azure lacks a minute now and then.
    let values = (0..130).filter(|minute| minute % 47 != 46);
    let points = values.map(|minute| (minutes(begins_at, minute), of(minute)));
    MetricSeries {
        unit: Some(unit.into()),
        ..MetricSeries::of(name, "Total", begins_at, points)
    }
}

/// A deployment twelve minutes before the alert that denies the way to the database, and what else happened.
pub fn gathered(alert_at: OffsetDateTime) -> ControlPlane {
    let nsg = id("Microsoft.Network/networkSecurityGroups/nsg-data");
    let change = |minutes_before: i64, kind, verb, resource: &str| {
        Change::new(minutes(alert_at, -minutes_before), kind, verb, resource)
    };
    let by = |who: &str| Some(who.into());
    let value = |path: &str, old: &str, new: &str| ChangedValue {
        path: path.into(),
        old: (!old.is_empty()).then(|| old.into()),
        new: (!new.is_empty()).then(|| new.into()),
    };
    let mut gathered = ControlPlane::new(
        alert_at,
        alert_at - Duration::hours(6),
        minutes(alert_at, 70),
    );
    gathered.complete = true;
    gathered.changes = vec![
        Change {
            by: by("deploy-pipeline"),
            what: Some("rule deny-sql added".into()),
            values: vec![
                value(
                    "properties.securityRules[\"deny-sql\"].properties.access",
                    "",
                    "Deny",
                ),
                value(
                    "properties.securityRules[\"deny-sql\"].properties.priority",
                    "",
                    "100",
                ),
            ],
            ..change(12, Kind::SecurityGroup, Verb::Changed, &nsg)
        },
        Change {
            by: by("ada@contoso.example"),
            values: vec![value(
                "properties.hardwareProfile.vmSize",
                "Standard_D2s_v5",
                "Standard_D4s_v5",
            )],
            ..change(
                185,
                Kind::Machine,
                Verb::Changed,
                &id("Microsoft.Compute/virtualMachines/sql-01"),
            )
        },
        Change {
            failed: Some("Conflict".into()),
            by: by("ada@contoso.example"),
            ..change(
                31,
                Kind::Machine,
                Verb::Restarted,
                &id("Microsoft.Compute/virtualMachines/sql-01"),
            )
        },
        change(
            4,
            Kind::Other,
            Verb::Changed,
            &id("Microsoft.Web/sites/shop-frontend"),
        ),
    ];
    let mut tcp = series(
        "TCP Segments Sent",
        "Count",
        alert_at,
        |minute| match minute {
            0..48 => 1_900.0 + 140.0 * f64::from((minute * 7 % 13) as i32),
            48..75 => 1_900.0 + 310.0 * f64::from((minute - 47) as i32),
            _ => 2_400.0 + 90.0 * f64::from((minute * 5 % 11) as i32),
        },
    );
    tcp.of_alert = true;
    let out = series("Network Out Total", "Bytes", alert_at, |minute| {
        1_400_000.0 + 90_000.0 * f64::from((minute * 11 % 17) as i32)
    });
    gathered.metrics = vec![tcp, out];
    gathered.health = Some(Health {
        power: Some("running".into()),
        availability: Some("Available".into()),
        ..Health::default()
    });
    gathered.rules = rules(&nsg);
    gathered.missing = vec![Missing::new(
        "effective routes",
        "Microsoft.Network/networkInterfaces/effectiveRouteTable/action",
        Cause::Right,
        None,
    )];
    gathered.bounded()
}

fn rules(nsg: &str) -> Vec<EffectiveRule> {
    let rule = |name: &str, priority, access: &str, to: &str, ports: &str| EffectiveRule {
        name: name.into(),
        group: Some(nsg.into()),
        interface: id("Microsoft.Network/networkInterfaces/nic-sql-01").into(),
        of_subnet: false,
        direction: "Outbound".into(),
        access: access.into(),
        protocol: "Tcp".into(),
        priority,
        source: vec!["*".into()],
        source_ports: vec!["0-65535".into()],
        destination: vec![to.into()],
        destination_ports: vec![ports.into()],
        cut: false,
    };
    vec![
        rule(
            "securityRules/deny-sql",
            100,
            "Deny",
            "10.1.0.0/16",
            "1433-1433",
        ),
        rule("securityRules/allow-dns", 200, "Allow", "10.0.0.0/8", "53"),
    ]
}

/// One value, no change, and nothing that could be read of changes.
pub fn almost_nothing(alert_at: OffsetDateTime) -> ControlPlane {
    let mut gathered = ControlPlane::new(alert_at, alert_at - Duration::hours(6), alert_at);
    gathered.metrics = vec![MetricSeries {
        of_alert: true,
        ..MetricSeries::of(
            "Percentage CPU",
            "Average",
            minutes(alert_at, -60),
            [(minutes(alert_at, -2), 41.5)].into_iter(),
        )
    }];
    gathered
}

/// What an attacker who can deploy could try.
pub fn hostile(alert_at: OffsetDateTime) -> ControlPlane {
    let long = format!("{HOSTILE} {}", "x".repeat(300));
    let mut gathered = gathered(alert_at);
    let change = |number: i64| Change {
        what: Some(long.as_str().into()),
        by: Some(long.as_str().into()),
        failed: Some(HOSTILE.into()),
        values: vec![
            ChangedValue {
                path: long.as_str().into(),
                old: Some(long.as_str().into()),
                new: Some(HOSTILE.into()),
            };
            9
        ],
        ..Change::new(
            alert_at - Duration::seconds(number),
            Kind::SecurityGroup,
            Verb::Changed,
            &format!("/{long}/{number}"),
        )
    };
    gathered.changes = (0..30).map(change).collect();
    for series in &mut gathered.metrics {
        series.name = long.as_str().into();
        series.unit = Some(HOSTILE.into());
    }
    gathered.health = Some(Health {
        summary: Some(long.as_str().into()),
        availability: Some(HOSTILE.into()),
        ..Health::default()
    });
    for rule in &mut gathered.rules {
        rule.name = long.as_str().into();
    }
    gathered.missing = vec![Missing::new(HOSTILE, &long, Cause::Right, Some(HOSTILE))];
    gathered.bounded()
}
