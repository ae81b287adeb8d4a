//! Worlds with one fault each.

use super::*;

type Break = fn(&mut Practice);

/// A fault, the one check that reports it, whether that fails or warns, and a part of the command that fixes it.
const FAULTS: [(&str, Break, &str, &str, &str); 14] = [
    (
        "wrong audience",
        |it| {
            it.set(
                "AZURE_RESOURCE_MANAGER_AUDIENCE",
                "https://elsewhere.example",
            )
        },
        "access token",
        "failed",
        "AZURE_RESOURCE_MANAGER_AUDIENCE",
    ),
    (
        "wrong secret",
        |it| it.set("AZURE_CLIENT_SECRET", "wr0ng"),
        "access token",
        "failed",
        "az ad app credential reset --id b3c6a1d2",
    ),
    (
        "expired secret",
        |it| it.azure.expire_secret(),
        "access token",
        "failed",
        "az ad app credential reset",
    ),
    (
        "unknown application",
        |it| it.set("AZURE_CLIENT_ID", "00000000-0000-4000-8000-000000000000"),
        "access token",
        "failed",
        "az ad app show --id 00000000",
    ),
    (
        "no watcher in the region",
        |it| {
            let id = samples::WEB_01.replace("web-01", "web-us");
            it.azure.add_vm(&id, "westus2");
            it.arguments[1] = id;
        },
        "watcher of its region",
        "failed",
        "az network watcher configure --resource-group NetworkWatcherRG --locations westus2 --enabled true",
    ),
    (
        "no agent",
        |it| it.azure.remove_agent(samples::WEB_01),
        "agent",
        "failed",
        "az vm extension set --publisher Microsoft.Azure.NetworkWatcher --name NetworkWatcherAgentLinux",
    ),
    (
        "no agent on Windows",
        |it| {
            it.azure.make_windows(samples::WEB_01);
            it.azure.remove_agent(samples::WEB_01);
        },
        "agent",
        "failed",
        "--name NetworkWatcherAgentWindows --vm-name web-01 --resource-group rg-shop",
    ),
    (
        "VM stopped",
        |it| it.azure.deallocate_vm(samples::WEB_01),
        "power",
        "failed",
        "az vm start --ids",
    ),
    (
        "VM not there",
        |it| it.arguments[1] = samples::WEB_01.replace("web-01", "web-09"),
        "virtual machine",
        "failed",
        "az vm list",
    ),
    (
        "shared keys off",
        |it| {
            it.unset("AzureWebJobsStorage");
            let by_identity = it.azure.queue_settings_with_identity();
            it.settings.extend(by_identity);
            it.azure.forbid_shared_keys(samples::STORAGE_ACCOUNT);
        },
        "shared keys",
        "failed",
        "--allow-shared-key-access true",
    ),
    (
        "premium account",
        |it| it.azure.make_premium(samples::STORAGE_ACCOUNT),
        "performance tier",
        "failed",
        "az storage account create",
    ),
    (
        "no such account",
        |it| {
            let id = samples::STORAGE_ACCOUNT.replace("stcaptures", "stgone");
            it.set("PacketCapture__StorageAccountId", &id);
        },
        "storage account",
        "failed",
        "az storage account create --name stgone",
    ),
    (
        "limit reached",
        |it| {
            it.set("PacketCapture__Limit", "2");
            for name in ["a", "b"] {
                it.azure.add_capture(capture(name, SessionStatus::Stopped));
            }
        },
        "capture slots",
        "failed",
        "az network watcher packet-capture list --location westeurope",
    ),
    (
        "stale capture",
        |it| {
            let stale = capture("psazurefunction", SessionStatus::Stopped);
            it.azure.add_capture(stale);
        },
        "stale captures",
        "warning",
        "az network watcher packet-capture delete --location westeurope --name psazurefunction",
    ),
];

#[tokio::test]
async fn a_single_fault_is_reported_by_its_own_check() {
    for (fault, break_it, check, status, fix) in FAULTS {
        let mut practice = Practice::open().await;
        break_it(&mut practice);
        let (checks, code) = practice.checks().await;
        let found = faults(&checks);
        assert_eq!(found.len(), 1, "{fault}: {checks:#?}");
        assert_eq!((&*found[0].0, &*found[0].1), (check, status), "{fault}");
        assert!(found[0].2.contains(fix), "{fault}: {}", found[0].2);
        assert_eq!(code, Some(i32::from(status == "failed")), "{fault}");
    }
}
