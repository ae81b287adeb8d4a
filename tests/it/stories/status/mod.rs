//! What people and Prometheus see of the jobs afterwards.

mod jobs;
mod page;

use crate::support::{
    receiver::Receiver,
    world::{Reply, World, common_alert, reply},
};
use azure_sandbox::{Call, Fault, FaultBody, What, samples};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const STATUS: &str = "/api/PacketCaptures";

impl World {
    async fn get(&self, path: &str, accept: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.url));
        request.header("accept", accept).send().await.unwrap()
    }

    async fn get_json(&self, path: &str) -> Reply {
        reply(self.get(path, "application/json").await).await
    }

    /// One job as soon as it is as the story wants it.
    async fn job_that(&self, id: &Value, good: impl Fn(&Value) -> bool) -> Value {
        let path = format!("{STATUS}/{}", id.as_str().unwrap());
        let seen = async {
            loop {
                let job = self.get_json(&path).await.body;
                if good(&job) {
                    return job;
                }
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(30), seen);
        seen.await.expect("the job gets there")
    }

    /// The metrics as soon as they are as the story wants them.
    async fn metrics_that(
        &self,
        good: impl Fn(&BTreeMap<String, f64>) -> bool,
    ) -> BTreeMap<String, f64> {
        let seen = async {
            loop {
                let metrics = self.metrics().await;
                if good(&metrics) {
                    return metrics;
                }
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(30), seen);
        seen.await.expect("the metrics get there")
    }

    /// Metrics by name and labels.
    async fn metrics(&self) -> BTreeMap<String, f64> {
        let response = self.get(&format!("{STATUS}/metrics"), "*/*").await;
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(
            kind.starts_with("application/openmetrics-text; version=1.0.0"),
            "{kind}"
        );
        let text = response.text().await.unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        };
        samples.map(sample).collect()
    }
}

fn job_id(answer: &Reply) -> Value {
    answer.body["captures"][0]["jobId"].clone()
}

fn alert_of(rule: &str, target: &str) -> Value {
    let mut alert = common_alert(&[target]);
    alert["data"]["essentials"]["alertRule"] = rule.into();
    alert
}
