//! The queries of a run. All rows have an `id`, by which they are ordered: Azure pages only such queries reliably.
//! <https://learn.microsoft.com/en-us/azure/governance/resource-graph/concepts/work-with-data#paging-results>

/// Alert rules and action groups.
pub const RULES: &str = "resources
| where type in~ ('microsoft.insights/metricalerts', 'microsoft.insights/activitylogalerts', 'microsoft.insights/scheduledqueryrules', 'microsoft.insights/actiongroups')
| project id, type, properties
| order by id asc";

/// Virtual machines.
pub const MACHINES: &str = "resources
| where type =~ 'microsoft.compute/virtualmachines'
| project id, location, os = tostring(properties.storageProfile.osDisk.osType), extensions = properties.osProfile.allowExtensionOperations, set = tostring(properties.virtualMachineScaleSet.id), interfaces = properties.networkProfile.networkInterfaces
| order by id asc";

/// Scale sets, with the extensions of their models.
pub const SCALE_SETS: &str = "resources
| where type =~ 'microsoft.compute/virtualmachinescalesets'
| project id, location, mode = tostring(properties.orchestrationMode), os = tostring(properties.virtualMachineProfile.storageProfile.osDisk.osType), extensions = properties.virtualMachineProfile.osProfile.allowExtensionOperations, model = properties.virtualMachineProfile.extensionProfile.extensions
| order by id asc";

/// The Network Watcher agents of virtual machines.
pub const AGENTS: &str = "resources
| where type =~ 'microsoft.compute/virtualmachines/extensions' and properties.publisher =~ 'Microsoft.Azure.NetworkWatcher'
| project id, kind = tostring(properties.type), state = tostring(properties.provisioningState)
| order by id asc";
