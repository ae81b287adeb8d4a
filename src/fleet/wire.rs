//! A run as JSON, for the store, `--json` and the HTTP API: a version, counts, findings, and the machines below their common
//! prefix, so that 5,000 machines fit. Readers ignore members that they do not know.

use super::{Because, Cause, Change, Check, Counts, Finding, Machine, Reach, Run, Verdict, Weight};
use crate::{resource_id::ResourceId, text};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The version of the form. Another major version is not read.
pub const VERSION: u64 = 1;
/// Maximum size of a stored run. Machines beyond it are counted and not listed, ready ones first.
pub const MAXIMUM_STORED_BYTES: usize = 900 * 1024;
/// Bytes of the members around the lists.
const NAMES_OF_LISTS: usize = 256;
/// Maximum findings that are stored.
const MAXIMUM_FINDINGS: usize = 500;

impl Run {
    /// The run as JSON. Machines that have no room in `maximum` bytes are counted.
    pub fn to_json(&self, maximum: usize) -> Value {
        let findings = self.findings.iter().take(MAXIMUM_FINDINGS);
        let mut value = json!({
            "version": VERSION,
            "started": time(self.started),
            "finished": self.finished.map(time),
            "targets": self.targets,
            // Progress is written often, and read by no person.
            "sentence": self.finished.map(|_| self.sentence()),
            "counts": counts(self.counts()),
            "calls": self.calls,
            "leftOut": self.left_out,
            "change": change(&self.change),
            "findings": findings.map(finding).collect::<Vec<_>>(),
        });
        let room = maximum
            .saturating_sub(value.to_string().len())
            .saturating_sub(NAMES_OF_LISTS);
        let (groups, causes, rest) = self.listed(room);
        value["causes"] = causes.into();
        value["groups"] = groups.into();
        value["notStored"] = counts(rest);
        value
    }

    /// The machines, the worst ones first while there is room, in groups of the same parent.
    fn listed(&self, mut room: usize) -> (Vec<Value>, Vec<Value>, Counts) {
        let mut rest = self.not_stored;
        let mut causes: Vec<&Cause> = Vec::new();
        let mut numbered: HashMap<&Cause, usize> = HashMap::new();
        let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for wanted in [Verdict::NotReady, Verdict::Unknown, Verdict::Ready] {
            for machine in &self.machines {
                let verdict = self.verdict(machine);
                if verdict != wanted {
                    continue;
                }
                let (prefix, name) = split(&machine.id);
                let mut numbers = Vec::new();
                let mut cost = name.len().saturating_add(24);
                for cause in &machine.causes {
                    cost = cost.saturating_add(6);
                    let number = *numbered.entry(cause).or_insert_with(|| {
                        causes.push(cause);
                        cost = cost.saturating_add(fields(cause).to_string().len());
                        causes.len().saturating_sub(1)
                    });
                    numbers.push(number);
                }
                let place = prefix.to_ascii_lowercase();
                let group = places.get(&place).copied();
                if group.is_none() {
                    cost = cost.saturating_add(prefix.len()).saturating_add(24);
                }
                if cost > room {
                    room = 0;
                    rest.add(verdict);
                    continue;
                }
                room = room.saturating_sub(cost);
                let row = json!([
                    name,
                    numbers,
                    letter(verdict),
                    machine.checked,
                    machine.known
                ]);
                match group {
                    Some(at) => groups[at].1.push(row),
                    None => {
                        places.insert(place, groups.len());
                        groups.push((prefix, vec![row]));
                    }
                }
            }
        }
        let groups = groups.into_iter();
        let groups = groups.map(|(of, machines)| json!({ "in": of, "machines": machines }));
        (
            groups.collect(),
            causes.into_iter().map(fields).collect(),
            rest,
        )
    }

    /// Reads a stored run. `None`: it is of another version, or damaged.
    pub fn of_json(value: &Value) -> Option<Self> {
        if value["version"].as_u64()? != VERSION {
            return None;
        }
        let list = |name: &str| value[name].as_array().map_or(&[][..], Vec::as_slice);
        let causes: Vec<Option<Cause>> = list("causes").iter().map(cause).collect();
        let mut machines = Vec::new();
        for group in list("groups") {
            let prefix = group["in"].as_str()?;
            for row in group["machines"].as_array()? {
                machines.push(machine(prefix, row, &causes)?);
            }
        }
        let mut run = Self::new(read_time(&value["started"])?, "", []);
        run.machines = machines;
        run.sort();
        run.finished = read_time(&value["finished"]);
        run.targets = word(&value["targets"])?;
        run.calls = u32::try_from(value["calls"].as_u64()?).ok()?;
        run.left_out = usize::try_from(value["leftOut"].as_u64()?).ok()?;
        run.change = read_change(&value["change"]);
        run.findings = list("findings").iter().filter_map(read_finding).collect();
        run.not_stored = read_counts(&value["notStored"]);
        Some(run)
    }
}

/// The id up to the last name, and that name.
fn split(id: &ResourceId) -> (String, String) {
    let text = id.to_string();
    let (prefix, name) = text.rsplit_once('/').unwrap_or(("", &text));
    (prefix.to_owned(), name.to_owned())
}

fn machine(prefix: &str, row: &Value, causes: &[Option<Cause>]) -> Option<Machine> {
    let name = row[0].as_str()?;
    let mut own = Vec::new();
    for number in row[1].as_array()? {
        let at = usize::try_from(number.as_u64()?).ok()?;
        own.push(causes.get(at)?.clone()?);
    }
    own.sort();
    Some(Machine {
        id: format!("{prefix}/{name}").parse().ok()?,
        causes: own,
        verdict: match row[2].as_str()? {
            "r" => Some(Verdict::Ready),
            "n" => Some(Verdict::NotReady),
            _ => Some(Verdict::Unknown),
        },
        checked: row[3].as_bool()?,
        known: row[4].as_bool(),
    })
}

const fn letter(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ready => "r",
        Verdict::NotReady => "n",
        Verdict::Unknown => "u",
    }
}

/// A cause as its key and what it holds.
fn fields(cause: &Cause) -> Value {
    let key = cause.key();
    match cause {
        Cause::Stopped(text)
        | Cause::VmAgent(text)
        | Cause::NoWatcher(text)
        | Cause::NoRoom(text) => json!([key, text]),
        Cause::AgentMissing { windows } => json!([key, windows]),
        Cause::AgentFailed { windows, state } => json!([key, windows, state]),
        Cause::AgentOld { windows, version } => json!([key, windows, version]),
        Cause::Blocked {
            to,
            group,
            rule,
            priority,
        } => json!([key, to, group.to_string(), rule, priority]),
        Cause::OtherRegion { account, machine } => json!([key, account, machine]),
        Cause::Unknown(check, because) => {
            let (because, more) = match because {
                Because::Lacks(action) => ("lacks", Some(action)),
                Because::Refused(code) => ("refused", Some(code)),
                Because::Throttled => ("throttled", None),
                Because::NoAnswer => ("no_answer", None),
                Because::NotReported => ("not_reported", None),
                Because::NotReached => ("not_reached", None),
            };
            json!([key, check.as_str(), because, more])
        }
        Cause::ExtensionsForbidden | Cause::OldModel | Cause::NotAllowed | Cause::NotFound => {
            json!([key])
        }
    }
}

fn cause(value: &Value) -> Option<Cause> {
    let windows = || value[1].as_bool();
    Some(match value[0].as_str()? {
        "stopped" => Cause::Stopped(word(&value[1])?),
        "vm_agent_not_ready" => Cause::VmAgent(word(&value[1])?),
        "no_watcher" => Cause::NoWatcher(word(&value[1])?),
        "no_room" => Cause::NoRoom(word(&value[1])?),
        "agent_missing" => Cause::AgentMissing {
            windows: windows()?,
        },
        "agent_failed" => Cause::AgentFailed {
            windows: windows()?,
            state: word(&value[2])?,
        },
        "agent_old" => Cause::AgentOld {
            windows: windows()?,
            version: word(&value[2])?,
        },
        "outbound_blocked" => Cause::Blocked {
            to: word(&value[1])?,
            group: value[2].as_str()?.parse().ok()?,
            rule: word(&value[3])?,
            priority: u32::try_from(value[4].as_u64()?).ok()?,
        },
        "other_region" => Cause::OtherRegion {
            account: word(&value[1])?,
            machine: word(&value[2])?,
        },
        "unknown" => {
            let because = match value[2].as_str()? {
                "lacks" => Because::Lacks(word(&value[3])?),
                "refused" => Because::Refused(word(&value[3])?),
                "throttled" => Because::Throttled,
                "no_answer" => Because::NoAnswer,
                "not_reported" => Because::NotReported,
                _ => Because::NotReached,
            };
            Cause::Unknown(Check::find(value[1].as_str()?)?, because)
        }
        "extensions_forbidden" => Cause::ExtensionsForbidden,
        "old_model" => Cause::OldModel,
        "not_allowed" => Cause::NotAllowed,
        "not_found" => Cause::NotFound,
        _ => return None,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "reach": match &finding.reach {
            Reach::All => "all".to_owned(),
            Reach::Within(scope) => scope.to_string(),
            Reach::None => "none".to_owned(),
        },
        "check": finding.check,
        "status": match finding.weight {
            Weight::Blocks => "failed",
            Weight::Unknown => "unknown",
            Weight::Warns => "warning",
        },
        "message": finding.message,
        "fix": finding.fix,
    })
}

fn read_finding(value: &Value) -> Option<Finding> {
    Some(Finding {
        reach: match value["reach"].as_str()? {
            "all" => Reach::All,
            "none" => Reach::None,
            scope => Reach::Within(scope.parse().ok()?),
        },
        check: word(&value["check"])?,
        weight: match value["status"].as_str()? {
            "failed" => Weight::Blocks,
            "warning" => Weight::Warns,
            _ => Weight::Unknown,
        },
        message: word(&value["message"])?,
        fix: word(&value["fix"]),
    })
}

fn change(change: &Change) -> Value {
    let ids = |ids: &[ResourceId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "worse": ids(&change.worse),
        "recovered": ids(&change.recovered),
        "unknown": ids(&change.unknown),
        "failed": change.failed,
        "fixed": change.fixed,
        "more": change.more,
    })
}

fn read_change(value: &Value) -> Change {
    let texts = |name: &str| {
        let list = value[name].as_array().map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(word).collect::<Vec<String>>()
    };
    let ids = |name: &str| {
        texts(name)
            .iter()
            .filter_map(|it| it.parse().ok())
            .collect()
    };
    Change {
        worse: ids("worse"),
        recovered: ids("recovered"),
        unknown: ids("unknown"),
        failed: texts("failed"),
        fixed: texts("fixed"),
        more: number(&value["more"]),
    }
}

fn counts(counts: Counts) -> Value {
    json!({
        "machines": counts.machines(),
        "ready": counts.ready,
        "notReady": counts.not_ready,
        "unknown": counts.unknown,
    })
}

fn read_counts(value: &Value) -> Counts {
    let map = value.as_object().cloned().unwrap_or_else(Map::new);
    let count = |name: &str| map.get(name).map_or(0, number);
    Counts {
        ready: count("ready"),
        not_ready: count("notReady"),
        unknown: count("unknown"),
    }
}

fn number(value: &Value) -> usize {
    let number = value.as_u64().and_then(|it| usize::try_from(it).ok());
    number.unwrap_or_default()
}

/// A text of the store, which others may have written.
fn word(value: &Value) -> Option<String> {
    text::cleaned(value.as_str()?, text::ID)
}

fn time(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

fn read_time(value: &Value) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()
}

#[cfg(test)]
mod tests;
