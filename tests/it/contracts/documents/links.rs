//! Relative links and anchors of all Markdown files lead somewhere, and the index lists every page.

use super::{code_spans, files, outside_of_code_blocks, read, root};
use std::{collections::BTreeSet, path::Path};

#[test]
fn relative_links_and_anchors_resolve() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for page in files("", &[".md"]) {
        let text = read(&page);
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap_or(Path::new("")).join(path),
            };
            let anchors = match target.extension().is_some_and(|it| it == "md") {
                true if root().join(&target).is_file() => anchors(&read(&target)),
                _ => BTreeSet::new(),
            };
            let known = anchor.is_empty() || anchors.contains(anchor);
            if !root().join(&target).exists() || !known {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
    assert!(checked > 50, "only {checked} links were found");
}

#[test]
fn the_index_lists_every_page() {
    let index = read("docs/README.md");
    let listed: BTreeSet<&str> = links(&index).collect();
    for page in files("docs", &[".md"]) {
        let name = page.strip_prefix("docs").unwrap().to_string_lossy();
        let found = listed
            .iter()
            .any(|link| link.split('#').next() == Some(&name));
        assert!(
            name == "README.md" || found,
            "docs/README.md does not list {name}"
        );
    }
}

/// Targets of `[text](target)`, and of `src` and `srcset` in HTML.
fn links(page: &str) -> impl Iterator<Item = &str> {
    outside_of_code_blocks(page).flat_map(|line| {
        let markdown = line
            .match_indices("](")
            .map(|(at, start)| (at + start.len(), ')'));
        let html = ["src=\"", "srcset=\""].into_iter().flat_map(move |name| {
            line.match_indices(name)
                .map(move |(at, _)| (at + name.len(), '"'))
        });
        markdown
            .chain(html)
            .filter_map(|(at, end)| line[at..].split(end).next())
    })
}

/// The anchors of a page's headings, as GitHub forms them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in outside_of_code_blocks(page) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().to_lowercase();
        let kept = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone())
            .chain(again)
            .find(|it| !found.contains(it));
        found.extend(free);
    }
    found
}

#[test]
fn anchors_are_those_of_github() {
    let page =
        "# `handler doctor`: *what* it checks?\n\n## A\n```sh\n# no heading\n```\n## A\n#hash\n";
    let found: Vec<String> = anchors(page).into_iter().collect();
    assert_eq!(found, ["a", "a-1", "handler-doctor-what-it-checks"]);
    let links: Vec<&str> = links("[a](b.md#c) and ![d](e.svg) <img src=\"f\">").collect();
    assert_eq!(links, ["b.md#c", "e.svg", "f"]);
}

/// Folders whose paths documents name in backticks.
const NAMED: [&str; 5] = ["src/", "tests/", "docs/", "deploy/", "sandbox/"];

#[test]
fn paths_in_backticks_exist() {
    let mut gone = Vec::new();
    for page in files("", &[".md"]) {
        let text = read(&page);
        for span in code_spans(&text) {
            let plain = !span.contains([' ', '*', '…', '<']);
            let named = NAMED.iter().any(|folder| span.starts_with(folder));
            if plain && named && !root().join(span).exists() {
                gone.push(format!("{}: {span}", page.display()));
            }
        }
    }
    assert!(gone.is_empty(), "no such files:\n{}", gone.join("\n"));
}
