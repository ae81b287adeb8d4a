//! The layers of the house: which module may use which. An import that points back fails here.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Module, and what of ours it may use. What is not listed may use everything (`app`, `commands`, `main`, `lib`).
const ARROWS: [(&str, &[&str]); 13] = [
    (
        "functions",
        &[
            "functions",
            "alert",
            "incident",
            "queue",
            "resource_id",
            "telemetry",
            "text",
        ],
    ),
    (
        "worker",
        &[
            "capture",
            "incident",
            "queue",
            "notify",
            "telemetry",
            "text",
        ],
    ),
    (
        "capture",
        &[
            "capture",
            "incident",
            "alert",
            "azure",
            "resource_id",
            "text",
        ],
    ),
    ("incident", &["incident", "alert", "resource_id", "text"]),
    ("alert", &["alert", "resource_id", "text"]),
    ("azure", &["azure", "resource_id", "text"]),
    ("queue", &["queue", "text"]),
    ("notify", &["notify", "incident", "alert", "text"]),
    ("config", &["config", "resource_id", "text"]),
    ("resource_id", &["resource_id", "text"]),
    ("text", &["text"]),
    ("telemetry", &["text"]),
    (
        "readiness",
        &[
            "readiness",
            "azure",
            "capture",
            "config",
            "incident",
            "queue",
            "resource_id",
            "text",
        ],
    ),
];

fn sources(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let name = |path: &PathBuf| {
        path.strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/")
    };
    paths
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Every `crate::a::b` that a source names, those inside `use crate::{a::b, c}` too.
fn uses(source: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 || (depth == 1 && c == ',') {
                    used.insert(item.trim().to_owned());
                    item.clear();
                }
                if depth == 0 {
                    break;
                }
                if !(depth == 1 && c == ',') {
                    item.push(c);
                }
            }
        } else {
            let path = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'));
            used.insert(path.collect());
        }
    }
    used.retain(|path| !path.is_empty());
    used
}

#[test]
fn no_arrow_points_back() {
    let mut wrong = Vec::new();
    for (file, source) in all_sources() {
        let module = file.trim_end_matches(".rs").split('/').next().unwrap();
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
            continue;
        };
        for used in uses(&source) {
            let flat: String = used.split_whitespace().collect();
            let good = allowed
                .iter()
                .any(|allowed| flat == *allowed || flat.starts_with(&format!("{allowed}::")));
            if !good {
                wrong.push(format!("src/{file} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_entries_touch_the_process_environment() {
    let entries = ["main.rs", "config/app_settings.rs"];
    for (file, source) in all_sources() {
        if entries.contains(&file.as_str()) {
            continue;
        }
        for forbidden in [
            "env::var",
            "env::set_var",
            "env::remove_var",
            "env::args",
            "env::current_dir",
        ] {
            assert!(!source.contains(forbidden), "src/{file} uses {forbidden}");
        }
    }
}

/// OpenTelemetry's SDK reads `OTEL_…` variables by itself, so it is made in one place, which says so.
#[test]
fn only_the_exporter_makes_opentelemetry() {
    for (file, source) in all_sources() {
        for forbidden in [
            "opentelemetry_otlp",
            "Resource::builder",
            "SdkTracerProvider::builder",
        ] {
            let tests = source.find("#[cfg(test)]").unwrap_or(source.len());
            let used = source[..tests].contains(forbidden);
            assert!(
                !used || file == "telemetry/export.rs",
                "src/{file} uses {forbidden}"
            );
        }
    }
}

#[test]
fn the_guard_sees_imports() {
    let source = "use crate::{\n    alert::{self, Alert},\n    azure::resource_id::ResourceId,\n};\nfn f() { crate::queue::g() }";
    let found: Vec<_> = uses(source).into_iter().collect();
    assert_eq!(
        found,
        [
            "alert::{self, Alert}",
            "azure::resource_id::ResourceId",
            "queue::g"
        ]
    );
}
