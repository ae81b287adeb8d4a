//! Which settings open the storage account of the job queue, and which are refused.

use super::*;
use crate::config::AppSettings;

fn read(pairs: &[(&str, &str)], has_identity: bool) -> Result<JobSettings, String> {
    let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    let settings: AppSettings = pairs.collect();
    let mut reader = Reader::new(&settings);
    let jobs = super::read(&mut reader, has_identity);
    reader.finish(jobs).map_err(|error| error.to_string())
}

#[test]
fn memory_is_the_default_and_needs_nothing() {
    let jobs = read(&[], false).unwrap();
    assert!(matches!(jobs.kind, QueueKind::Memory));
    assert_eq!((jobs.capacity, jobs.max_attempts), (1_000, 5));
}

#[test]
fn a_storage_account_is_named_in_one_way() {
    const STORAGE: (&str, &str) = (KIND, "Storage");
    let connected = read(
        &[
            STORAGE,
            (CONNECTION, "AccountName=stjobs;AccountKey=s3cr3t0="),
        ],
        false,
    )
    .unwrap();
    assert!(!format!("{connected:?}").contains("s3cr3t"));
    let QueueKind::Storage(storage) = connected.kind else {
        panic!("not a storage queue")
    };
    assert_eq!(storage.options.visibility_timeout, Duration::from_secs(120));
    assert!(!storage.options.poll);
    for (more, address) in [
        (
            &[(ACCOUNT, "stjobs")][..],
            "https://stjobs.queue.core.windows.net/",
        ),
        (
            &[(ACCOUNT, "stjobs"), ("AzureEnvironment", "AzureChinaCloud")],
            "https://stjobs.queue.core.chinacloudapi.cn/",
        ),
        (
            &[
                (SERVICE, "https://q.example/stjobs"),
                ("JobQueue__Receive", "POLL"),
            ],
            "https://q.example/stjobs",
        ),
    ] {
        let jobs = read(&[&[STORAGE], more].concat(), true).unwrap();
        let QueueKind::Storage(storage) = jobs.kind else {
            panic!("not a storage queue")
        };
        let QueueAccount::Service {
            url,
            identity: None,
        } = storage.account
        else {
            panic!("not opened with an identity")
        };
        assert_eq!(url.as_str(), address);
        assert_eq!(
            storage.options.poll,
            more.len() == 2 && address.contains("example")
        );
    }
}

#[test]
fn the_blob_service_is_the_account_s() {
    const STORAGE: (&str, &str) = (KIND, "storage");
    const OWN: (&str, &str) = (SERVICE, "https://q.example/stjobs");
    for (more, blobs) in [
        (
            &[(ACCOUNT, "stjobs")][..],
            Some("https://stjobs.blob.core.windows.net/"),
        ),
        (
            &[(SERVICE, "https://stjobs.queue.core.chinacloudapi.cn")],
            Some("https://stjobs.blob.core.chinacloudapi.cn/"),
        ),
        (
            &[OWN, (BLOBS, "https://b.example/stjobs")],
            Some("https://b.example/stjobs"),
        ),
        (&[OWN], None),
        (
            &[(CONNECTION, "AccountName=stjobs;AccountKey=c2VjcmV0")],
            Some("https://stjobs.blob.core.windows.net/"),
        ),
    ] {
        let jobs = read(&[&[STORAGE], more].concat(), true).unwrap();
        let QueueKind::Storage(storage) = jobs.kind else {
            panic!("not a storage queue")
        };
        assert_eq!(storage.blobs.as_ref().map(Url::as_str), blobs, "{more:?}");
    }
    let plain = [STORAGE, OWN, (BLOBS, "http://b.example")];
    assert!(read(&plain, true).unwrap_err().contains(BLOBS));
}

#[test]
fn half_of_it_is_an_error_that_names_the_setting() {
    const STORAGE: (&str, &str) = (KIND, "storage");
    let cases = [
        (&[(KIND, "disk")][..], true, KIND),
        (&[STORAGE], true, CONNECTION),
        (&[STORAGE, (ACCOUNT, "stjobs")], false, "AZURE_CLIENT_ID"),
        (&[STORAGE, (ACCOUNT, "St-Jobs")], true, ACCOUNT),
        (
            &[STORAGE, (ACCOUNT, "AccountName=stjobs")],
            true,
            "3 to 24 lower-case letters and digits",
        ),
        (&[STORAGE, (CONNECTION, "stjobs")], true, "Name=Value"),
        (&[STORAGE, (SERVICE, "http://q.example")], true, SERVICE),
        (
            &[STORAGE, (CONNECTION, "x"), (ACCOUNT, "stjobs")],
            true,
            ACCOUNT,
        ),
        (
            &[STORAGE, (CONNECTION, "x"), ("JobQueue__Receive", "both")],
            true,
            "JobQueue__Receive",
        ),
        (
            &[("JobQueue__VisibilityTimeoutSeconds", "0")],
            true,
            "JobQueue__VisibilityTimeoutSeconds",
        ),
    ];
    for (pairs, has_identity, name) in cases {
        let error = read(pairs, has_identity).expect_err(name);
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn the_account_is_opened_as_the_functions_host_opens_it() {
    const BASE: [(&str, &str); 4] = [
        (KIND, "storage"),
        (SERVICE, "https://stjobs01.queue.core.windows.net"),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token"),
        ("IDENTITY_HEADER", "x"),
    ];
    const CLIENT: (&str, &str) = (
        "AzureWebJobsStorage__clientId",
        "e2a91c06-3d57-4f8b-a1c4-60b7d95e3f28",
    );
    const RESOURCE: (&str, &str) = (
        "AzureWebJobsStorage__managedIdentityResourceId",
        "/subscriptions/3f7c1d52-9a40-4b8e-8c1d-6e2b5a90c714/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/jobs",
    );
    const MANAGED: (&str, &str) = ("AzureWebJobsStorage__credential", "managedidentity");
    for (more, expected) in [
        (&[][..], Ok(None)),
        (&[MANAGED], Ok(Some("system-assigned managed identity"))),
        (
            &[MANAGED, CLIENT],
            Ok(Some(
                "user-assigned managed identity e2a91c06-3d57-4f8b-a1c4-60b7d95e3f28",
            )),
        ),
        (
            &[CLIENT],
            Ok(Some(
                "user-assigned managed identity e2a91c06-3d57-4f8b-a1c4-60b7d95e3f28",
            )),
        ),
        (
            &[MANAGED, RESOURCE],
            Ok(Some("user-assigned managed identity jobs")),
        ),
        (&[CLIENT, RESOURCE], Err("keep one")),
        (
            &[("AzureWebJobsStorage__credential", "workloadidentity")],
            Err("needs one of managedidentity"),
        ),
        (&[(RESOURCE.0, "jobs")], Err("the resource id of")),
        (&[(CLIENT.0, "jobs")], Err("GUID")),
    ] {
        let read = read(&[&BASE[..], more].concat(), true);
        match (read, expected) {
            (Ok(jobs), Ok(expected)) => {
                let QueueKind::Storage(storage) = jobs.kind else {
                    panic!("not a storage queue")
                };
                let QueueAccount::Service { identity, .. } = &storage.account else {
                    panic!("not opened with an identity")
                };
                let identity = identity.as_ref().map(ToString::to_string);
                assert_eq!(identity.as_deref(), expected, "{more:?}");
            }
            (Err(error), Err(words)) => assert!(error.contains(words), "{error}"),
            (read, _) => panic!("{more:?}: {read:?}"),
        }
    }
}
