//! Drills: `POST /api/PacketCaptures/drill` makes the alert of a drill on one machine and takes it in as any alert, and the
//! host's timer does so for the machines that are set. The answer is that of an alert; `handler drill` follows from there.
//!
//! The function key guards this route, checked by the Functions host. The secure webhook guards alerts alone: an operator has
//! no token of an action group, and a drill is short and goes where captures may be made anyway.

use super::{
    Door, Intake,
    alerts::read_body,
    answer::Answer,
    http::{Done, json_ok},
    refusal::Refusal,
    stop::Stop,
};
use crate::{alert::drill, incident::Status, resource_id::ResourceId};
use axum::{
    body::Bytes,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// Maximum bytes of a request for a drill.
const MOST_BYTES: usize = 16 * 1024;
/// Maximum number of drills in progress that the timer has begun. Others follow when these have ended.
const AT_ONCE: usize = 4;
/// How long the timer's call waits for its drills, below `functionTimeout` in host.json: as long as the call lasts, the host
/// keeps this instance.
const MOST_WAIT: Duration = Duration::from_secs(4 * 60);
/// How long the timer waits for one drill before it begins another.
const ONE_DRILL: Duration = Duration::from_secs(90);
/// Interval between two checks of a drill in progress.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long the answer waits for what Azure says of the create. Who started the drill follows it in any case.
const REPLY_WAIT: Duration = Duration::from_secs(2);
const NEEDED: &str = "a drill needs a JSON body with one machine: {\"target\":\"/subscriptions/…/virtualMachines/NAME\"}, a virtual machine or an instance of a scale set";

/// Starts a drill on the machine in the body.
pub(super) async fn start(State(door): State<Arc<Door>>, request: Request) -> Response {
    let answer = async {
        let body = read_body(request.into_body(), MOST_BYTES, &door.stop).await?;
        let machine = machine(&body).ok_or(Refusal::InvalidDrill(NEEDED))?;
        begin(&door.intake, &machine, &door.stop).await
    };
    answer.await.into_response()
}

/// The machine that a request names.
fn machine(body: &[u8]) -> Option<ResourceId> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let id = ResourceId::parse(body.get("target")?.as_str()?).ok()?;
    drill::is_machine(&id).then_some(id)
}

async fn begin(intake: &Arc<Intake>, machine: &ResourceId, stop: &Stop) -> Result<Answer, Refusal> {
    let body = drill::body(machine, rand::random(), intake.incidents.now());
    let answer = intake
        .take_within(Bytes::from(body), false, REPLY_WAIT, stop)
        .await;
    match &answer {
        Ok(answer) => answer.log(),
        Err(refusal) => refusal.log(),
    }
    answer
}

/// The host's timer: a drill on each machine that is set, a few at a time. Others than the host do not reach this: it is no
/// route of the function app.
pub(super) async fn timer(State(door): State<Arc<Door>>, request: Request) -> Response {
    // The envelope says nothing that a drill needs; it is read so that the connection can be used again.
    if let Err(refusal) = read_body(request.into_body(), MOST_BYTES, &door.stop).await {
        return refusal.into_response();
    }
    let machines = door.drill_targets.clone();
    let (count, nightly) = (machines.len(), door.clone());
    if count == 0 {
        return json_ok(&Done::of(
            "no drill: Readiness__DrillTargets is not set".to_owned(),
        ));
    }
    // It continues when the host does not wait any longer.
    let drills = tokio::spawn(async move {
        let drills = stream::iter(machines.to_vec()).map(|machine| one(nightly.clone(), machine));
        let ended: Vec<Status> = drills.buffer_unordered(AT_ONCE).collect().await;
        ended
            .iter()
            .filter(|status| **status == Status::Completed)
            .count()
    });
    let log = match tokio::time::timeout(MOST_WAIT, drills).await {
        Ok(Ok(completed)) => format!("{completed} of {count} drills completed"),
        Ok(Err(panic)) => format!("internal error in a drill: {panic}"),
        Err(_) => format!("{count} drills are in progress"),
    };
    tracing::info!("{log}");
    json_ok(&Done::of(log))
}

/// One drill of the timer, as far as it is followed here.
async fn one(door: Arc<Door>, machine: ResourceId) -> Status {
    let answer = begin(&door.intake, &machine, &door.stop).await;
    let job = match &answer {
        Ok(answer) => answer.captures.iter().find_map(|entry| entry.job_id()),
        Err(_) => None,
    };
    let Some(job) = job else {
        return Status::Failed;
    };
    let ended = async {
        let ended = || {
            door.intake
                .ledger
                .job(&job)
                .is_none_or(|job| job.report.finished)
        };
        while !ended() {
            tokio::time::sleep(INTERVAL).await;
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(ONE_DRILL, ended) => {}
        () = door.stop.asked() => {}
    }
    let known = door.intake.ledger.job(&job);
    known.map_or(Status::Accepted, |job| job.report.status)
}

#[cfg(test)]
mod tests {
    use super::machine;

    #[test]
    fn a_drill_is_on_one_machine() {
        const GROUP: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute";
        for (body, expected) in [
            (
                format!("{{\"target\":\"{GROUP}/virtualMachines/web-01\"}}"),
                true,
            ),
            (
                format!("{{\"target\":\"{GROUP}/virtualMachineScaleSets/s/virtualMachines/1\"}}"),
                true,
            ),
            (
                format!("{{\"target\":\"{GROUP}/virtualMachineScaleSets/s\"}}"),
                false,
            ),
            (format!("{{\"target\":\"{GROUP}/disks/d\"}}"), false),
            ("{\"target\":\"web-01\"}".to_owned(), false),
            ("{\"target\":1}".to_owned(), false),
            ("[]".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(machine(body.as_bytes()).is_some(), expected, "{body}");
        }
    }
}
