//! Whole sets, half sets, and what is ignored beside them. Files are covered by the stories of `tests/it`.

use super::*;
use crate::config::{AppSettings, AzureSettings, Settings};

const PRINCIPAL: [(&str, &str); 2] = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "new")];
const OLD_PRINCIPAL: [(&str, &str); 2] = [("AzureTenant", "t"), ("AzureClientID", "old")];
const PLATFORM: [(&str, &str); 2] = [
    ("IDENTITY_ENDPOINT", "http://169.254.129.2:8081/msi/token"),
    ("IDENTITY_HEADER", "h3ader~value"),
];
const PLAIN: [(&str, &str); 2] = [
    ("AzureCredPassword", "s3cret~old"),
    ("AzureCredPasswordFormat", "plain"),
];
const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", "s3cret~new");
const TOKEN: (&str, &str) = ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token");
const TRUSTED: (&str, &str) = ("AzureFederatedIdentityClientId", "managed");

type Pairs = Vec<(&'static str, &'static str)>;

fn settings(pairs: &[(&str, &str)]) -> AppSettings {
    let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    pairs.collect()
}

#[test]
fn what_is_taken_and_what_is_ignored_is_said() {
    let cases: [(Pairs, &str); 11] = [
        (
            [
                &OLD_PRINCIPAL[..],
                &PRINCIPAL,
                &PLAIN,
                &[SECRET, TOKEN, TRUSTED],
                &PLATFORM,
            ]
            .concat(),
            "service principal old of tenant t, from AzureTenant, AzureClientID and AzureCredPassword (a plain secret); set and ignored: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AzureFederatedIdentityClientId, AZURE_FEDERATED_TOKEN_FILE, IDENTITY_ENDPOINT",
        ),
        (
            [
                &OLD_PRINCIPAL[..],
                &PRINCIPAL,
                &[SECRET, TRUSTED],
                &PLATFORM,
            ]
            .concat(),
            "service principal old of tenant t through managed identity managed, from AzureTenant, AzureClientID, AzureFederatedIdentityClientId, IDENTITY_ENDPOINT and IDENTITY_HEADER; set and ignored: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET",
        ),
        (
            [&PRINCIPAL[..], &[TRUSTED], &PLATFORM].concat(),
            "service principal new of tenant t through managed identity managed, from AZURE_TENANT_ID, AZURE_CLIENT_ID, AzureFederatedIdentityClientId, IDENTITY_ENDPOINT and IDENTITY_HEADER",
        ),
        (
            [&OLD_PRINCIPAL[..], &PRINCIPAL, &[SECRET, TOKEN], &PLATFORM].concat(),
            "service principal new of tenant t, from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; set and ignored: AzureTenant, AzureClientID, AZURE_FEDERATED_TOKEN_FILE, IDENTITY_ENDPOINT",
        ),
        (
            [&OLD_PRINCIPAL[..], &[TOKEN], &PLATFORM].concat(),
            "service principal old of tenant t with a federated token, from AzureTenant, AzureClientID and AZURE_FEDERATED_TOKEN_FILE; set and ignored: IDENTITY_ENDPOINT",
        ),
        (
            PLATFORM.to_vec(),
            "system-assigned managed identity, from IDENTITY_ENDPOINT and IDENTITY_HEADER",
        ),
        (
            [&PRINCIPAL[..], &PLATFORM].concat(),
            "user-assigned managed identity new, from IDENTITY_ENDPOINT, IDENTITY_HEADER and AZURE_CLIENT_ID; set and ignored: AZURE_TENANT_ID",
        ),
        (
            [
                &PRINCIPAL[..],
                &PLATFORM,
                &[SECRET, (EXPLICIT, "ManagedIdentity")],
            ]
            .concat(),
            "user-assigned managed identity new, from IDENTITY_ENDPOINT, IDENTITY_HEADER and AZURE_CLIENT_ID, chosen by AzureCredential; set and ignored: AZURE_TENANT_ID, AZURE_CLIENT_SECRET",
        ),
        (
            [
                &OLD_PRINCIPAL[..],
                &PLAIN,
                &[SECRET, (EXPLICIT, "clientsecret")],
            ]
            .concat(),
            "service principal old of tenant t, from AzureTenant, AzureClientID and AZURE_CLIENT_SECRET, chosen by AzureCredential; set and ignored: AzureCredPassword, AzureCredPasswordFormat",
        ),
        (
            [
                &PRINCIPAL[..],
                &PLATFORM,
                &[TOKEN, (EXPLICIT, "WORKLOADIDENTITY")],
            ]
            .concat(),
            "service principal new of tenant t with a federated token, from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE, chosen by AzureCredential; set and ignored: IDENTITY_ENDPOINT",
        ),
        (
            [
                &PLATFORM[..],
                &[
                    ("azure_client_id", "any-case"),
                    ("MSI_ENDPOINT", "http://x"),
                ],
            ]
            .concat(),
            "user-assigned managed identity any-case, from IDENTITY_ENDPOINT, IDENTITY_HEADER and AZURE_CLIENT_ID",
        ),
    ];
    for (pairs, expected) in cases {
        let identity = AzureSettings::read(&settings(&pairs)).unwrap().identity;
        assert_eq!(
            format!("{identity}, from {}", identity.source),
            expected,
            "{pairs:?}"
        );
        let debug = format!("{identity:?}");
        assert!(
            !debug.contains("s3cret") && !debug.contains("h3ader"),
            "{debug}"
        );
    }
}

#[test]
fn half_a_set_is_an_error_that_names_what_is_missing() {
    const VAULT: &str = "@Microsoft.KeyVault(VaultName=v;SecretName=n)";
    let [endpoint, header] = PLATFORM;
    let cases: Vec<(Pairs, &[&str])> = vec![
        (
            vec![],
            &[
                "AzureCredential: no identity is set",
                "az functionapp identity assign",
                "AZURE_CLIENT_SECRET",
            ],
        ),
        (
            PRINCIPAL.to_vec(),
            &["AZURE_CLIENT_SECRET (or AzureCredPassword): missing"],
        ),
        (
            vec![PRINCIPAL[0], SECRET],
            &[
                "AZURE_CLIENT_ID (or AzureClientID): missing; required because AZURE_CLIENT_SECRET is set",
            ],
        ),
        (
            vec![PRINCIPAL[1], TOKEN],
            &[
                "AZURE_TENANT_ID (or AzureTenant): missing; required because AZURE_FEDERATED_TOKEN_FILE is set",
            ],
        ),
        (
            vec![(CERTIFICATE, "/nowhere/c.pem")],
            &[
                "AZURE_TENANT_ID (or AzureTenant): missing",
                "AZURE_CLIENT_ID",
                "/nowhere/c.pem cannot be read",
            ],
        ),
        (
            vec![(CERTIFICATE_PASSWORD, "s3cret")],
            &["AZURE_CLIENT_CERTIFICATE_PATH: missing"],
        ),
        (
            vec![endpoint],
            &["IDENTITY_HEADER: missing; required because IDENTITY_ENDPOINT is set"],
        ),
        (
            vec![header],
            &["IDENTITY_ENDPOINT: missing; required because IDENTITY_HEADER is set"],
        ),
        (
            [&OLD_PRINCIPAL[..], &[TRUSTED]].concat(),
            &[
                "IDENTITY_ENDPOINT: missing; required because AzureFederatedIdentityClientId is set",
                "IDENTITY_HEADER: missing",
            ],
        ),
        (
            [&PLATFORM[..], &[TRUSTED]].concat(),
            &[
                "AzureTenant (or AZURE_TENANT_ID): missing",
                "AzureClientID (or AZURE_CLIENT_ID): missing",
            ],
        ),
        (
            [&OLD_PRINCIPAL[..], &PLATFORM].concat(),
            &[
                "AzureCredPassword: missing",
                "remove AzureClientID and AzureTenant",
                "AzureFederatedIdentityClientId",
            ],
        ),
        (
            vec![
                ("MSI_ENDPOINT", "http://127.0.0.1:4141/msi/token"),
                ("MSI_SECRET", "s3cret"),
            ],
            &["IDENTITY_ENDPOINT: missing; MSI_ENDPOINT and MSI_SECRET alone"],
        ),
        (
            [&PLATFORM[..], &[("IDENTITY_SERVER_THUMBPRINT", "ab")]].concat(),
            &["IDENTITY_SERVER_THUMBPRINT: is set by Service Fabric"],
        ),
        (
            vec![("IDENTITY_ENDPOINT", "http://identity.example/msi"), header],
            &["IDENTITY_ENDPOINT: needs the address that App Service sets"],
        ),
        (
            vec![("IDENTITY_ENDPOINT", "http://203.0.113.9/msi"), header],
            &["IDENTITY_ENDPOINT: needs the address that App Service sets"],
        ),
        (
            vec![(EXPLICIT, "default"), SECRET],
            &[
                "AzureCredential: needs one of EncryptedPassword, ClientSecret, ClientCertificate, WorkloadIdentity, ManagedIdentityFederation, ManagedIdentity, AzureCli",
            ],
        ),
        (
            [&PLATFORM[..], &[(EXPLICIT, "ClientSecret")]].concat(),
            &[
                "AZURE_CLIENT_SECRET: missing; required because AzureCredential is ClientSecret",
                "AZURE_TENANT_ID (or",
            ],
        ),
        (
            [&PRINCIPAL[..], &[SECRET, (EXPLICIT, "EncryptedPassword")]].concat(),
            &["AzureCredPassword: missing; required because AzureCredential is EncryptedPassword"],
        ),
        (
            [&PRINCIPAL[..], &[("AZURE_CLIENT_SECRET", VAULT)]].concat(),
            &["AZURE_CLIENT_SECRET: a Key Vault reference"],
        ),
        (
            [
                &PRINCIPAL[..],
                &[(CERTIFICATE, "/c.pfx"), (CERTIFICATE_PASSWORD, VAULT)],
            ]
            .concat(),
            &["AZURE_CLIENT_CERTIFICATE_PASSWORD: a Key Vault reference"],
        ),
        (
            [&PRINCIPAL[..], &[(CERTIFICATE, VAULT)]].concat(),
            &["AZURE_CLIENT_CERTIFICATE_PATH: a Key Vault reference"],
        ),
        (
            [
                &PRINCIPAL[..],
                &[(CERTIFICATE, "/c.pem"), (SEND_CHAIN, "perhaps")],
            ]
            .concat(),
            &["AZURE_CLIENT_SEND_CERTIFICATE_CHAIN: has 'perhaps', needs true or false"],
        ),
    ];
    for (pairs, words) in cases {
        let error = AzureSettings::read(&settings(&pairs)).unwrap_err();
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "{word} in: {text}");
        }
        for value in ["s3cret", "h3ader", "203.0.113"] {
            assert!(!text.contains(value), "{text}");
        }
    }
}

#[test]
fn a_dry_run_does_without_half_a_set_and_not_with_a_wrong_one() {
    let dry = |pairs: &[(&str, &str)]| Settings::read_for_dry_run(&settings(pairs));
    for half in [
        vec![],
        vec![SECRET],
        vec![PLATFORM[0]],
        vec![(CERTIFICATE, "/nowhere/c.pem")],
        [&OLD_PRINCIPAL[..], &PLATFORM].concat(),
        vec![(EXPLICIT, "AzureCli")],
    ] {
        assert!(dry(&half).unwrap().azure.is_none(), "{half:?}");
    }
    assert!(dry(&PLATFORM).unwrap().azure.is_some());
    assert!(dry(&[(EXPLICIT, "Default")]).is_err());
    assert!(dry(&[&PRINCIPAL[..], &[(CERTIFICATE, "/nowhere/c.pem")]].concat()).is_err());
}
