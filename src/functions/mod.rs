//! What the Functions host calls: the table of routes, and the layers before it that make every form of a request one.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-custom-handlers>

// Times, limits and counts of others are reckoned with here.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod alerts;
mod answer;
mod claims;
mod drill;
mod entry;
mod envelope;
mod explanation;
mod http;
mod incidents;
mod intake;
mod job_trigger;
mod page;
mod path;
mod readiness;
mod refusal;
mod request;
mod secure_webhook;
mod serve;
mod status;
mod status_filter;
mod status_incidents;
mod status_json;
mod status_query;
mod stop;

pub use answer::{Answer, Outcome};
pub use claims::Expected;
pub use entry::Entry;
pub use explanation::Explanation;
pub use incidents::{Found, IncidentPage, Incidents, Unreadable};
pub use intake::Intake;
pub use refusal::Refusal;
pub use secure_webhook::{KeysUnavailable, Proof, SecureWebhook, SigningKeys};
pub use serve::serve;
pub use status_incidents::{Pages, pages};
pub use stop::Stop;

use crate::{fleet::Start, notify::Portal, resource_id::ResourceId};
use axum::{
    Router, middleware,
    routing::{any, get, post},
};
use readiness::Runs;
use std::sync::Arc;

/// What the routes share.
struct Door {
    intake: Arc<Intake>,
    /// `None` when the function key is enough.
    secure_webhook: Option<SecureWebhook>,
    /// The machines of the drills that the timer makes.
    drill_targets: Arc<[ResourceId]>,
    stop: Stop,
}

/// All routes, in lower case. `portal`: for the links of pages. `drill_targets`: the machines of the timer's drills. `runs`:
/// starts readiness runs.
pub fn router(
    intake: Arc<Intake>,
    secure_webhook: Option<SecureWebhook>,
    portal: Portal,
    drill_targets: Arc<[ResourceId]>,
    runs: Start,
    stop: Stop,
) -> Router {
    let runs = Arc::new(Runs {
        incidents: intake.incidents.clone(),
        start: runs,
        portal: portal.clone(),
        stop: stop.clone(),
    });
    let pages = Arc::new(Pages {
        incidents: intake.incidents.clone(),
        portal,
        queue: intake.queue.clone(),
        ledger: intake.ledger.clone(),
    });
    let door = Arc::new(Door {
        intake,
        secure_webhook,
        drill_targets,
        stop,
    });
    let functions = Router::new()
        .route(
            "/alertpacketcapture",
            post(alerts::alert).fallback(only_post),
        )
        .route(
            "/packetcaptures/drill",
            post(drill::start).fallback(only_post),
        )
        .merge(readiness::routes(runs.clone()))
        .merge(status_incidents::routes(pages))
        .merge(metrics_route());
    let routes = Router::new()
        // The host's readiness probe, every 25 ms at start.
        .route("/", any("alert-packet-capture is ready\n"))
        // The queue trigger calls it by its name alone.
        .route(
            "/packetcapturejob",
            post(alerts::abandoned_job).fallback(only_post),
        )
        .route(
            "/packetcapturedrill",
            post(drill::timer).fallback(only_post),
        )
        .merge(readiness::timer_route(runs))
        .nest("/api", functions.clone())
        // Without a route prefix: `routePrefix` is empty, or the layer found no envelope.
        .merge(functions)
        .fallback(async || Refusal::NoSuchRoute)
        .with_state(door.clone());
    // A layer of a router's own routes would see a request after it was matched.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(door, envelope::unwrapped))
        .layer(middleware::map_request(path::normalized))
}

fn metrics_route() -> Router<Arc<Door>> {
    Router::new()
        .route(
            "/packetcaptures/metrics",
            get(status::metrics).fallback(only_get),
        )
        .layer(middleware::map_response(status::private))
}

async fn only_get() -> Refusal {
    Refusal::MethodNotAllowed("GET")
}

async fn only_post() -> Refusal {
    Refusal::MethodNotAllowed("POST")
}
