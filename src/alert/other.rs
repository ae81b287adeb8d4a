//! The shapes that seldom or never name a machine: smart detector alerts, budgets, autoscale notifications.

use super::body::BadBody;
use super::fields::Object;
use super::subject::Subject;
use super::targets::Targets;
use super::{Alert, AlertFacts, Schema, common, facts, key, metric};

pub(super) fn read_smart_detector(top: &Object) -> Result<Alert, BadBody> {
    let alert = Alert::of(Schema::SmartDetector);
    let properties = top.loose_object("properties");
    let Some(properties) = properties else {
        return Ok(alert);
    };
    let essentials = properties.object("essentials")?.ok_or_else(|| {
        BadBody::at(
            properties.path_of("essentials"),
            "an object was expected, but it is missing",
        )
    })?;
    let mut targets = Targets::default();
    let mut subject = Subject::default();
    if let Some(target) = essentials.text("targetResource") {
        subject.resource(target);
        targets.main(target, || essentials.path_of("targetResource"))?;
    }
    let (targets, names_test) = targets.finish();
    let id = top.text("id");
    let rule_id = essentials.text("alertRule");
    let rule = rule_id.map(|id| id.rsplit('/').next().unwrap_or(id));
    let fired_at = essentials.text("startDateTime");
    Ok(Alert {
        state: common::state(&essentials)?,
        dedupe_key: key::by_id(&subject, id, rule, fired_at),
        is_test: names_test || id.is_some_and(key::is_test_id),
        facts: AlertFacts {
            rule: facts::rule(rule),
            id: facts::id(id),
            severity: facts::severity(essentials.scalar("severity")),
            signal: facts::signal(essentials.text("signalType").or(Some("Log"))),
            fired_at: facts::time(fired_at),
            conditions: Vec::new(),
        },
        rule_id: facts::id(rule_id),
        description: facts::description(essentials.text("description")),
        ..alert
    }
    .about(targets, subject))
}

/// A budget says neither a state nor a machine. Its body is a good one all the same.
pub(super) fn read_budget(top: &Object) -> Result<Alert, BadBody> {
    top.object("data")?;
    Ok(Alert::of(Schema::Budget))
}

/// Read for the answer's sake only. The scale set in it is not a target: it was scaled, nothing is wrong with it.
pub(super) fn read_autoscale(top: &Object) -> Result<Alert, BadBody> {
    top.string("status")?;
    let alert = Alert::of(Schema::Autoscale);
    let Some(context) = top.object("context")? else {
        return Ok(alert);
    };
    Ok(Alert {
        facts: AlertFacts {
            rule: facts::rule(context.text("name")),
            fired_at: facts::time(context.text("timestamp")),
            ..AlertFacts::default()
        },
        rule_id: facts::id(context.text("id")),
        region: metric::region(&context),
        description: facts::description(context.text("details")),
        ..alert
    })
}
