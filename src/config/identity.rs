//! Who we are to Azure: a service principal, from the original's settings or from the ones that all Azure
//! tools know. What is configured decides, once, at start; a wrong one is never passed over for the next.

use super::{app_settings::Reader, key_path, secure_string};
use std::{fmt, path::PathBuf};
use zeroize::Zeroizing;

const OLD: [&str; 3] = ["AzureTenant", "AzureClientID", PASSWORD];
const NEW: [&str; 3] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", SECRET];
const PASSWORD: &str = "AzureCredPassword";
const KEY_PATH: &str = "AzureCredKeyPath";
const FORMAT: &str = "AzureCredPasswordFormat";
const SECRET: &str = "AZURE_CLIENT_SECRET";
/// Other ways to sign in, set by the platform or by people, that are not taken.
const OTHER_WAYS: [&str; 3] = [
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    "IDENTITY_ENDPOINT",
];

/// A service principal with its secret.
#[derive(Debug, Clone)]
pub struct Identity {
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: ClientSecret,
    pub source: IdentitySource,
}

/// A client secret. It does not print and is wiped when dropped.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// The text itself, for the one who sends it to Entra.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret")
    }
}

/// Which settings the identity came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentitySource {
    /// The names of tenant, client and secret.
    pub settings: [&'static str; 3],
    pub secret: SecretForm,
    /// What else was set about identities and is not used.
    pub ignored: Vec<&'static str>,
}

/// How the secret was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretForm {
    /// `AzureCredPassword`, decrypted with this key file.
    Encrypted { key_file: PathBuf },
    /// `AzureCredPassword` with `AzureCredPasswordFormat` = `plain`.
    PlainPassword,
    /// `AZURE_CLIENT_SECRET`.
    Secret,
}

impl IdentitySource {
    /// What should not stay as it is.
    pub fn warning(&self) -> Option<&'static str> {
        (self.secret == SecretForm::PlainPassword).then_some(
            "AzureCredPassword is taken as a plain secret, since AzureCredPasswordFormat is plain; encrypt it with `handler credentials encrypt`, or keep it in Key Vault and refer to it in AZURE_CLIENT_SECRET",
        )
    }
}

impl fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [tenant, client, secret] = self.settings;
        write!(f, "{tenant}, {client} and {secret}")?;
        match &self.secret {
            SecretForm::Encrypted { key_file } => {
                write!(f, " (decrypted with {})", key_file.display())?;
            }
            SecretForm::PlainPassword => f.write_str(" (a plain secret)")?,
            SecretForm::Secret => {}
        }
        if !self.ignored.is_empty() {
            write!(f, "; set and ignored: {}", self.ignored.join(", "))?;
        }
        Ok(())
    }
}

/// A setting's name and, if it is set, its value.
type Named<'a> = (&'static str, Option<&'a str>);

/// `None` when settings are missing or wrong, which the reader knows then, or when a part of the identity is
/// missing and none is `needed`.
pub(super) fn read(reader: &mut Reader<'_>, needed: bool) -> Option<Identity> {
    let old = OLD.map(|name| (name, reader.text(name)));
    let new = NEW.map(|name| (name, reader.text(name)));
    let is_set = |(_, value): &Named<'_>| value.is_some();
    let by_password = old[2].1.is_some();
    let (tenant, client, secret) = if by_password {
        // With a secret of its own beside it, the new names' client is another one.
        let own = new[2].1.is_some();
        let first = |i: usize| {
            if own {
                old[i]
            } else {
                first_set(old[i], new[i])
            }
        };
        (first(0), first(1), old[2])
    } else {
        (first_set(new[0], old[0]), first_set(new[1], old[1]), new[2])
    };
    if !needed && ![tenant, client, secret].iter().all(is_set) {
        return None;
    }
    for (i, (_, value)) in [tenant, client, secret].into_iter().enumerate() {
        if value.is_none() {
            missing(reader, i, by_password, new[2].1.is_some());
        }
    }
    let used = [tenant.0, client.0, secret.0];
    let mut ignored: Vec<&'static str> = old
        .into_iter()
        .chain(new)
        .chain(OTHER_WAYS.map(|name| (name, reader.text(name))))
        .filter(|named| is_set(named) && !used.contains(&named.0))
        .map(|(name, _)| name)
        .collect();
    let key_path = (KEY_PATH, reader.text(KEY_PATH));
    let format = (FORMAT, reader.text(FORMAT));
    let (client_secret, form) = if by_password {
        let (secret, form) = password(reader, secret.1?, key_path.1, format.1)?;
        if form == SecretForm::PlainPassword && is_set(&key_path) {
            ignored.push(KEY_PATH);
        }
        (secret, form)
    } else {
        let unused = [key_path, format];
        ignored.extend(
            unused
                .iter()
                .filter(|named| is_set(named))
                .map(|(name, _)| *name),
        );
        let secret = secret.1?;
        if secure_string::is_key_vault_reference(secret) {
            reader.problem(
                SECRET,
                secure_string::Unreadable::KeyVaultReference.to_string(),
            );
            return None;
        }
        (Zeroizing::new(secret.to_owned()), SecretForm::Secret)
    };
    Some(Identity {
        tenant_id: tenant.1?.to_owned(),
        client_id: client.1?.to_owned(),
        client_secret: ClientSecret(client_secret),
        source: IdentitySource {
            settings: used,
            secret: form,
            ignored,
        },
    })
}

fn first_set<'a>(first: Named<'a>, second: Named<'a>) -> Named<'a> {
    if first.1.is_none() && second.1.is_some() {
        second
    } else {
        first
    }
}

/// `i` is 0 for the tenant, 1 for the client, 2 for the secret.
fn missing(reader: &mut Reader<'_>, i: usize, by_password: bool, secret_too: bool) {
    if by_password {
        let or = if secret_too {
            "; or remove AzureCredPassword, to sign in with AZURE_CLIENT_SECRET"
        } else {
            ""
        };
        reader.problem(
            OLD[i],
            format!("missing; AzureCredPassword is set and needs it beside{or}"),
        );
    } else {
        reader.problem(
            &format!("{} (or {})", NEW[i], OLD[i]),
            "missing; the function signs in as a service principal",
        );
    }
}

/// The secret in `AzureCredPassword`.
fn password(
    reader: &mut Reader<'_>,
    value: &str,
    key_path: Option<&str>,
    format: Option<&str>,
) -> Option<(Zeroizing<String>, SecretForm)> {
    match format.map(str::to_ascii_lowercase).as_deref() {
        Some("plain") => return plain_password(reader, value),
        None | Some("encrypted") => {}
        Some(_) => {
            reader.problem(FORMAT, "encrypted (which is usual) or plain");
            return None;
        }
    }
    // Before the key is looked for: a value that no key can help says so by itself.
    if let Err(unreadable) = secure_string::inspect(value) {
        reader.problem(PASSWORD, unreadable.to_string());
        return None;
    }
    let path = key_path::resolve(key_path, reader.text("FUNCTIONS_APP_ROOT_PATH"));
    let (key_file, key) = match key_path::read(&path, key_path) {
        Ok(found) => found,
        Err(message) => {
            reader.problem(KEY_PATH, message);
            return None;
        }
    };
    match secure_string::decrypt(value, &key) {
        Ok(secret) => Some((secret, SecretForm::Encrypted { key_file })),
        Err(unreadable) => {
            let message = format!("{unreadable} (key file {})", key_file.display());
            reader.problem(PASSWORD, message);
            None
        }
    }
}

fn plain_password(reader: &mut Reader<'_>, value: &str) -> Option<(Zeroizing<String>, SecretForm)> {
    if secure_string::has_header(value) {
        reader.problem(
            FORMAT,
            "plain, yet AzureCredPassword is an encrypted string; remove this setting",
        );
        return None;
    }
    if secure_string::is_key_vault_reference(value) {
        let unreadable = secure_string::Unreadable::KeyVaultReference;
        reader.problem(PASSWORD, unreadable.to_string());
        return None;
    }
    Some((Zeroizing::new(value.to_owned()), SecretForm::PlainPassword))
}
