//! Packet capture filters, checked before they are sent: the service takes some nonsense without a word and
//! then captures nothing.
//! <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/create#packetcapturefilter>

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::IpAddr;

#[derive(Deserialize, Serialize, PartialEq, Eq, Default)]
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

#[derive(Deserialize, Serialize, PartialEq, Eq)]
enum Protocol {
    #[serde(rename = "TCP", alias = "tcp", alias = "Tcp")]
    Tcp,
    #[serde(rename = "UDP", alias = "udp", alias = "Udp")]
    Udp,
    #[serde(alias = "any", alias = "ANY")]
    Any,
}

/// Reads a JSON array of filters in Resource Manager's form.
///
/// # Errors
/// A sentence that says what was expected, and in which filter.
pub(super) fn parse(text: &str) -> Result<Vec<Value>, String> {
    let filters: Vec<Filter> = serde_json::from_str(text).map_err(|error| {
        format!("needs a JSON array of filters such as [{{\"protocol\":\"TCP\",\"remotePort\":\"443\"}}] ({error})")
    })?;
    if filters.is_empty() {
        return Err("has no filter; remove the setting to capture all packets".to_owned());
    }
    filters
        .iter()
        .enumerate()
        .map(|(index, filter)| {
            if *filter == Filter::default() {
                return Err(format!("filter {index}: has no condition, so all packets pass it"));
            }
            for (member, text) in [
                ("localIPAddress", &filter.local_ip_address),
                ("remoteIPAddress", &filter.remote_ip_address),
            ] {
                if !text.as_deref().is_none_or(|text| is_one_range_or_list(text, address)) {
                    return Err(format!(
                        "filter {index}: {member} is one address, a range 10.0.0.1-10.0.0.9, or a list 10.0.0.1;10.0.0.5;"
                    ));
                }
            }
            for (member, text) in [("localPort", &filter.local_port), ("remotePort", &filter.remote_port)] {
                if !text.as_deref().is_none_or(|text| is_one_range_or_list(text, port)) {
                    return Err(format!(
                        "filter {index}: {member} is text with one port, a range 80-85, or a list 80;443;"
                    ));
                }
            }
            serde_json::to_value(filter).map_err(|error| error.to_string())
        })
        .collect()
}

/// One value, `a-b` with a ≤ b, or `a;b;` with or without the last semicolon. No mixture.
fn is_one_range_or_list<T: PartialOrd>(text: &str, read: fn(&str) -> Option<T>) -> bool {
    if let Some((first, last)) = text.split_once('-') {
        return matches!((read(first), read(last)), (Some(a), Some(b)) if a <= b);
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

fn address(text: &str) -> Option<(bool, IpAddr)> {
    // IPv4 and IPv6 do not make a range: the flag keeps them apart only as far as order goes.
    text.parse().ok().map(|ip: IpAddr| (ip.is_ipv6(), ip))
}

#[cfg(test)]
mod tests {
    use super::parse;

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
            assert_eq!(parse(text).is_ok(), good, "{text}");
        }
    }
}
