//! Rooms that use each other, directly or around others, would be one room. A circle of imports fails here, also among
//! the rooms that may use everything; and the documents show the arrows that are tested.

use super::arrows::{ARROWS, all_sources, uses};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::Path,
};

/// Every room uses these, which use no other room.
const GROUND_FLOOR: [&str; 2] = ["retry_after", "text"];

/// The room of a source, or of a path such as `azure::error::AzureError`.
fn room(path: &str) -> &str {
    let end = path.find(['/', '.', ':']).unwrap_or(path.len());
    path[..end].trim()
}

/// The shortest circle of imports through each room, as the imports that make it. Each circle is found once.
fn circles(sources: &[(String, String)]) -> Vec<String> {
    let mut arrows: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for (file, source) in sources {
        for used in uses(source) {
            let to = room(&used).to_owned();
            if to != room(file) {
                let import = format!("src/{file} uses {used}");
                arrows
                    .entry(room(file))
                    .or_default()
                    .entry(to)
                    .or_insert(import);
            }
        }
    }
    let mut found = BTreeSet::new();
    for start in arrows.keys() {
        let mut seen = BTreeSet::new();
        let mut next = VecDeque::from([(*start, Vec::new())]);
        while let Some((from, imports)) = next.pop_front() {
            for (to, import) in arrows.get(from).into_iter().flatten() {
                let mut imports = imports.clone();
                imports.push(import.as_str());
                if to == start {
                    imports.sort_unstable();
                    found.insert(imports.join(", "));
                    next.clear();
                    break;
                }
                if seen.insert(to) {
                    next.push_back((to, imports));
                }
            }
        }
    }
    found.into_iter().collect()
}

#[test]
fn no_rooms_use_each_other_in_a_circle() {
    let found = circles(&all_sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn circles_are_found() {
    let sources = |texts: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = texts.iter();
        owned
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .collect()
    };
    let one_way = [
        ("a/x.rs", "use crate::{a::y, b::C};"),
        ("a/y.rs", "use crate::a::x;"),
        ("b/z.rs", "use crate::c::{D, E};"),
        ("c.rs", "fn f() {}"),
    ];
    assert_eq!(circles(&sources(&one_way)), Vec::<String>::new());

    let mut of_two = one_way;
    of_two[2].1 = "fn f() { crate::a::x::g() }";
    assert_eq!(
        circles(&sources(&of_two)),
        ["src/a/x.rs uses b::C, src/b/z.rs uses a::x::g"]
    );

    let mut of_three = one_way;
    of_three[3].1 = "use crate::a::y;";
    assert_eq!(
        circles(&sources(&of_three)),
        ["src/a/x.rs uses b::C, src/b/z.rs uses c::D, src/c.rs uses a::y"]
    );
}

/// Rooms and what each uses, from the table below the heading "The arrows". Names are in backticks.
fn documented(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let (_, section) = page.split_once("\n## The arrows\n").expect("a heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let names = |cell: &str| -> Vec<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let mut found = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').collect();
        for name in names(cells[1]) {
            found.insert(name, names(cells[2]).into_iter().collect());
        }
    }
    found
}

#[test]
fn the_page_has_the_same_arrows() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let mut documented = documented(&fs::read_to_string(page).unwrap());
    for everything in ["app", "commands"] {
        assert!(documented.remove(everything).is_some(), "{everything}");
    }
    let others = |name: &str, allowed: &[&str]| -> BTreeSet<String> {
        let allowed = allowed.iter().map(|used| room(used));
        let allowed = allowed.filter(|used| *used != name && !GROUND_FLOOR.contains(used));
        allowed.map(str::to_owned).collect()
    };
    let tested: BTreeMap<String, BTreeSet<String>> = ARROWS
        .iter()
        .map(|(name, allowed)| ((*name).to_owned(), others(name, allowed)))
        .collect();
    assert_eq!(documented, tested);
}
