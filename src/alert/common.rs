//! The common alert schema: `data.essentials` is alike for every kind of alert, `data.alertContext` is the kind's own.

use serde_json::Value;

use super::body::BadBody;
use super::fields::{Object, is, kind};
use super::subject::Subject;
use super::targets::Targets;
use super::{Alert, AlertFacts, Dimensions, Schema, State, condition, facts, key, property};

const TARGETS: &str = "alertTargetIDs";

pub(super) fn read(top: &Object) -> Result<Alert, BadBody> {
    let data = top.object("data")?;
    let data = data.ok_or_else(|| missing(top.path_of("data")))?;
    let essentials = data.object("essentials")?;
    let essentials = essentials.ok_or_else(|| missing(data.path_of("essentials")))?;
    let context = data.loose_object("alertContext");
    let condition = context
        .as_ref()
        .and_then(|context| context.loose_object("condition"));

    let id = essentials.string("alertId")?.filter(|id| !id.is_empty());
    let state = state(&essentials)?;
    let (targets, names_test) =
        targets(&essentials, context.as_ref(), condition.as_ref())?.finish();
    let subject = subject(&essentials, context.as_ref(), condition.as_ref());
    let rule = essentials.text("alertRule");
    let fired_at = essentials.text("firedDateTime");

    let mut conditions = condition
        .as_ref()
        .map(condition::of_metric)
        .unwrap_or_default();
    if conditions.is_empty() {
        conditions = context
            .as_ref()
            .map(condition::of_log_v1)
            .unwrap_or_default();
    }
    Ok(Alert {
        state,
        dedupe_key: key::by_id(&subject, id, rule, fired_at),
        is_test: names_test || id.is_some_and(key::is_test_id),
        facts: AlertFacts {
            rule: facts::rule(rule),
            id: facts::id(id),
            severity: facts::severity(essentials.scalar("severity")),
            signal: facts::signal(essentials.text("signalType")),
            fired_at: facts::time(fired_at),
            conditions,
        },
        rule_id: facts::id(essentials.text("alertRuleID")),
        description: facts::description(essentials.text("description")),
        profile: property::of_common(&data, context.as_ref()),
        dimensions: dimensions(context.as_ref(), condition.as_ref()),
        ..Alert::of(Schema::Common)
    }
    .about(targets, subject))
}

/// The monitor condition. Neither a status in the context nor a time of resolution says anything about it: bodies with
/// those and yet Fired exist.
pub(super) fn state(essentials: &Object) -> Result<State, BadBody> {
    let written = essentials.string("monitorCondition")?;
    Ok(match () {
        () if is(written, "Fired") => State::Fired,
        () if is(written, "Resolved") => State::Resolved,
        () => State::Unknown,
    })
}

/// Only when Azure's own list has no machine do the others count, one after the other: a log alert over a workspace
/// names its machine in the data alone.
fn targets(
    essentials: &Object,
    context: Option<&Object>,
    condition: Option<&Object>,
) -> Result<Targets, BadBody> {
    let mut targets = Targets::default();
    listed(essentials, &mut targets)?;
    let all_of = condition.map_or(&[][..], |condition| condition.list("allOf"));
    if targets.is_empty() {
        condition::members(all_of).for_each(|criterion| targets.take_probing_machine(&criterion));
    }
    if targets.is_empty() {
        targets.take_list(essentials.list("configurationItems"));
    }
    if targets.is_empty() {
        for each in condition::members(all_of) {
            targets.take_dimensions(each.list("dimensions"));
        }
    }
    if let (true, Some(context)) = (targets.is_empty(), context) {
        targets.take_log_v1(context);
    }
    Ok(targets)
}

/// What the rule splits by, in metric and log alerts of either version.
fn dimensions(context: Option<&Object>, condition: Option<&Object>) -> Dimensions {
    let mut found = Dimensions::of(condition);
    if let Some(context) = context {
        found.take(context.list("Dimensions"));
    }
    found
}

/// All that the body names, in whichever field.
fn subject(essentials: &Object, context: Option<&Object>, condition: Option<&Object>) -> Subject {
    let mut subject = Subject::default();
    match essentials.get(TARGETS) {
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .for_each(|id| subject.resource(id)),
        Some(Value::String(id)) => subject.resource(id),
        _ => {}
    }
    subject.items(essentials.list("configurationItems"));
    if let Some(condition) = condition {
        subject.condition(condition);
    }
    if let Some(context) = context {
        subject.log_v1(context);
    }
    subject
}

fn listed(essentials: &Object, targets: &mut Targets) -> Result<(), BadBody> {
    match essentials.get(TARGETS) {
        None => Ok(()),
        Some(Value::String(one)) => targets.main(one, || essentials.path_of(TARGETS)),
        Some(Value::Array(list)) => list.iter().enumerate().try_for_each(|(at, item)| {
            let path = || format!("{}[{at}]", essentials.path_of(TARGETS));
            match item {
                Value::String(id) => targets.main(id, path),
                other => Err(BadBody::at(
                    path(),
                    format!("a resource id was expected, not {}", kind(other)),
                )),
            }
        }),
        Some(other) => {
            let message = format!("a list of resource ids was expected, not {}", kind(other));
            Err(BadBody::at(essentials.path_of(TARGETS), message))
        }
    }
}

pub(super) fn missing(path: String) -> BadBody {
    BadBody::at(path, "an object was expected, but it is missing")
}
