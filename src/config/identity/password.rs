//! The original's password, encrypted with a key file, or plain where the operator insists.

use super::{
    super::{key_path, secure_string},
    FORMAT, IdentityKind, KEY_PATH, NEW, OLD, PASSWORD, SECRET, SecretForm, SecretText,
    read::Parts,
};

impl<'a> Parts<'_, 'a> {
    pub(super) fn password(&mut self) -> Option<(IdentityKind, SecretForm)> {
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
                application: self.application_of(tenant_id?, client_id?)?,
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
                    .problem(FORMAT, "needs encrypted (the default) or plain");
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
        Some((SecretText::new(value), SecretForm::PlainPassword))
    }
}
