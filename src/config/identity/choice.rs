//! Which identity is taken, from the names of the settings alone. Pure, so that the order is a table in a test.

use super::{
    CERTIFICATE, CERTIFICATE_PASSWORD, ENDPOINT, EXPLICIT, FEDERATED, HEADER, NEW, OLD, PASSWORD,
    SECRET, TOKEN_FILE,
};

/// The ways to sign in, as `AzureCredential` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    EncryptedPassword,
    ClientSecret,
    ClientCertificate,
    WorkloadIdentity,
    ManagedIdentityFederation,
    ManagedIdentity,
    AzureCli,
}

impl Credential {
    pub(super) const ALL: [Self; 7] = [
        Self::EncryptedPassword,
        Self::ClientSecret,
        Self::ClientCertificate,
        Self::WorkloadIdentity,
        Self::ManagedIdentityFederation,
        Self::ManagedIdentity,
        Self::AzureCli,
    ];

    /// The way's name, as it is written in `AzureCredential`.
    pub fn name(self) -> &'static str {
        match self {
            Self::EncryptedPassword => "EncryptedPassword",
            Self::ClientSecret => "ClientSecret",
            Self::ClientCertificate => "ClientCertificate",
            Self::WorkloadIdentity => "WorkloadIdentity",
            Self::ManagedIdentityFederation => "ManagedIdentityFederation",
            Self::ManagedIdentity => "ManagedIdentity",
            Self::AzureCli => "AzureCli",
        }
    }
}

/// A setting that is enough to choose a way, the first one first. The original's password leads, so that apps
/// that are moved behave as before; `AzureFederatedIdentityClientId` comes next, because only people who
/// drop that password set it, while the others may belong to another program of the same app.
const DECIDING: [(&str, Credential); 5] = [
    (PASSWORD, Credential::EncryptedPassword),
    (FEDERATED, Credential::ManagedIdentityFederation),
    (SECRET, Credential::ClientSecret),
    (CERTIFICATE, Credential::ClientCertificate),
    (TOKEN_FILE, Credential::WorkloadIdentity),
];

/// The way, and the setting that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub credential: Credential,
    pub because: &'static str,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undecided {
    /// `AzureCredential` names no way that there is.
    Unknown,
    /// `AzureCredential` = `AzureCli` where no operator is at a terminal.
    NobodyThere,
    /// Tenant or client of an application and nothing that proves it.
    NoProof,
    /// Tenant or client under the original's names and nothing that proves it, while the platform offers a managed
    /// identity: which one is meant?
    NoProofBesideManagedIdentity,
    /// A certificate's password alone.
    NoCertificate,
    /// The managed identity protocol that came before `IDENTITY_ENDPOINT`.
    OldManagedIdentity,
    Nothing,
}

/// `explicit` is the value of `AzureCredential`; `terminal` says whether an operator sits at one. A login that
/// fails later changes nothing of this, and the metadata address of virtual machines is never probed.
pub(super) fn choose(
    is_set: impl Fn(&str) -> bool,
    explicit: Option<&str>,
    terminal: bool,
) -> Result<Choice, Undecided> {
    let choice = |credential, because| {
        Ok(Choice {
            credential,
            because,
        })
    };
    if let Some(name) = explicit {
        let mut all = Credential::ALL.into_iter();
        return match all.find(|it| it.name().eq_ignore_ascii_case(name)) {
            None => Err(Undecided::Unknown),
            Some(Credential::AzureCli) if !terminal => Err(Undecided::NobodyThere),
            Some(credential) => choice(credential, EXPLICIT),
        };
    }
    if let Some((because, credential)) = DECIDING.into_iter().find(|(name, _)| is_set(name)) {
        return choice(credential, because);
    }
    let [old_tenant, old_client, _] = OLD;
    let [new_tenant, new_client, _] = NEW;
    if let Some(because) = [ENDPOINT, HEADER].into_iter().find(|name| is_set(name)) {
        // AZURE_CLIENT_ID names a user-assigned identity; the original's name only ever meant an application.
        return match is_set(old_client) {
            true => Err(Undecided::NoProofBesideManagedIdentity),
            false => choice(Credential::ManagedIdentity, because),
        };
    }
    let any = |names: &[&str]| names.iter().any(|name| is_set(name));
    if any(&["MSI_ENDPOINT", "MSI_SECRET"]) {
        return Err(Undecided::OldManagedIdentity);
    }
    if any(&[CERTIFICATE_PASSWORD]) {
        return Err(Undecided::NoCertificate);
    }
    if any(&[old_tenant, old_client, new_tenant, new_client]) {
        return Err(Undecided::NoProof);
    }
    match terminal {
        true => choice(Credential::AzureCli, "az login"),
        false => Err(Undecided::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_follows_the_table() {
        use Credential::*;
        const ALL: [&str; 12] = [
            "AzureTenant",
            "AzureClientID",
            "AZURE_TENANT_ID",
            "AZURE_CLIENT_ID",
            PASSWORD,
            FEDERATED,
            SECRET,
            CERTIFICATE,
            TOKEN_FILE,
            ENDPOINT,
            HEADER,
            "MSI_ENDPOINT",
        ];
        let new = |more: &[&'static str]| [&ALL[2..4], more].concat();
        let refused = |why| Err(why);
        for (set, explicit, terminal, expected) in [
            (ALL.to_vec(), None, false, Ok((EncryptedPassword, PASSWORD))),
            (
                [&ALL[..4], &ALL[5..]].concat(),
                None,
                false,
                Ok((ManagedIdentityFederation, FEDERATED)),
            ),
            (new(&ALL[6..]), None, true, Ok((ClientSecret, SECRET))),
            (
                new(&ALL[7..]),
                None,
                true,
                Ok((ClientCertificate, CERTIFICATE)),
            ),
            (
                new(&ALL[8..]),
                None,
                true,
                Ok((WorkloadIdentity, TOKEN_FILE)),
            ),
            (new(&ALL[9..]), None, true, Ok((ManagedIdentity, ENDPOINT))),
            (vec![HEADER], None, true, Ok((ManagedIdentity, HEADER))),
            (
                vec![ENDPOINT, HEADER, "AzureClientID"],
                None,
                true,
                refused(Undecided::NoProofBesideManagedIdentity),
            ),
            (
                vec!["MSI_ENDPOINT"],
                None,
                true,
                refused(Undecided::OldManagedIdentity),
            ),
            (
                vec![CERTIFICATE_PASSWORD],
                None,
                true,
                refused(Undecided::NoCertificate),
            ),
            (new(&[]), None, true, refused(Undecided::NoProof)),
            (
                vec!["AzureTenant"],
                None,
                false,
                refused(Undecided::NoProof),
            ),
            (vec![], None, true, Ok((AzureCli, "az login"))),
            (vec![], None, false, refused(Undecided::Nothing)),
            (
                ALL.to_vec(),
                Some("managedIDENTITY"),
                false,
                Ok((ManagedIdentity, EXPLICIT)),
            ),
            (
                vec![],
                Some("ClientSecret"),
                true,
                Ok((ClientSecret, EXPLICIT)),
            ),
            (
                ALL.to_vec(),
                Some("AzureCli"),
                true,
                Ok((AzureCli, EXPLICIT)),
            ),
            (
                ALL.to_vec(),
                Some("AzureCli"),
                false,
                refused(Undecided::NobodyThere),
            ),
            (
                ALL.to_vec(),
                Some("Default"),
                true,
                refused(Undecided::Unknown),
            ),
        ] {
            let found = choose(|name| set.contains(&name), explicit, terminal);
            let found = found.map(|it| (it.credential, it.because));
            assert_eq!(found, expected, "{set:?} {explicit:?} {terminal}");
        }
    }
}
