//! Microsoft.AlertsManagement: the state of an alert, and a comment in its history.

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    lenient,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::{Bytes, http::Method};
use serde::Deserialize;
use serde_json::json;

/// The state that an operator gives an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertState {
    New,
    Acknowledged,
    Closed,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AlertWire {
    #[serde(deserialize_with = "lenient::object")]
    properties: PropertiesWire,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PropertiesWire {
    #[serde(deserialize_with = "lenient::object")]
    essentials: EssentialsWire,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EssentialsWire {
    #[serde(deserialize_with = "lenient::text")]
    alert_state: Option<String>,
}

/// The calls of Microsoft.AlertsManagement. A 429 of them pauses no other call, since a capture must not wait for a comment.
#[derive(Debug, Clone)]
pub struct AlertsManagementClient {
    arm: ArmClient,
}

impl AlertsManagementClient {
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.ahead() }
    }

    /// The state of an alert; `None`: one that is not documented.
    /// <https://learn.microsoft.com/en-us/rest/api/monitor/alertsmanagement/alerts/get-by-id>
    ///
    /// # Errors
    /// As [`ArmClient::read`]; not found when the alert is older than 30 days.
    pub async fn get_state(&self, alert: &ResourceId) -> Result<Option<AlertState>, AzureError> {
        let version = &self.arm.api_versions().alerts_management;
        let call = Call {
            operation: "get the alert",
            resource: alert,
            method: Method::Get,
            url: self.arm.url(alert, &[], version),
            body: None,
            repeat: Repeat::Freely,
        };
        let AlertWire { properties } = self.arm.read(call).await?;
        let state = properties.essentials.alert_state.unwrap_or_default();
        Ok(match state.to_ascii_lowercase().as_str() {
            "new" => Some(AlertState::New),
            "acknowledged" => Some(AlertState::Acknowledged),
            "closed" => Some(AlertState::Closed),
            _ => None,
        })
    }

    /// Sets an alert to Acknowledged, with a comment in its history: Azure takes no comment without a state.
    /// <https://learn.microsoft.com/en-us/rest/api/monitor/alertsmanagement/alerts/change-state>
    ///
    /// # Errors
    /// As [`ArmClient::send`].
    pub async fn acknowledge(&self, alert: &ResourceId, comment: &str) -> Result<(), AzureError> {
        let version = &self.arm.api_versions().alerts_management;
        let mut url = self.arm.url(alert, &["changestate"], version);
        url.query_pairs_mut()
            .append_pair("newState", "Acknowledged");
        // The vendor's example writes `comment`; the model and the vendor's own client write `comments`.
        let body = json!({ "comments": comment }).to_string();
        let call = Call {
            operation: "change the state of the alert",
            resource: alert,
            method: Method::Post,
            url,
            body: Some(Bytes::from(body)),
            // A second one would be a second comment.
            repeat: Repeat::UnlessApplied,
        };
        self.arm.send(call).await.map(drop)
    }
}
