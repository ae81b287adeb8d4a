//! A machine that a capture can start on: which resource it is, and of what kind.

use serde::{Deserialize, Serialize};

use crate::resource_id::ResourceId;

/// The subscription of Azure's own test bodies.
const TEST_SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

/// A virtual machine, a scale set, or one instance of a set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    pub id: ResourceId,
    #[serde(rename = "type")]
    pub kind: TargetKind,
}

/// What kind of machine a target is; `vm`, `vmss` and `vmss_instance` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TargetKind {
    #[serde(rename = "vm")]
    Vm,
    #[serde(rename = "vmss")]
    ScaleSet,
    #[serde(rename = "vmss_instance")]
    ScaleSetInstance,
}

impl TargetKind {
    /// `vm`, `vmss`, `vmss_instance`.
    pub fn as_str(self) -> &'static str {
        match self {
            TargetKind::Vm => "vm",
            TargetKind::ScaleSet => "vmss",
            TargetKind::ScaleSetInstance => "vmss_instance",
        }
    }
}

impl Target {
    /// The target that this resource is, if it is one.
    pub fn of(id: ResourceId) -> Option<Target> {
        let kinds = [
            ("Microsoft.Compute/virtualMachines", TargetKind::Vm),
            (
                "Microsoft.Compute/virtualMachineScaleSets",
                TargetKind::ScaleSet,
            ),
            (
                "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
                TargetKind::ScaleSetInstance,
            ),
        ];
        let (_, kind) = kinds
            .into_iter()
            .find(|(full_type, _)| id.is_type(full_type))?;
        Some(Target { id, kind })
    }

    /// The virtual machine that a scale set's instance is if the set is *flexible*: such members have names, and are
    /// virtual machines of these names in the set's group. None for the numbers of a *uniform* set's instances.
    /// Whether the set is flexible, and the machine one of its members, Azure has to be asked.
    /// <https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes>
    pub fn flexible_member(&self) -> Option<Target> {
        let name = self.id.name()?;
        if self.kind != TargetKind::ScaleSetInstance || name.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let group = self.id.parent()?.parent()?;
        let machine = group.child("Microsoft.Compute/virtualMachines", name);
        machine.ok().and_then(Target::of)
    }

    /// Whether only test bodies name this machine.
    pub(super) fn is_of_test(&self) -> bool {
        self.id.subscription() == TEST_SUBSCRIPTION
    }
}

/// Whether the id, of whatever it is, is in the subscription that only test bodies name.
pub(super) fn is_of_test(id: &str) -> bool {
    let mut segments = id.split('/');
    segments.next() == Some("")
        && segments
            .next()
            .is_some_and(|fixed| fixed.eq_ignore_ascii_case("subscriptions"))
        && segments.next() == Some(TEST_SUBSCRIPTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_flexible_sets_are_virtual_machines() {
        const COMPUTE: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/rg/providers/Microsoft.Compute";
        for (id, expected) in [
            (
                "virtualMachineScaleSets/pool/virtualMachines/pool_3fa9",
                Some("virtualMachines/pool_3fa9"),
            ),
            (
                "virtualMachineScaleSets/pool/virtualMachines/0a",
                Some("virtualMachines/0a"),
            ),
            // An instance's id may begin with what no machine's name begins with.
            ("virtualMachineScaleSets/pool/virtualMachines/_3", None),
            ("virtualMachineScaleSets/pool/virtualMachines/3", None),
            ("virtualMachineScaleSets/pool", None),
            ("virtualMachines/pool_3fa9", None),
        ] {
            let target = Target::of(format!("{COMPUTE}/{id}").parse().unwrap()).unwrap();
            let member = target.flexible_member().map(|member| {
                assert_eq!(member.kind, TargetKind::Vm);
                member.id.to_string()
            });
            let expected = expected.map(|path| format!("{COMPUTE}/{path}"));
            assert_eq!(member, expected, "{id}");
        }
    }
}
