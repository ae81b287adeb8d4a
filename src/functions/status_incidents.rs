//! The status of alerts: `GET /api/PacketCaptures` lists incidents as Resource Manager lists resources, `/{incident}`
//! shows one, and so does the id of one of its jobs. Browsers get a page.
//!
//! The function key guards these routes, checked by the Functions host. The secure webhook guards alerts alone: an
//! operator has no token of an action group, and needs the key in either case.

use super::{
    http::{JSON, json_ok, text_ok},
    incidents::{Found, Incidents, Unreadable},
    page::{self, Gathered},
    path::{self, AsWritten},
    refusal::Refusal,
    status,
    status_filter::{Asked, WRONG_TOKEN},
    status_json::{IncidentList, JobWire, Whole},
    status_query::prefers_html,
};
use crate::{
    changes::ControlPlane,
    incident::{Incident, IncidentId, JobId, Ledger, record::Entry},
    notify::Portal,
    queue::JobQueue,
    record::LookPart,
};
use axum::{
    Extension, Router,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Uri},
    middleware,
    response::Response,
    routing::get,
};
use std::{collections::HashMap, sync::Arc};
use time::OffsetDateTime;

/// Maximum number of reports within a page, at up to 300 KB each.
const MOST_REPORTS: usize = 3;

/// What the pages show, and where their links lead.
#[derive(Clone)]
pub struct Pages {
    pub incidents: Arc<dyn Incidents>,
    /// The Azure portal, for links.
    pub portal: Portal,
    /// The queue whose given-up jobs are counted.
    pub queue: Arc<dyn JobQueue>,
    /// The jobs of this process, which it knows a moment before the store does.
    pub ledger: Arc<Ledger>,
}

/// The routes of incidents alone, below `/api`.
pub fn pages(pages: Pages) -> Router {
    Router::new()
        .fallback_service(Router::new().nest("/api", routes(Arc::new(pages))))
        .layer(middleware::map_request(path::normalized))
}

/// The routes of incidents, for any router.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(pages: Arc<Pages>) -> Router<S> {
    Router::new()
        .route("/packetcaptures", get(list).fallback(super::only_get))
        .route("/packetcaptures/{id}", get(one).fallback(super::only_get))
        .route(
            "/packetcaptures/{id}/looks/{look}",
            get(look).fallback(super::only_get),
        )
        .layer(middleware::map_response(status::private))
        .with_state(pages)
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
        .page(&asked.filter, asked.after.as_deref(), asked.top)
        .await?;
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
        next_link: found.next.as_deref().map(|after| asked.next(after)),
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
    let html = prefers_html(&status::accept(&headers));
    if let Some(record) = job.filter(|_| !html).and_then(|job| pages.ledger.job(&job)) {
        return Ok(json_ok(&JobWire::from(&record)));
    }
    let found = find(&*pages.incidents, &id, job).await?;
    let found = found.ok_or(Refusal::IncidentNotFound)?;
    if html {
        let reports = reports(&*pages.incidents, &found).await;
        let gathered = gathered(&*pages.incidents, &found.incident).await;
        let portal = &pages.portal;
        return Ok(page::story(&found, &reports, &gathered, job, &path, portal));
    }
    Ok(match job.and_then(|job| JobWire::of(&found, &job)) {
        Some(job) => json_ok(&job),
        None => {
            let gathered = gathered(&*pages.incidents, &found.incident).await;
            json_ok(&Whole::of(&found, &gathered))
        }
    })
}

/// The report about a job's file, `looks/{job}`, its manifest, `looks/{job}.json`, or what changed around its alert,
/// `looks/{job}.changes.json`.
pub(super) async fn look(
    State(pages): State<Arc<Pages>>,
    names: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refusal> {
    let Ok(Path((id, look))) = names else {
        return Err(Refusal::IncidentNotFound);
    };
    let (job, part) = match (
        look.strip_suffix(".changes.json"),
        look.strip_suffix(".json"),
    ) {
        (Some(job), _) => (job, LookPart::Changes),
        (None, Some(job)) => (job, LookPart::Manifest),
        (None, None) => (look.as_str(), LookPart::Report),
    };
    let names = IncidentId::parse(&id).ok().zip(JobId::parse(job));
    let (incident, job) = names.ok_or(Refusal::LookNotFound)?;
    let found = pages.incidents.look(&incident, &job, part).await?;
    let text = found.ok_or(Refusal::LookNotFound)?;
    Ok(match part {
        LookPart::Report => {
            let text = with_changes(&pages, &incident, &job, text).await;
            text_ok(page::HTML, text)
        }
        LookPart::Manifest | LookPart::Changes => text_ok(JSON, text),
    })
}

/// The newest reports about an incident's files. One that cannot be read is left out: the page has its lines.
async fn reports(incidents: &dyn Incidents, found: &Found) -> HashMap<JobId, String> {
    let incident = &found.incident;
    let mut reports = HashMap::new();
    let stored = |entry: &&Entry| entry.report.look.as_ref().is_some_and(|look| look.report);
    let entries = incident.entries.iter().rev().filter(stored);
    for entry in entries.take(MOST_REPORTS) {
        let report = incidents.look(&incident.id, &entry.job_id, LookPart::Report);
        if let Ok(Some(report)) = report.await {
            reports.insert(entry.job_id, report);
        }
    }
    reports
}

/// What changed around the newest alerts of an incident.
async fn gathered(incidents: &dyn Incidents, incident: &Incident) -> Gathered {
    let kept = |entry: &&Entry| {
        let changes = entry.report.changes.as_ref();
        changes.is_some_and(|changes| changes.kept)
    };
    let entries = incident.entries.iter().rev().filter(kept);
    let mut gathered = Gathered::new();
    for entry in entries.take(MOST_REPORTS) {
        if let Some(found) = changes_of(incidents, incident, &entry.job_id).await {
            gathered.insert(entry.job_id, found);
        }
    }
    gathered
}

/// What changed around the alert of one job; `None`: it is not kept, or it was deleted.
async fn changes_of(
    incidents: &dyn Incidents,
    incident: &Incident,
    job: &JobId,
) -> Option<Result<ControlPlane, String>> {
    let found = incidents.look(&incident.id, job, LookPart::Changes).await;
    let read = found.map_err(|error| error.to_string()).transpose()?;
    Some(
        read.and_then(|text| {
            ControlPlane::parse(text.as_bytes()).map_err(|error| error.to_string())
        }),
    )
}

/// A report with what changed around its alert.
async fn with_changes(pages: &Pages, incident: &IncidentId, job: &JobId, report: String) -> String {
    let incidents = &*pages.incidents;
    let Ok(Some(found)) = incidents.get(incident).await else {
        return report;
    };
    let Some(entry) = found.incident.entry(job) else {
        return report;
    };
    let changes = changes_of(incidents, &found.incident, job).await;
    let gathered = changes.into_iter().map(|changes| (*job, changes)).collect();
    page::with_changes(report, entry, &gathered, &pages.portal)
}

async fn find(
    incidents: &dyn Incidents,
    id: &str,
    job: Option<JobId>,
) -> Result<Option<Found>, Unreadable> {
    let id = match job {
        Some(job) => incidents.of_job(&job).await?,
        None => IncidentId::parse(id).ok(),
    };
    match id {
        Some(id) => incidents.get(&id).await,
        None => Ok(None),
    }
}

impl From<Unreadable> for Refusal {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Token => Refusal::InvalidQuery(WRONG_TOKEN),
            Unreadable::Store(cause) => Refusal::IncidentsUnreadable(cause),
        }
    }
}
