//! The name that people use for a resource: ids are for machines.

use super::ResourceId;

impl ResourceId {
    /// The resource's own name (`web-01`); an instance of a scale set has its set's name before it (`pool, instance 3`),
    /// since it is a mere number without it. A subscription or group is named by its id.
    pub fn short_name(&self) -> String {
        let Some(name) = self.name() else {
            return self.to_string();
        };
        match self.parent().as_ref().and_then(ResourceId::name) {
            Some(set) if name.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{set}, instance {name}")
            }
            _ => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_table() {
        const GROUP: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g";
        for (below, expected) in [
            (
                "/providers/Microsoft.Compute/virtualMachines/web-01",
                "web-01",
            ),
            ("/providers/Microsoft.Compute/virtualMachines/7", "7"),
            (
                "/providers/Microsoft.Compute/virtualMachineScaleSets/pool",
                "pool",
            ),
            (
                "/providers/Microsoft.Compute/virtualMachineScaleSets/pool/virtualMachines/3",
                "pool, instance 3",
            ),
            ("", GROUP),
        ] {
            let id: ResourceId = format!("{GROUP}{below}").parse().unwrap();
            assert_eq!(id.short_name(), expected);
        }
    }
}
