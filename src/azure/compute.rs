//! Microsoft.Compute, read only: where a virtual machine or a scale set is, and how a virtual machine is.
//! <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/get>

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    normalise_location, page,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde::Deserialize;

/// Known to every cloud.
pub const API_VERSION: &str = "2024-07-01";

/// A virtual machine, as far as captures care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualMachine {
    /// Normalised, such as `westus2`.
    pub location: String,
    /// `Linux` or `Windows`, if Azure knows.
    pub os_type: Option<String>,
    /// The flexible scale set that it is a member of.
    pub scale_set: Option<ResourceId>,
}

/// A scale set, as far as captures care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleSet {
    /// Normalised, such as `westus2`.
    pub location: String,
    /// Its orchestration mode is flexible: its members are virtual machines of their own.
    pub is_flexible: bool,
}

/// An extension of a virtual machine. Its resource name says nothing.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Extension {
    pub publisher: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub provisioning_state: Option<String>,
}

#[derive(Deserialize)]
struct Located {
    location: String,
}

#[derive(Deserialize)]
struct MachineWire {
    location: String,
    #[serde(default)]
    properties: MachineProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct MachineProperties {
    storage_profile: StorageProfile,
    virtual_machine_scale_set: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
struct ScaleSetWire {
    location: String,
    #[serde(default)]
    properties: ScaleSetProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ScaleSetProperties {
    orchestration_mode: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StorageProfile {
    os_disk: OsDisk,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OsDisk {
    os_type: Option<String>,
}

#[derive(Clone, Deserialize)]
struct ExtensionWire {
    #[serde(default)]
    properties: Extension,
}

#[derive(Deserialize)]
struct InstanceView {
    #[serde(default)]
    statuses: Vec<InstanceStatus>,
}

#[derive(Deserialize)]
struct InstanceStatus {
    #[serde(default)]
    code: String,
}

/// The normalised location of a virtual machine, a scale set or an instance of one.
///
/// # Errors
/// As [`ArmClient::send`]; not found when there is no such machine.
pub async fn location_of(client: &ArmClient, id: &ResourceId) -> Result<String, AzureError> {
    let call = read(client, "get the virtual machine's location", id, &[]);
    let located: Located = client.read(call).await?;
    Ok(normalise_location(&located.location))
}

/// One virtual machine.
///
/// # Errors
/// As [`location_of`].
pub async fn get_virtual_machine(
    client: &ArmClient,
    id: &ResourceId,
) -> Result<VirtualMachine, AzureError> {
    let call = read(client, "get the virtual machine", id, &[]);
    let wire: MachineWire = client.read(call).await?;
    Ok(VirtualMachine {
        location: normalise_location(&wire.location),
        os_type: wire.properties.storage_profile.os_disk.os_type,
        scale_set: wire
            .properties
            .virtual_machine_scale_set
            .and_then(|set| ResourceId::parse(&set.id).ok()),
    })
}

/// One scale set.
/// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machine-scale-sets/get>
///
/// # Errors
/// As [`location_of`].
pub async fn get_scale_set(client: &ArmClient, id: &ResourceId) -> Result<ScaleSet, AzureError> {
    let call = read(client, "get the scale set", id, &[]);
    let wire: ScaleSetWire = client.read(call).await?;
    let mode = wire.properties.orchestration_mode;
    Ok(ScaleSet {
        location: normalise_location(&wire.location),
        is_flexible: mode.is_some_and(|mode| mode.eq_ignore_ascii_case("Flexible")),
    })
}

/// The extensions of a virtual machine.
/// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machine-extensions/list>
///
/// # Errors
/// As [`location_of`].
pub async fn list_extensions(
    client: &ArmClient,
    id: &ResourceId,
) -> Result<Vec<Extension>, AzureError> {
    let first = client.url(id, &["extensions"], &client.api_versions().compute);
    let listed: Vec<ExtensionWire> = page::list(client, "list extensions", id, first).await?;
    Ok(listed.into_iter().map(|wire| wire.properties).collect())
}

/// The power state of a virtual machine, such as `running`, if Azure tells one.
/// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/instance-view>
///
/// # Errors
/// As [`location_of`].
pub async fn power_state(
    client: &ArmClient,
    id: &ResourceId,
) -> Result<Option<String>, AzureError> {
    let call = read(client, "get the instance view", id, &["instanceView"]);
    let view: InstanceView = client.read(call).await?;
    Ok(view.statuses.into_iter().find_map(|status| {
        let (kind, state) = status.code.split_once('/')?;
        kind.eq_ignore_ascii_case("PowerState")
            .then(|| state.to_owned())
    }))
}

fn read<'a>(
    client: &ArmClient,
    operation: &'static str,
    id: &'a ResourceId,
    path: &[&str],
) -> Call<'a> {
    Call {
        operation,
        resource: id,
        method: Method::Get,
        url: client.url(id, path, &client.api_versions().compute),
        body: None,
        repeat: Repeat::Freely,
    }
}
