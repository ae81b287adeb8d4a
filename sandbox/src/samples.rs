//! A small world that suits most stories: a shop with two web servers in one region, a database in
//! another, and a watcher whose region merely starts like the web servers' one.

use super::{Interface, Sandbox, Subnet};

/// The tenant that the sandbox plays.
pub const TENANT_ID: &str = "72f1b9c4-3d0e-4a6b-8f57-c2e9d1a60b38";
/// The one application registered in it.
pub const CLIENT_ID: &str = "b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12";
/// That application's secret.
pub const CLIENT_SECRET: &str = "sandbox~only.not-a-secret";
/// The client id of the one user-assigned managed identity, which the application trusts.
pub const MANAGED_IDENTITY_CLIENT_ID: &str = "c7d2e9a4-18b3-4f65-a0c8-3e5b7f2d9146";
/// That identity's object id, the subject of its tokens.
pub const MANAGED_IDENTITY_RESOURCE_ID: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-alerts";
pub const MANAGED_IDENTITY_OBJECT_ID: &str = "0f8e6d5c-4b3a-4291-8706-f5e4d3c2b1a0";
/// The issuer of the Kubernetes cluster that the application trusts.
pub const CLUSTER: &str = "https://cluster.sandbox.example/";
/// The service account of it that the application trusts.
pub const SERVICE_ACCOUNT: &str = "system:serviceaccount:network:alert-packet-capture";
/// The key of the storage account, base64 as Azure's.
pub const STORAGE_KEY: &str =
    "c2FuZGJveCBvbmx5LCBub3QgYSBzZWNyZXQ6IHRoZSBrZXkgb2YgdGhlIGFjY291bnQgc3RjYXB0dXJlcy4uLg==";
/// The subscription that holds everything.
pub const SUBSCRIPTION_ID: &str = "6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32";

macro_rules! id {
    ($group:literal, $kind:literal, $name:literal) => {
        concat!(
            "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/",
            $group,
            "/providers/",
            $kind,
            "/",
            $name
        )
    };
}

/// A web server in westeurope.
pub const WEB_01: &str = id!("rg-shop", "Microsoft.Compute/virtualMachines", "web-01");
/// Another web server in westeurope.
pub const WEB_02: &str = id!("rg-shop", "Microsoft.Compute/virtualMachines", "web-02");
/// The database server in northeurope.
pub const SQL_01: &str = id!("rg-data", "Microsoft.Compute/virtualMachines", "sql-01");
/// A scale set in westeurope with the instances 0, 1 and 2.
pub const API_SET: &str = id!(
    "rg-shop",
    "Microsoft.Compute/virtualMachineScaleSets",
    "api-vmss"
);
/// The watcher of westeurope.
pub const WATCHER_WESTEUROPE: &str = id!(
    "NetworkWatcherRG",
    "Microsoft.Network/networkWatchers",
    "NetworkWatcher_westeurope"
);
/// The watcher of northeurope.
pub const WATCHER_NORTHEUROPE: &str = id!(
    "NetworkWatcherRG",
    "Microsoft.Network/networkWatchers",
    "NetworkWatcher_northeurope"
);
/// The decoy: its region begins with "westeurope".
pub const WATCHER_WESTEUROPE2: &str = id!(
    "NetworkWatcherRG",
    "Microsoft.Network/networkWatchers",
    "NetworkWatcher_westeurope2"
);
/// Where captures go.
pub const STORAGE_ACCOUNT: &str = id!("rg-shop", "Microsoft.Storage/storageAccounts", "stcaptures");

/// The interface of the first web server.
pub const NIC_WEB_01: &str = id!(
    "rg-shop",
    "Microsoft.Network/networkInterfaces",
    "nic-web-01"
);
/// The NSG of the web servers' subnet.
pub const NSG_WEB: &str = id!(
    "rg-shop",
    "Microsoft.Network/networkSecurityGroups",
    "nsg-web"
);
/// The web servers' subnet.
pub const SUBNET_WEB: &str = id!(
    "rg-shop",
    "Microsoft.Network/virtualNetworks",
    "vnet-shop/subnets/web"
);
/// Its route table.
pub const ROUTES_WEB: &str = id!("rg-shop", "Microsoft.Network/routeTables", "rt-web");
/// The load balancer in front of the web servers.
pub const LOAD_BALANCER: &str = id!("rg-shop", "Microsoft.Network/loadBalancers", "lb-front");

/// The network of the web servers.
fn network(sandbox: &Sandbox) {
    sandbox.add_subnet(Subnet {
        id: SUBNET_WEB.to_owned(),
        security_group: Some(NSG_WEB.to_owned()),
        route_table: Some(ROUTES_WEB.to_owned()),
    });
    let second = NIC_WEB_01.replace("nic-web-01", "nic-web-02");
    for (machine, id, address) in [
        (WEB_01, NIC_WEB_01, "10.1.0.11"),
        (WEB_02, second.as_str(), "10.1.0.12"),
    ] {
        sandbox.add_interface(Interface {
            id: id.to_owned(),
            machine: machine.to_owned(),
            address: address.to_owned(),
            subnet: SUBNET_WEB.to_owned(),
            security_group: None,
            pools: vec![format!("{LOAD_BALANCER}/backendAddressPools/web")],
        });
    }
    sandbox.add_interface(Interface {
        id: id!(
            "rg-data",
            "Microsoft.Network/networkInterfaces",
            "nic-sql-01"
        )
        .to_owned(),
        machine: SQL_01.to_owned(),
        address: "10.1.2.3".to_owned(),
        subnet: id!(
            "rg-shop",
            "Microsoft.Network/virtualNetworks",
            "vnet-shop/subnets/data"
        )
        .to_owned(),
        ..Interface::default()
    });
}

/// Builds this world.
pub fn populate(sandbox: &Sandbox) {
    network(sandbox);
    sandbox.add_vm(WEB_01, "westeurope");
    sandbox.add_vm(WEB_02, "westeurope");
    sandbox.add_vm(SQL_01, "northeurope");
    sandbox.add_scale_set(API_SET, "westeurope", &["0", "1", "2"]);
    // The decoy comes first, so that taking the first prefix match goes wrong.
    sandbox.add_watcher(WATCHER_WESTEUROPE2, "westeurope2");
    sandbox.add_watcher(WATCHER_WESTEUROPE, "westeurope");
    sandbox.add_watcher(WATCHER_NORTHEUROPE, "northeurope");
    sandbox.add_storage_account(STORAGE_ACCOUNT, "westeurope");
}
