//! What changed around an alert, on the incident's page, in the report of the first look and as JSON.

use super::*;
use crate::support::incidents::HOSTILE;
use serde_json::Value;

const JOINED: &str =
    "10.1.2.3:1433 did not answer; effective rule deny-sql denies it outbound (NSG nsg-data).";
/// Enough of a report of the first look for a page to embed it.
const REPORT: &str = "<!doctype html><html><head><style>body{margin:0}.first-look{}</style></head><body><main class=\"first-look\"><h1>First look</h1><p>The file</p></main></body></html>";

/// The page of a sample without the parts that every page has.
async fn page_of(site: &Site, number: usize) -> String {
    let id = &site.samples.incidents[number].summary.id;
    let page = site.html(&format!("{LIST}/{id}")).await;
    let (_, content) = page.split_once("<h1>").unwrap();
    content.to_owned()
}

#[tokio::test]
async fn the_page_has_the_curve_the_changes_and_the_rule_of_the_silent_endpoint() {
    let site = Site::open().await;
    let page = page_of(&site, 1).await;
    let (_, changed) = page.split_once("<h2>What changed</h2>").unwrap();
    let (changed, _) = changed.split_once("<h2>Captures</h2>").unwrap();
    for part in [
        "TCP Segments Sent, total a minute",
        "in the minute of the alert",
        "<desc id=\"d-wide-",
        "Packets were captured from ",
        "class=\"mark path\"",
        "NSG nsg-data was changed 12 minutes before the alert by deploy-pipeline",
        "12 minutes before the alert",
        "changed: rule deny-sql added",
        "Standard_D2s_v5 → Standard_D4s_v5",
        "could not be restarted (Conflict)",
        "the identity lacks the permission Microsoft.Network/networkInterfaces/effectiveRouteTable/action",
        "Network Out Total, total a minute",
        "Power state: running.",
        JOINED,
    ] {
        assert!(changed.contains(part), "{part}: {changed}");
    }
    // Two metrics, each drawn for screens and for phones.
    assert_eq!(changed.matches("<svg").count(), 4);
    assert_eq!(changed.matches("<title id=").count(), 4);
    // Newest first of those that touch the way of packets.
    let places = [
        "rule deny-sql added",
        "(Conflict)",
        "vmSize",
        "shop-frontend",
    ];
    let rows = changed.split_once("<tbody>").unwrap().1;
    let places = places.map(|it| rows.find(it).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[tokio::test]
async fn one_value_or_lines_alone_or_nothing_are_shown_as_they_are() {
    let site = Site::open().await;
    let one = page_of(&site, 0).await;
    assert!(one.contains("All values are 41.5."), "{one}");
    assert_eq!(one.matches("class=\"dot\"").count(), 2);
    assert!(!one.contains("class=\"line\""));
    assert!(one.contains("No change to the machine in the six hours before the alert."));
    assert!(one.contains("and is asked again: changes come minutes late"));
    let lines = page_of(&site, 2).await;
    assert!(lines.contains("<li>NSG nsg-data was changed 12 minutes before the alert"));
    assert!(!lines.contains("class=\"mark path\""));
    let nothing = page_of(&site, 3).await;
    assert!(!nothing.contains("What changed"));
}

#[tokio::test]
async fn the_json_of_the_incident_has_the_same() {
    let site = Site::open().await;
    let found = &site.samples.incidents[1];
    let (_, json) = site.json(&format!("{LIST}/{}", found.summary.id)).await;
    let changes = &json["changes"][0];
    let job = found.incident.entries[0].job_id.to_string();
    assert_eq!(changes["jobId"], job);
    assert_eq!(changes["changes"][0]["by"], "deploy-pipeline");
    assert_eq!(changes["metrics"][0]["name"], "TCP Segments Sent");
    let silent = &changes["silentEndpoints"][0];
    assert_eq!(
        (&silent["message"], &silent["denied"]),
        (&JOINED.into(), &true.into())
    );
    // What was stored, as it is.
    let path = format!("{LIST}/{}/looks/{job}.changes.json", found.summary.id);
    let (status, stored) = site.json(&path).await;
    assert_eq!((status, &stored["version"]), (200, &1.into()));
    assert_eq!(stored["rules"], changes["rules"]);
    let (_, job) = site.json(&format!("{LIST}/{job}")).await;
    assert_eq!(job["changes"]["count"], 4);
    let (_, without) = site
        .json(&format!("{LIST}/{}", site.samples.incidents[3].summary.id))
        .await;
    assert_eq!(without["changes"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn the_report_of_the_file_has_what_changed_too() {
    let mut samples = samples();
    samples.keep_report(1, REPORT.to_owned());
    let site = Site::of(samples).await;
    let found = &site.samples.incidents[1];
    let path = format!(
        "{LIST}/{}/looks/{}",
        found.summary.id, found.incident.entries[0].job_id
    );
    let report = site.html(&path).await;
    assert!(report.starts_with("<!doctype html>"));
    for part in [
        "<p>The file</p>",
        "<h2>What changed</h2>",
        JOINED,
        ".changed svg",
        "</main></body></html>",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let json = format!("{}.changes.json", found.incident.entries[0].job_id);
    assert!(report.contains(&format!("href=\"{json}\"")), "{report}");
    // The page has both once.
    let page = page_of(&site, 1).await;
    assert_eq!(page.matches("<h2>What changed</h2>").count(), 1);
    assert!(page.contains("<p>The file</p>"));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_sentence() {
    for (text, expected) in [
        (
            "[]",
            "Could not read what changed: the record of the changes is invalid.",
        ),
        ("{\"version\":99}", "Could not read what changed: "),
    ] {
        let mut samples = samples();
        for part in &mut samples.looks {
            part.3 = text.to_owned();
        }
        let site = Site::of(samples).await;
        let page = page_of(&site, 1).await;
        assert!(page.contains(expected), "{page}");
        // What the notification said is there all the same.
        assert!(page.contains("<li>NSG nsg-data was changed 12 minutes before the alert"));
    }
}

#[tokio::test]
async fn a_page_of_hostile_changes_is_escaped_and_bounded() {
    let site = Site::open().await;
    let page = page_of(&site, 4).await;
    assert!(page.contains("What changed") && !page.contains(HOSTILE));
    assert!(page.len() < 600_000, "{}", page.len());
}
