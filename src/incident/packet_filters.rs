//! Packet capture filters, checked before they are sent: the service takes some nonsense without a word and
//! then captures nothing. In a profile a member may be a place such as `{DestinationAddress}`, for a value of the alert.
//! That is foreign text: it must be what stands in its place, and decides nothing else.
//! <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/create#packetcapturefilter>

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, net::IpAddr};

/// Maximum characters of an alert's value; two addresses of IPv6 and a hyphen have 79.
const MAX_VALUE: usize = 80;
/// Maximum characters of a place's name. Azure Monitor's dimensions have fewer.
const MAX_PLACE: usize = 60;

/// The filters of a capture, checked; some members may be places for values of an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PacketFilters(Vec<Filter>);

#[derive(Debug, Clone, Deserialize, Serialize, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<Protocol>,
    #[serde(rename = "localIPAddress", skip_serializing_if = "Option::is_none")]
    local_ip_address: Option<String>,
    #[serde(rename = "remoteIPAddress", skip_serializing_if = "Option::is_none")]
    remote_ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_port: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_port: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize, PartialEq, Eq)]
enum Protocol {
    #[serde(rename = "TCP", alias = "tcp", alias = "Tcp")]
    Tcp,
    #[serde(rename = "UDP", alias = "udp", alias = "Udp")]
    Udp,
    #[serde(alias = "any", alias = "ANY")]
    Any,
}

/// What a member of a filter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Address,
    Port,
}

/// A value of an alert that a filter cannot take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    Missing { place: String },
    NotAnAddress { place: String },
    NotAPort { place: String },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Missing { place } => write!(f, "the alert has no single value {place}"),
            Unusable::NotAnAddress { place } => write!(
                f,
                "the alert's {place} is not an IP address, a range or a list of them"
            ),
            Unusable::NotAPort { place } => write!(
                f,
                "the alert's {place} is not a port from 1 to 65535, a range or a list of them"
            ),
        }
    }
}

impl PacketFilters {
    /// Reads a JSON array of filters in Resource Manager's form. `places`: whether a member may be a place for a value of
    /// the alert.
    ///
    /// # Errors
    /// A sentence that says what was expected, and in which filter.
    pub fn parse(text: &str, places: bool) -> Result<Self, String> {
        let filters: Vec<Filter> = serde_json::from_str(text).map_err(|error| {
            format!("needs a JSON array of filters such as [{{\"protocol\":\"TCP\",\"remotePort\":\"443\"}}] ({error})")
        })?;
        if filters.is_empty() {
            return Err("has no filter; remove the setting to capture all packets".to_owned());
        }
        for (index, filter) in filters.iter().enumerate() {
            if *filter == Filter::default() {
                return Err(format!(
                    "filter {index}: has no condition, so all packets pass it"
                ));
            }
            for (member, kind, text) in filter.members() {
                let Some(text) = text else { continue };
                match place(text) {
                    Some(_) if places => continue,
                    Some(_) => {
                        return Err(format!(
                            "filter {index}: {member} is a place for a value of the alert, which the filters of a profile alone can have (PacketCapture__Profiles__NAME__Filters)"
                        ));
                    }
                    None => {}
                }
                if !kind.fits(text) {
                    let needs = match kind {
                        Kind::Address => {
                            "one address, a range 10.0.0.1-10.0.0.9, or a list 10.0.0.1;10.0.0.5;"
                        }
                        Kind::Port => "text with one port, a range 80-85, or a list 80;443;",
                    };
                    return Err(format!("filter {index}: {member} is {needs}"));
                }
            }
        }
        Ok(Self(filters))
    }

    /// Whether all packets are captured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the places, each once.
    pub fn places(&self) -> Vec<&str> {
        let mut places: Vec<&str> = Vec::new();
        for (_, _, text) in self.0.iter().flat_map(Filter::members) {
            if let Some(place) = text.and_then(place)
                && !places.iter().any(|it| it.eq_ignore_ascii_case(place))
            {
                places.push(place);
            }
        }
        places
    }

    /// The filters in Resource Manager's form, each place filled with the alert's value.
    ///
    /// # Errors
    /// The first value that is missing or is not what stands in its place.
    pub fn fill<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Vec<Value>, Unusable> {
        let filled = self.0.iter().map(|filter| {
            let mut filter = filter.clone();
            for (kind, member) in filter.members_mut() {
                let Some(text) = member else { continue };
                let Some(place) = place(text).map(str::to_owned) else {
                    continue;
                };
                let value = value(&place).map(str::trim);
                *member = match value {
                    None => return Err(Unusable::Missing { place }),
                    Some(value) if kind.takes(value) => Some(value.to_owned()),
                    Some(_) => {
                        return Err(match kind {
                            Kind::Address => Unusable::NotAnAddress { place },
                            Kind::Port => Unusable::NotAPort { place },
                        });
                    }
                };
            }
            Ok(serde_json::to_value(filter).unwrap_or_default())
        });
        filled.collect()
    }
}

impl Filter {
    fn members(&self) -> [(&'static str, Kind, Option<&str>); 4] {
        [
            ("localIPAddress", Kind::Address, &self.local_ip_address),
            ("remoteIPAddress", Kind::Address, &self.remote_ip_address),
            ("localPort", Kind::Port, &self.local_port),
            ("remotePort", Kind::Port, &self.remote_port),
        ]
        .map(|(name, kind, text)| (name, kind, text.as_deref()))
    }

    fn members_mut(&mut self) -> [(Kind, &mut Option<String>); 4] {
        [
            (Kind::Address, &mut self.local_ip_address),
            (Kind::Address, &mut self.remote_ip_address),
            (Kind::Port, &mut self.local_port),
            (Kind::Port, &mut self.remote_port),
        ]
    }
}

impl Kind {
    /// Whether an owner's text is a value of this kind.
    fn fits(self, text: &str) -> bool {
        match self {
            Kind::Address => {
                is_one_range_or_list(text, address, |a, b| a.is_ipv4() == b.is_ipv4() && a <= b)
            }
            Kind::Port => is_one_range_or_list(text, port, |a, b| a <= b),
        }
    }

    /// Whether a value of an alert may stand here. A test of Connection Monitor without a port has port 0.
    fn takes(self, value: &str) -> bool {
        let written = |c: char| c.is_ascii_alphanumeric() || ".:-;".contains(c);
        let short = value.len() <= MAX_VALUE && value.chars().all(written);
        let zero = |port: &str| port.starts_with('0');
        short && self.fits(value) && (self != Kind::Port || !value.split([';', '-']).any(zero))
    }
}

/// The name of a place that a member consists of.
fn place(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let letters = |c: char| c.is_ascii_alphanumeric() || "_.- ".contains(c);
    let good = (1..=MAX_PLACE).contains(&name.len()) && name.chars().all(letters);
    good.then_some(name)
}

/// One value, `a-b` in order, or `a;b;` with or without the last semicolon. No mixture.
fn is_one_range_or_list<T>(
    text: &str,
    read: fn(&str) -> Option<T>,
    ordered: fn(&T, &T) -> bool,
) -> bool {
    if let Some((first, last)) = text.split_once('-') {
        return matches!((read(first), read(last)), (Some(a), Some(b)) if ordered(&a, &b));
    }
    let list = text.strip_suffix(';').unwrap_or(text);
    list.split(';').all(|entry| read(entry).is_some())
}

fn port(text: &str) -> Option<u16> {
    // `parse` would take a plus sign too.
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_follow_the_table() {
        for (text, good) in [
            (r#"[]"#, false),
            (r#"[{}]"#, false),
            (r#"[{"protocol":"TCP","remotePort":"443"}]"#, true),
            (
                r#"[{"protocol":"udp","localPort":"80-85"},{"remotePort":"80;443;"}]"#,
                true,
            ),
            (
                r#"[{"localIPAddress":"10.0.0.4","remoteIPAddress":"10.0.0.1-10.0.0.9"}]"#,
                true,
            ),
            (r#"[{"remoteIPAddress":"fd00::1;fd00::2;"}]"#, true),
            (r#"[{"remoteIPAddress":"10.0.0.1-fd00::1"}]"#, false),
            (r#"{"protocol":"TCP"}"#, false),
            (r#"[{"protocol":"ICMP"}]"#, false),
            (r#"[{"localPort":80}]"#, false),
            (r#"[{"localPort":"80-443;8080"}]"#, false),
            (r#"[{"localPort":"65536"}]"#, false),
            (r#"[{"localPort":"85-80"}]"#, false),
            (r#"[{"remoteIPAddress":"1.1.1.1-255.255.255"}]"#, false),
            (r#"[{"remoteIPAddress":""}]"#, false),
            (r#"[{"port":"80"}]"#, false),
        ] {
            assert_eq!(PacketFilters::parse(text, false).is_ok(), good, "{text}");
            assert_eq!(PacketFilters::parse(text, true).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn places_are_whole_members_of_a_profiles_filters() {
        for (text, good) in [
            (r#"[{"remoteIPAddress":"{DestinationAddress}"}]"#, true),
            (r#"[{"remotePort":"{DestinationPort}"}]"#, true),
            (r#"[{"remotePort":"{a}-{b}"}]"#, false),
            (r#"[{"remotePort":"80;{a}"}]"#, false),
            (r#"[{"remotePort":"{}"}]"#, false),
            (r#"[{"remotePort":"{a}b}"}]"#, false),
            (r#"[{"protocol":"{Protocol}"}]"#, false),
        ] {
            assert_eq!(PacketFilters::parse(text, true).is_ok(), good, "{text}");
            assert!(PacketFilters::parse(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_what_stands_in_their_places() {
        let address = r#"[{"remoteIPAddress":"{x}"}]"#;
        let port = r#"[{"protocol":"TCP","remotePort":"{x}"}]"#;
        for (filters, value, good) in [
            (address, "10.1.2.3", true),
            (address, " 10.1.2.3 ", true),
            (address, "fd00::1", true),
            (address, "10.0.0.1-10.0.0.9", true),
            (address, "10.0.0.1;10.0.0.5;", true),
            (address, "10.0.0.1-fd00::1", false),
            (address, "10.0.0.9-10.0.0.1", false),
            (address, "10.0.0.0/8", false),
            (address, "orders.example", false),
            (address, "https://10.1.2.3", false),
            (address, "10.1.2.3\",\"localPort\":\"1", false),
            (address, "{DestinationAddress}", false),
            (address, "", false),
            (address, "fe80::1%eth0", false),
            (address, "\u{ff11}0.1.2.3", false),
            (port, "443", true),
            (port, "80-85", true),
            (port, "80;443", true),
            (port, "0", false),
            (port, "0443", false),
            (port, "1-0", false),
            (port, "65536", false),
            (port, "+443", false),
            (port, "443.0", false),
            (port, "10.1.2.3", false),
        ] {
            let filters = PacketFilters::parse(filters, true).unwrap();
            let filled = filters.fill(|name| (name == "x").then_some(value));
            assert_eq!(filled.is_ok(), good, "{value}");
        }
        let long = "10.0.0.1;".repeat(9);
        let filters = PacketFilters::parse(address, true).unwrap();
        assert!(filters.fill(|_| Some(&long)).is_err());
    }

    #[test]
    fn what_is_filled_is_in_resource_managers_form() {
        let text = r#"[{"protocol":"TCP","remoteIPAddress":"{DestinationAddress}","remotePort":"{DestinationPort}"},{"localPort":"22"}]"#;
        let filters = PacketFilters::parse(text, true).unwrap();
        assert_eq!(filters.places(), ["DestinationAddress", "DestinationPort"]);
        let filled = filters.fill(|name| match name {
            "DestinationAddress" => Some("10.1.2.3"),
            _ => Some("1433"),
        });
        assert_eq!(
            filled.unwrap(),
            [
                json!({"protocol": "TCP", "remoteIPAddress": "10.1.2.3", "remotePort": "1433"}),
                json!({"localPort": "22"}),
            ]
        );
        let missing = filters.fill(|_| None).unwrap_err().to_string();
        assert_eq!(missing, "the alert has no single value DestinationAddress");
    }
}
