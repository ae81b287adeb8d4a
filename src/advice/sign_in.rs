//! What to do when the function gets no token, by the way it signs in and by the code of the refusal.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>

use crate::azure::sign_in::{
    ENDPOINT_SILENT, IDENTITY_NOT_FOUND, IDENTITY_REFUSED, SignIn, TOKEN_FILE_UNREADABLE, Way,
};

/// The advice; `code` is Entra's, the platform's, or none when there was no answer.
pub(super) fn advice(sign_in: &SignIn, code: Option<&str>) -> Option<String> {
    let SignIn {
        way,
        tenant,
        client,
        proof,
    } = *sign_in;
    let federated = matches!(way, Way::FederatedToken | Way::ManagedIdentityFederation);
    let no_answer = || match way {
        Way::AzureCli => "sign in with `az login`, or install the Azure CLI".to_owned(),
        Way::ManagedIdentity => endpoint_silent(),
        _ => {
            "Microsoft Entra ID could not be reached or is overloaded: check the network and retry"
                .to_owned()
        }
    };
    Some(match code {
        None => no_answer(),
        Some("AADSTS7000215") => format!(
            "the client secret is wrong: it could be read, but it is not this application's. Check that it is the secret's value, not its ID, and not another application's secret; the value goes in {proof}{}",
            encrypted(proof)
        ),
        Some("AADSTS7000222") => format!(
            "the client secret has expired: create a new one in the app registration; its value goes in {proof}{}",
            encrypted(proof)
        ),
        Some("AADSTS700016") => match way {
            Way::ManagedIdentity => "the tenant does not know the managed identity: it was deleted, or created a moment ago; assign it again".to_owned(),
            _ => format!(
                "the tenant has no such application: check the client id ({client}), and whether the tenant ({tenant}) is the right one"
            ),
        },
        Some("AADSTS90002" | "AADSTS900023") => format!(
            "there is no such tenant: check {tenant} and the cloud (AzureEnvironment or AZURE_AUTHORITY_HOST)"
        ),
        Some("AADSTS500011") => "the tenant does not know the audience of the token: check AZURE_RESOURCE_MANAGER_AUDIENCE and the cloud".to_owned(),
        Some("AADSTS1002012" | "AADSTS70011") => "the audience of the token is not well-formed: check AZURE_RESOURCE_MANAGER_AUDIENCE".to_owned(),
        Some("AADSTS7000112") => "the application is disabled in the tenant: enable it".to_owned(),
        Some("AADSTS7000218") => "the application does not accept this kind of credential, or none was sent".to_owned(),
        Some("AADSTS700027") => format!(
            "the certificate in {proof} is not this application's, or has expired: upload its public part to the app registration, or use the file whose certificate is registered; compare the thumbprints"
        ),
        Some("AADSTS700024") if federated => format!(
            "the federated token was not valid at this time: check the clock, and what writes {proof}"
        ),
        Some("AADSTS700024") => "the assertion was not valid at this time: check this machine's clock".to_owned(),
        Some("AADSTS700021" | "AADSTS700023") => format!(
            "the assertion was made for another application or tenant: check {client}, {tenant} and AZURE_AUTHORITY_HOST"
        ),
        Some("AADSTS70021" | "AADSTS700211" | "AADSTS700212" | "AADSTS700213") => match way {
            Way::ManagedIdentityFederation => format!(
                "the application trusts no such managed identity: add a federated credential for the identity of {proof} to the app registration (issuer: the tenant, subject: the identity's object id, audience: api://AzureADTokenExchange)"
            ),
            _ => format!(
                "the application has no federated credential that matches the token in {proof}: issuer, subject and audience must be equal, letter case included"
            ),
        },
        Some("AADSTS50027") if federated => {
            format!("the value in {proof} is not a token: check what writes it")
        }
        Some("AADSTS50013" | "AADSTS7000272") => format!(
            "the token in {proof} is not signed by the issuer that the application trusts: check what writes it"
        ),
        Some(TOKEN_FILE_UNREADABLE) => format!(
            "check {proof} and whether the pod has the label azure.workload.identity/use: \"true\""
        ),
        Some(IDENTITY_NOT_FOUND) => identity_not_found(sign_in),
        Some(IDENTITY_REFUSED) => "the platform rejects the app's own identity header: IDENTITY_ENDPOINT and IDENTITY_HEADER are set by App Service alone; remove them from the app settings and restart the app".to_owned(),
        Some(ENDPOINT_SILENT) => endpoint_silent(),
        Some(_) => return None,
    })
}

fn endpoint_silent() -> String {
    "the platform's identity endpoint (IDENTITY_ENDPOINT) does not answer: restart the app; if that does not help, assign the identity again".to_owned()
}

fn identity_not_found(sign_in: &SignIn) -> String {
    let assign = |identity: &str| {
        format!(
            "assign {identity} (az functionapp identity assign, or az webapp identity assign) and restart the app"
        )
    };
    match (sign_in.way, sign_in.client) {
        // The usual case: the one identity that the app has cannot be found without its client id.
        (Way::ManagedIdentity, "") => format!(
            "the app has no system-assigned identity: if it has a user-assigned one, set AZURE_CLIENT_ID to that identity's client id; otherwise {}",
            assign("a system-assigned identity")
        ),
        (Way::ManagedIdentity, client) => format!(
            "the app has no managed identity with the client id in {client}: check {client}, or {}",
            assign("that identity")
        ),
        _ => format!(
            "the app has no managed identity with the client id in {0}: check {0}, or {1}",
            sign_in.proof,
            assign("that identity")
        ),
    }
}

fn encrypted(setting: &str) -> &'static str {
    match setting {
        "AzureCredPassword" => ", encrypted with `handler credentials encrypt`",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_has_advice_that_names_its_settings() {
        let sign_in = |way, client, proof| SignIn {
            way,
            tenant: "AzureTenant",
            client,
            proof,
        };
        let password = sign_in(Way::ClientSecret, "AzureClientID", "AzureCredPassword");
        let secret = sign_in(Way::ClientSecret, "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET");
        let certificate = sign_in(Way::Certificate, "AZURE_CLIENT_ID", "CERTIFICATE");
        let file = sign_in(Way::FederatedToken, "AZURE_CLIENT_ID", "TOKEN_FILE");
        let trusted = sign_in(Way::ManagedIdentityFederation, "AzureClientID", "TRUSTED");
        let managed = sign_in(Way::ManagedIdentity, "", "IDENTITY_ENDPOINT");
        let assigned = sign_in(Way::ManagedIdentity, "AZURE_CLIENT_ID", "IDENTITY_ENDPOINT");
        let person = sign_in(Way::AzureCli, "", "");
        for (sign_in, code, words) in [
            (
                password,
                Some("AADSTS7000215"),
                "AzureCredPassword, encrypted with",
            ),
            (
                secret,
                Some("AADSTS7000222"),
                "has expired: create a new one",
            ),
            (
                secret,
                Some("AADSTS7000222"),
                "its value goes in AZURE_CLIENT_SECRET",
            ),
            (
                password,
                Some("AADSTS700016"),
                "the client id (AzureClientID)",
            ),
            (
                managed,
                Some("AADSTS700016"),
                "does not know the managed identity",
            ),
            (secret, Some("AADSTS90002"), "check AzureTenant"),
            (
                certificate,
                Some("AADSTS700027"),
                "the certificate in CERTIFICATE",
            ),
            (certificate, Some("AADSTS700024"), "clock"),
            (file, Some("AADSTS700024"), "what writes TOKEN_FILE"),
            (certificate, Some("AADSTS700023"), "AZURE_AUTHORITY_HOST"),
            (secret, Some("AADSTS7000218"), "this kind of credential"),
            (file, Some("AADSTS70021"), "the token in TOKEN_FILE"),
            (trusted, Some("AADSTS700213"), "the identity of TRUSTED"),
            (file, Some("AADSTS50027"), "is not a token"),
            (
                managed,
                Some("AADSTS500011"),
                "AZURE_RESOURCE_MANAGER_AUDIENCE",
            ),
            (
                secret,
                Some("AADSTS1002012"),
                "AZURE_RESOURCE_MANAGER_AUDIENCE",
            ),
            (secret, None, "check the network"),
            (managed, None, "IDENTITY_ENDPOINT"),
            (assigned, Some(IDENTITY_NOT_FOUND), "check AZURE_CLIENT_ID"),
            (trusted, Some(IDENTITY_NOT_FOUND), "check TRUSTED"),
            (person, None, "az login"),
        ] {
            let advice = advice(&sign_in, code).unwrap();
            assert!(advice.contains(words), "{code:?}: {advice}");
        }
        assert_eq!(advice(&secret, Some("AADSTS50000")), None);
    }

    #[test]
    fn a_user_assigned_identity_needs_its_client_id_before_anything_else() {
        let managed = SignIn {
            way: Way::ManagedIdentity,
            tenant: "",
            client: "",
            proof: "IDENTITY_ENDPOINT",
        };
        let advice = advice(&managed, Some(IDENTITY_NOT_FOUND)).unwrap();
        let (first, second) = advice.split_once("otherwise").unwrap();
        assert!(first.contains("set AZURE_CLIENT_ID"), "{advice}");
        assert!(second.contains("identity assign"), "{advice}");
    }
}
