//! Reads the settings of the way that was chosen. What is missing is named; no value is ever repeated.

use super::{
    super::{reader::Reader, secure_string},
    CERTIFICATE, CERTIFICATE_PASSWORD, ENDPOINT, EXPLICIT, FEDERATED, FORMAT, HEADER, Identity,
    IdentityKind, IdentitySource, KEY_PATH, NEW, OLD, SECRET, SEND_CHAIN, SecretForm, SecretText,
    TOKEN_FILE, certificate,
    choice::{self, Choice, Credential, Undecided},
    undecided,
};
use crate::azure::{
    credentials::{Application, Assigned},
    sign_in::{SignIn, Way},
};
use std::path::PathBuf;
use url::Url;

/// Where the cloud's applications sign in.
pub(in crate::config) struct Directory {
    /// `None` when its setting is wrong, which the reader knows then.
    pub authority_host: Option<Url>,
    /// The audience of a managed identity's token that stands for an application.
    pub token_exchange: &'static str,
}

/// Everything that is about identities, in the order in which ignored settings are reported.
const ALL: [&str; 14] = [
    OLD[0],
    OLD[1],
    OLD[2],
    NEW[0],
    NEW[1],
    NEW[2],
    FEDERATED,
    CERTIFICATE,
    CERTIFICATE_PASSWORD,
    SEND_CHAIN,
    TOKEN_FILE,
    ENDPOINT,
    KEY_PATH,
    FORMAT,
];

/// `None` when settings are missing or wrong, which the reader knows then, or when a part of the identity is
/// missing and none is `needed`.
pub(in crate::config) fn read(
    reader: &mut Reader<'_>,
    directory: &Directory,
    needed: bool,
) -> Option<Identity> {
    let explicit = reader.text(EXPLICIT);
    let set: Vec<&str> = [&ALL[..], &[HEADER, "MSI_ENDPOINT", "MSI_SECRET"]]
        .concat()
        .into_iter()
        .filter(|name| reader.text(name).is_some())
        .collect();
    let terminal = reader.at_terminal();
    let choice = match choice::choose(|name| set.contains(&name), explicit, terminal) {
        Ok(choice) => choice,
        Err(undecided) => {
            // A wrong word is wrong in a dry run, too.
            if needed || undecided == Undecided::Unknown {
                undecided::tell(reader, undecided, &set);
            }
            return None;
        }
    };
    let mut parts = Parts {
        directory: Some(directory),
        needed,
        ..Parts::new(reader, choice)
    };
    let found = parts.kind(choice.credential);
    let Parts {
        settings,
        also_used,
        missing,
        ..
    } = parts;
    if !missing.is_empty() && !needed {
        return None;
    }
    for (name, message) in &missing {
        reader.problem(name, message.as_str());
    }
    let (kind, form) = found?;
    let unused = |name: &&str| !settings.contains(name) && !also_used.contains(name);
    let ignored = ALL.into_iter().filter(|name| set.contains(name));
    Some(Identity {
        sign_in: sign_in(&kind, &settings),
        kind,
        source: IdentitySource {
            credential: choice.credential,
            ignored: ignored.filter(unused).collect(),
            settings,
            form,
            explicit: explicit.is_some(),
        },
    })
}

/// A setting's name and, if it is set, its value.
type Named<'a> = (&'static str, Option<&'a str>);

/// Gathers the settings of one way.
pub(super) struct Parts<'r, 'a> {
    pub reader: &'r mut Reader<'a>,
    /// `None` where only managed identities are read.
    directory: Option<&'r Directory>,
    needed: bool,
    because: Choice,
    pub settings: Vec<&'static str>,
    pub also_used: Vec<&'static str>,
    pub missing: Vec<(String, String)>,
}

impl<'r, 'a> Parts<'r, 'a> {
    pub(super) fn new(reader: &'r mut Reader<'a>, because: Choice) -> Self {
        Self {
            reader,
            directory: None,
            needed: true,
            because,
            settings: Vec::new(),
            also_used: Vec::new(),
            missing: Vec::new(),
        }
    }

    fn kind(&mut self, credential: Credential) -> Option<(IdentityKind, SecretForm)> {
        match credential {
            Credential::EncryptedPassword => self.password(),
            Credential::ClientSecret => self.client_secret(),
            Credential::ClientCertificate => self.certificate(),
            Credential::WorkloadIdentity => {
                let application = self.application(NEW, OLD);
                let token_file = self.need(TOKEN_FILE);
                Some((
                    IdentityKind::WorkloadIdentity {
                        application: application?,
                        token_file: PathBuf::from(token_file?),
                    },
                    SecretForm::None,
                ))
            }
            Credential::ManagedIdentityFederation => {
                // The application keeps the original's names; AZURE_CLIENT_ID beside them may well name the
                // managed identity, for another program.
                let application = self.application(OLD, NEW);
                let identity_client_id = self.need(FEDERATED);
                let endpoint = self.endpoint();
                Some((
                    IdentityKind::ManagedIdentityFederation {
                        application: application?,
                        endpoint: endpoint?,
                        identity_client_id: identity_client_id?.to_owned(),
                        audience: self.directory?.token_exchange,
                    },
                    SecretForm::None,
                ))
            }
            Credential::ManagedIdentity => {
                let endpoint = self.endpoint();
                let assigned = match self.reader.text(NEW[1]) {
                    None => Assigned::System,
                    Some(client_id) => {
                        self.settings.push(NEW[1]);
                        Assigned::Client(client_id.to_owned())
                    }
                };
                Some((
                    IdentityKind::ManagedIdentity {
                        endpoint: endpoint?,
                        assigned,
                    },
                    SecretForm::None,
                ))
            }
            Credential::AzureCli => {
                let tenant_id = self.reader.text(NEW[0]).map(str::to_owned);
                if tenant_id.is_some() {
                    self.settings.push(NEW[0]);
                }
                Some((IdentityKind::AzureCli { tenant_id }, SecretForm::None))
            }
        }
    }

    /// `None` when half an identity counts as none. A whole one must be right, even in a dry run.
    pub(super) fn worth_reading(&self) -> Option<()> {
        (self.needed || self.missing.is_empty()).then_some(())
    }

    pub(super) fn named(&mut self, name: &'static str) -> Named<'a> {
        (name, self.reader.text(name))
    }

    /// The first of these that is set, or the first.
    pub(super) fn first(&mut self, first: &'static str, second: &'static str) -> Named<'a> {
        match (self.named(first), self.named(second)) {
            ((_, None), second @ (_, Some(_))) => second,
            (first, _) => first,
        }
    }

    pub(super) fn take(&mut self, (name, value): Named<'a>, shown: &str) -> Option<&'a str> {
        self.settings.push(name);
        if value.is_none() {
            let Choice {
                credential,
                because,
            } = self.because;
            let reason = match because == EXPLICIT {
                true => format!("required because {EXPLICIT} is {}", credential.name()),
                false => format!("required because {because} is set"),
            };
            let message = format!("missing; {reason}");
            self.missing.push((shown.to_owned(), message));
        }
        value
    }

    pub(super) fn need(&mut self, name: &'static str) -> Option<&'a str> {
        let named = self.named(name);
        self.take(named, name)
    }

    fn application(
        &mut self,
        first: [&'static str; 3],
        second: [&'static str; 3],
    ) -> Option<Application> {
        let [tenant_id, client_id] = [0, 1].map(|i| {
            let named = self.first(first[i], second[i]);
            self.take(named, &format!("{} (or {})", first[i], second[i]))
        });
        self.application_of(tenant_id?, client_id?)
    }

    pub(super) fn application_of(&self, tenant_id: &str, client_id: &str) -> Option<Application> {
        Some(Application {
            authority_host: self.directory?.authority_host.clone()?,
            tenant_id: tenant_id.to_owned(),
            client_id: client_id.to_owned(),
        })
    }

    fn client_secret(&mut self) -> Option<(IdentityKind, SecretForm)> {
        let application = self.application(NEW, OLD);
        let secret = self.need(SECRET)?;
        self.worth_reading()?;
        Some((
            IdentityKind::ClientSecret {
                application: application?,
                secret: SecretText::new(secret),
            },
            SecretForm::Secret,
        ))
    }

    fn certificate(&mut self) -> Option<(IdentityKind, SecretForm)> {
        let application = self.application(NEW, OLD);
        let path = self.need(CERTIFICATE);
        self.worth_reading()?;
        let send_chain = self.reader.flag(SEND_CHAIN);
        let password = self.reader.text(CERTIFICATE_PASSWORD).unwrap_or_default();
        self.also_used.extend([SEND_CHAIN, CERTIFICATE_PASSWORD]);
        let path = path?;
        // The reader has reported it; the file would be blamed else.
        if [path, password].map(secure_string::has_key_vault_reference) != [false; 2] {
            return None;
        }
        match certificate::read(path.as_ref(), password) {
            Err(message) => {
                self.reader.problem(CERTIFICATE, message);
                None
            }
            Ok(certificate) => {
                let thumbprint = certificate.thumbprint();
                Some((
                    IdentityKind::ClientCertificate {
                        application: application?,
                        certificate,
                        send_chain,
                    },
                    SecretForm::Certificate { thumbprint },
                ))
            }
        }
    }
}

/// The way, with the names of the settings that were used.
pub(super) fn sign_in(kind: &IdentityKind, settings: &[&'static str]) -> SignIn {
    let name = |i: usize| settings.get(i).copied().unwrap_or_default();
    let (way, [tenant, client, proof]) = match kind {
        // Their settings: the endpoint, its header, then what names a user-assigned identity.
        IdentityKind::ManagedIdentity { .. } => (Way::ManagedIdentity, ["", name(2), ENDPOINT]),
        IdentityKind::AzureCli { .. } => (Way::AzureCli, [NEW[0], "", ""]),
        application => {
            let way = match application {
                IdentityKind::ClientCertificate { .. } => Way::Certificate,
                IdentityKind::WorkloadIdentity { .. } => Way::FederatedToken,
                IdentityKind::ManagedIdentityFederation { .. } => Way::ManagedIdentityFederation,
                _ => Way::ClientSecret,
            };
            (way, [name(0), name(1), name(2)])
        }
    };
    SignIn {
        way,
        tenant,
        client,
        proof,
    }
}
