//! The deployed roles: with exactly their actions everything works, and without any one of them the answer says which
//! one is missing. The roles are the files that `az role definition create` and the templates read.
//!
//! What the sandbox cannot show: rights have no scopes here, so that the storage role is enough on the one account is
//! not seen; nor is whether Azure asks for `locations/operations/read`, since poll URLs are signed. The sandbox does
//! ask for it.

use crate::support::{
    azure::Azure,
    practice::{Practice, faults},
    world::{World, common_alert},
};
use alert_packet_capture::look::{CaptureReader, Options, Storage};
use azure_sandbox::{BlobRole, ExistingCapture, SessionStatus, samples};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// Actions whose lack no alert meets, and why they are in the role all the same.
const DOCTOR_ONLY: [(&str, &str); 3] = [
    (
        "Microsoft.Authorization/permissions/read",
        "the doctor looks up what it cannot try",
    ),
    (
        "Microsoft.Compute/virtualMachines/extensions/read",
        "the doctor looks for the agent; captures are refused by Azure itself",
    ),
    (
        "Microsoft.Compute/virtualMachines/instanceView/read",
        "the doctor looks whether the machine runs",
    ),
];

fn actions() -> Vec<String> {
    let roles = [
        include_str!("../../../deploy/roles/watchers.json"),
        include_str!("../../../deploy/roles/machines.json"),
        include_str!("../../../deploy/roles/storage.json"),
    ];
    let mut actions = Vec::new();
    for role in roles {
        let role: Value = serde_json::from_str(role).unwrap();
        let listed = role["Actions"].as_array().unwrap().clone();
        actions.extend(listed.iter().map(|it| it.as_str().unwrap().to_owned()));
    }
    actions
}

fn grant(azure: &azure_sandbox::Sandbox, actions: &[String]) {
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    azure.grant_only(&actions);
}

fn without(missing: &str) -> Vec<String> {
    let mut rest = actions();
    rest.retain(|action| action != missing);
    rest
}

/// An alert on a machine that has a stale capture in the way, which takes every call of a capture's course.
async fn alert_behind_a_stale_capture(world: &World) -> Value {
    world.azure.add_capture(ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "PSAzureFunction".to_owned(),
        target: samples::WEB_02.to_owned(),
        status: SessionStatus::Stopped,
        started: Some(OffsetDateTime::now_utc() - Duration::hours(3)),
        time_limit_seconds: 10,
        stop_reason: None,
    });
    let alert = common_alert(&[samples::WEB_01]);
    let mut posted = Box::pin(world.post(&alert));
    let refused = tokio::select! {
        reply = &mut posted => Some(reply),
        () = world.until(|lines| lines.iter().any(|it| it.starts_with("GET operations") && it.ends_with("200"))) => None,
    };
    if let Some(reply) = refused {
        return reply.body;
    }
    world.azure.complete_operations();
    posted.await.body
}

/// An alert on one instance of a scale set.
async fn alert_on_an_instance(world: &World) -> Value {
    let instance = format!("{}/virtualMachines/1", samples::API_SET);
    world.post(&common_alert(&[&instance])).await.body
}

/// The resolution of an alert whose capture runs, in a function that stops it then.
async fn resolved_alert(actions: &[String]) -> Value {
    let world = World::with(&[("PacketCapture__StopOnResolved", "true")]).await;
    let mut alert = common_alert(&[samples::WEB_01]);
    world.post(&alert).await;
    world.azure.complete_operations();
    grant(&world.azure, actions);
    alert["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    let answer = world.post(&alert).await.body;
    world.end().await;
    answer
}

#[tokio::test]
async fn exactly_the_roles_are_enough_for_an_alert_s_whole_course() {
    let world = World::start().await;
    grant(&world.azure, &actions());
    let answer = alert_behind_a_stale_capture(&world).await;
    assert_eq!(answer["outcome"], "created", "{answer}");
    // Followed until it runs: one poll for the delete, and those of the create.
    let polls = |lines: &[String]| {
        let put = lines.iter().position(|it| it.starts_with("PUT"));
        let after = lines.iter().skip(put.unwrap_or(lines.len()));
        after.filter(|it| it.starts_with("GET operations")).count()
    };
    world.until(|lines| polls(lines) > 0).await;
    world.azure.complete_operations();
    let capture = &world.azure.captures(samples::WATCHER_WESTEUROPE)[0];
    assert!(capture.target.eq_ignore_ascii_case(samples::WEB_01));
    assert_eq!(capture.status, SessionStatus::Running);
    for call in ["DELETE", "POST packetCaptures/PSAzureFunction/queryStatus"] {
        assert!(world.count(call) > 0, "{call}: {:?}", world.calls());
    }
    world.azure.finish_sessions();
    let ended = |lines: &[String]| lines.last().is_some_and(|it| it.contains("queryStatus"));
    world.until(ended).await;
    let refused: Vec<String> = world
        .calls()
        .into_iter()
        .filter(|it| it.contains("403"))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    world.end().await;

    let world = World::start().await;
    grant(&world.azure, &actions());
    let answer = alert_on_an_instance(&world).await;
    assert_eq!(answer["outcome"], "created", "{answer}");
    world.end().await;
    assert_eq!(resolved_alert(&actions()).await["outcome"], "stopped");
}

/// The rights of one of the optional roles.
fn optional(role: &str) -> Vec<String> {
    let role: Value = serde_json::from_str(role).unwrap();
    let listed = role["Actions"].as_array().unwrap().iter();
    listed.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The comment on an Azure alert has a role of its own, which is assigned by choice.
#[tokio::test]
async fn the_role_for_comments_is_enough_and_the_doctor_names_each_right_that_is_missing() {
    let role = optional(include_str!("../../../deploy/roles/write-back.json"));
    let settings = [("Alert__WriteBack", "true")];
    let world = World::with(&settings).await;
    grant(&world.azure, &[actions(), role.clone()].concat());
    let alert = common_alert(&[samples::WEB_01]);
    let id = alert["data"]["essentials"]["alertId"].as_str().unwrap();
    world.azure.add_alert(id);
    world.post(&alert).await;
    world.run_out();
    let commented = |_: &[String]| world.azure.alert(id).1.len() == 1;
    world.until(commented).await;
    world.end().await;

    for missing in [None, Some(0), Some(1)] {
        let mut given = role.clone();
        let missing = missing.map(|at| given.remove(at));
        let mut practice = everything().await;
        practice.set("Alert__WriteBack", "true");
        practice.set("WEBSITE_HOSTNAME", "app.example");
        grant(&practice.azure, &[actions(), given].concat());
        let (checks, _) = practice.checks().await;
        let expected = missing.map(|action| format!("permission {action}"));
        let found: Vec<String> = faults(&checks).into_iter().map(|fault| fault.0).collect();
        assert_eq!(found, Vec::from_iter(expected), "{checks:#?}");
    }
}

/// Which of the built-in roles for blobs the deployed storage role is like.
fn blob_role() -> BlobRole {
    let role: Value =
        serde_json::from_str(include_str!("../../../deploy/roles/storage.json")).unwrap();
    let blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
    let actions = role["DataActions"].as_array().unwrap();
    let has = |action: &str| actions.iter().any(|it| *it == format!("{blobs}/{action}"));
    match (has("read"), has("write")) {
        (_, true) => BlobRole::Contributor,
        (true, false) => BlobRole::Reader,
        (false, false) => BlobRole::None,
    }
}

#[tokio::test]
async fn the_storage_role_is_enough_to_read_the_files_of_captures_and_no_more() {
    assert_eq!(blob_role(), BlobRole::Reader);
    let azure = Azure::start().await;
    let (credential, http) = azure.storage_identity();
    let storage = Storage::At(azure.endpoint().parse().unwrap());
    let reader = CaptureReader::new(credential, http, Options::new(storage));
    for (role, good) in [(blob_role(), true), (BlobRole::None, false)] {
        azure.set_blob_role(samples::STORAGE_ACCOUNT, role);
        let checked = reader.check("stcaptures").await;
        assert_eq!(checked.is_ok(), good, "{role:?}: {checked:?}");
        let lacks_it = checked.is_err_and(|error| error.is_missing_role());
        assert_eq!(lacks_it, !good);
    }
}

#[tokio::test]
async fn exactly_the_roles_are_enough_for_the_doctor() {
    let practice = everything().await;
    grant(&practice.azure, &actions());
    let (checks, code) = practice.checks().await;
    assert_eq!(
        (faults(&checks), code),
        (Vec::new(), Some(0)),
        "{checks:#?}"
    );
}

/// The right to read lifecycle rules is in a role of its own, which is assigned by choice.
#[tokio::test]
async fn the_optional_role_shows_how_long_files_are_kept() {
    const CHECKS: [&str; 2] = ["capture retention", "record retention"];
    let optional = optional(include_str!("../../../deploy/roles/doctor.json"));
    let practice = everything().await;
    for (granted, status) in [
        (actions(), "skipped"),
        ([actions(), optional.clone()].concat(), "ok"),
    ] {
        grant(&practice.azure, &granted);
        let (checks, code) = practice.checks().await;
        assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
        for check in CHECKS {
            let found = checks.iter().find(|it| it["check"] == check).unwrap();
            assert_eq!(found["status"], status, "{found}");
            let message = found["message"].as_str().unwrap();
            let names = message.contains(&format!("needs the permission {}", optional[0]));
            assert_eq!(names, status == "skipped", "{message}");
        }
    }
}

/// What `deploy/roles/readiness.json` allows.
pub fn readiness_actions() -> Vec<String> {
    let role: Value =
        serde_json::from_str(include_str!("../../../deploy/roles/readiness.json")).unwrap();
    let listed = role["Actions"].as_array().unwrap();
    listed
        .iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect()
}

/// The rights of the three roles, and those of readiness runs.
pub fn actions_of_runs() -> Vec<String> {
    [actions(), readiness_actions()].concat()
}

#[tokio::test]
async fn an_alert_names_the_right_that_it_lacks() {
    for missing in actions() {
        let mut answers = Vec::new();
        let world = World::start().await;
        grant(&world.azure, &without(&missing));
        answers.push(alert_behind_a_stale_capture(&world).await);
        world.end().await;
        let world = World::start().await;
        grant(&world.azure, &without(&missing));
        answers.push(alert_on_an_instance(&world).await);
        world.end().await;
        answers.push(resolved_alert(&without(&missing)).await);
        let named = answers
            .iter()
            .any(|it| it["outcome"].is_null() && it.to_string().contains(&missing));
        let doctor_only = DOCTOR_ONLY.iter().any(|(action, _)| *action == missing);
        assert_ne!(named, doctor_only, "{missing}: {answers:#?}");
        if doctor_only {
            let outcomes: Vec<_> = answers.iter().map(|it| &it["outcome"]).collect();
            assert_eq!(outcomes, ["created", "created", "stopped"], "{missing}");
        }
    }
}

#[tokio::test]
async fn the_doctor_names_every_right_that_is_missing() {
    for missing in actions() {
        let practice = everything().await;
        grant(&practice.azure, &without(&missing));
        let (checks, _) = practice.checks().await;
        let found = faults(&checks);
        let check = format!("permission {missing}");
        assert!(!found.is_empty(), "{missing}: {checks:#?}");
        for fault in &found {
            assert_eq!(fault.0, check, "{missing}: {found:#?}");
        }
    }
}

/// The doctor, asked about a machine and about the whole subscription.
async fn everything() -> Practice {
    let mut practice = Practice::open().await;
    practice.arguments.extend([
        "--subscription".to_owned(),
        samples::SUBSCRIPTION_ID.to_owned(),
    ]);
    let stops = ("PacketCapture__StopOnResolved", "true");
    practice
        .settings
        .push((stops.0.to_owned(), stops.1.to_owned()));
    practice
}
