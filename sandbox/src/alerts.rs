//! Microsoft.AlertsManagement: alerts with a state and a history. They are there when a test or the demo adds them: here no
//! rule fires by itself.
//! <https://learn.microsoft.com/en-us/rest/api/monitor/alertsmanagement/alerts>

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Sandbox;
use super::answer::{Answer, Outcome, gateway_error, provider_error};
use super::arm::{Asked, parameter};
use super::ids::{self, same};
use super::world::World;

/// The states that a caller can set.
const STATES: [&str; 3] = ["New", "Acknowledged", "Closed"];

/// An alert.
pub(super) struct Alert {
    id: String,
    state: &'static str,
    history: Vec<Modification>,
}

/// A change of an alert's state.
struct Modification {
    at: OffsetDateTime,
    old: &'static str,
    new: &'static str,
    comments: Option<String>,
}

impl Alert {
    fn wire(&self) -> Value {
        json!({
            "id": self.id,
            "name": "tcp-burst",
            "type": "Microsoft.AlertsManagement/alerts",
            "properties": {
                "essentials": {
                    "severity": "Sev2",
                    "signalType": "Metric",
                    "alertState": self.state,
                    "monitorCondition": "Fired",
                    "monitorService": "Platform",
                },
                "context": null,
                "egressConfig": null,
            },
        })
    }
}

pub(super) fn get(world: &World, asked: &Asked<'_>) -> Outcome {
    let alert = world.alert(&asked.route.child).ok_or_else(not_found)?;
    Ok(Answer::json(200, alert.wire()))
}

/// <https://learn.microsoft.com/en-us/rest/api/monitor/alertsmanagement/alerts/get-history>
pub(super) fn history(world: &World, asked: &Asked<'_>) -> Outcome {
    let alert = world.alert(&asked.route.child).ok_or_else(not_found)?;
    let modifications = alert.history.iter().map(|it| {
        json!({
            "modificationEvent": "StateChange",
            "oldValue": it.old,
            "newValue": it.new,
            "modifiedAt": it.at.format(&Rfc3339).unwrap_or_default(),
            "modifiedBy": super::samples::CLIENT_ID,
            "comments": it.comments,
            "description": "",
        })
    });
    Ok(Answer::json(
        200,
        json!({
            "id": format!("{}/history/default", alert.id),
            "type": "Microsoft.AlertsManagement/alerts/history",
            "properties": {
                "alertId": ids::name(&alert.id),
                "modifications": modifications.collect::<Vec<_>>(),
            },
        }),
    ))
}

pub(super) fn change_state(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let wanted = parameter(asked.query, "newState").unwrap_or_default();
    let Some(new) = STATES.into_iter().find(|state| *state == wanted) else {
        let message = format!("The alert state '{wanted}' is not valid.");
        return Err(provider_error(400, "BadRequest", message));
    };
    let body: Value = match asked.body {
        [] => Value::Null,
        body => serde_json::from_slice(body)
            .map_err(|_| provider_error(400, "BadRequest", "The body is not JSON."))?,
    };
    let comments = body["comments"].as_str().map(str::to_owned);
    let at = asked.now;
    let alert = world.alert_mut(&asked.route.child).ok_or_else(not_found)?;
    let old = std::mem::replace(&mut alert.state, new);
    alert.history.push(Modification {
        at,
        old,
        new,
        comments,
    });
    Ok(Answer::json(200, alert.wire()))
}

fn not_found() -> Answer {
    gateway_error(404, "AlertNotFound", "The alert was not found.")
}

impl World {
    fn alert(&self, id: &str) -> Option<&Alert> {
        self.alerts.iter().find(|alert| same(&alert.id, id))
    }

    fn alert_mut(&mut self, id: &str) -> Option<&mut Alert> {
        self.alerts.iter_mut().find(|alert| same(&alert.id, id))
    }
}

impl Sandbox {
    /// An alert that fired, with its id in full.
    pub fn add_alert(&self, id: &str) {
        self.shared.with_world(|world, _| {
            world.alerts.push(Alert {
                id: id.to_owned(),
                state: "New",
                history: Vec::new(),
            });
        });
    }

    /// An operator closes an alert. Panics when it is not there.
    pub fn close_alert(&self, id: &str) {
        self.shared.with_world(|world, _| {
            let alert = world.alert_mut(id);
            alert.expect("the alert is in the sandbox").state = "Closed";
        });
    }

    /// The state of an alert, and the comments in its history. Panics when it is not there.
    pub fn alert(&self, id: &str) -> (&'static str, Vec<String>) {
        self.shared.with_world(|world, _| {
            let alert = world.alert(id).expect("the alert is in the sandbox");
            let comments = alert.history.iter().filter_map(|it| it.comments.clone());
            (alert.state, comments.collect())
        })
    }
}
