//! What a machine's document decides, as tables: alerts that come twice, copies of jobs, cool-down, budget.

use super::*;
use crate::incident::Status;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);

fn id(name: &str) -> ResourceId {
    format!("/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}")
        .parse()
        .unwrap()
}

fn limits() -> Limits {
    Limits {
        cooldown: Duration::ZERO,
        quiet: Duration::from_secs(900),
        captures_per_day: None,
        claim: Duration::from_secs(6),
    }
}

fn at(seconds: i64) -> OffsetDateTime {
    NOW + time::Duration::seconds(seconds)
}

fn job(key: &str) -> JobId {
    JobId::of(Action::Capture, key, &id("web-01"))
}

fn admission(key: &str, copy: u64, seconds: i64) -> Admission {
    Admission {
        job_id: job(key),
        action: Action::Capture,
        copy: CopyId::new(copy),
        at: at(seconds),
        rule: Some("cpu".into()),
        captures: true,
        cooldown: None,
        drill: false,
    }
}

fn delivery(key: &str, copy: u64, message: &str, seconds: i64) -> Delivery {
    Delivery {
        admission: admission(key, copy, seconds),
        message: Some(message.into()),
        replaces: None,
        given_up: false,
    }
}

fn ended(key: &str, copy: u64, status: Status, seconds: i64) -> Change {
    Change::Ended {
        job_id: job(key),
        copy: CopyId::new(copy),
        status,
        outcome: "x".into(),
        at: at(seconds),
    }
}

fn queued(key: &str, copy: u64) -> Change {
    Change::Queued {
        job_id: job(key),
        copy: CopyId::new(copy),
    }
}

fn done(key: &str, copy: u64) -> Change {
    Change::Done {
        job_id: job(key),
        copy: CopyId::new(copy),
    }
}

/// A verdict in a word or two; `first` is the incident that was opened first.
fn word(verdict: &Verdict, first: Option<&IncidentId>) -> String {
    let which = |incident: &Option<IncidentId>| match incident {
        None => "none",
        it if it.as_ref() == first => "first",
        _ => "another",
    };
    match verdict {
        Verdict::New {
            incident,
            opened,
            superseded,
            ..
        } => {
            let how = if *opened { "opens" } else { "joins" };
            let again = if *superseded { " again" } else { "" };
            format!("new{again}, {how} {}", which(incident))
        }
        Verdict::Duplicate(first) => format!("duplicate of {:?}", first.stage),
        Verdict::Pending(_) => "pending".to_owned(),
        Verdict::Cooldown { .. } => "cooldown".to_owned(),
        Verdict::OverBudget { opened, .. } => format!("over budget, opened: {opened}"),
        Verdict::Ours {
            superseded, ended, ..
        } => format!("ours, superseded: {superseded}, ended: {ended}"),
        Verdict::Wait(left) => format!("wait {}", left.as_secs()),
        Verdict::Elsewhere => "elsewhere".to_owned(),
        Verdict::Finished => "finished".to_owned(),
        Verdict::Noted => "noted".to_owned(),
    }
}

/// Applies the changes in order, each once and then once more: the second time must change nothing of the verdict.
fn play(limits: &Limits, changes: &[(i64, Change, &str)]) -> Machine {
    let mut machine = Machine::new(id("web-01"));
    let mut first = None;
    for (number, (seconds, change, expected)) in changes.iter().enumerate() {
        let (verdict, _) = machine.apply(change, limits, at(*seconds));
        if first.is_none() {
            first = machine.incident.clone();
        }
        assert_eq!(word(&verdict, first.as_ref()), *expected, "change {number}");
        let (again, _) = machine.apply(change, limits, at(*seconds));
        let opens = |word: String| word.replace("opens", "joins").replace("true", "false");
        assert_eq!(
            opens(word(&again, first.as_ref())),
            opens((*expected).to_owned()),
            "change {number}, a second time"
        );
    }
    machine
}

#[test]
fn an_alert_is_accepted_once() {
    let admit = |key, copy, seconds| Change::Admit(admission(key, copy, seconds));
    play(
        &limits(),
        &[
            (0, admit("a", 1, 0), "new, opens first"),
            (1, admit("a", 2, 1), "pending"),
            (2, queued("a", 1), "noted"),
            (3, admit("a", 2, 3), "duplicate of Claimed"),
            (4, admit("b", 3, 4), "new, joins first"),
            (10, ended("a", 1, Status::Completed, 10), "noted"),
            (11, done("a", 1), "noted"),
            (3_599, admit("a", 4, 3_599), "duplicate of Done"),
            (3_600, admit("a", 5, 3_600), "new, joins first"),
        ],
    );
}

#[test]
fn a_claim_that_was_left_is_taken_over() {
    let admit = |copy, seconds| Change::Admit(admission("a", copy, seconds));
    let receive = |copy, message| Change::Receive(delivery("a", copy, message, 0));
    play(
        &limits(),
        &[
            (0, admit(1, 0), "new, opens first"),
            (5, admit(2, 5), "pending"),
            (6, admit(2, 6), "new again, joins first"),
            // The copy that was left turns up, while the other is being put and after it.
            (7, receive(1, "m1"), "wait 5"),
            (8, queued("a", 2), "noted"),
            (9, receive(1, "m1"), "elsewhere"),
            (9, receive(2, "m2"), "ours, superseded: true, ended: false"),
            (9, queued("a", 1), "elsewhere"),
        ],
    );
}

#[test]
fn of_copies_one_counts() {
    let admit = |copy| Change::Admit(admission("a", copy, 0));
    let receive = |copy, message| Change::Receive(delivery("a", copy, message, 0));
    let ours = "ours, superseded: false, ended: false";
    let replaced = Delivery {
        replaces: Some("m2".into()),
        ..delivery("a", 1, "m3", 0)
    };
    let put_back = Delivery {
        given_up: true,
        ..delivery("a", 1, "m9", 0)
    };
    let offer = |copy: u64, message: &str, next: u64| Change::Offer {
        delivery: delivery("a", copy, message, 0),
        next: CopyId::new(next),
    };
    play(
        &limits(),
        &[
            // A put that was repeated has made two messages of one copy.
            (0, admit(1), "new, opens first"),
            (1, receive(1, "m2"), ours),
            (2, receive(1, "m1"), "elsewhere"),
            // Its queue was deleted, and it was put again.
            (3, Change::Receive(replaced), ours),
            (4, receive(1, "m2"), "elsewhere"),
            // The queue trigger brings it to another process, which puts a copy of its own; it may end before that.
            (5, offer(1, "m1", 2), "elsewhere"),
            (5, offer(1, "m3", 2), ours),
            (6, offer(1, "m3", 3), ours),
            (7, receive(3, "m4"), ours),
            (8, receive(2, "m5"), "elsewhere"),
            (8, receive(1, "m3"), "elsewhere"),
            (9, ended("a", 1, Status::Completed, 9), "elsewhere"),
            (9, ended("a", 3, Status::Failed, 9), "noted"),
            (9, receive(3, "m4"), "ours, superseded: false, ended: true"),
            (9, done("a", 3), "noted"),
            (9, receive(3, "m4"), "finished"),
            // An operator puts it back from the poison queue.
            (10, Change::Receive(put_back), ours),
        ],
    );
}

#[test]
fn a_job_that_is_not_known_is_accepted_when_it_is_received() {
    let cooling = Limits {
        cooldown: Duration::from_secs(60),
        captures_per_day: Some(1),
        ..limits()
    };
    let receive = |key, copy, message| Change::Receive(delivery(key, copy, message, 0));
    let ours = "ours, superseded: false, ended: false";
    play(
        &cooling,
        &[
            (0, receive("a", 1, "m1"), ours),
            (1, receive("b", 2, "m2"), ours),
            (
                2,
                Change::Admit(admission("a", 3, 2)),
                "duplicate of Claimed",
            ),
        ],
    );
}

#[test]
fn a_machine_is_left_alone_after_a_capture_unless_it_failed() {
    let cooling = Limits {
        cooldown: Duration::from_secs(60),
        ..limits()
    };
    let admit = |key, seconds| Change::Admit(admission(key, 1, seconds));
    play(
        &cooling,
        &[
            (0, admit("a", 0), "new, opens first"),
            (59, admit("b", 59), "cooldown"),
            (60, admit("b", 60), "new, joins first"),
            (61, ended("b", 1, Status::Failed, 61), "noted"),
            (62, admit("c", 62), "new, joins first"),
            (
                63,
                Change::Withdraw {
                    job_id: job("c"),
                    copy: CopyId::new(1),
                },
                "noted",
            ),
            (64, admit("d", 64), "new, joins first"),
        ],
    );
}

#[test]
fn a_machine_has_a_budget_a_day() {
    let budget = Limits {
        captures_per_day: Some(2),
        ..limits()
    };
    let admit = |key, seconds| Change::Admit(admission(key, 1, seconds));
    const DAY: i64 = 86_400;
    let machine = play(
        &budget,
        &[
            (0, admit("a", 0), "new, opens first"),
            (1, ended("a", 1, Status::Failed, 1), "noted"),
            (2, admit("b", 2), "new, joins first"),
            (3, admit("c", 3), "new, joins first"),
            (4, admit("d", 4), "over budget, opened: false"),
            (5, ended("b", 1, Status::Completed, 5), "noted"),
            (6, ended("c", 1, Status::Completed, 6), "noted"),
            (4_000, admit("e", 4_000), "over budget, opened: true"),
            (4_001, admit("f", 4_001), "over budget, opened: false"),
            (DAY, admit("g", DAY), "new, opens another"),
        ],
    );
    assert_eq!(machine.captures_today(at(DAY)), 1);
    assert_eq!(machine.captures_today(at(2 * DAY)), 0);
}

#[test]
fn an_incident_is_open_while_a_capture_runs_and_a_quiet_time_longer() {
    let admit = |key, seconds| Change::Admit(admission(key, 1, seconds));
    play(
        &limits(),
        &[
            (0, admit("a", 0), "new, opens first"),
            (18_000, admit("b", 18_000), "new, joins first"),
            (18_010, ended("b", 1, Status::Completed, 18_010), "noted"),
            (30_000, admit("c", 30_000), "new, joins first"),
            (30_000, ended("c", 1, Status::Failed, 30_000), "noted"),
            (30_001, ended("a", 1, Status::Completed, 30_001), "noted"),
            (30_900, admit("d", 30_900), "new, joins first"),
            (30_901, ended("d", 1, Status::Completed, 30_901), "noted"),
            (31_801, admit("e", 31_801), "new, opens another"),
        ],
    );
}

#[test]
fn a_resolution_is_known_by_the_alert_or_its_rule() {
    let mut machine = Machine::new(id("web-01"));
    for (key, copy) in [("a", 1), ("b", 2)] {
        machine.apply(&Change::Admit(admission(key, copy, 0)), &limits(), NOW);
    }
    let resolved = |machine: &Machine| -> Vec<bool> {
        machine.seen.iter().map(|seen| seen.resolved).collect()
    };
    let resolve = |job_id, rule: Option<&str>| Change::Resolve {
        job_id,
        rule: rule.map(Into::into),
    };
    for (change, expected) in [
        (resolve(Some(job("x")), Some("other")), [false, false]),
        (resolve(Some(job("b")), Some("cpu")), [false, true]),
        (resolve(None, Some("cpu")), [true, true]),
    ] {
        machine.apply(&change, &limits(), NOW);
        assert_eq!(resolved(&machine), expected, "{change:?}");
    }
}

#[test]
fn a_document_is_bounded_and_forgets() {
    let mut machine = Machine::new(id("web-01"));
    for number in 0..MOST_SEEN + 20 {
        let key = number.to_string();
        machine.apply(&Change::Admit(admission(&key, 1, 0)), &limits(), NOW);
        if number > 0 {
            machine.apply(&ended(&key, 1, Status::Completed, 1), &limits(), NOW);
            machine.apply(&done(&key, 1), &limits(), NOW);
        }
    }
    assert!(machine.seen.len() <= MOST_SEEN);
    assert!(machine.find(&job("0")).is_some(), "it is in progress");
    let text = serde_json::to_string(&machine).unwrap();
    assert!(text.len() < 256 * 1024, "{}", text.len());
    assert_eq!(serde_json::from_str::<Machine>(&text).unwrap(), machine);
    assert!(!machine.is_forgettable(at(3_601), &limits()));
    machine.apply(&ended("0", 1, Status::Completed, 1), &limits(), NOW);
    machine.apply(&done("0", 1), &limits(), NOW);
    assert!(machine.is_forgettable(at(3_601), &limits()));
}

#[test]
fn documents_have_names() {
    let name = Machine::blob_name(&id("web-01"));
    assert_eq!(name, Machine::blob_name(&id("WEB-01")));
    assert_ne!(name, Machine::blob_name(&id("web-02")));
    assert_eq!(name.len(), "machines/".len() + 32 + ".json".len());
}

#[test]
fn the_document_names_days_as_people_do() {
    let (date, captures) = (time::macros::date!(2026 - 11 - 28), 3);
    let day = Day { date, captures };
    let written = serde_json::json!({ "date": "2026-11-28", "captures": 3 });
    assert_eq!(serde_json::to_value(day).unwrap(), written);
    assert_eq!(serde_json::from_value::<Day>(written).unwrap(), day);
}

#[test]
fn a_drill_stands_in_no_alert_s_way() {
    let drill = |key: &str, copy: u64, seconds: i64| {
        Change::Admit(Admission {
            captures: false,
            drill: true,
            ..admission(key, copy, seconds)
        })
    };
    let strict = Limits {
        cooldown: Duration::from_secs(600),
        captures_per_day: Some(1),
        ..limits()
    };
    // Before an alert, beside it and within its cool-down; in no incident but its own.
    let machine = play(
        &strict,
        &[
            (0, drill("drill 1", 1, 0), "new, opens another"),
            (
                1,
                Change::Admit(admission("alert", 2, 1)),
                "new, opens first",
            ),
            (2, drill("drill 2", 3, 2), "new, opens another"),
            (3, ended("drill 2", 3, Status::Completed, 3), "noted"),
            (4, Change::Admit(admission("another", 4, 4)), "cooldown"),
        ],
    );
    assert_eq!(machine.captures_today(at(5)), 1);
    let incident = |key: &str| machine.find(&job(key)).unwrap().incident.clone();
    assert_eq!(incident("alert"), machine.incident);
    assert_ne!(incident("drill 1"), incident("drill 2"));
    // The end of a drill keeps no incident open.
    assert_eq!(machine.quiet_until, None);
}
