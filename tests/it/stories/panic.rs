//! A step that panics: its job is counted, given up, notified and kept for operators, and the process continues.

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{World, common_alert},
};
use alert_packet_capture::{
    alert,
    app::{Pace, arm_client, receivers},
    capture::{Capturer, Polling},
    config::Settings,
    incident::{Action, Job, Ledger, Retry},
    queue::{JobQueue, MemoryQueue, Message, Payload, QueueError},
    record::{Incidents, RecordOptions},
    telemetry::Metrics,
    worker::Worker,
};
use azure_sandbox::samples;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

/// A queue whose write before a create panics, within the step.
#[derive(Default)]
struct Panics {
    queue: MemoryQueue,
    poisoned: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl JobQueue for Panics {
    async fn put(&self, jobs: Vec<Payload>) -> Result<(), QueueError> {
        self.queue.put(jobs).await
    }

    async fn receive(&self) -> Message {
        self.queue.receive().await
    }

    async fn keep(&self, _: &Message, _: Payload) -> Result<Message, QueueError> {
        panic!("a defect");
    }

    async fn put_back(
        &self,
        message: &Message,
        job: Payload,
        wait: Duration,
    ) -> Result<(), QueueError> {
        self.queue.put_back(message, job, wait).await
    }

    async fn delete(&self, message: &Message) -> Result<(), QueueError> {
        self.queue.delete(message).await
    }

    async fn poison(&self, message: &Message, job: Payload) -> Result<(), QueueError> {
        let text = job.text()?.into_owned();
        self.poisoned.lock().unwrap().push(text);
        self.queue.delete(message).await
    }

    async fn waiting(&self) -> usize {
        self.queue.waiting().await
    }

    async fn close(&self) {}

    fn is_durable(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_job_whose_step_panics_each_time_is_given_up_and_notified() {
    let (azure, receiver) = (Azure::start().await, Receiver::start().await);
    let ca_file = std::env::temp_dir().join(format!("apc-panic-{}.pem", std::process::id()));
    std::fs::write(&ca_file, azure.ca_pem()).unwrap();
    let mut pairs = azure.app_settings();
    pairs.extend(receiver.settings_for("failed"));
    pairs.push(("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()));
    let settings = Settings::read(&pairs.into_iter().collect()).unwrap();
    let pace = World::pace();
    let retry = Retry {
        max_attempts: 3,
        first_pause: pace.first_pause,
    };
    let Pace {
        poll,
        first_look,
        longest_look,
        start_within,
        ..
    } = pace;
    let polling = Polling {
        poll,
        first_look,
        longest_look,
        start_within,
    };
    let arm = arm_client(settings.azure.as_ref().unwrap(), &pace).unwrap();
    let receivers = receivers(settings.notification.as_ref(), &[], pace.notification).unwrap();
    let _ = std::fs::remove_file(ca_file);
    let queue = Arc::new(Panics::default());
    let worker = Arc::new(Worker {
        write_back: None,
        queue: queue.clone(),
        capturer: Capturer::new(
            arm,
            settings.capture.parameters.clone().into(),
            polling,
            retry,
        ),
        ledger: Arc::new(Ledger::default()),
        incidents: Incidents::new(None, RecordOptions::default()),
        receivers,
        looks: None,
        surroundings: None,
        profiles: Arc::default(),
        metrics: Arc::new(Metrics::default()),
        retry,
        poison_interval: pace.poison_interval,
        drill_period: pace.drill_period,
    });
    let (stop, stopped) = watch::channel(false);
    let works = tokio::spawn(worker.run(stopped));
    let alert = alert::read(common_alert(&[samples::WEB_01]).to_string().as_bytes()).unwrap();
    let job = Job::new(Action::Capture, alert.targets[0].clone(), &alert);
    queue.put(vec![job.clone().into()]).await.unwrap();
    receiver.until(|events| !events.is_empty()).await;
    stop.send_replace(true);
    works.await.unwrap();
    let events = receiver.notices();
    let message = events[0]["data"]["message"].as_str().unwrap();
    assert!(
        message.contains("an internal error of the function"),
        "{message}"
    );
    assert_eq!(events.len(), 1);
    assert_eq!(queue.waiting().await, 0);
    let kept = queue.poisoned.lock().unwrap();
    assert!(kept[0].contains(&job.job_id.to_string()), "{kept:?}");
    assert!(azure.captures_made().is_empty());
}
