//! Log alerts of the first version, with a `schemaId` or bare. Their `ResourceId` is the workspace; a machine is named
//! in the log data only.

use super::body::BadBody;
use super::fields::Object;
use super::subject::Subject;
use super::targets::Targets;
use super::{Alert, AlertFacts, Dimensions, Schema, State, condition, facts, key};

pub(super) fn read(top: &Object) -> Result<Alert, BadBody> {
    // They are sent when the rule fires and at no other time.
    let alert = Alert {
        state: State::Fired,
        facts: AlertFacts::of_signal("Log"),
        ..Alert::of(Schema::LogV1)
    };
    if top.get("schemaId").is_none() {
        return Ok(with_data(alert, top));
    }
    Ok(match top.object("data")? {
        Some(data) => with_data(alert, &data),
        None => alert,
    })
}

fn with_data(alert: Alert, data: &Object) -> Alert {
    let mut targets = Targets::default();
    targets.take_log_v1(data);
    let (targets, is_test) = targets.finish();
    let mut subject = Subject::default();
    subject.log_v1(data);
    let mut dimensions = Dimensions::default();
    dimensions.take(data.list("Dimensions"));
    let rule = data.text("AlertRuleName");
    let fired_at = data.text("SearchIntervalEndtimeUtc");
    let source = data
        .text("WorkspaceId")
        .or_else(|| data.text("ApplicationId"));
    Alert {
        dedupe_key: key::by_parts(&subject, &[rule, fired_at, source], fired_at),
        facts: AlertFacts {
            rule: facts::rule(rule),
            severity: facts::severity(data.scalar("Severity")),
            fired_at: facts::time(fired_at),
            conditions: condition::of_log_v1(data),
            ..alert.facts
        },
        is_test,
        description: facts::description(data.text("Description")),
        dimensions,
        ..alert
    }
    .about(targets, subject)
}
