//! A function that is asked over HTTP: starts a drill and reads its incident until it has ended.

use crate::{
    incident::{
        drill::{Drill, Verdict},
        record::{Entry, Step},
    },
    resource_id::ResourceId,
    text,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// Interval between two reads of the incident.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long a drill is followed: a capture that does not end is given up by the function ten minutes past its time limit.
const FOLLOWED_FOR: Duration = Duration::from_secs(15 * 60);
/// How many reads in a row may fail.
const MOST_FAILURES: u32 = 10;
/// Maximum bytes of an answer.
const MOST_BYTES: usize = 4 << 20;

/// A function app, and what opens it.
pub struct Function {
    http: reqwest::Client,
    url: Url,
    code: Option<String>,
}

/// What became of a drill.
pub struct Followed {
    /// `None`: the function did not accept the alert.
    pub drill: Option<Drill>,
    pub incident: Option<String>,
    /// Why there is no drill, or none that ended.
    pub problem: Option<String>,
    /// The page of its incident, without the key.
    pub page: Option<Url>,
}

impl Followed {
    pub fn passed(&self) -> bool {
        let drill = self.drill.as_ref().map(|drill| &drill.verdict);
        self.problem.is_none() && matches!(drill, Some(Verdict::Passed { .. }))
    }

    pub fn sentence(&self) -> String {
        match (&self.problem, &self.drill) {
            (Some(problem), _) => format!("Drill failed (function): {problem}"),
            (None, Some(drill)) => drill.sentence(),
            (None, None) => "Drill failed (function): no answer".to_owned(),
        }
    }
}

/// The incident, as far as a drill needs it.
#[derive(Deserialize)]
struct Incident {
    entries: Vec<Entry>,
    steps: Vec<Step>,
}

impl Function {
    /// `url`: of the app, with or without a path. `code`: its function key.
    pub fn new(http: reqwest::Client, mut url: Url, code: Option<String>) -> Self {
        url.set_query(None);
        url.set_fragment(None);
        if matches!(url.path(), "" | "/") {
            url.set_path("/api");
        }
        // People copy the address of the list.
        let path = url.path().trim_end_matches('/').to_owned();
        let cut = path.len().saturating_sub("/packetcaptures".len());
        if path.is_char_boundary(cut) && path[cut..].eq_ignore_ascii_case("/packetcaptures") {
            url.set_path(&path[..cut]);
        }
        Self { http, url, code }
    }

    fn address(&self, below: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("PacketCaptures").extend(below);
        }
        url
    }

    /// Starts a drill and follows it to its end. `seen`: is given what is known of it, again and again.
    ///
    /// # Errors
    /// When the function cannot be reached, or what was seen could not be printed.
    pub async fn drill(
        &self,
        machine: &ResourceId,
        mut seen: impl FnMut(&Drill) -> Result<(), String>,
    ) -> Result<Followed, String> {
        let request = self
            .http
            .post(self.address(&["drill"]))
            .json(&json!({ "target": machine }));
        let (status, answer) = self.send(request).await?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        let incident = text("/captures/0/incidentId");
        let (Some(incident), Some(job)) = (incident, text("/captures/0/jobId")) else {
            let said = text("/message").or(text("/error/message"));
            let problem = match (status, said) {
                _ if text("/outcome") == Some("dry_run") => "it makes no captures: set PacketCapture__DryRun=false".to_owned(),
                (401 | 403, None) => "the function key is wrong (--code)".to_owned(),
                (404, None) => "there is no such route; --url needs the address of the function app, at a version with drills".to_owned(),
                (_, Some(said)) => text::clean(said, text::MESSAGE).into_owned(),
                (status, None) => format!("it answered {status}"),
            };
            return Ok(Followed {
                drill: None,
                incident: None,
                problem: Some(problem),
                page: None,
            });
        };
        let url = self.address(&[incident]);
        let page = self.code.as_ref().map(|_| url.clone());
        let deadline = Instant::now() + FOLLOWED_FOR;
        let (mut drill, mut failures) = (None, 0);
        let problem = loop {
            match self.read(&url, job).await {
                Ok(Some(known)) => {
                    failures = 0;
                    seen(&known)?;
                    let over = known.verdict != Verdict::InProgress;
                    drill = Some(known);
                    if over {
                        break None;
                    }
                }
                Ok(None) => {}
                Err(problem) => {
                    failures += 1;
                    if failures >= MOST_FAILURES {
                        break Some(problem);
                    }
                }
            }
            if Instant::now() >= deadline {
                break Some(
                    "the drill has not ended within 15 minutes; it continues at the function"
                        .to_owned(),
                );
            }
            tokio::time::sleep(INTERVAL).await;
        };
        Ok(Followed {
            drill,
            incident: Some(incident.to_owned()),
            problem,
            page,
        })
    }

    async fn read(&self, url: &Url, job: &str) -> Result<Option<Drill>, String> {
        let (status, answer) = self.send(self.http.get(url.clone())).await?;
        if status == 404 {
            // Another instance is about to write it.
            return Ok(None);
        }
        if status != 200 {
            return Err(format!(
                "could not read the incident: the function answered {status}"
            ));
        }
        let incident: Incident = serde_json::from_value(answer).map_err(|error| {
            format!("could not read the incident: {error}; is the function of another version?")
        })?;
        let entry = incident
            .entries
            .iter()
            .find(|entry| entry.job_id.to_string() == job);
        Ok(entry.map(|entry| Drill::of(entry, &incident.steps)))
    }

    /// The status and the JSON of an answer; null where it is none.
    async fn send(&self, request: reqwest::RequestBuilder) -> Result<(u16, Value), String> {
        let request = request.header("accept", "application/json");
        let request = match &self.code {
            Some(code) => request.header("x-functions-key", code),
            None => request,
        };
        let failed = |error: reqwest::Error| {
            let cause = crate::azure::error::chain(&error.without_url());
            format!(
                "could not reach the function at {}: {cause}",
                self.url.host_str().unwrap_or_default()
            )
        };
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&part);
            if body.len() > MOST_BYTES {
                return Err("the function's answer is too long".to_owned());
            }
        }
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_table() {
        for (url, expected) in [
            (
                "https://a.example",
                "https://a.example/api/PacketCaptures/drill",
            ),
            (
                "https://a.example/api/",
                "https://a.example/api/PacketCaptures/drill",
            ),
            (
                "https://a.example/x/packetcaptures?code=k",
                "https://a.example/x/PacketCaptures/drill",
            ),
        ] {
            let http = reqwest::Client::new();
            let function = Function::new(http, url.parse().unwrap(), None);
            assert_eq!(function.address(&["drill"]).as_str(), expected);
        }
    }
}
