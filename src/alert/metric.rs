//! Metric alerts outside the common schema. The classic ones and version 2 share one `context`; they differ in where
//! it lies and in the words for the state.

use super::body::BadBody;
use super::fields::Object;
use super::target::{Target, Targets};
use super::{Alert, Schema, State, condition, dedupe, severity};
use crate::resource_id::{InvalidResourceId, ResourceId};
use crate::text;

pub(super) fn read_v2(top: &Object) -> Result<Alert, BadBody> {
    let Some(mut data) = top.object("data")? else {
        return Ok(Alert {
            signal: Some("Metric".to_owned()),
            ..Alert::of(Schema::MetricV2)
        });
    };
    if !data.has("context")
        && let Some(inner) = data.object("data")?
    {
        data = inner;
    }
    let status = data.string("status")?;
    let state = match status {
        Some("Activated") => State::Fired,
        // The wire says the latter, some documentation the former.
        Some("Resolved" | "Deactivated") => State::Resolved,
        _ => State::Unknown,
    };
    let alert = Alert {
        state,
        ..Alert::of(Schema::MetricV2)
    };
    let context = data.object("context")?;
    Ok(Alert {
        severity: context
            .as_ref()
            .and_then(|context| severity(context.scalar("severity"))),
        ..with_context(alert, status, context.as_ref())?
    })
}

pub(super) fn read_classic(top: &Object) -> Result<Alert, BadBody> {
    let status = top.string("status")?;
    let state = match status {
        Some("Activated") => State::Fired,
        Some("Resolved") => State::Resolved,
        _ => State::Unknown,
    };
    let alert = Alert {
        state,
        ..Alert::of(Schema::Classic)
    };
    let context = top.object("context")?;
    Ok(Alert {
        region: context.as_ref().and_then(region),
        ..with_context(alert, status, context.as_ref())?
    })
}

/// The region as a code. Bodies have it so or as a display name: `westus`, `West US`.
pub(super) fn region(context: &Object) -> Option<String> {
    text::region(&context.text("resourceRegion")?)
}

fn with_context(
    alert: Alert,
    status: Option<&str>,
    context: Option<&Object>,
) -> Result<Alert, BadBody> {
    let alert = Alert {
        signal: Some("Metric".to_owned()),
        ..alert
    };
    let Some(context) = context else {
        return Ok(alert);
    };
    let resource_id = context.string("resourceId")?.filter(|id| !id.is_empty());
    let mut targets = Targets::default();
    match resource_id {
        Some(id) => targets.main(id, || context.path_of("resourceId"))?,
        None => composed(context)?
            .into_iter()
            .for_each(|target| targets.add(target)),
    }
    let (targets, is_test) = targets.finish();
    let rule_id = context.text("id");
    let fired_at = context.text("timestamp");
    let resource = resource_id
        .map(str::to_owned)
        .or_else(|| Some(targets.first()?.id.to_string()));
    Ok(Alert {
        // The context's id is the rule's, the same every time; there is none of the alert.
        dedupe_key: dedupe::by_parts(
            &[
                rule_id.as_deref(),
                resource.as_deref(),
                fired_at.as_deref(),
                status,
            ],
            &fired_at,
        ),
        rule: context.text("name"),
        rule_id,
        fired_at,
        targets,
        is_test,
        conditions: context
            .loose_object("condition")
            .as_ref()
            .map(condition::of_metric)
            .unwrap_or_default(),
        description: context.text("description"),
        ..alert
    })
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
        .child("resourceGroups", &part("resourceGroupName")?)
        .map_err(|bad| wrong("resourceGroupName", bad))?;
    let id = id
        .child(VM, &part("resourceName")?)
        .map_err(|bad| wrong("resourceName", bad))?;
    Ok(Target::of(id))
}
