//! The pages in Chromium, as wide as a phone and as a screen, light and dark: nothing runs over the edge, the one script
//! runs, no other does. A picture of each is kept in `target/tmp/pages`.

use super::{
    browser::{Browser, Window},
    *,
};
use crate::{stories::analyzed, support::length::full_or_short};
use axum::{
    Router,
    extract::State,
    http::{
        Uri,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};
use std::{collections::BTreeMap, path::PathBuf};

/// Shows a page in a frame of a width, and writes what it measured into its own elements: Chromium has no window that is
/// as narrow as a phone. Tables of figures scroll by themselves; nothing else may be wider than the page.
const FRAME: &str = r#"<!DOCTYPE html><style>:root { color-scheme: light dark } body { margin: 0 } iframe { border: 0; display: block }</style>
<iframe width="WIDTH" height="HEIGHT" src="PAGE"></iframe><p id="measured"></p>
<script>
document.querySelector("iframe").onload = event => {
  for (const closed of event.target.contentDocument.querySelectorAll("details")) closed.open = true;
  const page = event.target.contentDocument, root = page.documentElement, text = s => page.querySelectorAll(s).length;
  const wide = [...page.querySelectorAll("body *")].filter(e => !e.closest(".scroll > *") && e.getBoundingClientRect().right > root.clientWidth + 0.5);
  const shown = s => [...page.querySelectorAll(s)].filter(e => e.getClientRects().length).length;
  measured.textContent = "over=" + (root.scrollWidth - root.clientWidth) + ";wide=" + wide.length
    + ";times=" + text("time") + ";local=" + text("time .local") + ";pictureWide=" + shown("svg.wide") + ";pictureNarrow=" + shown("svg.narrow")
    + ";dark=" + (getComputedStyle(page.body).backgroundColor == "rgb(22, 24, 27)") + ";small=" + small(page);
};
// Texts in pixels as shown, those of pictures scaled: what a reader of a phone can still read has 11 or more.
function small(page) {
  const size = e => parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM ? e.getScreenCTM().a : 1);
  return [...page.querySelectorAll("p, td, dd, dt, li, a, svg text")].filter(e => e.getClientRects().length && size(e) < 11).length;
}
</script>"#;

fn query(uri: &Uri) -> BTreeMap<String, String> {
    let query = uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// Passes pages on without the one directive that forbids frames.
async fn framed(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let query = query(&uri);
    let page = site.get(&query["page"], BROWSER).await;
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    let policy = policy.replace("; frame-ancestors 'none'", "");
    let kind = page.headers()[CONTENT_TYPE].clone();
    let headers = [
        (CONTENT_SECURITY_POLICY, policy.parse().unwrap()),
        (CONTENT_TYPE, kind),
    ];
    (headers, page.text().await.unwrap()).into_response()
}

async fn frame(uri: Uri) -> Html<String> {
    let query = query(&uri);
    let page: String = url::form_urlencoded::byte_serialize(query["page"].as_bytes()).collect();
    let html = FRAME.replace("WIDTH", &query["width"]);
    let html = html.replace("HEIGHT", &query["height"]);
    Html(html.replace("PAGE", &format!("/page?page={page}")))
}

/// The address of a server that shows the site's pages in frames.
async fn frames(site: Arc<Site>) -> String {
    let router = Router::new()
        .route("/frame", get(frame))
        .route("/page", get(framed))
        .with_state(site);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// What the frame measured, by name.
fn measured(elements: &str) -> BTreeMap<&str, &str> {
    let (_, rest) = elements
        .split_once("<p id=\"measured\">")
        .expect("the frame");
    let (text, _) = rest.split_once("</p>").unwrap();
    text.split(';')
        .filter_map(|part| part.split_once('='))
        .collect()
}

#[tokio::test]
async fn pages_are_readable_on_a_phone_and_on_a_screen_light_and_dark() {
    let Some(browser) = Browser::installed() else {
        return;
    };
    let mut samples = samples();
    samples.keep_report(1, analyzed::report_of_a_capture().await);
    let site = Arc::new(Site::of(samples).await);
    let frames = frames(site.clone()).await;
    let mut pages = vec![("list".to_owned(), LIST.to_owned())];
    for (found, name) in
        site.samples
            .incidents
            .iter()
            .zip(["running", "captured", "failed", "held-back", "hostile"])
    {
        let path = format!("{LIST}/{}", found.summary.id);
        pages.push((name.to_owned(), path));
    }
    let captured = &site.samples.incidents[1].incident;
    let report = format!(
        "{LIST}/{}/looks/{}",
        captured.id, captured.entries[0].job_id
    );
    pages.push(("report".to_owned(), report));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, path) in &pages {
        for width in [390, 1280] {
            for dark in [false, true] {
                // A phone in the dark and a screen in light, of three pages; all of them in CI.
                let some =
                    ["list", "captured", "running", "hostile", "report"].contains(&name.as_str());
                if !(full_or_short(1, 0) == 1 || some && dark == (width == 390)) {
                    continue;
                }
                let long = ["captured", "report"].contains(&name.as_str());
                let height = if long { 14_000 } else { 2_600 };
                let window = Window {
                    width,
                    height,
                    dark,
                };
                let mut url = reqwest::Url::parse(&format!("{frames}/frame")).unwrap();
                url.query_pairs_mut()
                    .append_pair("page", path)
                    .append_pair("width", &width.to_string())
                    .append_pair("height", &height.to_string());
                let colours = if dark { "dark" } else { "light" };
                let file = folder.join(format!("{name}-{width}-{colours}.png"));
                let elements = browser.picture(url.as_str(), window, &file).await;
                let seen = measured(&elements);
                let what = format!("{name} {window:?}: {seen:?}");
                assert_eq!((seen["over"], seen["wide"]), ("0", "0"), "{what}");
                assert_eq!(seen["small"], "0", "{what}");
                // A report has neither script nor the colours of the pages.
                if name == "report" {
                    continue;
                }
                assert_eq!(seen["dark"], dark.to_string(), "{what}");
                // The script ran under the page's own policy, for every time.
                assert_eq!(seen["times"], seen["local"], "{what}");
                assert_ne!(seen["times"], "0", "{what}");
                let pictures = (seen["pictureWide"], seen["pictureNarrow"]);
                // The course of the incident, and the metrics around its alert.
                let shown = match name.as_str() {
                    "list" => "0",
                    "running" => "2",
                    "captured" | "hostile" => "3",
                    _ => "1",
                };
                let expected = match width {
                    390 => ("0", shown),
                    _ => (shown, "0"),
                };
                assert_eq!(pictures, expected, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_runs_its_own_script_and_no_other() {
    let Some(browser) = Browser::installed() else {
        return;
    };
    let site = Site::open().await;
    let hostile = &site.samples.incidents[4].summary.id;
    let window = Window {
        width: 1280,
        height: 2_600,
        dark: false,
    };
    let url = format!("{}{LIST}/{hostile}", site.url);
    let elements = browser.elements(&url, window).await;
    // Tokyo, nine hours ahead of the time in UTC.
    assert!(
        elements.contains(
            "2026-11-24 07:30:12 UTC</span> <span class=\"local\">(16:30:12 UTC+09:00)</span>"
        ),
        "{elements}"
    );
    assert_eq!(elements.matches("<script").count(), 1);
    assert!(elements.contains("&lt;script&gt;alert("));
}
