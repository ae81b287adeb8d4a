//! What a test does to the sandbox's queues from outside the wire: settings that point there, a look inside,
//! and the passing of time.

use time::Duration;

use super::queue_storage::{Queue, QueuedMessage};
use super::storage_access;
use super::{Sandbox, ids, samples};

impl Sandbox {
    /// Settings that make an application keep its jobs here, opened with the account's key.
    pub fn queue_settings(&self) -> Vec<(String, String)> {
        let key = format!("AccountKey={}", samples::STORAGE_KEY);
        let account = ids::name(samples::STORAGE_ACCOUNT);
        self.queue_connection(&format!("AccountName={account};{key}"))
    }

    /// Settings of the job queue, opened with a shared access signature.
    pub fn queue_settings_with_sas(&self) -> Vec<(String, String)> {
        let account = ids::name(samples::STORAGE_ACCOUNT);
        let signature = self
            .shared
            .with_world(|_, now| storage_access::signature(account, now + Duration::hours(1)));
        self.queue_connection(&format!("SharedAccessSignature={signature}"))
    }

    /// Settings of the job queue, opened with the application's identity.
    pub fn queue_settings_with_identity(&self) -> Vec<(String, String)> {
        [
            ("JobQueue__Kind", "storage".to_owned()),
            (
                "AzureWebJobsStorage__queueServiceUri",
                self.storage_endpoint(),
            ),
            (
                "AzureWebJobsStorage__blobServiceUri",
                self.storage_endpoint(),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn queue_connection(&self, access: &str) -> Vec<(String, String)> {
        let connection = self.connection(access);
        [
            ("JobQueue__Kind", "storage".to_owned()),
            ("AzureWebJobsStorage", connection),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// The texts of a queue's messages out of their base64, hidden ones too, oldest first.
    pub fn queue_messages(&self, name: &str) -> Vec<String> {
        self.with_queue(name, |queue| {
            queue.messages.iter().map(|it| it.body()).collect()
        })
        .unwrap_or_default()
    }

    /// How many messages of a queue are visible.
    pub fn visible_messages(&self, name: &str) -> usize {
        let now = self.shared.with_world(|_, now| now);
        self.with_queue(name, |queue| {
            queue.messages.iter().filter(|it| it.visible <= now).count()
        })
        .unwrap_or_default()
    }

    /// How many messages receivers got out of a queue, each counted as often as one did.
    pub fn messages_given_out(&self, name: &str) -> usize {
        self.with_queue(name, |queue| queue.given_out)
            .unwrap_or_default()
    }

    /// All hidden messages of a queue become visible, as if their visibility timeout had expired.
    pub fn make_visible(&self, name: &str) {
        let now = self.shared.with_world(|_, now| now);
        self.with_queue(name, |queue| {
            for message in &mut queue.messages {
                message.visible = message.visible.min(now);
            }
        });
    }

    /// The visibility timeout of the message that was put in first ends now.
    pub fn make_oldest_visible(&self, name: &str) {
        let now = self.shared.with_world(|_, now| now);
        self.with_queue(name, |queue| {
            if let Some(message) = queue.messages.first_mut() {
                message.visible = message.visible.min(now);
            }
        });
    }

    /// A visible message that another program put in, its text unchanged. Panics when the queue is not there.
    pub fn add_message(&self, name: &str, text: &str) {
        let now = self.shared.with_world(|_, now| now);
        self.with_queue(name, |queue| {
            queue.messages.push(QueuedMessage::new(text, now))
        })
        .unwrap_or_else(|| panic!("no queue {name} in the sandbox"));
    }

    /// Takes a queue's oldest message away, as the Functions host does with one that its trigger has dealt with.
    pub fn remove_oldest_message(&self, name: &str) {
        self.with_queue(name, |queue| drop(queue.messages.drain(..1)));
    }

    /// An operator deletes a queue with all its messages, at once: Azure takes 30 s, in which it answers 409.
    pub fn delete_queue(&self, name: &str) {
        self.shared
            .with_world(|world, _| world.queues.retain(|queue| queue.name != name));
    }

    /// The Functions host gives a queue's oldest message up: it moves it to the poison queue as it is.
    pub fn give_up_oldest_message(&self, name: &str) {
        let poison = format!("{name}-poison");
        self.shared.with_world(|world, now| {
            let queues = &mut world.queues;
            let from = queues.iter_mut().find(|queue| queue.name == name);
            let mut message = from.expect("a queue").messages.remove(0);
            message.visible = now;
            if !queues.iter().any(|queue| queue.name == poison) {
                queues.push(Queue::new(&poison));
            }
            let to = queues.iter_mut().find(|queue| queue.name == poison);
            to.expect("the poison queue").messages.push(message);
        });
    }

    fn with_queue<T>(&self, name: &str, act: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        self.shared.with_world(|world, _| {
            let queue = world.queues.iter_mut().find(|queue| queue.name == name);
            queue.map(act)
        })
    }
}
