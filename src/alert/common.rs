//! The common alert schema: `data.essentials` is alike for every kind of alert, `data.alertContext` is the kind's own.

use serde_json::Value;

use super::body::BadBody;
use super::fields::{Object, kind};
use super::target::Targets;
use super::{Alert, AlertFacts, Schema, State, condition, dedupe, facts};

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
        dedupe_key: dedupe::by_id(id, rule, &targets, fired_at),
        is_test: names_test || id.is_some_and(dedupe::is_test_id),
        facts: AlertFacts {
            rule: facts::rule(rule),
            id: facts::id(id),
            severity: facts::severity(essentials.scalar("severity")),
            signal: facts::signal(essentials.text("signalType")),
            fired_at: facts::time(fired_at),
            conditions,
        },
        rule_id: facts::id(essentials.text("alertRuleID")),
        targets,
        description: facts::description(essentials.text("description")),
        ..Alert::of(Schema::Common)
    })
}

/// The monitor condition. Neither a status in the context nor a time of resolution says anything about it: bodies with
/// those and yet Fired exist.
pub(super) fn state(essentials: &Object) -> Result<State, BadBody> {
    Ok(match essentials.string("monitorCondition")? {
        Some("Fired") => State::Fired,
        Some("Resolved") => State::Resolved,
        _ => State::Unknown,
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
    if targets.is_empty() {
        targets.take_list(essentials.list("configurationItems"));
    }
    if targets.is_empty() {
        let all_of = condition.map_or(&[][..], |condition| condition.list("allOf"));
        for each in condition::members(all_of) {
            targets.take_dimensions(each.list("dimensions"));
        }
    }
    if let (true, Some(context)) = (targets.is_empty(), context) {
        targets.take_log_v1(context);
    }
    Ok(targets)
}

fn listed(essentials: &Object, targets: &mut Targets) -> Result<(), BadBody> {
    const NAME: &str = "alertTargetIDs";
    match essentials.get(NAME) {
        None => Ok(()),
        Some(Value::String(one)) => targets.main(one, || essentials.path_of(NAME)),
        Some(Value::Array(list)) => list.iter().enumerate().try_for_each(|(at, item)| {
            let path = || format!("{}[{at}]", essentials.path_of(NAME));
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
            Err(BadBody::at(essentials.path_of(NAME), message))
        }
    }
}

fn missing(path: String) -> BadBody {
    BadBody::at(path, "an object was expected, but it is missing")
}
