//! The report and the manifest beside the record, and the report beside the file.

use super::*;
use first_look::{Digest, Manifest, Verdict};

/// The report and the manifest as they are served, and the page of the incident.
async fn served(story: &Story) -> (Value, String, String, String) {
    story.capture(samples::WEB_01).await;
    let notice = story.notice("completed", samples::WEB_01).await;
    let text = |pointer: &str| {
        notice
            .pointer(pointer)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (incident, job) = (text("/data/incident/id"), text("/data/jobId"));
    let below = format!("/{incident}/looks/{job}");
    let (status, report) = story.get(&below, "text/html").await;
    assert_eq!(status, 200, "{report}");
    let (status, manifest) = story.get(&format!("{below}.json"), "*/*").await;
    assert_eq!(status, 200, "{manifest}");
    let (_, page) = story.get(&format!("/{incident}"), "text/html").await;
    (notice, report, manifest, page)
}

/// Blobs of looks in the record's container.
fn stored(story: &Story) -> Vec<String> {
    let names = story.world.azure.blob_names("packet-capture-incidents");
    let looks = names.into_iter().filter(|name| name.starts_with("looks/"));
    looks.collect()
}

#[tokio::test]
async fn the_report_and_the_manifest_are_kept_with_the_record() {
    for (story, in_storage) in [
        (Story::with(&[]).await, false),
        (Story::in_storage(&[]).await, true),
    ] {
        let (notice, report, manifest, page) = served(&story).await;
        assert!(report.starts_with("<!doctype html>"));
        assert!(report.len() < 300 * 1024);
        let url = notice["data"]["capture"]["storagePath"].as_str().unwrap();
        let file = story.world.azure.blob(url).unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &file);
        let digest = Digest(digest.as_ref().try_into().unwrap());
        let manifest = Manifest::parse(manifest.as_bytes()).unwrap();
        assert_eq!(manifest.verify(file.len() as u64, digest), Verdict::Same);
        assert_eq!(manifest.file.url.as_deref(), Some(url));
        assert_eq!(manifest.capture.target.as_deref(), Some(samples::WEB_01));
        assert_eq!(manifest.identity.as_deref(), Some(samples::CLIENT_ID));
        assert_eq!(manifest.alert.unwrap().rule.as_deref(), Some("tcp-burst"));
        // The page embeds the report, with its style and without its frame.
        let (_, body) = report.split_once("</h1>").unwrap();
        let (body, _) = body.rsplit_once("</main>").unwrap();
        assert!(page.contains(body), "the report is in the page");
        assert!(page.contains(".first-look .grid"), "and its style");
        assert!(!page.contains("<title>First look"), "one title");
        let names = stored(&story);
        assert_eq!(names.len(), if in_storage { 2 } else { 0 }, "{names:?}");
        story.world.end().await;
    }
}

#[tokio::test]
async fn the_page_leads_to_the_report_from_each_of_its_addresses() {
    let story = Story::with(&[]).await;
    let (notice, report, ..) = served(&story).await;
    let text = |pointer: &str| notice.pointer(pointer).unwrap().as_str().unwrap();
    for id in [text("/data/incident/id"), text("/data/jobId")] {
        for path in [format!("/{id}"), format!("/{id}/")] {
            let (_, page) = story.get(&path, "text/html").await;
            let mut links = page.split("href=\"").skip(1);
            let link = links.find(|link| link.contains("looks/")).unwrap();
            let (link, _) = link.split_once('"').unwrap();
            let list = "http://localhost/api/PacketCaptures";
            let address = url::Url::parse(&format!("{list}{path}")).unwrap();
            let address = address.join(link).unwrap();
            let below = address.as_str().strip_prefix(list).unwrap();
            let found = story.get(below, "text/html").await;
            assert_eq!(found, (200, report.clone()), "{path}: {link}");
        }
    }
    story.world.end().await;
}

#[tokio::test]
async fn there_is_no_report_of_other_jobs() {
    let story = Story::with(&[]).await;
    let (notice, ..) = served(&story).await;
    let incident = notice["data"]["incident"]["id"].as_str().unwrap();
    for name in [
        "0f8e6d5c-4b3a-4291-8706-f5e4d3c2b1a0",
        "0f8e6d5c-4b3a-4291-8706-f5e4d3c2b1a0.json",
        "x",
        "..%2f..%2fmachines",
    ] {
        let (status, body) = story.get(&format!("/{incident}/looks/{name}"), "*/*").await;
        assert_eq!(status, 404, "{name}: {body}");
        assert!(body.contains("LookNotFound"), "{body}");
    }
    story.world.end().await;
}

#[tokio::test]
async fn the_report_beside_the_file_needs_another_role() {
    for (role, written) in [(BlobRole::Contributor, true), (BlobRole::Reader, false)] {
        let story = Story::with(&[("FirstLook__ReportBesideCapture", "true")]).await;
        story
            .world
            .azure
            .set_blob_role(samples::STORAGE_ACCOUNT, role);
        story.capture(samples::WEB_01).await;
        let notice = story.notice("completed", samples::WEB_01).await;
        assert!(!lines(&notice).is_empty());
        let url = notice["data"]["capture"]["storagePath"].as_str().unwrap();
        let report = story.world.azure.blob(&url.replace(".cap", ".html"));
        assert_eq!(report.is_some(), written);
        let (message, fix) = problem(&notice);
        let contributor = "Storage Blob Data Contributor";
        assert_eq!(
            message.contains("beside the capture's file"),
            !written,
            "{message}"
        );
        assert_eq!(fix.contains(contributor), !written, "{fix}");
        story.world.end().await;
    }
}
