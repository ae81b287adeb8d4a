//! What is stored of a run and read again.

use super::super::samples::{GROUP, causes, finding, instance, run, vm};
use super::*;

fn again(run: &Run) -> Run {
    Run::of_json(&run.to_json(MAXIMUM_STORED_BYTES)).unwrap()
}

#[test]
fn a_run_is_read_as_it_was_written() {
    let mut machines: Vec<_> = causes()
        .into_iter()
        .enumerate()
        .map(|(at, cause)| (vm(&format!("m-{at}")), vec![cause]))
        .collect();
    machines.push((instance("pool", 3), causes()));
    machines.push((vm("good"), vec![]));
    let mut run = run(machines);
    run.calls = 7;
    run.left_out = 2;
    let scopes = [
        Reach::All,
        Reach::None,
        Reach::Within(GROUP.parse().unwrap()),
    ];
    let weights = [Weight::Blocks, Weight::Unknown, Weight::Warns];
    for (reach, weight) in scopes.into_iter().zip(weights) {
        run.findings.push(finding(reach, weight, "shared keys"));
    }
    run.finish(run.started);
    let before = again(&super::super::samples::run(vec![(
        vm("good"),
        vec![Cause::NotFound],
    )]));
    run.compare(&before);
    assert_eq!(again(&run), run);
}

#[test]
fn an_unfinished_run_continues_where_it_was() {
    let mut run = run(vec![(vm("a"), vec![Cause::OldModel]), (vm("b"), vec![])]);
    run.finished = None;
    run.machines[1].checked = false;
    let again = again(&run);
    assert_eq!(again.unchecked().collect::<Vec<_>>(), [&vm("b")]);
    assert_eq!(again.finished, None);
}

#[test]
fn five_thousand_machines_fit_and_more_are_counted() {
    let state = |it: u32| match it % 3 {
        0 => vec![Cause::AgentMissing { windows: false }],
        1 => vec![Cause::Stopped("deallocated".to_owned())],
        _ => vec![],
    };
    let name = "a-machine-with-a-name-of-sixty-four-characters-as-azure-allows";
    let all = |count| (0..count).map(|it| (vm(&format!("{name}{it}")), state(it)));
    let whole = run(all(5_000).collect());
    let json = whole.to_json(MAXIMUM_STORED_BYTES);
    assert!(json.to_string().len() < MAXIMUM_STORED_BYTES);
    assert_eq!(json["notStored"]["machines"], 0);
    assert_eq!(again(&whole), whole);

    let small = whole.to_json(100_000);
    assert!(
        small.to_string().len() <= 100_000,
        "{}",
        small.to_string().len()
    );
    let read = Run::of_json(&small).unwrap();
    assert_eq!(read.counts(), whole.counts());
    assert!(read.machines().len() < 2_000);
    let rest = read_counts(&small["notStored"]);
    assert_eq!(
        rest.ready,
        whole.counts().ready,
        "ready ones are left out first"
    );
    assert_eq!(
        read.sentence().split(". ").next(),
        whole.sentence().split(". ").next()
    );
}

#[test]
fn other_texts_are_no_run() {
    let good = run(vec![(vm("a"), vec![Cause::OldModel])]).to_json(MAXIMUM_STORED_BYTES);
    assert!(Run::of_json(&good).is_some());
    for (pointer, value) in [
        ("/version", json!(2)),
        ("/version", json!("1")),
        ("/started", json!("yesterday")),
        ("/groups/0/in", json!("/subscriptions/x")),
        ("/groups/0/machines/0/0", json!("../..")),
        ("/groups/0/machines/0/1/0", json!(9)),
        ("/causes/0/0", json!("something")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert_eq!(Run::of_json(&bad), None, "{pointer}");
    }
    for text in ["null", "[]", "{}", "7", r#"{"version":1}"#] {
        assert_eq!(Run::of_json(&serde_json::from_str(text).unwrap()), None);
    }
}
