//! Whether a principal's roles permit an action.
//! <https://learn.microsoft.com/en-us/azure/role-based-access-control/role-definitions#actions>

use crate::{azure::authorization::Permission, incident::allowed::matches};

/// Each role counts alone: what one excludes with `notActions`, another may permit.
pub fn allow(permissions: &[Permission], action: &str) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
    permissions
        .iter()
        .any(|role| any(&role.actions) && !any(&role.not_actions))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(actions: &[&str], not_actions: &[&str]) -> Permission {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Permission {
            actions: owned(actions),
            not_actions: owned(not_actions),
        }
    }

    #[test]
    fn actions_follow_the_table() {
        const WRITE: &str = "Microsoft.Network/networkWatchers/packetCaptures/write";
        const KEYS: &str = "Microsoft.Storage/storageAccounts/listKeys/action";
        let reader = || role(&["*/read"], &[]);
        let contributor = || role(&["*"], &["Microsoft.Authorization/*/Write"]);
        let network = || role(&["Microsoft.Network/*"], &[]);
        for (roles, action, expected) in [
            (vec![], WRITE, false),
            (vec![reader()], WRITE, false),
            (
                vec![reader()],
                "Microsoft.Compute/virtualMachines/read",
                true,
            ),
            (vec![contributor()], WRITE, true),
            (
                vec![contributor()],
                "Microsoft.Authorization/roleAssignments/write",
                false,
            ),
            (vec![network()], WRITE, true),
            (vec![network()], KEYS, false),
            (
                vec![role(&[WRITE], &[])],
                "microsoft.network/NETWORKWATCHERS/packetCaptures/write",
                true,
            ),
            (
                vec![role(&[WRITE], &[])],
                "Microsoft.Network/networkWatchers/packetCaptures/writes",
                false,
            ),
            (vec![role(&["*/listkeys/action"], &[])], KEYS, true),
            (
                vec![role(&["Microsoft.Storage/*/action"], &["*/listKeys/*"])],
                KEYS,
                false,
            ),
            (vec![role(&["*"], &["*"]), role(&[KEYS], &[])], KEYS, true),
            (vec![role(&[], &[KEYS])], KEYS, false),
        ] {
            assert_eq!(allow(&roles, action), expected, "{roles:?} {action}");
        }
    }
}
