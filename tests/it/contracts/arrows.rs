//! Which room may use which. An import that points back fails here.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Rooms, and which others each may use. What is not listed may use everything (`app`, `commands`, `main`, `lib`).
/// `docs/architecture.md` has the same table.
pub(super) const ARROWS: [(&str, &[&str]); 23] = [
    (
        "functions",
        &[
            "functions",
            "advice",
            "alert",
            "changes",
            "fleet",
            "incident",
            "notify",
            "queue",
            "record",
            "resource_id",
            "telemetry",
            "text",
        ],
    ),
    (
        "worker",
        &[
            "capture",
            "changes",
            "gather",
            "incident",
            "look",
            "queue",
            "notify",
            "record",
            "resource_id",
            "telemetry",
            "text",
            "write_back",
        ],
    ),
    (
        "write_back",
        &[
            "write_back",
            "advice",
            "alert",
            "azure",
            "incident",
            "resource_id",
            "text",
        ],
    ),
    (
        "capture",
        &[
            "capture",
            "advice",
            "incident",
            "alert",
            "azure",
            "resource_id",
            "text",
        ],
    ),
    (
        "incident",
        &["incident", "alert", "changes", "resource_id", "text"],
    ),
    ("changes", &["changes", "text"]),
    (
        "gather",
        &["gather", "azure", "changes", "resource_id", "text"],
    ),
    ("alert", &["alert", "resource_id", "text"]),
    ("advice", &["advice", "azure"]),
    ("azure", &["azure", "resource_id", "retry_after", "text"]),
    (
        "queue",
        &[
            "queue",
            "storage",
            "text",
            "incident::InvalidJob",
            "incident::Job",
        ],
    ),
    (
        "record",
        &[
            "record",
            "alert",
            "fleet",
            "incident",
            "resource_id",
            "storage",
            "text",
        ],
    ),
    ("storage", &["storage", "text"]),
    ("look", &["look", "storage", "text"]),
    (
        "notify",
        &[
            "notify",
            "incident",
            "alert",
            "changes",
            "retry_after",
            "text",
        ],
    ),
    // Settings are read into the values of the rooms that act on them, so that no value exists twice. Values alone:
    // no client, no queue, no worker.
    (
        "config",
        &[
            "config",
            "resource_id",
            "text",
            "alert::drill::is_machine",
            "azure::api_versions::ApiVersions",
            "azure::credentials::Application",
            "azure::credentials::Assigned",
            "azure::network_watcher::StorageLocation",
            "azure::sign_in::SignIn",
            "azure::sign_in::Way",
            "capture::CaptureName",
            "capture::Parameters",
            "capture::RemoveFinished",
            "functions::Expected",
            "incident::Allowed",
            "incident::Conditions",
            "incident::Event",
            "incident::InNotice",
            "incident::PacketFilters",
            "incident::Profile",
            "incident::profile::DEFAULT",
            "look::Storage",
            "notify::Format",
            "queue::StorageOptions",
            "storage::Connection",
        ],
    ),
    ("fleet", &["fleet", "resource_id", "shell", "text"]),
    ("resource_id", &["resource_id", "text"]),
    ("retry_after", &[]),
    ("shell", &["text"]),
    ("text", &["text"]),
    ("telemetry", &["text"]),
    (
        "readiness",
        &[
            "readiness",
            "advice",
            "azure",
            "capture",
            "config",
            "fleet",
            "incident",
            "look",
            "queue",
            "record",
            "resource_id",
            "shell",
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

/// Each source below `src`: its path from there, and its text.
pub(super) fn all_sources() -> Vec<(String, String)> {
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

/// Every `crate::a::b` that a source names, those inside `use crate::{a::b, c}` and `use crate::a::{b, c}` too.
pub(super) fn uses(source: &str) -> BTreeSet<String> {
    let named = source.split("crate::").skip(1).map(import);
    named.flat_map(expanded).collect()
}

/// The path at the start of a text, with its group of names.
fn import(text: &str) -> &str {
    let mut depth = 0;
    let end = text.find(|c: char| {
        depth += i32::from(c == '{');
        let inside = depth > 0;
        depth -= i32::from(c == '}');
        !inside && !c.is_alphanumeric() && !matches!(c, '_' | ':')
    });
    &text[..end.unwrap_or(text.len())]
}

/// `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`; `a::{self}` is `a`.
fn expanded(path: &str) -> Vec<String> {
    let Some((head, group)) = path.split_once('{') else {
        let path = path.split(" as ").next().unwrap().trim();
        let path = path.strip_suffix("::self").unwrap_or(path);
        return (!path.is_empty())
            .then(|| path.to_owned())
            .into_iter()
            .collect();
    };
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let mut depth = 0;
    let members = group.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    members
        .filter(|member| !member.trim().is_empty())
        .flat_map(|member| expanded(&format!("{}{}", head.trim(), member.trim())))
        .collect()
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

/// The reader of captures is a package of its own. Until the function reads captures by itself, only commands use it.
#[test]
fn only_the_commands_and_the_look_use_the_reader_of_captures() {
    let users: Vec<String> = all_sources()
        .into_iter()
        .filter(|(_, source)| source.contains("first_look::"))
        .map(|(file, _)| file)
        .collect();
    let rooms = ["commands/", "look/"];
    for file in &users {
        assert!(rooms.iter().any(|room| file.starts_with(room)), "{file}");
    }
    for room in rooms {
        assert!(users.iter().any(|file| file.starts_with(room)), "{room}");
    }
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
    let source = "use crate::{\n    alert::{self, Alert},\n    azure::resource_id::ResourceId,\n    capture::{Parameters, name::{Template}},\n};\nuse crate::worker::{Worker, held::Held};\nfn f() { crate::queue::g() }";
    let found: Vec<_> = uses(source).into_iter().collect();
    assert_eq!(
        found,
        [
            "alert",
            "alert::Alert",
            "azure::resource_id::ResourceId",
            "capture::Parameters",
            "capture::name::Template",
            "queue::g",
            "worker::Worker",
            "worker::held::Held",
        ]
    );
}
