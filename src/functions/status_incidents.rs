//! The status of alerts: `GET /api/PacketCaptures` lists incidents as Resource Manager lists resources, `/{incident}`
//! shows one, and so does the id of one of its jobs. Browsers get a page.
//!
//! The function key guards these routes, checked by the Functions host. The secure webhook guards alerts alone: an
//! operator has no token of an action group, and needs the key in either case.

use super::{
    http::json_ok,
    incidents::{Found, Incidents},
    page,
    path::{self, AsWritten},
    refusal::Refusal,
    status,
    status_filter::{Asked, incident_id},
    status_json::{IncidentList, JobWire, Whole},
    status_query::prefers_html,
};
use crate::{incident::JobId, notify::Portal, queue::JobQueue};
use axum::{
    Extension, Router,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Uri},
    middleware,
    response::Response,
    routing::get,
};
use std::sync::Arc;
use time::OffsetDateTime;

/// What the pages show, and where their links lead.
#[derive(Clone)]
pub struct Pages {
    pub incidents: Arc<dyn Incidents>,
    /// The Azure portal, for links.
    pub portal: Portal,
    /// The queue whose given-up jobs are counted.
    pub queue: Arc<dyn JobQueue>,
}

/// The routes of incidents alone, below `/api`.
pub fn pages(pages: Pages) -> Router {
    let routes = Router::new()
        .route("/api/packetcaptures", get(list))
        .route("/api/packetcaptures/{id}", get(one))
        .layer(middleware::map_response(status::private))
        .with_state(Arc::new(pages));
    Router::new()
        .fallback_service(routes)
        .layer(middleware::map_request(path::normalized))
}

/// A page of incidents, the newest first.
pub(super) async fn list(
    State(pages): State<Arc<Pages>>,
    Extension(AsWritten(path)): Extension<AsWritten>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = Asked::read(uri.query().unwrap_or_default()).map_err(Refusal::InvalidQuery)?;
    let found = pages
        .incidents
        .page(&asked.filter, asked.after.as_ref(), asked.top)
        .await
        .map_err(|error| Refusal::IncidentsUnreadable(error.0))?;
    let poisoned = pages.queue.poisoned().await.ok();
    if prefers_html(&status::accept(&headers)) {
        let now = OffsetDateTime::now_utc();
        let poisoned = poisoned.unwrap_or_default();
        return Ok(page::list(
            &found,
            &asked,
            &path,
            now,
            &pages.portal,
            poisoned,
        ));
    }
    Ok(json_ok(&IncidentList {
        value: &found.value,
        // Relative to the address of this page, so that no key has to be written into it.
        next_link: found.next.as_ref().map(|after| asked.next(after)),
        poisoned,
        held_back: found.held_back.as_deref(),
    }))
}

/// One incident, or the one of a job.
pub(super) async fn one(
    State(pages): State<Arc<Pages>>,
    Extension(AsWritten(path)): Extension<AsWritten>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Ok(Path(id)) = id else {
        return Err(Refusal::IncidentNotFound);
    };
    let job = JobId::parse(&id);
    let found = find(&*pages.incidents, &id, job).await?;
    let found = found.ok_or(Refusal::IncidentNotFound)?;
    if prefers_html(&status::accept(&headers)) {
        return Ok(page::story(&found, job, &path, &pages.portal));
    }
    Ok(match job.and_then(|job| JobWire::of(&found, &job)) {
        Some(job) => json_ok(&job),
        None => json_ok(&Whole::from(&found)),
    })
}

async fn find(
    incidents: &dyn Incidents,
    id: &str,
    job: Option<JobId>,
) -> Result<Option<Found>, Refusal> {
    let read = async {
        let id = match job {
            Some(job) => incidents.of_job(&job).await?,
            None => incident_id(id),
        };
        match id {
            Some(id) => incidents.get(&id).await,
            None => Ok(None),
        }
    };
    let read = read.await;
    read.map_err(|error| Refusal::IncidentsUnreadable(error.0))
}
