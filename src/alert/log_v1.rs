//! Log alerts of the first version, with a `schemaId` or bare. Their `ResourceId` is the workspace; a machine is named
//! in the log data only.

use super::body::BadBody;
use super::fields::Object;
use super::target::Targets;
use super::{Alert, Schema, State, condition, dedupe, severity};

pub(super) fn read(top: &Object) -> Result<Alert, BadBody> {
    // They are sent when the rule fires and at no other time.
    let alert = Alert {
        state: State::Fired,
        signal: Some("Log".to_owned()),
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
    let rule = data.text("AlertRuleName");
    let fired_at = data.text("SearchIntervalEndtimeUtc");
    let source = data
        .text("WorkspaceId")
        .or_else(|| data.text("ApplicationId"));
    Alert {
        dedupe_key: dedupe::by_parts(
            &[rule.as_deref(), fired_at.as_deref(), source.as_deref()],
            &fired_at,
        ),
        rule,
        severity: severity(data.scalar("Severity")),
        fired_at,
        targets,
        is_test,
        conditions: condition::of_log_v1(data),
        description: data.text("Description"),
        ..alert
    }
}
