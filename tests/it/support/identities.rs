//! The ways to sign in, as settings for a sandbox, and what is refused; for the stories and the commands.

use crate::support::folder::Folder;
use azure_sandbox::{Sandbox, samples};
use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, PrivateKeyChain};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use std::sync::OnceLock;

pub type Pairs = Vec<(String, String)>;

pub const EXCHANGE: &str = "api://AzureADTokenExchange";

/// A self-signed certificate. RSA keys take their time, so there are two for all tests.
pub struct Certificate {
    pub key: KeyPair,
    pub pem: String,
    pub der: Vec<u8>,
}

impl Certificate {
    fn make() -> Self {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let made = CertificateParams::default().self_signed(&key).unwrap();
        Self {
            pem: made.pem(),
            der: made.der().to_vec(),
            key,
        }
    }

    pub fn one() -> &'static Self {
        static ONE: OnceLock<Certificate> = OnceLock::new();
        ONE.get_or_init(Self::make)
    }

    pub fn another() -> &'static Self {
        static ANOTHER: OnceLock<Certificate> = OnceLock::new();
        ANOTHER.get_or_init(Self::make)
    }

    /// Certificate first, as most tools write it.
    pub fn pem(&self) -> String {
        format!("{}{}", self.pem, self.key.serialize_pem())
    }

    pub fn pfx(&self, algorithm: EncryptionAlgorithm, password: &str) -> Vec<u8> {
        let certificate = p12_keystore::Certificate::from_der(&self.der).unwrap();
        let key = p12_keystore::PrivateKey::from_der(&self.key.serialize_der()).unwrap();
        let chain = PrivateKeyChain::new("1", key, [certificate]);
        let mut store = KeyStore::new();
        store.add_entry("handler", KeyStoreEntry::PrivateKeyChain(chain));
        let writer = store.writer(password).encryption_algorithm(algorithm);
        writer.write().unwrap()
    }
}

pub fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    pairs.iter().map(owned).collect()
}

/// No secret, and these in its place.
pub fn instead(of_secret: &[(&str, &str)]) -> Pairs {
    let mut all = pairs(&[("AZURE_CLIENT_SECRET", "")]);
    all.extend(pairs(of_secret));
    all
}

/// No application at all.
pub fn nobody(more: Pairs) -> Pairs {
    let mut all = instead(&[("AZURE_TENANT_ID", ""), ("AZURE_CLIENT_ID", "")]);
    all.extend(more);
    all
}

pub fn federation(azure: &Sandbox) -> Pairs {
    let mut all = azure.managed_identity_settings();
    all.extend(nobody(pairs(&[
        ("AzureTenant", samples::TENANT_ID),
        ("AzureClientID", samples::CLIENT_ID),
        (
            "AzureFederatedIdentityClientId",
            samples::MANAGED_IDENTITY_CLIENT_ID,
        ),
    ])));
    all
}

pub type Prepare = fn(&Sandbox, &Folder) -> Pairs;

pub fn token_file(folder: &Folder, token: String) -> Pairs {
    instead(&[("AZURE_FEDERATED_TOKEN_FILE", &folder.file("token", token))])
}

pub fn certificate_file(folder: &Folder) -> Pairs {
    let file = folder.file("cert.pem", Certificate::one().pem());
    instead(&[("AZURE_CLIENT_CERTIFICATE_PATH", &file)])
}

/// How it is set up, the code of the answer, words of the answer, and a part of the command that fixes it.
pub const REFUSALS: [(Prepare, &str, &str, &str); 12] = [
    (
        |_, folder| certificate_file(folder),
        "AADSTS700027",
        "the certificate in AZURE_CLIENT_CERTIFICATE_PATH is not this application's",
        "az ad app credential reset --id b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12 --append --cert",
    ),
    (
        |azure, folder| {
            azure.register_certificate(&Certificate::another().der);
            certificate_file(folder)
        },
        "AADSTS700027",
        "upload its public part",
        "--append --cert",
    ),
    (
        |azure, folder| {
            azure.register_certificate(&Certificate::one().der);
            let mut all = certificate_file(folder);
            let tenant = "00000000-0000-4000-8000-000000000000";
            all.extend(pairs(&[("AZURE_TENANT_ID", tenant)]));
            all
        },
        "AADSTS90002",
        "there is no such tenant: check AZURE_TENANT_ID",
        "az account show --query tenantId",
    ),
    (
        |azure, folder| {
            let token = azure.kubernetes_token("system:serviceaccount:a:b", EXCHANGE, 3600);
            token_file(folder, token)
        },
        "AADSTS700213",
        "no federated credential that matches the token in AZURE_FEDERATED_TOKEN_FILE",
        "az ad app federated-credential list --id b3c6a1d2",
    ),
    (
        |azure, folder| {
            let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, "api://else", 3600);
            token_file(folder, token)
        },
        "AADSTS700212",
        "issuer, subject and audience must be equal",
        "az ad app federated-credential list",
    ),
    (
        |azure, folder| {
            let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, -3600);
            token_file(folder, token)
        },
        "AADSTS700024",
        "the federated token was not valid at this time",
        "date -u",
    ),
    (
        |azure, folder| {
            let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, 3600);
            azure.rotate_cluster_keys();
            token_file(folder, token)
        },
        "AADSTS50013",
        "not signed by the issuer",
        "az ad app federated-credential list",
    ),
    (
        |azure, _| {
            azure.trust_managed_identity(false);
            federation(azure)
        },
        "AADSTS700213",
        "add a federated credential for the identity of AzureFederatedIdentityClientId",
        "az ad app federated-credential list --id b3c6a1d2",
    ),
    (
        |azure, _| {
            azure.remove_managed_identities();
            federation(azure)
        },
        "ManagedIdentityNotFound",
        "check AzureFederatedIdentityClientId, or assign that identity (az functionapp identity assign",
        "az functionapp identity assign --name shop-alerts --resource-group '<group>' --identities",
    ),
    (
        |azure, _| {
            azure.remove_managed_identities();
            nobody(azure.managed_identity_settings())
        },
        "ManagedIdentityNotFound",
        "set AZURE_CLIENT_ID to that identity's client id; otherwise assign a system-assigned identity (az functionapp identity assign",
        "az functionapp config appsettings set --name shop-alerts --resource-group '<group>' --settings 'AZURE_CLIENT_ID=",
    ),
    (
        |azure, _| {
            let mut all = nobody(azure.managed_identity_settings());
            let client = "00000000-0000-4000-8000-000000000000";
            all.extend(pairs(&[("AZURE_CLIENT_ID", client)]));
            all
        },
        "ManagedIdentityNotFound",
        "check AZURE_CLIENT_ID, or assign that identity (az functionapp identity assign",
        "clientId=='",
    ),
    (
        |azure, _| {
            let mut all = nobody(azure.managed_identity_settings());
            all.extend(pairs(&[("IDENTITY_HEADER", "wr0ng")]));
            all
        },
        "ManagedIdentityRefused",
        "set by App Service alone",
        "az functionapp restart --name shop-alerts",
    ),
];
