//! Activity log alerts outside the common schema: the event itself, with the resource that was acted on.

use super::body::BadBody;
use super::fields::Object;
use super::target::Targets;
use super::{Alert, Schema, State, dedupe};

pub(super) fn read(top: &Object) -> Result<Alert, BadBody> {
    let mut alert = Alert {
        signal: Some("Activity Log".to_owned()),
        ..Alert::of(Schema::ActivityLog)
    };
    let Some(data) = top.object("data")? else {
        return Ok(alert);
    };
    // The event's own status is another thing: how the operation ended.
    if data.string("status")? == Some("Activated") {
        alert.state = State::Fired;
    }
    let Some(context) = data.object("context")? else {
        return Ok(alert);
    };
    let Some(event) = context.object("activityLog")? else {
        return Ok(alert);
    };
    let mut targets = Targets::default();
    if let Some(id) = event.string("resourceId")? {
        targets.main(id, || event.path_of("resourceId"))?;
    }
    let (targets, is_test) = targets.finish();
    let id = event.text("eventDataId");
    let fired_at = event.text("eventTimestamp");
    Ok(Alert {
        dedupe_key: dedupe::by_id(id.as_deref(), &None, &targets, &fired_at),
        id,
        fired_at,
        targets,
        is_test,
        description: event.text("description"),
        ..alert
    })
}
