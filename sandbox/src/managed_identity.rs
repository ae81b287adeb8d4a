//! App Service's identity endpoint: plain HTTP beside the app, where a header that only the app knows opens the
//! door. <https://learn.microsoft.com/en-us/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use serde_json::{Value, json};
use uuid::Uuid;

use super::Sandbox;
use super::answer::{Answer, Outcome};
use super::arm::{Asked, parameter};
use super::assertions::EXCHANGE;
use super::ids::same;
use super::samples;
use super::world::World;

/// The app's identities as the platform sees them.
pub(super) struct Platform {
    pub header: String,
    pub system_assigned: bool,
    pub user_assigned: bool,
}

impl Platform {
    pub fn new() -> Self {
        Self {
            header: Uuid::new_v4().simple().to_string(),
            system_assigned: true,
            user_assigned: true,
        }
    }
}

fn refused(status: u16, message: &str) -> Answer {
    Answer::json(
        status,
        json!({ "statusCode": status, "message": message, "correlationId": Uuid::new_v4().to_string() }),
    )
}

pub(super) fn token(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let platform = &world.platform;
    if asked.header("x-identity-header") != Some(&platform.header) {
        return Err(refused(401, "The X-IDENTITY-HEADER is missing or wrong."));
    }
    if asked.api_version != "2019-08-01" {
        return Err(refused(400, "The api-version is not supported."));
    }
    let client = parameter(asked.query, "client_id");
    let resource_id = parameter(asked.query, "mi_res_id");
    let user_assigned = client.is_some() || resource_id.is_some();
    let assigned = match (&client, &resource_id) {
        (None, None) => platform.system_assigned,
        (Some(id), None) => platform.user_assigned && same(id, samples::MANAGED_IDENTITY_CLIENT_ID),
        (None, Some(id)) => {
            platform.user_assigned && same(id, samples::MANAGED_IDENTITY_RESOURCE_ID)
        }
        (Some(_), Some(_)) => false,
    };
    if !assigned {
        return Err(refused(
            400,
            "Unable to load the requested managed identity.",
        ));
    }
    let resource = parameter(asked.query, "resource").unwrap_or_default();
    let (token, expires) = world
        .directory
        .identity_token(&resource, user_assigned, asked.now)
        .ok_or_else(|| {
            let text =
                format!("AADSTS500011: The resource principal named {resource} was not found.");
            refused(400, &text)
        })?;
    Ok(Answer::json(
        200,
        json!({
            "access_token": token,
            "expires_on": expires.unix_timestamp().to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client,
        }),
    ))
}

/// What was asked for, for the journal.
pub(super) fn described(query: &str) -> Value {
    let mut told = json!({
        "resource": parameter(query, "resource"),
        "client_id": parameter(query, "client_id"),
    });
    if let Some(id) = parameter(query, "mi_res_id") {
        told["mi_res_id"] = id.into();
    }
    told
}

impl Sandbox {
    /// The settings that App Service gives to an app that has a managed identity.
    pub fn managed_identity_settings(&self) -> Vec<(String, String)> {
        let header = self
            .shared
            .with_world(|world, _| world.platform.header.clone());
        vec![
            (
                "IDENTITY_ENDPOINT".to_owned(),
                self.identity_endpoint.to_string(),
            ),
            ("IDENTITY_HEADER".to_owned(), header),
        ]
    }

    /// Takes all managed identities from the app.
    pub fn remove_managed_identities(&self) {
        self.shared.with_world(|world, _| {
            world.platform.system_assigned = false;
            world.platform.user_assigned = false;
        });
    }

    /// Registers a certificate (DER) with the application.
    pub fn register_certificate(&self, der: &[u8]) {
        self.shared
            .with_world(|world, _| world.directory.certificates.push(der.to_vec()));
    }

    /// A token for a service account, as the cluster that the application trusts writes it into a file; it is
    /// good for `seconds` from now. The application trusts [`samples::SERVICE_ACCOUNT`] alone.
    pub fn kubernetes_token(&self, subject: &str, audience: &str, seconds: i64) -> String {
        self.shared.with_world(|world, now| {
            let now = now.unix_timestamp();
            let claims = json!({
                "iss": samples::CLUSTER, "sub": subject, "aud": audience,
                "iat": now, "nbf": now - 60, "exp": now + seconds,
            });
            world.directory.cluster_token(&claims)
        })
    }

    /// The cluster signs with another key from now on, and the old one is no longer published.
    pub fn rotate_cluster_keys(&self) {
        self.shared
            .with_world(|world, _| world.directory.rotate_cluster_keys());
    }

    /// Whether the application trusts the managed identity; it does otherwise.
    pub fn trust_managed_identity(&self, yes: bool) {
        self.shared
            .with_world(|world, _| world.directory.trusts_managed_identity = yes);
    }
}

/// A tenant's token for the identity that an application trusts.
pub(super) fn exchange_claims(issuer: &str, now: i64, expires: i64) -> Value {
    json!({
        "iss": issuer, "sub": samples::MANAGED_IDENTITY_OBJECT_ID, "aud": EXCHANGE,
        "iat": now, "nbf": now, "exp": expires,
    })
}
