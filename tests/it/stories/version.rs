//! A cloud that lags behind: it refuses the usual api-version, says which ones it has, and takes the one that is set.

use crate::support::{
    azure::Azure,
    practice::{Practice, faults},
    world::{World, common_alert},
};
use azure_sandbox::{Call, Fault, What, samples};

/// Provider, what it supports instead, and the setting that says so.
const LAGGING: [(&str, &str, &str); 4] = [
    (
        "Microsoft.Network",
        "2022-11-01",
        "AzureApiVersion__Network",
    ),
    (
        "Microsoft.Compute",
        "2020-06-01",
        "AzureApiVersion__Compute",
    ),
    (
        "Microsoft.Storage",
        "2019-04-01",
        "AzureApiVersion__Storage",
    ),
    (
        "Microsoft.Authorization",
        "2018-01-01-preview",
        "AzureApiVersion__Authorization",
    ),
];

#[tokio::test]
async fn a_refused_version_is_answered_with_the_setting_that_changes_it() {
    for (provider, version, setting) in &LAGGING[..2] {
        let azure = Azure::start().await;
        azure.support_only(provider, &[version]);
        let world = World::on(azure.clone(), &[]).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.status, 502, "{:?}", reply.body);
        assert_eq!(reply.body["error"]["code"], "NoRegisteredProviderFound");
        let message = reply.body["error"]["message"].as_str().unwrap();
        let advice = format!("set {setting} to one that it supports.");
        assert!(
            message.contains(version) && message.ends_with(&advice),
            "{message}"
        );
        world.end().await;

        let world = World::on(azure, &[(setting, version)]).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.end().await;
    }
}

/// Some front ends say it with a 404. That is no machine and no watcher that has gone.
#[tokio::test]
async fn a_resource_type_that_is_unknown_at_a_version_is_not_a_resource_that_is_gone() {
    for (on, setting) in [
        (Call::GetVirtualMachine, "AzureApiVersion__Compute"),
        (Call::ListWatchers, "AzureApiVersion__Network"),
        (Call::ListCaptures, "AzureApiVersion__Network"),
        (Call::PutCapture, "AzureApiVersion__Network"),
    ] {
        let world = World::start().await;
        let message = "The resource type could not be found for api version '2025-05-01'.";
        world.azure.fault(Fault {
            on,
            times: 1,
            what: What::arm_error(404, "InvalidResourceType", message),
        });
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.status, 502, "{on:?} {:?}", reply.body);
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(setting), "{on:?} {message}");
        world.end().await;
    }
}

#[tokio::test]
async fn the_doctor_names_the_setting_and_is_content_with_it() {
    for (provider, version, setting) in LAGGING {
        let mut practice = Practice::open().await;
        practice.azure.support_only(provider, &[version]);
        let (checks, _) = practice.checks().await;
        let found = faults(&checks);
        assert!(!found.is_empty(), "{provider}: {checks:#?}");
        for (check, _, fix) in found {
            let command = format!("--settings '{setting}=<version>'");
            assert!(fix.ends_with(&command), "{check}: {fix}");
        }
        practice.set(setting, version);
        let (checks, code) = practice.checks().await;
        assert_eq!((faults(&checks), code), (Vec::new(), Some(0)));
    }
}
