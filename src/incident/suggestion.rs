//! A profile that fits an alert, for the usual metrics: what to capture when it fires, and why. Advice for the owner, who
//! puts it into the settings; the function never acts on it. Pure.

use super::allowed::matches;
use crate::alert::Alert;

/// A profile for an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The profile's name.
    pub name: &'static str,
    /// Why these parameters: whole sentences.
    pub reason: &'static str,
    /// The profile's settings: their names without those of the profile, and their values.
    pub settings: Vec<(&'static str, String)>,
}

/// What is known of one kind of alert.
struct Kind {
    name: &'static str,
    /// Names of metrics or of rules, in small letters, `*` for any text.
    patterns: &'static [&'static str],
    reason: &'static str,
    settings: &'static [(&'static str, &'static str)],
}

/// In the order in which they are tried; the profiles get their `Order` by it.
/// <https://learn.microsoft.com/en-us/azure/virtual-machines/monitor-vm-reference#metrics>,
/// <https://learn.microsoft.com/en-us/azure/network-watcher/connection-monitor-overview#metrics-in-azure-monitor>
static KINDS: [Kind; 6] = [
    Kind {
        name: "probe",
        patterns: &["checksfailedpercent", "roundtriptimems", "testresult"],
        reason: "A test of Connection Monitor fails: only packets to and from its destination matter, so a busy machine's other traffic does not fill the file. Two minutes hold several tests at the usual interval of 30 or 60 s.",
        settings: &[("TimeLimitInSeconds", "120")],
    },
    Kind {
        name: "dns",
        patterns: &["*dns*", "*name resol*"],
        reason: "Queries and answers are small, and the answer's code is in the payload: whole packets of port 53 alone, for long enough that caches expire.",
        settings: &[
            ("TimeLimitInSeconds", "300"),
            ("BytesToCapturePerPacket", "0"),
            (
                "Filters",
                r#"[{"protocol":"UDP","remotePort":"53"},{"protocol":"TCP","remotePort":"53"}]"#,
            ),
        ],
    },
    Kind {
        name: "connections",
        patterns: &[
            "*connection*fail*",
            "*fail*connection*",
            "*connection*reset*",
            "*snat*",
            "*connection attempt*",
        ],
        reason: "Failed attempts show in the first packets of a connection: SYN without answer, or a reset. 128 bytes hold the headers of TCP with their options, so the byte limit lasts ten times as long; other protocols are left out.",
        settings: &[
            ("TimeLimitInSeconds", "120"),
            ("BytesToCapturePerPacket", "128"),
            ("Filters", r#"[{"protocol":"TCP"}]"#),
        ],
    },
    Kind {
        name: "segments",
        patterns: &["*segment*", "*retrans*", "tcp*"],
        reason: "Retransmissions, windows and resets are in TCP's headers: 128 bytes of each packet are enough, and a minute at high rates fits into the file.",
        settings: &[
            ("TimeLimitInSeconds", "60"),
            ("BytesToCapturePerPacket", "128"),
            ("Filters", r#"[{"protocol":"TCP"}]"#),
        ],
    },
    Kind {
        name: "flows",
        patterns: &["*flow*"],
        reason: "Too many flows are many first packets: who opens them is in 96 bytes of each packet. All protocols, since UDP makes flows, too.",
        settings: &[
            ("TimeLimitInSeconds", "60"),
            ("BytesToCapturePerPacket", "96"),
        ],
    },
    Kind {
        name: "traffic",
        patterns: &[
            "network out*",
            "network in*",
            "*bytes sent*",
            "*bytes received*",
            "*throughput*",
        ],
        reason: "Much traffic fills a file within seconds: 96 bytes of each packet still show who talks with whom, how much, and by which protocol. 30 s are enough for that.",
        settings: &[
            ("TimeLimitInSeconds", "30"),
            ("BytesToCapturePerPacket", "96"),
        ],
    },
];

/// A profile for this alert; `None`: what it counts says nothing about packets.
pub fn suggest(alert: &Alert) -> Option<Suggestion> {
    let metrics = alert.facts.conditions.iter();
    let metrics: Vec<&str> = metrics.filter_map(|it| it.metric.as_deref()).collect();
    let fits = |kind: &Kind, text: &str| kind.patterns.iter().any(|it| matches(it, text));
    let by_metric = (1_usize..).zip(&KINDS).find_map(|(at, kind)| {
        let metric = metrics.iter().find(|metric| fits(kind, metric))?;
        Some((at, kind, ("Metrics", *metric)))
    });
    // What a rule counts says more than its name.
    let rule = alert.facts.rule.as_deref().filter(|_| metrics.is_empty());
    let (at, kind, condition) = by_metric.or_else(|| {
        let rule = rule?;
        let (at, kind) = (1..).zip(&KINDS).find(|(_, kind)| fits(kind, rule))?;
        Some((at, kind, ("Rules", rule)))
    })?;
    // What separates entries of a list may be any text.
    let entry = condition.1.replace([',', ';'], "*");
    let mut settings = vec![
        ("Order", at.saturating_mul(10).to_string()),
        (condition.0, entry),
    ];
    let own = kind.settings.iter();
    settings.extend(own.map(|(name, value)| (*name, (*value).to_owned())));
    if kind.name == "probe"
        && let Some(filters) = of_destination(alert)
    {
        settings.push(("Filters", filters.to_owned()));
    }
    Some(Suggestion {
        name: kind.name,
        reason: kind.reason,
        settings,
    })
}

/// Filters with the destination of a test, as far as the alert rule is split by it. A test without a port has port 0.
fn of_destination(alert: &Alert) -> Option<&'static str> {
    let value = |name: &str| alert.dimensions.single(name);
    value("DestinationAddress")?;
    Some(match value("DestinationPort") {
        Some(port) if port != "0" => {
            r#"[{"protocol":"TCP","remoteIPAddress":"{DestinationAddress}","remotePort":"{DestinationPort}"}]"#
        }
        _ => r#"[{"remoteIPAddress":"{DestinationAddress}"}]"#,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn alert(metric: Option<&str>, rule: &str, dimensions: Value) -> Alert {
        let body = json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": { "alertRule": rule, "monitorCondition": "Fired" },
                "alertContext": { "condition": { "allOf": [
                    { "metricName": metric.map(|_| "Percentage CPU") },
                    { "metricName": metric, "dimensions": dimensions },
                ]}},
            },
        });
        crate::alert::read(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_usual_metrics_have_a_profile() {
        let to = |port: &str| {
            json!([
                { "name": "DestinationAddress", "value": "10.1.2.3" },
                { "name": "DestinationPort", "value": port },
            ])
        };
        for (metric, rule, dimensions, expected) in [
            (
                Some("ChecksFailedPercent"),
                "r",
                to("1433"),
                Some(("probe", "Metrics=ChecksFailedPercent", "{DestinationPort}")),
            ),
            (
                Some("RoundTripTimeMs"),
                "r",
                to("0"),
                Some(("probe", "Order=10", r#"Filters=[{"remoteIPAddress""#)),
            ),
            (
                Some("TestResult"),
                "r",
                Value::Null,
                Some(("probe", "TimeLimitInSeconds=120", "Order=10")),
            ),
            (
                Some("TCP Segments Retransmitted/sec"),
                "r",
                Value::Null,
                Some(("segments", "Metrics=TCP Segments Retransmitted/sec", "=128")),
            ),
            (
                Some("Network Out Total"),
                "r",
                Value::Null,
                Some(("traffic", "Metrics=Network Out Total", "=96")),
            ),
            (
                Some("Inbound Flows Maximum Creation Rate"),
                "r",
                Value::Null,
                Some(("flows", "Order=50", "=96")),
            ),
            (
                Some("Connection Failures"),
                "r",
                Value::Null,
                Some(("connections", "Order=30", "TCP")),
            ),
            (
                Some("DNS, failed; queries"),
                "r",
                Value::Null,
                Some(("dns", "Metrics=DNS* failed* queries", "53")),
            ),
            (
                None,
                "dns-timeouts",
                Value::Null,
                Some(("dns", "Rules=dns-timeouts", "Order=20")),
            ),
            (Some("Disk Read Bytes"), "dns-slow", Value::Null, None),
        ] {
            let found = suggest(&alert(metric, rule, dimensions));
            let Some((name, one, other)) = expected else {
                assert_eq!(found, None, "{metric:?}");
                continue;
            };
            let found = found.unwrap();
            let settings: Vec<String> = found
                .settings
                .iter()
                .map(|(n, v)| format!("{n}={v}"))
                .collect();
            assert_eq!(found.name, name);
            assert!(settings.iter().any(|it| it == one), "{settings:?}");
            assert!(settings.iter().any(|it| it.contains(other)), "{settings:?}");
        }
    }
}
