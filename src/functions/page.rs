//! The pages for people, as templates in `pages/`: no script but one (`script.rs`), nothing from elsewhere, and askama
//! escapes every text: alerts fill names. Links are relative, so that a key in the address never gets into a page.

mod change_row;
mod changes;
mod curve;
mod file_look;
mod list;
mod metric;
mod readiness;
mod script;
mod story;
mod timeline;
mod words;

pub(super) use changes::{Gathered, with_changes};
pub(super) use list::list;
pub(super) use readiness::readiness;
pub(super) use script::CONTENT_SECURITY_POLICY;
pub(super) use story::story;
pub(super) use words::state_name;

use super::http::text_ok;
use crate::{incident::IncidentId, notify::Portal, resource_id::ResourceId};
use askama::Template;
use axum::response::Response;

use time::OffsetDateTime;

pub(super) const HTML: &str = "text/html; charset=utf-8";

/// A short name that leads to a page of the portal, where it has one; the full text is its title.
struct Link {
    text: String,
    title: String,
    href: Option<String>,
}

impl Link {
    fn of_resource(portal: &Portal, id: &ResourceId) -> Self {
        let full = id.to_string();
        Self {
            text: id.short_name(),
            href: Some(portal.resource(&full).into()),
            title: full,
        }
    }
}

/// A time in UTC, for people and for the script.
struct Stamp {
    text: String,
    machine: String,
}

impl Stamp {
    fn of(at: OffsetDateTime) -> Self {
        Self {
            text: words::day_and_time(at),
            machine: words::machine_time(at),
        }
    }
}

fn html(page: &impl Template) -> Response {
    // Writing into a text does not fail.
    text_ok(HTML, page.render().unwrap_or_default())
}

/// The relative address of what is below the list. A relative address counts from the last slash.
fn below(path: &str) -> &'static str {
    match path.ends_with('/') {
        true => "",
        false => "PacketCaptures/",
    }
}

/// The relative address of what is below an incident, seen from its page, whose address may have a job's id instead.
fn below_incident(path: &str, incident: &IncidentId) -> String {
    format!("{}{incident}/", up(path))
}

/// The relative address of the list, seen from one incident.
fn up(path: &str) -> &'static str {
    match path.ends_with('/') {
        true => "../",
        false => "./",
    }
}
