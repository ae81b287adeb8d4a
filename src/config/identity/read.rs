//! Reads the settings of the way that was chosen. What is missing is named; no value is ever repeated.

use super::{
    super::{app_settings::Reader, key_path, secure_string},
    CERTIFICATE, CERTIFICATE_PASSWORD, ENDPOINT, EXPLICIT, FEDERATED, FORMAT, HEADER, Identity,
    IdentityEndpoint, IdentityKind, IdentitySource, KEY_PATH, NEW, OLD, PASSWORD, Principal,
    SECRET, SEND_CHAIN, SecretForm, SecretText, TOKEN_FILE, certificate,
    choice::{self, Choice, Credential, Undecided},
};
use std::{net::IpAddr, path::PathBuf};
use url::{Host, Url};

/// Everything that is about identities, in the order in which what is ignored is told.
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
pub(in crate::config) fn read(reader: &mut Reader<'_>, needed: bool) -> Option<Identity> {
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
                tell(reader, undecided, &set);
            }
            return None;
        }
    };
    let mut parts = Parts {
        reader,
        needed,
        because: choice,
        settings: Vec::new(),
        also_used: Vec::new(),
        missing: Vec::new(),
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
        reader.problem(name, message);
    }
    let (kind, form) = found?;
    let unused = |name: &&str| !settings.contains(name) && !also_used.contains(name);
    let ignored = ALL.into_iter().filter(|name| set.contains(name));
    Some(Identity {
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

fn tell(reader: &mut Reader<'_>, undecided: Undecided, set: &[&str]) {
    let proofs = format!("{SECRET} (or {PASSWORD})");
    match undecided {
        Undecided::Unknown => {
            let names = Credential::ALL.map(Credential::name);
            reader.problem(EXPLICIT, format!("one of {}", names.join(", ")));
        }
        Undecided::NobodyThere => reader.problem(
            EXPLICIT,
            "AzureCli is somebody's own login at a terminal; a server never uses it, so name another one",
        ),
        Undecided::NoProof => {
            for i in 0..2 {
                if !set.contains(&NEW[i]) && !set.contains(&OLD[i]) {
                    missing_principal(reader, i);
                }
            }
            reader.problem(
                &proofs,
                format!("missing; the function signs in as a service principal, and {CERTIFICATE}, {TOKEN_FILE} or a managed identity would do as well"),
            );
        }
        Undecided::NoProofBesideManagedIdentity => reader.problem(
            PASSWORD,
            format!("missing, while AzureClientID names an application and the platform offers a managed identity; remove AzureClientID and AzureTenant to sign in as the managed identity, or set {FEDERATED} if the application trusts it"),
        ),
        Undecided::NoCertificate => reader.problem(
            CERTIFICATE,
            format!("missing; {CERTIFICATE_PASSWORD} is set and needs it beside"),
        ),
        Undecided::OldManagedIdentity => reader.problem(
            ENDPOINT,
            "missing; MSI_ENDPOINT and MSI_SECRET alone are the protocol of 2017, which is not spoken; assign the identity anew, or move the app to a plan that sets IDENTITY_ENDPOINT and IDENTITY_HEADER",
        ),
        Undecided::Nothing => reader.problem(
            EXPLICIT,
            format!("no identity is set; assign the app a managed identity (az functionapp identity assign), or set {}, {} and {SECRET} (or {CERTIFICATE}, or {TOKEN_FILE}), or the original's {}, {} and {PASSWORD}", NEW[0], NEW[1], OLD[0], OLD[1]),
        ),
    }
}

/// `i` is 0 for the tenant, 1 for the client.
fn missing_principal(reader: &mut Reader<'_>, i: usize) {
    reader.problem(
        &format!("{} (or {})", NEW[i], OLD[i]),
        "missing; the function signs in as a service principal",
    );
}

/// A setting's name and, if it is set, its value.
type Named<'a> = (&'static str, Option<&'a str>);

/// Gathers the settings of one way.
struct Parts<'r, 'a> {
    reader: &'r mut Reader<'a>,
    needed: bool,
    because: Choice,
    settings: Vec<&'static str>,
    also_used: Vec<&'static str>,
    missing: Vec<(String, String)>,
}

impl<'a> Parts<'_, 'a> {
    fn kind(&mut self, credential: Credential) -> Option<(IdentityKind, SecretForm)> {
        match credential {
            Credential::EncryptedPassword => self.password(),
            Credential::ClientSecret => self.client_secret(),
            Credential::ClientCertificate => self.certificate(),
            Credential::WorkloadIdentity => {
                let principal = self.principal(NEW, OLD);
                let token_file = self.need(TOKEN_FILE);
                Some((
                    IdentityKind::WorkloadIdentity {
                        principal: principal?,
                        token_file: PathBuf::from(token_file?),
                    },
                    SecretForm::None,
                ))
            }
            Credential::ManagedIdentityFederation => {
                // The application keeps the original's names; AZURE_CLIENT_ID beside them may well name the
                // managed identity, for another program.
                let principal = self.principal(OLD, NEW);
                let identity_client_id = self.need(FEDERATED);
                let endpoint = self.endpoint();
                Some((
                    IdentityKind::ManagedIdentityFederation {
                        principal: principal?,
                        endpoint: endpoint?,
                        identity_client_id: identity_client_id?.to_owned(),
                    },
                    SecretForm::None,
                ))
            }
            Credential::ManagedIdentity => {
                let endpoint = self.endpoint();
                let client_id = self.reader.text(NEW[1]).map(str::to_owned);
                if client_id.is_some() {
                    self.settings.push(NEW[1]);
                }
                Some((
                    IdentityKind::ManagedIdentity {
                        endpoint: endpoint?,
                        client_id,
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

    /// `None` when half an identity is as good as none. A whole one must be right, even in a dry run.
    fn worth_reading(&self) -> Option<()> {
        (self.needed || self.missing.is_empty()).then_some(())
    }

    fn named(&mut self, name: &'static str) -> Named<'a> {
        (name, self.reader.text(name))
    }

    /// The first of these that is set, or the first.
    fn first(&mut self, first: &'static str, second: &'static str) -> Named<'a> {
        match (self.named(first), self.named(second)) {
            ((_, None), second @ (_, Some(_))) => second,
            (first, _) => first,
        }
    }

    fn take(&mut self, (name, value): Named<'a>, shown: &str) -> Option<&'a str> {
        self.settings.push(name);
        if value.is_none() {
            let Choice {
                credential,
                because,
            } = self.because;
            let reason = match because == EXPLICIT {
                true => format!("{EXPLICIT} is {} and needs it", credential.name()),
                false => format!("{because} is set and needs it beside"),
            };
            let message = format!("missing; {reason}");
            self.missing.push((shown.to_owned(), message));
        }
        value
    }

    fn need(&mut self, name: &'static str) -> Option<&'a str> {
        let named = self.named(name);
        self.take(named, name)
    }

    fn principal(
        &mut self,
        first: [&'static str; 3],
        second: [&'static str; 3],
    ) -> Option<Principal> {
        let [tenant_id, client_id] = [0, 1].map(|i| {
            let named = self.first(first[i], second[i]);
            self.take(named, &format!("{} (or {})", first[i], second[i]))
        });
        Some(Principal {
            tenant_id: tenant_id?.to_owned(),
            client_id: client_id?.to_owned(),
        })
    }

    /// `None` and a problem for the text that App Service leaves when it cannot follow a reference.
    fn no_reference(&mut self, name: &'static str, value: &'a str) -> Option<&'a str> {
        if !secure_string::is_key_vault_reference(value) {
            return Some(value);
        }
        let unreadable = secure_string::Unreadable::KeyVaultReference;
        self.reader.problem(name, unreadable.to_string());
        None
    }

    fn client_secret(&mut self) -> Option<(IdentityKind, SecretForm)> {
        let principal = self.principal(NEW, OLD);
        let secret = self.need(SECRET)?;
        self.worth_reading()?;
        let secret = self.no_reference(SECRET, secret)?;
        Some((
            IdentityKind::ClientSecret {
                principal: principal?,
                secret: SecretText::new(secret),
            },
            SecretForm::Secret,
        ))
    }

    fn certificate(&mut self) -> Option<(IdentityKind, SecretForm)> {
        let principal = self.principal(NEW, OLD);
        let path = self.need(CERTIFICATE);
        self.worth_reading()?;
        let send_chain = self.reader.flag(SEND_CHAIN);
        let password = self.reader.text(CERTIFICATE_PASSWORD).unwrap_or_default();
        self.also_used.extend([SEND_CHAIN, CERTIFICATE_PASSWORD]);
        let path = self.no_reference(CERTIFICATE, path?)?;
        let password = self.no_reference(CERTIFICATE_PASSWORD, password)?;
        match certificate::read(path.as_ref(), password) {
            Err(message) => {
                self.reader.problem(CERTIFICATE, message);
                None
            }
            Ok(certificate) => {
                let thumbprint = certificate.thumbprint();
                Some((
                    IdentityKind::ClientCertificate {
                        principal: principal?,
                        certificate,
                        send_chain,
                    },
                    SecretForm::Certificate { thumbprint },
                ))
            }
        }
    }

    /// App Service's endpoint is plain HTTP, which is fine as far as the request stays on the machine or its
    /// private network: the header is a secret.
    fn endpoint(&mut self) -> Option<IdentityEndpoint> {
        let url = self.need(ENDPOINT);
        let header = self.need(HEADER);
        self.worth_reading()?;
        for other in ["IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT"] {
            if self.reader.text(other).is_some() {
                let message = "is set by Service Fabric or Azure Arc, whose managed identities are not supported; use another identity";
                self.reader.problem(other, message);
                return None;
            }
        }
        match Url::parse(url?) {
            Ok(url) if is_near_or_https(&url) => Some(IdentityEndpoint {
                url,
                header: SecretText::new(header?),
            }),
            _ => {
                let message = "the address that App Service sets: https, or http on the machine itself or its private network";
                self.reader.problem(ENDPOINT, message);
                None
            }
        }
    }

    fn password(&mut self) -> Option<(IdentityKind, SecretForm)> {
        // With a secret of its own beside it, the new names' client is another one.
        let own = self.reader.text(SECRET).is_some();
        let or = match own {
            true => "; or remove AzureCredPassword, to sign in with AZURE_CLIENT_SECRET",
            false => "",
        };
        let [tenant_id, client_id] = [0, 1].map(|i| {
            let named = match own {
                true => self.named(OLD[i]),
                false => self.first(OLD[i], NEW[i]),
            };
            self.take(named, OLD[i])
        });
        for (_, message) in &mut self.missing {
            message.push_str(or);
        }
        let value = self.need(PASSWORD)?;
        self.worth_reading()?;
        let (secret, form) = self.password_text(value)?;
        Some((
            IdentityKind::ClientSecret {
                principal: Principal {
                    tenant_id: tenant_id?.to_owned(),
                    client_id: client_id?.to_owned(),
                },
                secret,
            },
            form,
        ))
    }

    /// The secret in `AzureCredPassword`.
    fn password_text(&mut self, value: &'a str) -> Option<(SecretText, SecretForm)> {
        self.also_used.push(FORMAT);
        match self
            .reader
            .text(FORMAT)
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("plain") => return self.plain_password(value),
            None | Some("encrypted") => {}
            Some(_) => {
                self.reader
                    .problem(FORMAT, "encrypted (which is usual) or plain");
                return None;
            }
        }
        self.also_used.push(KEY_PATH);
        // Before the key is looked for: a value that no key can help says so by itself.
        if let Err(unreadable) = secure_string::inspect(value) {
            self.reader.problem(PASSWORD, unreadable.to_string());
            return None;
        }
        let key_path = self.reader.text(KEY_PATH);
        let path = key_path::resolve(key_path, self.reader.text("FUNCTIONS_APP_ROOT_PATH"));
        let (key_file, key) = match key_path::read(&path, key_path) {
            Ok(found) => found,
            Err(message) => {
                self.reader.problem(KEY_PATH, message);
                return None;
            }
        };
        match secure_string::decrypt(value, &key) {
            Ok(secret) => Some((SecretText(secret), SecretForm::Encrypted { key_file })),
            Err(unreadable) => {
                let message = format!("{unreadable} (key file {})", key_file.display());
                self.reader.problem(PASSWORD, message);
                None
            }
        }
    }

    fn plain_password(&mut self, value: &'a str) -> Option<(SecretText, SecretForm)> {
        if secure_string::has_header(value) {
            self.reader.problem(
                FORMAT,
                "plain, yet AzureCredPassword is an encrypted string; remove this setting",
            );
            return None;
        }
        let value = self.no_reference(PASSWORD, value)?;
        Some((SecretText::new(value), SecretForm::PlainPassword))
    }
}

fn is_near_or_https(url: &Url) -> bool {
    let near = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unique_local(),
    };
    url.username().is_empty()
        && match (url.scheme(), url.host()) {
            ("https", Some(_)) => true,
            ("http", Some(Host::Ipv4(ip))) => near(ip.into()),
            ("http", Some(Host::Ipv6(ip))) => near(ip.into()),
            ("http", Some(Host::Domain(name))) => name.eq_ignore_ascii_case("localhost"),
            _ => false,
        }
}
