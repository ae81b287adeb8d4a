//! The instance view of a virtual machine: what Azure sees of it right now.
//! <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/instance-view>

use crate::text;
use serde_json::Value;

/// What Azure sees of a machine right now. Members are missing while it is stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceView {
    /// Such as `running`.
    pub power: Option<String>,
    /// The status of the VM agent, such as `Ready`.
    pub vm_agent: Option<String>,
    pub extensions: Vec<ExtensionView>,
}

/// An extension, as the machine reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionView {
    /// Publisher and type, with a dot between them.
    pub kind: String,
    /// In full, such as `1.4.905.3`.
    pub version: Option<String>,
    /// Such as `succeeded`.
    pub state: Option<String>,
}

impl InstanceView {
    pub(super) fn of(view: &Value) -> Self {
        let agent = list(&view["vmAgent"]["statuses"]).next();
        let mut extensions: Vec<ExtensionView> = list(&view["extensions"]).map(extension).collect();
        // The handlers are those that the VM agent reports; an extension without settings may be in one list alone.
        for handler in list(&view["vmAgent"]["extensionHandlers"]).map(extension) {
            let same = |known: &ExtensionView| known.kind.eq_ignore_ascii_case(&handler.kind);
            if !extensions.iter().any(same) {
                extensions.push(handler);
            }
        }
        Self {
            power: code(&view["statuses"], "PowerState"),
            vm_agent: agent.and_then(|it| word(&it["displayStatus"])),
            extensions,
        }
    }
}

fn extension(value: &Value) -> ExtensionView {
    let state = code(&value["statuses"], "ProvisioningState");
    let handler = || {
        let code = word(&value["status"]["code"])?;
        Some(code.rsplit('/').next()?.to_owned())
    };
    ExtensionView {
        kind: word(&value["type"]).unwrap_or_default(),
        version: word(&value["typeHandlerVersion"]),
        state: state.or_else(handler),
    }
}

/// What stands behind the slash of the status code of this kind, such as `running` of `PowerState/running`.
fn code(statuses: &Value, wanted: &str) -> Option<String> {
    list(statuses).find_map(|status| {
        let code = word(&status["code"])?;
        let mut parts = code.split('/');
        let kind = parts.next()?;
        kind.eq_ignore_ascii_case(wanted)
            .then(|| parts.next().map(str::to_owned))?
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> Option<String> {
    text::cleaned(value.as_str()?, text::VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn views_follow_the_table() {
        let agent = |version: Option<&str>, state: Option<&str>| {
            vec![ExtensionView {
                kind: "P.T".to_owned(),
                version: version.map(str::to_owned),
                state: state.map(str::to_owned),
            }]
        };
        let view = |power: Option<&str>, vm_agent: Option<&str>, extensions| InstanceView {
            power: power.map(str::to_owned),
            vm_agent: vm_agent.map(str::to_owned),
            extensions,
        };
        let statuses =
            json!([{"code": "ProvisioningState/succeeded"}, {"code": "powerstate/running"}]);
        for (value, expected) in [
            (json!({}), InstanceView::default()),
            (json!(null), InstanceView::default()),
            (
                json!({"statuses": statuses, "vmAgent": {"statuses": [{"displayStatus": "Ready"}]}}),
                view(Some("running"), Some("Ready"), vec![]),
            ),
            (
                json!({"statuses": [{"code": "PowerState/deallocated"}], "vmAgent": null}),
                view(Some("deallocated"), None, vec![]),
            ),
            (
                json!({"extensions": [{"type": "P.T", "typeHandlerVersion": "1.4.9", "statuses": [{"code": "ProvisioningState/failed/3"}]}]}),
                view(None, None, agent(Some("1.4.9"), Some("failed"))),
            ),
            (
                json!({"vmAgent": {"extensionHandlers": [{"type": "P.T", "status": {"code": "ProvisioningState/succeeded"}}]}}),
                view(None, None, agent(None, Some("succeeded"))),
            ),
            (
                json!({"extensions": [{"type": "P.T"}], "vmAgent": {"extensionHandlers": [{"type": "p.t"}]}}),
                view(None, None, agent(None, None)),
            ),
            (
                json!({"statuses": {"code": 7}, "extensions": "x"}),
                InstanceView::default(),
            ),
        ] {
            assert_eq!(InstanceView::of(&value), expected, "{value}");
        }
    }
}
