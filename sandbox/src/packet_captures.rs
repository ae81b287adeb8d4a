//! `Microsoft.Network/networkWatchers/packetCaptures`, with the long-running answers that
//! each call gives.

use serde_json::Value;

use super::answer::{Answer, Outcome, provider_error};
use super::arm::{Asked, page};
use super::capture::{Capture, Provisioning, SessionStatus, storage_path};
use super::ids::same;
use super::mishaps::{Mishap, Mishaps};
use super::oddities::Oddity;
use super::operations::{self, State, Work};
use super::world::{Watcher, World};
use super::{references, request};

pub(super) fn list(world: &World, asked: &Asked<'_>) -> Outcome {
    let watcher = parent(world, asked)?;
    let captures = watcher.captures.iter();
    let all = captures
        .map(|capture| capture.resource(&watcher.etag, true))
        .collect();
    page(world, asked, all, world.capture_page_size)
}

pub(super) fn get(world: &World, asked: &Asked<'_>) -> Outcome {
    let (watcher, capture) = existing(world, asked)?;
    let resource = capture.resource(&watcher.etag, false);
    Ok(Answer::json(200, resource).with("etag", &watcher.etag))
}

pub(super) fn put(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let watcher = parent(world, asked)?;
    let name = &asked.route.child;
    let letters = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.len() > 80 || !name.chars().all(letters) {
        let message = format!("Resource name {name} is invalid.");
        return Err(provider_error(400, "InvalidResourceName", message));
    }
    let wanted = request::wanted(asked.body, asked.api_version)?;
    let id = format!("{}/packetCaptures/{name}", watcher.id);
    if let Some(known) = watcher.capture(name) {
        return Err(match known.provisioning {
            Provisioning::Deleting => another_operation(world, &watcher.id, 409),
            _ => {
                let message = format!("A packet capture {} exists already.", known.id);
                provider_error(400, "PacketCaptureAlreadyExists", message)
            }
        });
    }
    refuse_parallel_write(world, watcher)?;
    if watcher.captures.len() >= world.capture_limit {
        let message = format!(
            "The watcher has reached its limit of {} packet captures.",
            world.capture_limit
        );
        return Err(provider_error(
            400,
            "PacketCaptureCountLimitReached",
            message,
        ));
    }
    references::check(world, watcher, &wanted)?;
    references::check_rights(world, &wanted)?;

    let path = match (&wanted.storage_path, &wanted.storage_id) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(account)) => Some(storage_path(
            &world.endpoint,
            account,
            &wanted.target,
            asked.now,
        )),
        (None, None) => None,
    };
    let (watcher, mut capture) = (watcher.id.clone(), Capture::new(id, name, wanted, path));
    capture.mishap = world.mishaps.as_mut().and_then(Mishaps::draw);
    let serial = world.put_capture(&watcher, capture);
    let of = (watcher.as_str(), name.as_str(), serial);
    let operation = operations::start(world, Work::Create, of, asked.api_version, asked.now);
    let (_, capture) = existing(world, asked)?;
    let etag = world.watcher(&watcher).map_or("", |watcher| &watcher.etag);
    let answer = Answer::json(201, capture.resource(etag, false));
    Ok(operations::announce(world, &operation, answer))
}

pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let watcher = parent(world, asked)?;
    let Some(capture) = watcher.capture(&asked.route.child) else {
        return Ok(Answer::empty(204));
    };
    let without_effect = capture.mishap == Some(Mishap::DeleteWithoutEffect);
    if without_effect || world.oddities.contains(&Oddity::DeletesWithoutEffect) {
        return Ok(Answer::empty(204));
    }
    refuse_parallel_write(world, watcher)?;
    let (id, name, serial) = (watcher.id.clone(), capture.name.clone(), capture.serial);
    // A test may have set a start in year 9999.
    let length = time::Duration::try_from(capture.wanted.session_length());
    let length = length.unwrap_or(time::Duration::MAX);
    let ends = capture.started.map(|it| it.saturating_add(length));
    let runs = capture.session == SessionStatus::Running;
    if runs && ends.is_some_and(|ends| asked.now < ends) {
        let cut = capture.id.clone();
        world.cut_short.push(cut);
    }
    let at_once = world.oddities.contains(&Oddity::DeletesAtOnce);
    if let Some(watcher) = world.watcher_mut(&id) {
        if at_once {
            watcher.captures.retain(|capture| capture.serial != serial);
            watcher.touch();
            return Ok(Answer::empty(204));
        }
        if let Some(capture) = watcher.capture_mut(&name) {
            capture.provisioning = Provisioning::Deleting;
            if capture.session == SessionStatus::Running {
                capture.session = SessionStatus::Stopped;
                capture.stop_reason = Some("Manual".to_owned());
            }
        }
        watcher.touch();
    }
    let of = (id.as_str(), name.as_str(), serial);
    let operation = operations::start(world, Work::Delete, of, asked.api_version, asked.now);
    Ok(operations::announce(world, &operation, Answer::empty(202)))
}

pub(super) fn stop(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (watcher, capture) = existing(world, asked)?;
    if capture.is_over() {
        return Ok(Answer::json(200, Value::Null));
    }
    if world.oddities.contains(&Oddity::StopConflicts) {
        let message = "Another write to the resource is in progress.".to_owned();
        return Err(provider_error(409, "Conflict", message));
    }
    refuse_parallel_write(world, watcher)?;
    let (watcher, name, serial) = (watcher.id.clone(), capture.name.clone(), capture.serial);
    let of = (watcher.as_str(), name.as_str(), serial);
    let operation = operations::start(world, Work::Stop, of, asked.api_version, asked.now);
    Ok(operations::announce(world, &operation, Answer::empty(202)))
}

/// 200 when the session has ended, 202 while it runs; the body has the status either way.
pub(super) fn query_status(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let (watcher, capture) = existing(world, asked)?;
    let not_found = capture.mishap == Some(Mishap::StatusNotFound);
    if not_found || world.oddities.contains(&Oddity::StatusNotFound) {
        let message = format!(
            "Resource {}/packetCaptures/{} not found.",
            watcher.id, capture.name
        );
        return Err(provider_error(404, "NotFound", message));
    }
    let body = capture.status();
    if capture.is_over() {
        return Ok(Answer::json(200, body));
    }
    let (watcher, name, serial) = (watcher.id.clone(), capture.name.clone(), capture.serial);
    let of = (watcher.as_str(), name.as_str(), serial);
    let operation = operations::start(world, Work::Query, of, asked.api_version, asked.now);
    if let Some(capture) = world
        .watcher_mut(&watcher)
        .and_then(|it| it.capture_mut(&name))
    {
        capture.last_query = Some(operation.clone());
    }
    Ok(operations::announce(
        world,
        &operation,
        Answer::json(202, body),
    ))
}

fn parent<'a>(world: &'a World, asked: &Asked<'_>) -> Result<&'a Watcher, Answer> {
    let id = &asked.route.scope;
    world
        .watcher(id)
        .ok_or_else(|| super::arm::parent_not_found(id))
}

fn existing<'a>(world: &'a World, asked: &Asked<'_>) -> Result<(&'a Watcher, &'a Capture), Answer> {
    let watcher = parent(world, asked)?;
    let name = &asked.route.child;
    match watcher.capture(name) {
        Some(capture) => Ok((watcher, capture)),
        None => {
            let message = format!("Resource {}/packetCaptures/{name} not found.", watcher.id);
            Err(provider_error(404, "NotFound", message))
        }
    }
}

fn refuse_parallel_write(world: &World, watcher: &Watcher) -> Result<(), Answer> {
    let busy = world.operations.iter().any(|operation| {
        operation.work != Work::Query
            && operation.state == State::Running
            && same(&operation.watcher, &watcher.id)
    });
    match world.one_write_at_a_time && busy {
        true => Err(another_operation(world, &watcher.id, 429)),
        false => Ok(()),
    }
}

fn another_operation(world: &World, watcher: &str, status: u16) -> Answer {
    let running =
        world.operations.iter().rev().find(|operation| {
            operation.state == State::Running && same(&operation.watcher, watcher)
        });
    let message = format!(
        "Another operation on this or dependent resource is in progress: operation {}.",
        running.map_or("", |operation| &operation.id)
    );
    let answer = provider_error(status, "AnotherOperationInProgress", message);
    match status {
        429 => answer.with("retry-after", world.retry_after()),
        _ => answer,
    }
}
