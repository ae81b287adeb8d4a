//! Activity log alerts outside the common schema: the event itself, with the resource that was acted on.

use super::body::BadBody;
use super::fields::{Object, is};
use super::subject::Subject;
use super::targets::Targets;
use super::{Alert, AlertFacts, Schema, State, facts, key, property};

pub(super) fn read(top: &Object) -> Result<Alert, BadBody> {
    let mut alert = Alert {
        facts: AlertFacts::of_signal("Activity Log"),
        ..Alert::of(Schema::ActivityLog)
    };
    let Some(data) = top.object("data")? else {
        return Ok(alert);
    };
    // The event's own status is another thing: how the operation ended.
    if is(data.string("status")?, "Activated") {
        alert.state = State::Fired;
    }
    alert.profile = property::profile(data.loose_object("properties"));
    let Some(context) = data.object("context")? else {
        return Ok(alert);
    };
    let Some(event) = context.object("activityLog")? else {
        return Ok(alert);
    };
    let mut targets = Targets::default();
    let mut subject = Subject::default();
    if let Some(id) = event.string("resourceId")? {
        subject.resource(id);
        targets.main(id, || event.path_of("resourceId"))?;
    }
    let (targets, is_test) = targets.finish();
    let id = event.text("eventDataId");
    let fired_at = event.text("eventTimestamp");
    Ok(Alert {
        dedupe_key: key::by_id(&subject, id, None, fired_at),
        facts: AlertFacts {
            id: facts::id(id),
            fired_at: facts::time(fired_at),
            ..alert.facts
        },
        is_test,
        description: facts::description(event.text("description")),
        ..alert
    }
    .about(targets, subject))
}
