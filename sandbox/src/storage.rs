//! The storage account as a resource, and how capture files land in it.

use axum::body::Bytes;
use serde_json::json;
use time::OffsetDateTime;

use super::answer::{Answer, Outcome, gateway_error};
use super::arm::{Asked, resource_not_found};
use super::blob_storage::Blob;
use super::ids;
use super::world::World;

pub(super) fn get_account(world: &World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    let account = world
        .storage_account(id)
        .ok_or_else(|| resource_not_found(id))?;
    let name = ids::name(&account.id);
    Ok(Answer::json(
        200,
        json!({
            "name": name,
            "id": account.id,
            "type": "Microsoft.Storage/storageAccounts",
            "location": ids::region(&account.location),
            "kind": "StorageV2",
            "sku": {"name": format!("{}_LRS", account.tier), "tier": account.tier},
            "tags": {},
            "properties": {
                "provisioningState": "Succeeded",
                "allowSharedKeyAccess": account.shared_keys,
                "publicNetworkAccess": "Enabled",
                "networkAcls": {"defaultAction": if account.restricted { "Deny" } else { "Allow" }},
                "supportsHttpsTrafficOnly": true,
                "primaryEndpoints": {"blob": format!("{}/{name}/", world.endpoint)},
            },
        }),
    ))
}

/// The lifecycle policy, which an account has only when a rule was made.
/// <https://learn.microsoft.com/en-us/rest/api/storagerp/management-policies/get>
pub(super) fn get_management_policy(world: &World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    let account = world
        .storage_account(id)
        .ok_or_else(|| resource_not_found(id))?;
    let name = ids::name(&account.id);
    if account.lifecycle.is_empty() {
        let message = format!("No ManagementPolicy found for account {name}");
        return Err(gateway_error(404, "ManagementPolicyNotFound", message));
    }
    let numbered = account.lifecycle.iter().enumerate();
    let rules: Vec<_> = numbered
        .map(|(number, (prefix, days))| {
            json!({
                "enabled": true,
                "name": format!("rule-{number}"),
                "type": "Lifecycle",
                "definition": {
                    "actions": {
                        // Azure answers with a fraction.
                        "baseBlob": {"delete": {"daysAfterModificationGreaterThan": f64::from(*days)}},
                    },
                    "filters": {"blobTypes": ["blockBlob"], "prefixMatch": [prefix]},
                },
            })
        })
        .collect();
    Ok(Answer::json(
        200,
        json!({
            "id": format!("{}/managementPolicies/default", account.id),
            "name": "DefaultManagementPolicy",
            "type": "Microsoft.Storage/storageAccounts/managementPolicies",
            "properties": {
                "lastModifiedTime": "2026-11-01T08:00:00.0000000Z",
                "policy": {"rules": rules},
            },
        }),
    ))
}

impl World {
    /// A session leaves its file.
    pub fn land(&mut self, path: String, bytes: Vec<u8>, now: OffsetDateTime) {
        let arrival = self.arrival;
        if arrival.lost {
            return;
        }
        let mut whole = Bytes::from(bytes);
        let part = whole.len() / (arrival.grows + 1);
        let mut blob = Blob::new(self, whole.split_to(part), now);
        blob.late = arrival.late_for;
        for _ in 1..arrival.grows {
            blob.growth.push(whole.split_to(part));
        }
        match arrival.grows {
            0 => debug_assert!(whole.is_empty(), "one part is all of it"),
            _ => blob.growth.push(whole),
        }
        self.put_blob(path.clone(), blob);
        self.unwritten.push(path);
    }

    /// Puts a blob, and the container if it is not there.
    pub fn put_blob(&mut self, key: String, blob: Blob) {
        let container: Vec<&str> = key.splitn(3, '/').take(2).collect();
        self.containers.insert(container.join("/"));
        self.blobs.insert(key, blob);
    }
}
