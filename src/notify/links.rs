//! Where a notification leads: the page of its incident, and the portal's pages. No link holds a key.

use super::Portal;
use crate::incident::Notification;
use url::Url;

/// Where a notification leads.
#[derive(Debug, Clone)]
pub struct Links {
    pub portal: Portal,
    /// The function's list of incidents, such as `https://NAME.azurewebsites.net/api/PacketCaptures`.
    pub pages: Option<Url>,
    /// Which function the notifications come from, as a URI reference.
    pub source: String,
}

/// A link and its words.
pub(super) struct Link {
    pub text: &'static str,
    pub url: Url,
}

impl Links {
    /// The page of the notification's incident, which the job's id leads to as well.
    pub(super) fn page(&self, notification: &Notification) -> Option<Url> {
        let mut url = self.pages.clone()?;
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .push(&notification.incident_key());
        Some(url)
    }

    /// The report about the capture's file.
    pub(super) fn report(&self, notification: &Notification) -> Option<Url> {
        let look = notification.report.look.as_ref()?;
        notification.incident.as_ref().filter(|_| look.report)?;
        let mut url = self.page(notification)?;
        let job = notification.job_id.to_string();
        url.path_segments_mut().ok()?.extend(["looks", &job]);
        Some(url)
    }

    /// The page of the capture file.
    pub(super) fn file(&self, notification: &Notification) -> Option<Url> {
        self.portal
            .file(notification.report.storage_path.as_deref()?)
    }

    /// All links, the most wanted first.
    pub(super) fn of(&self, notification: &Notification) -> Vec<Link> {
        if notification.event.is_readiness() {
            let page = self.page(notification).into_iter();
            return page
                .map(|url| Link {
                    text: "Open the machines",
                    url,
                })
                .collect();
        }
        let machine = self.portal.resource(&notification.target.to_string());
        [
            ("Open the incident", self.page(notification)),
            ("Open the runbook", own(notification)),
            ("Open the report", self.report(notification)),
            ("Open the file", self.file(notification)),
            ("Open the machine", Some(machine)),
            ("Packet captures", Some(self.portal.packet_captures())),
        ]
        .into_iter()
        .filter_map(|(text, url)| Some(Link { text, url: url? }))
        .collect()
    }
}

/// The link that the settings of the notification's profile have.
pub(super) fn own(notification: &Notification) -> Option<Url> {
    Url::parse(notification.link.as_deref()?).ok()
}
