//! What a running capture that an alert joins gathers in another way than the alert's profile asks for: its file may not
//! have the packets that people look for. Pure.

use super::parameters::Parameters;
use crate::{azure::network_watcher::PacketCapture, incident::Job};
use serde_json::Value;
use std::collections::BTreeSet;

/// In words what differs between a running capture and what this job's profile asks for; `None`: nothing does, or the
/// settings have no profiles.
pub(super) fn differences(
    running: &PacketCapture,
    parameters: &Parameters,
    job: &Job,
) -> Option<String> {
    let profile = job.profile.as_ref()?;
    let mut differ = Vec::new();
    let seconds = i64::from(parameters.time_limit_seconds);
    if let Some(limit) = running.time_limit_seconds.filter(|limit| *limit != seconds) {
        differ.push(format!(
            "its time limit is {limit} s instead of {seconds} s"
        ));
    }
    // 0 stands for whole packets, and the service writes it where nothing was said.
    let kept = running.bytes_per_packet.unwrap_or_default();
    let wanted = i64::from(parameters.bytes_per_packet.unwrap_or_default());
    let packets = |bytes: i64| match bytes {
        0 => "whole packets".to_owned(),
        bytes => format!("{bytes} bytes of each packet"),
    };
    if kept != wanted {
        differ.push(format!(
            "it keeps {} instead of {}",
            packets(kept),
            packets(wanted)
        ));
    }
    let wanted = normal(&parameters.filters_of(job));
    let filters = normal(&running.filters);
    if filters != wanted {
        differ.push(match (filters.is_empty(), wanted.is_empty()) {
            (true, _) => "it captures all packets".to_owned(),
            (false, true) => "its filters let only some packets through".to_owned(),
            (false, false) => "it has other filters".to_owned(),
        });
    }
    (!differ.is_empty()).then(|| {
        format!(
            "It captures in another way than the profile {} asks for: {}",
            profile.name,
            differ.join("; ")
        )
    })
}

/// Filters to compare: the service writes empty members where nothing was said, and `Any` for no protocol.
fn normal(filters: &[Value]) -> BTreeSet<BTreeSet<(String, String)>> {
    let one = |filter: &Value| {
        let members = filter.as_object().into_iter().flatten();
        let said = members.filter_map(|(name, value)| {
            let value = value.as_str()?.trim_end_matches(';').to_ascii_lowercase();
            let any = name.eq_ignore_ascii_case("protocol") && value == "any";
            (!value.is_empty() && !any).then(|| (name.to_ascii_lowercase(), value))
        });
        said.collect()
    };
    filters.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_compare_without_what_the_service_adds() {
        let sent = [json!({"protocol": "TCP", "remotePort": "80;443"})];
        let listed = [json!({
            "protocol": "Tcp", "localIPAddress": "", "remoteIPAddress": "", "localPort": "",
            "remotePort": "80;443;",
        })];
        let other = [json!({"protocol": "UDP", "remotePort": "80;443"})];
        let any = [json!({"protocol": "Any", "remotePort": "80;443"})];
        let none = [json!({"remotePort": "80;443"})];
        assert_eq!(normal(&sent), normal(&listed));
        assert_ne!(normal(&sent), normal(&other));
        assert_ne!(normal(&sent), normal(&any));
        assert_eq!(normal(&any), normal(&none));
        assert_ne!(normal(&sent), normal(&[]));
    }
}
