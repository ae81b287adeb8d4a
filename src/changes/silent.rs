//! Endpoints that did not answer, joined with the effective security rules that speak of them: two readings of the same
//! minutes, one of the packets and one of the control plane. A count and a rule, not a cause.

use super::{
    ControlPlane, EffectiveRule,
    reach::{Direction, Flow, Reach, Transport, reach},
};
use std::net::SocketAddr;

/// Maximum number of endpoints that are joined.
const MOST_ENDPOINTS: usize = 20;

/// An endpoint of TCP that did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silent {
    pub endpoint: SocketAddr,
    /// Whether it is the machine's own, so that the connection was inbound.
    pub is_own: bool,
}

/// What the effective rules say of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleNote {
    pub sentence: String,
    /// The same without the address.
    pub plain: String,
    /// Whether a rule denies the connection; `None`: the rules do not decide about it.
    pub denied: Option<bool>,
}

impl ControlPlane {
    /// What the effective rules say of endpoints that did not answer; nothing where no rules were read.
    pub fn rules_about(&self, silent: impl IntoIterator<Item = Silent>) -> Vec<RuleNote> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let notes = silent.into_iter().take(MOST_ENDPOINTS);
        notes.map(|silent| note(&self.rules, silent)).collect()
    }
}

fn note(rules: &[EffectiveRule], silent: Silent) -> RuleNote {
    let Silent { endpoint, is_own } = silent;
    let flow = Flow {
        direction: match is_own {
            true => Direction::Inbound,
            false => Direction::Outbound,
        },
        transport: Transport::Tcp,
        local: is_own.then_some(endpoint.ip()),
        remote: (!is_own).then_some(endpoint.ip()),
        port: endpoint.port(),
    };
    let way = match is_own {
        true => "inbound",
        false => "outbound",
    };
    let plain = format!("An endpoint on port {}", endpoint.port());
    let by = |what: &str, rule: &EffectiveRule, verb: &str| {
        let group = rule.group.as_deref().map(last);
        let group = group.map_or(String::new(), |group| format!(" (NSG {group})"));
        let name = last(&rule.name);
        format!("{what} did not answer; effective rule {name} {verb} it {way}{group}.")
    };
    let full = endpoint.to_string();
    let said = |what: &str| match reach(rules, &flow) {
        Reach::Denied(rule) => (by(what, rule, "denies"), Some(true)),
        Reach::Allowed(rule) => (by(what, rule, "allows"), Some(false)),
        Reach::Unknown => (
            format!(
                "{what} did not answer; the effective rules that were read do not decide about it."
            ),
            None,
        ),
    };
    let (sentence, denied) = said(&full);
    RuleNote {
        sentence,
        plain: said(&plain).0,
        denied,
    }
}

/// Azure writes `securityRules/deny-sql`, and groups as ids.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn rule(name: &str, direction: &str, access: &str, port: &str) -> EffectiveRule {
        let all = || vec!["*".into()];
        EffectiveRule {
            name: name.into(),
            group: Some("/subscriptions/s/x/nsg-web".into()),
            interface: "/nic".into(),
            of_subnet: false,
            direction: direction.into(),
            access: access.into(),
            protocol: "Tcp".into(),
            priority: 100,
            source: all(),
            source_ports: all(),
            destination: all(),
            destination_ports: vec![port.into()],
            cut: false,
        }
    }

    #[test]
    fn an_endpoint_and_its_rule_are_one_sentence() {
        let at = datetime!(2026-11-28 07:30:00 UTC);
        let mut gathered = ControlPlane::new(at, at, at);
        let silent = |endpoint: &str, is_own| Silent {
            endpoint: endpoint.parse().unwrap(),
            is_own,
        };
        assert!(
            gathered
                .rules_about([silent("10.1.2.3:1433", false)])
                .is_empty()
        );
        gathered.rules = vec![
            rule("securityRules/deny-sql", "Outbound", "Deny", "1433"),
            rule("securityRules/allow-web", "Outbound", "Allow", "443"),
            rule("securityRules/deny-ssh", "Inbound", "Deny", "22"),
        ];
        for (endpoint, is_own, denied, sentence) in [
            (
                "10.1.2.3:1433",
                false,
                Some(true),
                "10.1.2.3:1433 did not answer; effective rule deny-sql denies it outbound (NSG nsg-web).",
            ),
            (
                "[fd00::1]:443",
                false,
                Some(false),
                "[fd00::1]:443 did not answer; effective rule allow-web allows it outbound (NSG nsg-web).",
            ),
            (
                "10.0.0.4:22",
                true,
                Some(true),
                "10.0.0.4:22 did not answer; effective rule deny-ssh denies it inbound (NSG nsg-web).",
            ),
            (
                "10.1.2.3:80",
                false,
                None,
                "10.1.2.3:80 did not answer; the effective rules that were read do not decide about it.",
            ),
        ] {
            let found = gathered.rules_about([silent(endpoint, is_own)]);
            let [found] = found.as_slice() else { panic!() };
            assert_eq!((found.sentence.as_str(), found.denied), (sentence, denied));
            let (_, port) = endpoint.rsplit_once(':').unwrap();
            let plain = sentence.replace(endpoint, &format!("An endpoint on port {port}"));
            assert_eq!(found.plain, plain);
        }
        let many = (1..=99).map(|port| silent(&format!("10.0.0.1:{port}"), false));
        assert_eq!(gathered.rules_about(many).len(), MOST_ENDPOINTS);
    }
}
