//! Writes the outcome of an incident back to its Azure alert, as a comment in the alert's history in the portal. Off by
//! default, since Azure takes a comment only with a state: the alert becomes Acknowledged.

mod alert;
mod comment;

pub use alert::alert_of;
pub use comment::comment;

use crate::{
    advice,
    azure::{
        alerts_management::{AlertState, AlertsManagementClient},
        client::ArmClient,
        error::AzureError,
    },
    incident::Job,
    resource_id::ResourceId,
};
use std::time::Duration;
use url::Url;

/// The rights that the comment needs, in `deploy/roles/write-back.json`.
const READ: &str = "Microsoft.AlertsManagement/alerts/read";
const CHANGE_STATE: &str = "Microsoft.AlertsManagement/alerts/changestate/action";
/// How long the calls of one comment may take together.
const WITHIN: Duration = Duration::from_secs(20);
/// The wait before the second attempt, where Azure names none.
const PAUSE: Duration = Duration::from_secs(30);
/// Maximum wait before the second attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Writes comments on Azure alerts.
#[derive(Debug)]
pub struct WriteBack {
    alerts: AlertsManagementClient,
    /// The list of incidents, for the link; without a key.
    pages: Option<Url>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Yes,
    /// Azure was busy or did not answer: to be tried again after this time.
    Later(Duration, String),
    /// It cannot be written, for this reason.
    No(String),
}

impl WriteBack {
    /// `pages`: the address of the list of incidents.
    pub fn new(arm: &ArmClient, pages: Option<Url>) -> Self {
        Self {
            alerts: AlertsManagementClient::new(arm),
            pages,
        }
    }

    /// Writes the outcome of a job to its alert.
    pub async fn write(&self, job: &Job, alert: &ResourceId) -> Written {
        let text = comment(job, self.pages.as_ref());
        let written = tokio::time::timeout(WITHIN, self.try_to_write(alert, &text)).await;
        written.unwrap_or_else(|_| {
            let seconds = WITHIN.as_secs();
            Written::Later(PAUSE, format!("Azure did not answer within {seconds} s"))
        })
    }

    async fn try_to_write(&self, alert: &ResourceId, text: &str) -> Written {
        match self.alerts.get_state(alert).await {
            Ok(Some(AlertState::New | AlertState::Acknowledged)) => {}
            // An operator closed it; a comment would open it again.
            Ok(Some(AlertState::Closed)) => {
                return Written::No(
                    "the alert is closed, and a comment would open it again".into(),
                );
            }
            Ok(None) => return Written::No("the alert has a state that is not known".into()),
            Err(error) if error.is_not_found() => {
                return Written::No("Azure does not have the alert any more".into());
            }
            Err(error) => return refused(&error, READ),
        }
        match self.alerts.acknowledge(alert, text).await {
            Ok(()) => Written::Yes,
            Err(error) => refused(&error, CHANGE_STATE),
        }
    }
}

fn refused(error: &AzureError, right: &str) -> Written {
    if error.lacks_permission() {
        return Written::No(format!("the function's identity lacks the right {right}"));
    }
    let text = match advice::for_error(error) {
        Some(advice) => format!("{error}; what to do: {advice}"),
        None => error.to_string(),
    };
    match error.is_temporary() {
        true => {
            let pause = error.retry_after().unwrap_or(PAUSE).min(LONGEST_PAUSE);
            Written::Later(pause, text)
        }
        false => Written::No(text),
    }
}
