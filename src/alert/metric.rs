//! Metric alerts outside the common schema. The classic ones and version 2 share one `context`; they differ in where
//! it is and in the words for the state.

use super::body::BadBody;
use super::fields::{Object, is};
use super::subject::Subject;
use super::target::Target;
use super::targets::Targets;
use super::{
    Alert, AlertFacts, Dimensions, Schema, State, common, condition, facts, key, property,
};
use crate::resource_id::{InvalidResourceId, ResourceId};
use crate::text;

pub(super) fn read_v2(top: &Object) -> Result<Alert, BadBody> {
    let Some(mut data) = top.object("data")? else {
        return Ok(Alert {
            facts: AlertFacts::of_signal("Metric"),
            ..Alert::of(Schema::MetricV2)
        });
    };
    if !data.has("context")
        && let Some(inner) = data.object("data")?
    {
        data = inner;
    }
    let status = data.string("status")?;
    let state = match () {
        () if is(status, "Activated") => State::Fired,
        // The wire says the latter, some documentation the former.
        () if is(status, "Resolved") || is(status, "Deactivated") => State::Resolved,
        () => State::Unknown,
    };
    let alert = Alert {
        state,
        ..Alert::of(Schema::MetricV2)
    };
    let context = data.object("context")?;
    let severity = context
        .as_ref()
        .and_then(|context| facts::severity(context.scalar("severity")));
    let mut alert = with_context(alert, status, context.as_ref())?;
    alert.facts.severity = severity;
    alert.profile = property::profile(data.loose_object("properties"));
    Ok(alert)
}

pub(super) fn read_classic(top: &Object) -> Result<Alert, BadBody> {
    let status = top.string("status")?;
    let state = match () {
        () if is(status, "Activated") => State::Fired,
        () if is(status, "Resolved") => State::Resolved,
        () => State::Unknown,
    };
    let alert = Alert {
        state,
        ..Alert::of(Schema::Classic)
    };
    // By this member the shape is recognised: without it, the body may be anything.
    let context = top.object("context")?;
    let context = context.ok_or_else(|| common::missing(top.path_of("context")))?;
    Ok(Alert {
        region: region(&context),
        profile: property::profile(top.loose_object("properties")),
        ..with_context(alert, status, Some(&context))?
    })
}

/// The region as a code. Bodies have it so or as a display name: `westus`, `West US`.
pub(super) fn region(context: &Object) -> Option<String> {
    text::region(context.text("resourceRegion")?)
}

fn with_context(
    alert: Alert,
    status: Option<&str>,
    context: Option<&Object>,
) -> Result<Alert, BadBody> {
    let alert = Alert {
        facts: AlertFacts::of_signal("Metric"),
        ..alert
    };
    let Some(context) = context else {
        return Ok(alert);
    };
    let resource_id = context.string("resourceId")?.filter(|id| !id.is_empty());
    let mut targets = Targets::default();
    let mut subject = Subject::default();
    match resource_id {
        Some(id) => {
            subject.resource(id);
            targets.main(id, || context.path_of("resourceId"))?;
        }
        None => {
            for part in ["subscriptionId", "resourceGroupName", "resourceName"] {
                subject.part(part, context.text(part));
            }
            composed(context)?
                .into_iter()
                .for_each(|target| targets.add(target));
        }
    }
    let condition = context.loose_object("condition");
    if let Some(condition) = &condition {
        subject.condition(condition);
        if targets.is_empty() {
            condition::members(condition.list("allOf"))
                .for_each(|criterion| targets.take_probing_machine(&criterion));
        }
    }
    let (targets, is_test) = targets.finish();
    let rule_id = context.text("id");
    let fired_at = context.text("timestamp");
    let resource = resource_id
        .map(str::to_owned)
        .or_else(|| Some(targets.first()?.id.to_string()));
    Ok(Alert {
        // The context's id is the rule's, the same every time; there is none of the alert.
        dedupe_key: key::by_parts(
            &subject,
            &[rule_id, resource.as_deref(), fired_at, status],
            fired_at,
        ),
        facts: AlertFacts {
            rule: facts::rule(context.text("name")),
            fired_at: facts::time(fired_at),
            conditions: condition
                .as_ref()
                .map(condition::of_metric)
                .unwrap_or_default(),
            ..alert.facts
        },
        rule_id: facts::id(rule_id),
        is_test,
        description: facts::description(context.text("description")),
        dimensions: Dimensions::of(condition.as_ref()),
        ..alert
    }
    .about(targets, subject))
}

/// The machine that a context describes without a resource id.
fn composed(context: &Object) -> Result<Option<Target>, BadBody> {
    const VM: &str = "Microsoft.Compute/virtualMachines";
    if !context
        .text("resourceType")
        .is_some_and(|kind| kind.eq_ignore_ascii_case(VM))
    {
        return Ok(None);
    }
    let part = |name: &str| {
        context.text(name).ok_or_else(|| {
            BadBody::at(
                context.path_of(name),
                "a name was expected, as the machine has no resourceId",
            )
        })
    };
    let wrong = |name: &str, wrong: InvalidResourceId| {
        BadBody::at(
            context.path_of(name),
            format!("a part of a resource id was expected: {wrong}"),
        )
    };
    let guid = part("subscriptionId")?;
    let subscription = match ResourceId::parse(&format!("/subscriptions/{guid}")) {
        // With a slash in it, the text could name more than a subscription.
        Ok(id) if id.parent().is_none() => id,
        _ => {
            let message = "the GUID of a subscription was expected";
            return Err(BadBody::at(context.path_of("subscriptionId"), message));
        }
    };
    let id = subscription
        .child("resourceGroups", part("resourceGroupName")?)
        .map_err(|bad| wrong("resourceGroupName", bad))?;
    let id = id
        .child(VM, part("resourceName")?)
        .map_err(|bad| wrong("resourceName", bad))?;
    Ok(Target::of(id))
}
