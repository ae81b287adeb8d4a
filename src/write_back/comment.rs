//! The comment on an Azure alert: the outcome, the incident's page and the file. Pure. It names no host beside the machine:
//! more people read an alert than the incident.

use crate::{incident::Job, text};
use url::Url;

/// Maximum characters of a comment. Azure documents none.
const MAX_COMMENT: usize = 1_500;

/// The comment about a finished job.
pub fn comment(job: &Job, pages: Option<&Url>) -> String {
    let report = &job.report;
    let mut parts = vec![sentence(&report.message)];
    if let Some(url) = &report.storage_path {
        parts.push(format!("File: {url}"));
    }
    if let Some(path) = &report.file_path {
        parts.push(format!("File on the machine: {path}"));
    }
    let page = |pages: &Url| {
        let mut url = pages.clone();
        let id = job.incident.as_ref()?.to_string();
        url.path_segments_mut().ok()?.pop_if_empty().push(&id);
        Some(format!("Incident: {url}"))
    };
    parts.extend(pages.and_then(page));
    let others = job.write_back.others.unwrap_or_default();
    if others > 0 {
        let machines = match others {
            1 => "1 other machine, which has an incident of its own".to_owned(),
            _ => format!("{others} other machines, which have incidents of their own"),
        };
        let list = pages.map_or(String::new(), |pages| format!(": {pages}"));
        parts.push(format!("The alert names {machines}{list}"));
    }
    // One line: what the portal makes of line breaks is not documented.
    text::clean(&parts.join(" | "), MAX_COMMENT).into_owned()
}

fn sentence(message: &str) -> String {
    match message.trim_end_matches('.') {
        "" => "Packet capture finished.".to_owned(),
        message => format!("{message}."),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::alert::tests::job, *};

    #[test]
    fn a_comment_says_the_outcome_and_where_file_and_incident_are() {
        let pages: Url = "https://app.example/api/PacketCaptures".parse().unwrap();
        let mut finished = job(None);
        finished.report.storage_path = Some("https://st.example/a.cap".to_owned());
        finished.incident =
            Some(crate::incident::IncidentId::parse("20261128-073012-3fa9c2d1").unwrap());
        finished.write_back.others = Some(3);
        let expected = "Packet capture on web-01 finished (time limit reached). \
            | File: https://st.example/a.cap \
            | Incident: https://app.example/api/PacketCaptures/20261128-073012-3fa9c2d1 \
            | The alert names 3 other machines, which have incidents of their own: https://app.example/api/PacketCaptures";
        assert_eq!(comment(&finished, Some(&pages)), expected);
        let short = "Packet capture on web-01 finished (time limit reached).";
        assert_eq!(comment(&job(None), None), short);
        let mut hostile = job(None);
        hostile.report.message = "x\r\n".repeat(9_000);
        let text = comment(&hostile, Some(&pages));
        assert!(text.chars().count() <= MAX_COMMENT && !text.contains('\n'));
    }
}
