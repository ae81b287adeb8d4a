//! The managed identity that opens the storage account of the Functions host. The job queue is in the same account, so
//! it is opened as the host opens it.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-reference#common-properties-for-identity-based-connections>

use super::{
    super::reader::Reader,
    Identity, IdentityKind, IdentitySource, SecretForm,
    choice::{Choice, Credential},
    read::{Parts, sign_in},
};
use crate::{azure::credentials::Assigned, resource_id::ResourceId};
use uuid::Uuid;

const CREDENTIAL: &str = "AzureWebJobsStorage__credential";
const CLIENT: &str = "AzureWebJobsStorage__clientId";
const RESOURCE: &str = "AzureWebJobsStorage__managedIdentityResourceId";

/// `None` and a problem for a credential of another kind, even where a connection string is used.
pub(in crate::config) fn check_credential(reader: &mut Reader<'_>) -> Option<()> {
    match reader.text(CREDENTIAL) {
        None => Some(()),
        Some(_) => reader.word(CREDENTIAL, &[("managedidentity", ())]),
    }
}

/// `None` when settings are wrong, which the reader knows then; `Some(None)` when none of them is set.
pub(in crate::config) fn of_storage_account(reader: &mut Reader<'_>) -> Option<Option<Identity>> {
    // With a secret the client id is that of an application, which opens only the host's own connections.
    if reader.is_present("AzureWebJobsStorage__clientSecret") {
        return Some(None);
    }
    let set = [CREDENTIAL, CLIENT, RESOURCE].map(|name| reader.text(name).map(|_| name));
    let Some(because) = set.into_iter().flatten().next() else {
        return Some(None);
    };
    check_credential(reader)?;
    let (assigned, named) = match (reader.text(CLIENT), reader.text(RESOURCE)) {
        (Some(_), Some(_)) => {
            let text = format!("is set beside {CLIENT}; keep one, which names the identity");
            reader.problem(RESOURCE, text);
            return None;
        }
        (Some(client_id), None) => {
            let Ok(id) = Uuid::try_parse(client_id) else {
                reader.problem(CLIENT, "needs a client id, which is a GUID");
                return None;
            };
            (Assigned::Client(id.hyphenated().to_string()), Some(CLIENT))
        }
        (None, Some(text)) => {
            let id = ResourceId::parse(text).ok();
            const TYPE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
            let Some(id) = id.filter(|id| id.is_type(TYPE)) else {
                reader.wrong(RESOURCE);
                return None;
            };
            (Assigned::Resource(id), Some(RESOURCE))
        }
        (None, None) => (Assigned::System, None),
    };
    let choice = Choice {
        credential: Credential::ManagedIdentity,
        because,
    };
    let mut parts = Parts::new(reader, choice);
    let endpoint = parts.endpoint();
    let Parts {
        missing, settings, ..
    } = parts;
    for (name, text) in missing {
        reader.problem(&name, text);
    }
    let kind = IdentityKind::ManagedIdentity {
        endpoint: endpoint?,
        assigned,
    };
    let settings: Vec<&str> = settings.into_iter().chain(named).collect();
    Some(Some(Identity {
        sign_in: sign_in(&kind, &settings),
        kind,
        source: IdentitySource {
            credential: Credential::ManagedIdentity,
            settings,
            form: SecretForm::None,
            explicit: false,
            ignored: Vec::new(),
        },
    }))
}
