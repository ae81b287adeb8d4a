//! What the list and the story of an incident say, as JSON and as pages.

use super::*;
use crate::support::incidents::HOSTILE;
use alert_packet_capture::telemetry;
use serde_json::Value;
use std::sync::atomic::Ordering;

fn ids(list: &Value) -> Vec<&str> {
    let value = list["value"].as_array().unwrap().iter();
    value.map(|it| it["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn incidents_are_listed_newest_first_in_pages() {
    let site = Site::open().await;
    let all: Vec<String> = (0..5)
        .map(|number| format!("202611{:02}-073012-3fa9c2d{number}", 28 - number))
        .collect();
    let (status, list) = site.json("/API/packetcaptures/?code=k3y").await;
    assert_eq!(
        (status, ids(&list)),
        (200, all.iter().map(String::as_str).collect())
    );
    assert_eq!(
        (&list["nextLink"], &list["poisoned"]),
        (&Value::Null, &0.into())
    );
    let first = &list["value"][1];
    for (member, expected) in [
        ("rule", Value::from("tcp-burst")),
        ("state", "captured".into()),
        ("alerts", 2.into()),
        ("fileBytes", 14_680_064.into()),
        ("openedAt", "2026-11-27T07:30:12Z".into()),
    ] {
        assert_eq!(first[member], expected, "{member}");
    }
    // A page after the other, as the links say; the key is in none.
    let mut seen = Vec::new();
    let mut query = "?code=k3y&$top=2".to_owned();
    loop {
        let (_, page) = site.json(&format!("{LIST}{query}")).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match page["nextLink"].as_str() {
            Some(next) => query = next.to_owned(),
            None => break,
        }
        assert!(!query.contains("k3y"), "{query}");
    }
    assert_eq!(seen, all);
    for (query, expected) in [
        ("state=failed", vec![2]),
        ("machine=WEB-01", vec![0, 3]),
        ("machine=web-01&state=not_captured", vec![3]),
        ("day=2026-11-27", vec![1]),
        ("day=2025-11-27", vec![]),
    ] {
        let (_, page) = site.json(&format!("{LIST}?{query}")).await;
        let expected: Vec<&str> = expected
            .iter()
            .map(|it: &usize| all[*it].as_str())
            .collect();
        assert_eq!(ids(&page), expected, "{query}");
    }
    for wrong in ["$top=0", "$skiptoken=b2xk", "state=gone", "day=today"] {
        let (status, refused) = site.json(&format!("{LIST}?{wrong}")).await;
        assert_eq!(
            (status, &refused["error"]["code"]),
            (400, &"InvalidQuery".into())
        );
    }
}

#[tokio::test]
async fn an_incident_and_the_jobs_of_it_are_found() {
    let site = Site::open().await;
    let found = &site.samples.incidents[1];
    let (status, whole) = site.json(&format!("{LIST}/{}/", found.summary.id)).await;
    assert_eq!(status, 200);
    assert_eq!(whole["id"], found.summary.id.to_string());
    assert_eq!(whole["state"], "captured");
    assert_eq!(whole["entries"].as_array().unwrap().len(), 2);
    assert_eq!(whole["steps"][2]["what"], "running");
    // A job's id leads to its incident: as JSON it is the job, for people the incident's page.
    let job = found.incident.entries[1].job_id;
    let (_, json) = site.json(&format!("{LIST}/{job}")).await;
    assert_eq!(json["jobId"], job.to_string());
    assert_eq!(json["incidentId"], found.summary.id.to_string());
    assert_eq!(
        (&json["joined"], &json["phase"]),
        (&true.into(), &"done".into())
    );
    let page = site.html(&format!("{LIST}/{job}?code=k3y")).await;
    assert!(page.contains(&format!("Job {job} belongs to this incident.")));
    for unknown in [
        "20261128-073012-ffffffff",
        "11111111-2222-4333-8444-555555555555",
        "none",
    ] {
        let (status, refused) = site.json(&format!("{LIST}/{unknown}")).await;
        assert_eq!(
            (status, &refused["error"]["code"]),
            (404, &"IncidentNotFound".into())
        );
    }
    site.samples.down.store(true, Ordering::Relaxed);
    for path in [LIST.to_owned(), format!("{LIST}/{}", found.summary.id)] {
        let (status, refused) = site.json(&path).await;
        assert_eq!(
            (status, &refused["error"]["code"]),
            (503, &"IncidentsUnreadable".into())
        );
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("did not answer"), "{message}");
    }
}

#[tokio::test]
async fn pages_escape_what_alerts_say_hold_no_key_and_load_nothing() {
    let site = Site::open().await;
    let mut paths = vec![
        format!("{LIST}?code=k3y&$top=1"),
        format!("{LIST}/?code=k3y"),
    ];
    for found in &site.samples.incidents {
        paths.push(format!("{LIST}/{}?code=k3y", found.summary.id));
    }
    for path in paths {
        let response = site.get(&path, BROWSER).await;
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(
            policy
                .starts_with("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
        );
        assert_eq!(response.headers()["cache-control"], "no-store");
        let html = response.text().await.unwrap();
        assert!(!html.contains("k3y"), "{path}");
        assert!(!html.contains(HOSTILE), "{path}");
        // A report of a fault can name the build.
        assert!(html.contains(telemetry::version()), "{path}");
        // The one script of its own, whose digest the policy names.
        assert_eq!(html.matches("<script").count(), 1, "{path}");
        for loaded in ["<link", "<img", "src=", "@import", "url("] {
            assert!(!html.contains(loaded), "{path}: {loaded}");
        }
        let outside = html
            .split("href=\"")
            .skip(1)
            .filter(|rest| rest.starts_with("http"));
        for rest in outside {
            assert!(rest.starts_with("https://portal.azure.com/#"), "{rest:.80}");
        }
    }
}

#[tokio::test]
async fn each_link_leads_where_it_says() {
    let site = Site::open().await;
    let link = |html: &str, label: &str| {
        let (before, _) = html.split_once(label).expect(label);
        let (_, href) = before.rsplit_once("href=\"").unwrap();
        let href = href.split('"').next().unwrap();
        href.replace("&#38;", "&").replace("&amp;", "&")
    };
    for path in [LIST.to_owned(), format!("{LIST}/")] {
        let address = reqwest::Url::parse(&format!("{}{path}?$top=2", site.url)).unwrap();
        let fetch = async |address: &reqwest::Url| {
            let request = site.http.get(address.clone()).header("accept", BROWSER);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200, "{address}");
            response.text().await.unwrap()
        };
        let first = fetch(&address).await;
        let older = address.join(&link(&first, ">Older incidents")).unwrap();
        let second = fetch(&older).await;
        assert!(second.contains("web-02") && !second.contains("sql-01"));
        let one = older
            .join(&link(&second, "<time datetime=\"2026-11-26"))
            .unwrap();
        let story = fetch(&one).await;
        assert!(story.contains("install the Network Watcher agent extension on the machine"));
        let back = one.join(&link(&story, "All incidents")).unwrap();
        assert!(
            fetch(&back)
                .await
                .contains("Held back in the last hour: 214 alerts on 12 machines.")
        );
        let failed = address.join(&link(&first, ">Failed<")).unwrap();
        let failed = fetch(&failed).await;
        assert!(failed.contains("web-02") && !failed.contains("sql-01"));
    }
}
