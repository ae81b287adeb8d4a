//! The storage account: its resource, and the capture files that sessions leave in it.

use serde_json::json;

use super::answer::{Answer, Outcome};
use super::arm::{Asked, resource_not_found};
use super::capture::blob_path;
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
                "supportsHttpsTrafficOnly": true,
                "primaryEndpoints": {"blob": format!("{}/{name}/", world.endpoint)},
            },
        }),
    ))
}

/// Reads a capture file. It needs no right: who may read captures is not what the sandbox
/// is about.
pub(super) fn get_blob(world: &World, asked: &Asked<'_>) -> Outcome {
    let url = format!("{}{}", world.endpoint, asked.route.child);
    let found = blob_path(&world.endpoint, &url).and_then(|path| world.blobs.get(&path));
    match found {
        Some(bytes) => Ok(Answer::raw(200, "application/octet-stream", bytes.clone())
            .with("x-ms-blob-type", "BlockBlob")),
        None => Err(Answer::raw(
            404,
            "application/xml",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>BlobNotFound</Code>\
             <Message>The specified blob does not exist.</Message></Error>",
        )
        .with("x-ms-error-code", "BlobNotFound")),
    }
}
