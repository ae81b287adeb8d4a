//! What must not be there when a test ends: orders that no call has met, and calls that the sandbox does not imitate.
//! Without a wait, so that a test's stage can check it when it is dropped.

use super::Sandbox;
use super::journal::Entry;
use super::server::lock;

impl Sandbox {
    /// A sentence for each thing that is left over or wrong; none after a clean test.
    pub fn left_over(&self) -> Vec<String> {
        let mut left = lock(&self.shared.faults).unmet();
        let failures = self.shared.with_world(|world, _| world.failures.clone());
        left.extend(failures.into_iter().map(|(code, _)| {
            format!("no operation ended with the failure {code} that was ordered")
        }));
        let noted = self.journal().into_iter().filter(|it| it.note.is_some());
        left.extend(noted.map(|entry| format!("the sandbox refused {}", Entry::line(&entry))));
        left
    }
}
