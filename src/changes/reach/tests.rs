//! Effective rules and connections, as tables.

use super::*;

const NIC: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic-web-01";
const NSG: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg-web";

fn list(texts: &[&str]) -> Vec<Box<str>> {
    texts.iter().map(|text| (*text).into()).collect()
}

/// An outbound rule with these destinations and ports.
fn rule(name: &str, priority: u32, access: &str, to: &[&str], ports: &[&str]) -> EffectiveRule {
    EffectiveRule {
        name: name.into(),
        group: Some(NSG.into()),
        interface: NIC.into(),
        of_subnet: false,
        direction: "Outbound".into(),
        access: access.into(),
        protocol: "All".into(),
        priority,
        source: list(&["*"]),
        source_ports: list(&["0-65535"]),
        destination: list(to),
        destination_ports: list(ports),
        cut: false,
    }
}

/// The default rules of an NSG.
fn defaults() -> Vec<EffectiveRule> {
    let all = &["0-65535"];
    let mut vnet = rule(
        "defaultSecurityRules/AllowVnetOutBound",
        65_000,
        "Allow",
        &["10.0.0.0/8", "fd00:db8::/48"],
        all,
    );
    vnet.source = list(&["VirtualNetwork"]);
    vec![
        rule(
            "defaultSecurityRules/DenyAllOutBound",
            65_500,
            "Deny",
            &["0.0.0.0/0", "::/0"],
            all,
        ),
        rule(
            "defaultSecurityRules/AllowInternetOutBound",
            65_001,
            "Allow",
            &["Internet"],
            all,
        ),
        vnet,
    ]
}

fn with(more: &[EffectiveRule]) -> Vec<EffectiveRule> {
    let mut rules = defaults();
    rules.extend_from_slice(more);
    rules
}

fn to(address: &str, port: u16) -> Flow {
    Flow {
        direction: Direction::Outbound,
        transport: Transport::Tcp,
        local: None,
        remote: Some(address.parse().unwrap()),
        port,
    }
}

fn said(rules: &[EffectiveRule], flow: &Flow) -> String {
    match reach(rules, flow) {
        Reach::Allowed(rule) => format!("allowed by {}", rule.name),
        Reach::Denied(rule) => format!("denied by {}", rule.name),
        Reach::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn rules_follow_the_table() {
    let deny_sql = || rule("deny-sql", 100, "Deny", &["10.1.0.0/16"], &["1433-1433"]);
    let changed = |change: fn(&mut EffectiveRule)| {
        let mut rule = deny_sql();
        change(&mut rule);
        with(&[rule])
    };
    let sql = to("10.1.2.3", 1_433);
    let allowed = "allowed by defaultSecurityRules/AllowVnetOutBound";
    for (case, rules, flow, expected) in [
        (
            "its prefix and port",
            with(&[deny_sql()]),
            sql,
            "denied by deny-sql",
        ),
        (
            "another port",
            with(&[deny_sql()]),
            to("10.1.2.3", 443),
            allowed,
        ),
        (
            "another prefix",
            with(&[deny_sql()]),
            to("10.2.2.3", 1_433),
            allowed,
        ),
        (
            "a public address",
            with(&[deny_sql()]),
            to("93.184.216.34", 443),
            "allowed by defaultSecurityRules/AllowInternetOutBound",
        ),
        (
            "the same in IPv6",
            with(&[rule("deny6", 90, "Deny", &["fd00:db8::/64"], &["*"])]),
            to("fd00:db8::5", 443),
            "denied by deny6",
        ),
        (
            "IPv6 in the network",
            with(&[deny_sql()]),
            to("fd00:db8::5", 443),
            allowed,
        ),
        (
            "a lower number decides",
            with(&[
                deny_sql(),
                rule("allow-sql", 90, "Allow", &["10.1.2.3"], &["1433"]),
            ]),
            sql,
            "allowed by allow-sql",
        ),
        (
            "no rule before the last",
            with(&[]),
            to("172.16.0.1", 443),
            "denied by defaultSecurityRules/DenyAllOutBound",
        ),
        (
            "UDP alone",
            changed(|it| it.protocol = "Udp".into()),
            sql,
            allowed,
        ),
        (
            "TCP, in other letters",
            changed(|it| it.protocol = "TCP".into()),
            sql,
            "denied by deny-sql",
        ),
        (
            "inbound alone",
            changed(|it| it.direction = "Inbound".into()),
            sql,
            allowed,
        ),
        // The address of the machine is not known.
        (
            "another source",
            changed(|it| it.source = list(&["10.0.0.4"])),
            sql,
            "unknown",
        ),
        (
            "a source of any IPv4 address",
            changed(|it| it.source = list(&["0.0.0.0/0"])),
            sql,
            "denied by deny-sql",
        ),
        (
            "some source ports",
            changed(|it| it.source_ports = list(&["1-1023"])),
            sql,
            "unknown",
        ),
        (
            "a list that was cut",
            changed(|it| {
                it.destination = list(&["10.9.0.0/16"; 40]);
                it.cut = true;
            }),
            sql,
            "unknown",
        ),
        (
            "a short list of a cut rule",
            changed(|it| {
                it.destination = list(&["10.9.0.0/16"]);
                it.cut = true;
            }),
            sql,
            allowed,
        ),
        (
            "a tag of public addresses",
            changed(|it| it.destination = list(&["Sql"])),
            sql,
            allowed,
        ),
        (
            "a tag that may have it",
            changed(|it| it.destination = list(&["Sql"])),
            to("52.236.184.163", 1_433),
            "unknown",
        ),
        (
            "a word that is not known",
            changed(|it| it.access = "AlwaysAllow".into()),
            sql,
            "unknown",
        ),
        (
            "the platform",
            with(&[rule("deny-all", 100, "Deny", &["*"], &["*"])]),
            to("168.63.129.16", 53),
            "unknown",
        ),
        (
            "no default rules",
            vec![deny_sql()],
            to("10.1.2.3", 80),
            "unknown",
        ),
        ("no rules", vec![], sql, "unknown"),
    ] {
        assert_eq!(said(&rules, &flow), expected, "{case}");
    }
}

#[test]
fn a_known_address_of_the_machine_decides_about_its_sources() {
    let mut from = rule("deny-from", 100, "Deny", &["*"], &["*"]);
    from.source = list(&["10.0.0.4/32"]);
    let rules = with(&[from]);
    for (local, expected) in [
        (Some("10.0.0.4"), "denied by deny-from"),
        (
            Some("10.0.0.5"),
            "allowed by defaultSecurityRules/AllowVnetOutBound",
        ),
        (None, "unknown"),
    ] {
        let flow = Flow {
            local: local.map(|local| local.parse().unwrap()),
            ..to("10.1.2.3", 443)
        };
        assert_eq!(said(&rules, &flow), expected, "{local:?}");
    }
}

#[test]
fn both_nsgs_of_an_interface_must_allow_and_all_interfaces_agree() {
    let subnets = |rules: Vec<EffectiveRule>| {
        rules.into_iter().map(|rule| EffectiveRule {
            of_subnet: true,
            group: Some("/nsg-subnet".into()),
            ..rule
        })
    };
    let others = |rules: Vec<EffectiveRule>| {
        rules.into_iter().map(|rule| EffectiveRule {
            interface: "/nic-2".into(),
            ..rule
        })
    };
    let deny = || rule("deny", 100, "Deny", &["10.1.0.0/16"], &["*"]);
    let both = |own: Vec<EffectiveRule>, more: Vec<EffectiveRule>| [own, more].concat();
    let flow = to("10.1.2.3", 443);
    for (case, rules, expected) in [
        (
            "the subnet denies",
            both(with(&[]), subnets(with(&[deny()])).collect()),
            "denied by deny",
        ),
        (
            "the interface denies",
            both(with(&[deny()]), subnets(with(&[])).collect()),
            "denied by deny",
        ),
        (
            "both allow",
            both(with(&[]), subnets(with(&[])).collect()),
            "allowed by defaultSecurityRules/AllowVnetOutBound",
        ),
        (
            "the subnet's are not complete",
            both(with(&[]), subnets(vec![deny()]).collect()),
            "denied by deny",
        ),
        (
            "one interface of two denies",
            both(with(&[]), others(with(&[deny()])).collect()),
            "unknown",
        ),
        (
            "both interfaces deny",
            both(with(&[deny()]), others(with(&[deny()])).collect()),
            "denied by deny",
        ),
    ] {
        assert_eq!(said(&rules, &flow), expected, "{case}");
    }
}

#[test]
fn inbound_connections_come_from_anywhere() {
    let mut ssh = rule("allow-ssh", 100, "Allow", &["*"], &["22"]);
    ssh.direction = "Inbound".into();
    let mut rest = rule("DenyAllInBound", 65_500, "Deny", &["*"], &["*"]);
    rest.direction = "Inbound".into();
    let flow = |port| Flow {
        direction: Direction::Inbound,
        transport: Transport::Tcp,
        local: Some("10.0.0.4".parse().unwrap()),
        remote: None,
        port,
    };
    let mut narrow = ssh.clone();
    narrow.source = list(&["10.9.0.0/16"]);
    for (rules, port, expected) in [
        (vec![ssh.clone(), rest.clone()], 22, "allowed by allow-ssh"),
        (
            vec![ssh.clone(), rest.clone()],
            80,
            "denied by DenyAllInBound",
        ),
        (vec![narrow.clone(), rest.clone()], 22, "unknown"),
    ] {
        assert_eq!(said(&rules, &flow(port)), expected, "{port}");
    }
}
