//! Long-running operations and the two URLs to poll them with. The URLs carry long signatures that
//! have to come back byte for byte: a client that takes them apart is found out here.

use rand::RngExt;
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::answer::{Answer, Outcome, gateway_error};
use super::calls::Call;
use super::ids;
use super::routes::Route;
use super::world::World;

/// Letters of a URL-safe base64 text.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Create,
    Delete,
    Stop,
    Query,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Succeeded,
    Failed {
        code: String,
        message: String,
        /// Code and message of the reason, one level down.
        details: Vec<(String, String)>,
    },
}

#[derive(Debug)]
pub(super) struct Operation {
    pub id: String,
    pub work: Work,
    pub state: State,
    pub created: OffsetDateTime,
    pub watcher: String,
    pub capture: String,
    /// Which capture of that name is meant.
    pub serial: u64,
    status_query: String,
    result_query: String,
    status_url: String,
    result_url: String,
}

/// Starts an operation and hands out its id.
pub(super) fn start(
    world: &mut World,
    work: Work,
    (watcher, capture, serial): (&str, &str, u64),
    api_version: &str,
    now: OffsetDateTime,
) -> String {
    let id = Uuid::new_v4().to_string();
    let region = world
        .watcher(watcher)
        .map_or_else(String::new, |watcher| ids::region(&watcher.location));
    let base = format!(
        "{}/subscriptions/{}/providers/Microsoft.Network/locations/{region}",
        world.endpoint,
        ids::subscription(watcher)
    );
    let (status_query, result_query) = (signature(api_version, now), signature(api_version, now));
    world.operations.push(Operation {
        work,
        state: State::Running,
        created: now,
        watcher: watcher.to_owned(),
        capture: capture.to_owned(),
        serial,
        status_url: format!("{base}/operations/{id}?{status_query}"),
        result_url: format!("{base}/operationResults/{id}?{result_query}"),
        status_query,
        result_query,
        id: id.clone(),
    });
    id
}

/// About 3.5 KB, most of it a certificate, as Resource Manager adds them today.
fn signature(api_version: &str, now: OffsetDateTime) -> String {
    // .NET ticks count from the year 1.
    let ticks = now.unix_timestamp_nanos() / 100 + 621_355_968_000_000_000;
    format!(
        "api-version={api_version}&t={ticks}&c=MII{}&s={}&h={}",
        random_text(2_990),
        random_text(342),
        random_text(43)
    )
}

fn random_text(length: usize) -> String {
    let mut random = vec![0; length];
    rand::rng().fill(random.as_mut_slice());
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    random.into_iter().map(letter).collect()
}

/// The headers that say where a client polls.
pub(super) fn announce(world: &World, id: &str, answer: Answer) -> Answer {
    let Some(operation) = world.operations.iter().find(|operation| operation.id == id) else {
        return answer;
    };
    let answer = answer
        .with("x-ms-request-id", id)
        .with("retry-after", world.retry_after());
    pointers(world, operation, answer)
}

/// Where poll URLs point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PollUrls {
    /// To the endpoint that was called.
    #[default]
    Endpoint,
    /// To the regional host of Resource Manager, which the client was not configured with.
    Regional,
    /// To a path, without a host.
    Relative,
}

impl PollUrls {
    fn spell(self, endpoint: &str, url: &str) -> String {
        match self {
            Self::Endpoint => url.to_owned(),
            Self::Regional => url.replacen("://", "://region.", 1),
            Self::Relative => url.replacen(endpoint, "", 1),
        }
    }
}

/// A create has no `Location`, a status query nothing else.
fn pointers(world: &World, operation: &Operation, answer: Answer) -> Answer {
    let spell = |url: &str| world.poll_urls.spell(&world.endpoint, url);
    let (status, result) = (spell(&operation.status_url), spell(&operation.result_url));
    match operation.work {
        Work::Create => answer.with("azure-asyncoperation", status),
        Work::Query => answer.with("location", result),
        Work::Delete | Work::Stop => answer
            .with("azure-asyncoperation", status)
            .with("location", result),
    }
}

/// Finds the operation and checks the signature of the URL that led here.
fn signed<'a>(world: &'a World, route: &Route, query: &str) -> Result<&'a Operation, Answer> {
    let found = world.operations.iter().find(|operation| {
        ids::same(&operation.id, &route.child)
            && ids::same(
                ids::subscription(&operation.watcher),
                ids::subscription(&route.scope),
            )
    });
    let Some(operation) = found else {
        let message = format!("Operation {} not found.", route.child);
        return Err(gateway_error(404, "OperationNotFound", message));
    };
    let expected = match route.call {
        Call::OperationStatus => &operation.status_query,
        _ => &operation.result_query,
    };
    if query != expected {
        let message = "The signature of the operation's URL is not valid.";
        return Err(gateway_error(403, "AuthorizationFailed", message).noted("altered signature"));
    }
    Ok(operation)
}

/// `operations/{id}`: always 200; the status is in the body.
pub(super) fn status(world: &World, route: &Route, query: &str) -> Outcome {
    let operation = signed(world, route, query)?;
    Ok(match &operation.state {
        State::Running => Answer::json(200, json!({"status": "InProgress"}))
            .with("retry-after", world.retry_after()),
        State::Succeeded if operation.work == Work::Stop => {
            Answer::json(200, json!({"status": "Succeeded", "properties": {}}))
        }
        State::Succeeded => Answer::json(200, json!({"status": "Succeeded"})),
        State::Failed {
            code,
            message,
            details,
        } => {
            let details = details.iter();
            let details = details.map(|(code, message)| json!({"code": code, "message": message}));
            let error =
                json!({"code": code, "message": message, "details": details.collect::<Vec<_>>()});
            Answer::json(200, json!({"status": "Failed", "error": error}))
        }
    })
}

/// `operationResults/{id}`: 202 until the result is there.
pub(super) fn result(world: &World, route: &Route, query: &str) -> Outcome {
    let operation = signed(world, route, query)?;
    let watcher = world.watcher(&operation.watcher);
    let capture = watcher.and_then(|watcher| {
        let mut captures = watcher.captures.iter();
        captures.find(|capture| capture.serial == operation.serial)
    });
    let answer = match (&operation.state, operation.work, watcher, capture) {
        // The status can be read after the session has ended, too.
        (_, Work::Query, _, Some(capture))
            if operation.state == State::Succeeded || capture.is_over() =>
        {
            Answer::json(200, capture.status())
        }
        (State::Running, ..) => Answer::empty(202).with("retry-after", world.retry_after()),
        (State::Failed { code, message, .. }, ..) => {
            let status = if code == "InternalServerError" {
                500
            } else {
                400
            };
            super::answer::provider_error(status, code, message)
        }
        (State::Succeeded, Work::Delete, ..) => Answer::empty(204),
        (State::Succeeded, Work::Stop, ..) => Answer::json(200, serde_json::Value::Null),
        (State::Succeeded, _, Some(watcher), Some(capture)) => {
            Answer::json(200, capture.resource(&watcher.etag, false))
        }
        (State::Succeeded, ..) => {
            let message = format!("Resource {} not found.", operation.capture);
            super::answer::provider_error(404, "NotFound", message)
        }
    };
    // Finished or not, the pointers stay.
    Ok(pointers(world, operation, answer))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::progress::Progress;
    use super::*;

    #[test]
    fn a_poll_url_works_only_as_it_was_given() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let mut world = World::new("https://h".to_owned(), Progress::Manual, Duration::ZERO);
        let watcher =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkWatchers/w";
        start(
            &mut world,
            Work::Delete,
            (watcher, "c", 1),
            "2025-05-01",
            now,
        );
        let url = url::Url::parse(&world.operations[0].status_url).unwrap();
        assert!(
            (3_400..3_700).contains(&url.as_str().len()),
            "{}",
            url.as_str().len()
        );
        let route = Route::of("GET", url.path(), "");
        let query = url.query().unwrap();
        assert!(status(&world, &route, query).is_ok());

        let (rest, _) = query.rsplit_once("&h=").unwrap();
        for altered in [
            rest.to_owned(),
            query[..2_048].to_owned(),
            format!("{query}&x="),
            query.to_lowercase(),
        ] {
            let refused = status(&world, &route, &altered).unwrap_err();
            assert_eq!(
                (refused.status, refused.note),
                (403, Some("altered signature"))
            );
        }
        let result_route = Route::of(
            "GET",
            &url.path().replace("/operations/", "/operationResults/"),
            "",
        );
        assert!(
            result(&world, &result_route, query).is_err(),
            "each URL has its own signature"
        );
    }
}
