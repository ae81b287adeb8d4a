//! The lifecycle rules of a storage account, as far as they delete blobs: how long files are kept.

use super::StorageAccountClient;
use crate::{
    azure::{client::Call, error::AzureError, lenient, retry::Repeat},
    resource_id::ResourceId,
};
use azure_core::http::Method;
use serde::Deserialize;

/// The longest time that a rule can name, in days: a hundred years.
const MAXIMUM_DAYS: u32 = 36_500;

/// A rule that is on and that deletes block blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    /// How the names of its blobs begin, the container first. Empty: all blobs of the account.
    pub prefixes: Vec<String>,
    /// Whether blobs must have certain index tags, too.
    pub tagged_only: bool,
    pub deletion: Deletion,
}

/// When a rule deletes a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    pub days: i64,
    pub since: Since,
}

/// What the days of a rule are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    Modification,
    Creation,
    LastAccess,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PolicyWire {
    #[serde(deserialize_with = "lenient::object")]
    properties: PropertiesWire,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PropertiesWire {
    #[serde(deserialize_with = "lenient::object")]
    policy: RulesWire,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RulesWire {
    #[serde(deserialize_with = "lenient::objects")]
    rules: Vec<RuleWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuleWire {
    #[serde(deserialize_with = "lenient::boolean")]
    enabled: Option<bool>,
    #[serde(deserialize_with = "lenient::object")]
    definition: DefinitionWire,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DefinitionWire {
    #[serde(deserialize_with = "lenient::object")]
    actions: ActionsWire,
    #[serde(deserialize_with = "lenient::object")]
    filters: FiltersWire,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ActionsWire {
    #[serde(deserialize_with = "lenient::object")]
    base_blob: BaseBlobWire,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BaseBlobWire {
    #[serde(deserialize_with = "lenient::object")]
    delete: DeleteWire,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeleteWire {
    #[serde(deserialize_with = "lenient::whole::<MAXIMUM_DAYS, _>")]
    days_after_modification_greater_than: Option<i64>,
    #[serde(deserialize_with = "lenient::whole::<MAXIMUM_DAYS, _>")]
    days_after_creation_greater_than: Option<i64>,
    #[serde(deserialize_with = "lenient::whole::<MAXIMUM_DAYS, _>")]
    days_after_last_access_time_greater_than: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FiltersWire {
    #[serde(deserialize_with = "lenient::texts")]
    blob_types: Vec<String>,
    #[serde(deserialize_with = "lenient::texts")]
    prefix_match: Vec<String>,
    #[serde(deserialize_with = "lenient::objects")]
    blob_index_match: Vec<TagWire>,
}

/// Which tag does not matter.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TagWire {}

impl RuleWire {
    fn rule(self) -> Option<LifecycleRule> {
        let DefinitionWire { actions, filters } = self.definition;
        let block = |kind: &String| kind.eq_ignore_ascii_case("blockBlob");
        let on = self.enabled.unwrap_or(true) && filters.blob_types.iter().any(block);
        let delete = actions.base_blob.delete;
        let named = [
            (
                delete.days_after_modification_greater_than,
                Since::Modification,
            ),
            (delete.days_after_creation_greater_than, Since::Creation),
            (
                delete.days_after_last_access_time_greater_than,
                Since::LastAccess,
            ),
        ];
        let deletion = named
            .into_iter()
            .find_map(|(days, since)| days.map(|days| Deletion { days, since }));
        deletion.filter(|_| on).map(|deletion| LifecycleRule {
            prefixes: filters.prefix_match,
            tagged_only: !filters.blob_index_match.is_empty(),
            deletion,
        })
    }
}

impl StorageAccountClient {
    /// The rules that delete block blobs of an account; none when it has no lifecycle policy.
    /// <https://learn.microsoft.com/en-us/rest/api/storagerp/management-policies/get>
    ///
    /// # Errors
    /// As [`ArmClient::read`](crate::azure::client::ArmClient::read); not found when there is no such account.
    pub async fn get_management_policy(
        &self,
        account: &ResourceId,
    ) -> Result<Vec<LifecycleRule>, AzureError> {
        let version = &self.arm.api_versions().storage;
        let call = Call {
            operation: "get the lifecycle policy",
            resource: account,
            method: Method::Get,
            url: self
                .arm
                .url(account, &["managementPolicies", "default"], version),
            body: None,
            repeat: Repeat::Freely,
        };
        let policy: PolicyWire = match self.arm.read(call).await {
            Ok(policy) => policy,
            Err(error) if error.code() == "ManagementPolicyNotFound" => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let rules = policy.properties.policy.rules.into_iter();
        Ok(rules.filter_map(RuleWire::rule).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rules(wire: Value) -> Vec<LifecycleRule> {
        let policy = json!({ "properties": { "policy": { "rules": wire } } });
        let policy: PolicyWire = serde_json::from_value(policy).unwrap();
        let rules = policy.properties.policy.rules.into_iter();
        rules.filter_map(RuleWire::rule).collect()
    }

    fn rule(delete: Value, filters: Value) -> Value {
        json!({
            "enabled": true,
            "name": "r",
            "type": "Lifecycle",
            "definition": { "actions": { "baseBlob": { "delete": delete } }, "filters": filters },
        })
    }

    #[test]
    fn rules_that_delete_block_blobs_are_read() {
        let modified = json!({ "daysAfterModificationGreaterThan": 30.0 });
        let blocks = json!({ "blobTypes": ["blockBlob"], "prefixMatch": ["logs/"] });
        let thirty = LifecycleRule {
            prefixes: vec!["logs/".to_owned()],
            tagged_only: false,
            deletion: Deletion {
                days: 30,
                since: Since::Modification,
            },
        };
        assert_eq!(
            rules(json!([rule(modified.clone(), blocks.clone())])),
            [thirty]
        );
        for (delete, since) in [
            ("daysAfterCreationGreaterThan", Since::Creation),
            ("daysAfterLastAccessTimeGreaterThan", Since::LastAccess),
        ] {
            let found = rules(json!([rule(json!({ delete: 7 }), blocks.clone())]));
            assert_eq!(found[0].deletion, Deletion { days: 7, since });
        }
        let tagged = json!({
            "blobTypes": ["appendBlob", "blockBlob"],
            "blobIndexMatch": [{ "name": "keep", "op": "==", "value": "no" }],
        });
        let found = rules(json!([rule(modified.clone(), tagged)]));
        assert!(found[0].tagged_only && found[0].prefixes.is_empty());
        let mut off = rule(modified.clone(), blocks.clone());
        off["enabled"] = false.into();
        for none in [
            json!([off]),
            json!([rule(json!({}), blocks.clone())]),
            json!([rule(
                json!({ "daysAfterModificationGreaterThan": -1 }),
                blocks
            )]),
            json!([rule(modified, json!({ "blobTypes": ["appendBlob"] }))]),
            json!([7, null, "rule", {}]),
            json!(null),
        ] {
            assert_eq!(rules(none.clone()), [], "{none}");
        }
    }
}
