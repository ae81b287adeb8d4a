//! The profiles of captures: which alerts get other parameters than those of `PacketCapture__…`, and which ones. A profile
//! that is half set, or that no alert would get, is an error.

use super::{
    Problem, capture,
    known::{PROFILES, canonical, is_profile_name},
    reader::Reader,
};
use crate::{
    capture::Parameters,
    incident::{Conditions, Profile, profile::DEFAULT},
};
use std::{collections::BTreeMap, time::Duration};
use url::Url;

/// Maximum number of profiles.
const MOST: usize = 50;
/// The time limit of a drill where its profile says nothing: it proves the way, and needs few packets.
const DRILL_SECONDS: u32 = 5;
const CONDITIONS: &str = "Severities, Signals, Metrics, Scopes, Drill or AllowByProperty";

/// What the settings without a profile's name say.
pub(super) struct Defaults<'d> {
    pub parameters: &'d Parameters,
    pub cooldown: Duration,
    pub stop_on_resolved: bool,
}

/// A profile and the parameters of its captures.
#[derive(Debug, Clone)]
pub struct ProfileSettings {
    pub profile: Profile,
    pub parameters: Parameters,
    order: Option<u32>,
}

/// The profiles in the order in which they are tried.
pub(super) fn read(reader: &mut Reader<'_>, defaults: &Defaults<'_>) -> Vec<ProfileSettings> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for rest in reader.below(PROFILES) {
        if let Some((name, _)) = rest.split_once("__")
            && is_profile_name(name)
        {
            names
                .entry(canonical(name))
                .or_insert_with(|| name.to_owned());
        }
    }
    if names.len() > MOST {
        let text = format!("has {} profiles, needs {MOST} at most", names.len());
        reader.problem(PROFILES, text);
        return Vec::new();
    }
    let names = names.into_values();
    let mut all: Vec<_> = names.map(|name| one(reader, name, defaults)).collect();
    check_order(reader, &all);
    all.sort_by_key(|it| it.order);
    check_reach(reader, &all);
    all
}

/// One setting of a profile.
struct Names<'n>(&'n str);

impl Names<'_> {
    fn of(&self, setting: &str) -> String {
        format!("{PROFILES}{}__{setting}", self.0)
    }
}

fn one(reader: &mut Reader<'_>, name: String, defaults: &Defaults<'_>) -> ProfileSettings {
    let names = Names(&name);
    let of = |setting: &str| names.of(setting);
    if name.eq_ignore_ascii_case(DEFAULT) {
        let text =
            "no profile can have this name, which stands for the settings without a profile's name";
        reader.add(Problem::new(format!("{PROFILES}{name}"), text));
    }
    let scopes = capture::scopes(reader, &of("Scopes"));
    let conditions = Conditions {
        rules: reader.list(&of("Rules")),
        severities: severities(reader, &of("Severities")),
        signals: reader.list(&of("Signals")),
        metrics: reader.list(&of("Metrics")),
        scopes,
        drill: reader.flag(&of("Drill")),
    };
    let by_property = reader.flag(&of("AllowByProperty"));
    let given = |reader: &mut Reader<'_>, setting: &str| reader.text(&of(setting)).is_some();
    let own: Vec<bool> = PARAMETERS.map(|it| given(reader, it)).to_vec();
    half_set(reader, &name, &conditions, by_property, own.contains(&true));

    let default = defaults.parameters;
    let mut parameters = default.clone();
    if given(reader, "StorageAccountId") || given(reader, "FilePath") {
        let (account, file) = (of("StorageAccountId"), of("FilePath"));
        parameters.storage = capture::storage(reader, &account, &file);
    }
    if given(reader, "Name") {
        parameters.name = capture::name(reader, &of("Name"));
    }
    match reader.optional_number(&of("TimeLimitInSeconds")) {
        Some(seconds) => parameters.time_limit_seconds = seconds,
        None if conditions.drill => parameters.time_limit_seconds = DRILL_SECONDS,
        None => {}
    }
    let bytes = reader.optional_number(&of("BytesToCapturePerPacket"));
    parameters.bytes_per_packet = bytes.or(default.bytes_per_packet);
    let bytes = reader.optional_number(&of("TotalBytesPerSession"));
    parameters.total_bytes = bytes.or(default.total_bytes);
    if let Some(filters) = capture::filters(reader, &of("Filters"), true) {
        parameters.filters = filters;
    }
    let cooldown = reader.optional_number(&of("CooldownSeconds"));
    let stop = reader.word(&of("StopOnResolved"), &[("true", true), ("false", false)]);
    let receivers = given(reader, "Receivers").then(|| receivers(reader, &of("Receivers")));
    let order = reader.optional_number(&of("Order"));
    let link = link(reader, &of("Link"));
    ProfileSettings {
        profile: Profile {
            conditions,
            by_property,
            filters: parameters.filters.clone(),
            cooldown: cooldown.map_or(defaults.cooldown, Duration::from_secs),
            stop_on_resolved: stop.unwrap_or(defaults.stop_on_resolved),
            receivers,
            link,
            name: name.into(),
        },
        parameters,
        order,
    }
}

/// What a profile changes.
const PARAMETERS: [&str; 11] = [
    "StorageAccountId",
    "FilePath",
    "Name",
    "TimeLimitInSeconds",
    "BytesToCapturePerPacket",
    "TotalBytesPerSession",
    "Filters",
    "CooldownSeconds",
    "StopOnResolved",
    "Receivers",
    "Link",
];

fn half_set(
    reader: &mut Reader<'_>,
    name: &str,
    conditions: &Conditions,
    by_property: bool,
    changes: bool,
) {
    let names = Names(name);
    if conditions.is_empty() && !by_property {
        let text = format!(
            "missing; the profile {name} has no condition: needs this setting (* matches every alert) or one of {CONDITIONS}"
        );
        reader.problem(&names.of("Rules"), text);
    }
    if !changes {
        let text = format!(
            "missing; the profile {name} changes nothing of the capture: needs one of {}",
            PARAMETERS.join(", ")
        );
        reader.problem(&names.of("TimeLimitInSeconds"), text);
    }
}

fn severities(reader: &mut Reader<'_>, name: &str) -> Vec<String> {
    let mut severities = Vec::new();
    for written in reader.list(name) {
        let level = written.to_ascii_lowercase();
        let level = level.strip_prefix("sev").unwrap_or(&level);
        match level {
            "0" | "1" | "2" | "3" | "4" => severities.push(format!("Sev{level}")),
            _ => reader.wrong(name),
        }
    }
    severities
}

/// The receivers of a profile's notifications, each of which must be set.
fn receivers(reader: &mut Reader<'_>, name: &str) -> Vec<&'static str> {
    const KNOWN: [&str; 11] = ["webhook", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let mut receivers = Vec::new();
    for word in reader.list(name) {
        let Some(known) = KNOWN.into_iter().find(|it| it.eq_ignore_ascii_case(&word)) else {
            reader.wrong(name);
            continue;
        };
        let (prefix, url) = match known {
            "webhook" => ("Notification__".to_owned(), "WebhookUrl"),
            number => (format!("Notification__Receivers__{number}__"), "Url"),
        };
        let destinations = [url, "PagerDutyRoutingKey", "SlackToken"];
        let is_set = |it: &str| reader.is_present(&format!("{prefix}{it}"));
        if !destinations.into_iter().any(is_set) {
            let text = format!("has {known}, and {prefix}{url} is not set");
            reader.problem(name, text);
        }
        receivers.push(known);
    }
    receivers
}

/// An address for people: it goes out in notifications, so it has no secret in it.
fn link(reader: &mut Reader<'_>, name: &str) -> Option<Box<str>> {
    let text = reader.text(name)?;
    let good = |url: &Url| {
        url.scheme() == "https"
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    };
    let url = Url::parse(text).ok().filter(good);
    if url.is_none() {
        reader.wrong(name);
    }
    url.map(|url| String::from(url).into())
}

/// Two profiles are never tried at the same place.
fn check_order(reader: &mut Reader<'_>, all: &[ProfileSettings]) {
    let tried = |it: &&ProfileSettings| !it.profile.conditions.is_empty();
    let tried: Vec<&ProfileSettings> = all.iter().filter(tried).collect();
    if tried.len() < 2 {
        return;
    }
    let mut orders: BTreeMap<u32, &str> = BTreeMap::new();
    for it in tried {
        let name = Names(&it.profile.name).of("Order");
        let Some(order) = it.order else {
            let text = "missing; needs a whole number from 1 to 1000 that no other profile has: the first profile that matches in this order is used";
            reader.problem(&name, text);
            continue;
        };
        if let Some(other) = orders.insert(order, &it.profile.name) {
            let text = format!(
                "has {order}, as {} has; needs a number of its own",
                Names(other).of("Order")
            );
            reader.problem(&name, text);
        }
    }
}

/// A profile whose alerts all go to an earlier one would never be used.
fn check_reach(reader: &mut Reader<'_>, all: &[ProfileSettings]) {
    for (at, it) in all.iter().enumerate() {
        let profile = &it.profile;
        if profile.conditions.is_empty() || profile.by_property {
            continue;
        }
        let earlier = all.iter().take(at).map(|it| &it.profile);
        let mut earlier = earlier.filter(|it| !it.conditions.is_empty());
        if let Some(first) = earlier.find(|it| it.conditions.cover(&profile.conditions)) {
            let text = format!(
                "the profile {} is never used: each alert that matches it matches the profile {}, which comes first; change the conditions, or let it come earlier",
                profile.name, first.name
            );
            reader.problem(&Names(&profile.name).of("Order"), text);
        }
    }
}

#[cfg(test)]
mod tests;
