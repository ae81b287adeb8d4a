//! Microsoft.Compute, read only: where a virtual machine or a scale set is, and how a virtual machine is.

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    instance_view::InstanceView,
    lenient,
    page::{self, Pages},
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::Value;

/// A virtual machine, as far as captures need it.
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

/// An extension of a virtual machine. Its resource name can be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extension {
    pub publisher: String,
    pub kind: String,
    pub provisioning_state: Option<String>,
}

/// A virtual machine of a list: which one, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedMachine {
    pub id: ResourceId,
    /// Normalised, such as `westus2`.
    #[serde(deserialize_with = "lenient::region")]
    pub location: String,
}

/// An instance of a uniform scale set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub id: ResourceId,
    /// Whether it was updated to the latest model of its set, if Azure says so.
    pub has_latest_model: Option<bool>,
    pub view: InstanceView,
}

fn read_instance(set: &ResourceId, instance: &Value) -> Option<Instance> {
    let properties = &instance["properties"];
    Some(Instance {
        id: set
            .child("virtualMachines", instance["instanceId"].as_str()?)
            .ok()?,
        has_latest_model: properties["latestModelApplied"].as_bool(),
        view: InstanceView::of(&properties["instanceView"]),
    })
}

/// A list of virtual machines, read page by page.
pub struct MachinePages<'c>(Pages<'c>);

impl MachinePages<'_> {
    /// The machines of the next page, and whether it was the last one.
    ///
    /// # Errors
    /// As [`ArmClient::send`].
    pub async fn next(&mut self) -> Result<(Vec<ListedMachine>, bool), AzureError> {
        let mut machines = Vec::new();
        let take = |machines: &mut Vec<ListedMachine>, machine| machines.push(machine);
        let more = self.0.read(&mut machines, take).await?;
        Ok((machines, !more))
    }
}

#[derive(Deserialize)]
struct Located {
    #[serde(deserialize_with = "lenient::region")]
    location: String,
}

#[derive(Deserialize)]
struct MachineWire {
    #[serde(deserialize_with = "lenient::region")]
    location: String,
    #[serde(default, deserialize_with = "lenient::object")]
    properties: MachineProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct MachineProperties {
    #[serde(deserialize_with = "lenient::object")]
    storage_profile: StorageProfile,
    #[serde(deserialize_with = "lenient::object")]
    virtual_machine_scale_set: Reference,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
}

#[derive(Deserialize)]
struct ScaleSetWire {
    #[serde(deserialize_with = "lenient::region")]
    location: String,
    #[serde(default, deserialize_with = "lenient::object")]
    properties: ScaleSetProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ScaleSetProperties {
    #[serde(deserialize_with = "lenient::text")]
    orchestration_mode: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StorageProfile {
    #[serde(deserialize_with = "lenient::object")]
    os_disk: OsDisk,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OsDisk {
    #[serde(deserialize_with = "lenient::text")]
    os_type: Option<String>,
}

#[derive(Clone, Deserialize)]
struct ExtensionWire {
    #[serde(default, deserialize_with = "lenient::object")]
    properties: ExtensionProperties,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExtensionProperties {
    #[serde(deserialize_with = "lenient::text")]
    publisher: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    provisioning_state: Option<String>,
}

impl From<ExtensionWire> for Extension {
    fn from(wire: ExtensionWire) -> Self {
        Self {
            publisher: wire.properties.publisher.unwrap_or_default(),
            kind: wire.properties.kind.unwrap_or_default(),
            provisioning_state: wire.properties.provisioning_state,
        }
    }
}

/// The calls of Microsoft.Compute.
#[derive(Debug, Clone)]
pub struct ComputeClient {
    arm: ArmClient,
}

impl ComputeClient {
    pub fn new(arm: ArmClient) -> Self {
        Self { arm }
    }

    /// The normalised location of a virtual machine, a scale set or an instance of one.
    /// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/get>
    ///
    /// # Errors
    /// As [`ArmClient::read`]; not found when there is no such machine.
    pub async fn get_location(&self, id: &ResourceId) -> Result<String, AzureError> {
        let call = self.get("get the virtual machine's location", id, &[]);
        let located: Located = self.arm.read(call).await?;
        Ok(located.location)
    }

    /// The virtual machines of a subscription or of a resource group.
    /// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/list-all>
    pub fn list_virtual_machines<'c>(&'c self, scope: &'c ResourceId) -> MachinePages<'c> {
        let path = ["providers", "Microsoft.Compute", "virtualMachines"];
        let version = &self.arm.api_versions().compute;
        let first = self.arm.url(scope, &path, version);
        let operation = "list virtual machines";
        MachinePages(Pages::of(&self.arm, operation, scope, first))
    }

    /// One virtual machine.
    /// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/get>
    ///
    /// # Errors
    /// As [`ArmClient::read`]; not found when there is no such machine.
    pub async fn get_virtual_machine(&self, id: &ResourceId) -> Result<VirtualMachine, AzureError> {
        let call = self.get("get the virtual machine", id, &[]);
        let wire: MachineWire = self.arm.read(call).await?;
        Ok(VirtualMachine {
            location: wire.location,
            os_type: wire.properties.storage_profile.os_disk.os_type,
            scale_set: wire
                .properties
                .virtual_machine_scale_set
                .id
                .and_then(|set| ResourceId::parse(&set).ok()),
        })
    }

    /// One scale set.
    /// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machine-scale-sets/get>
    ///
    /// # Errors
    /// As [`ArmClient::read`]; not found when there is no such scale set.
    pub async fn get_scale_set(&self, id: &ResourceId) -> Result<ScaleSet, AzureError> {
        let call = self.get("get the scale set", id, &[]);
        let wire: ScaleSetWire = self.arm.read(call).await?;
        let mode = wire.properties.orchestration_mode;
        Ok(ScaleSet {
            location: wire.location,
            is_flexible: mode.is_some_and(|mode| mode.eq_ignore_ascii_case("Flexible")),
        })
    }

    /// The extensions of a virtual machine.
    /// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machine-extensions/list>
    ///
    /// # Errors
    /// As [`ArmClient::send`]; not found when there is no such machine.
    pub async fn list_extensions(&self, id: &ResourceId) -> Result<Vec<Extension>, AzureError> {
        let version = &self.arm.api_versions().compute;
        let first = self.arm.url(id, &["extensions"], version);
        let listed: Vec<ExtensionWire> =
            page::list(&self.arm, "list extensions", id, first).await?;
        Ok(listed.into_iter().map(Extension::from).collect())
    }

    /// What Azure sees of a virtual machine right now.
    /// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/instance-view>
    ///
    /// # Errors
    /// As [`ArmClient::read`]; not found when there is no such machine.
    pub async fn get_instance_view(&self, id: &ResourceId) -> Result<InstanceView, AzureError> {
        let call = self.get("get the instance view", id, &["instanceView"]);
        let view: Value = self.arm.read(call).await?;
        Ok(InstanceView::of(&view))
    }

    /// The instances of a uniform scale set, with their instance views.
    /// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machine-scale-set-vms/list>
    ///
    /// # Errors
    /// As [`ArmClient::send`]; not found when there is no such scale set.
    pub async fn list_instances(&self, set: &ResourceId) -> Result<Vec<Instance>, AzureError> {
        let version = &self.arm.api_versions().compute;
        let mut first = self.arm.url(set, &["virtualMachines"], version);
        first
            .query_pairs_mut()
            .append_pair("$expand", "instanceView");
        let mut found = Vec::new();
        let take = |found: &mut Vec<Instance>, instance: Value| {
            found.extend(read_instance(set, &instance));
        };
        let mut pages = Pages::of(&self.arm, "list instances", set, first);
        while pages.read(&mut found, take).await? {}
        Ok(found)
    }

    fn get<'a>(&self, operation: &'static str, id: &'a ResourceId, path: &[&str]) -> Call<'a> {
        Call {
            operation,
            resource: id,
            method: Method::Get,
            url: self.arm.url(id, path, &self.arm.api_versions().compute),
            body: None,
            repeat: Repeat::Freely,
        }
    }
}
