//! The problems to report when no identity can be chosen.

use super::{
    super::reader::Reader,
    CERTIFICATE, CERTIFICATE_PASSWORD, ENDPOINT, EXPLICIT, FEDERATED, NEW, OLD, PASSWORD, SECRET,
    TOKEN_FILE,
    choice::{Credential, Undecided},
};

/// `set` holds the names of the settings that are set.
pub(super) fn tell(reader: &mut Reader<'_>, undecided: Undecided, set: &[&str]) {
    let proofs = format!("{SECRET} (or {PASSWORD})");
    match undecided {
        Undecided::Unknown => {
            let names = Credential::ALL.map(Credential::name);
            reader.problem(EXPLICIT, format!("needs one of {}", names.join(", ")));
        }
        Undecided::NobodyThere => reader.problem(
            EXPLICIT,
            "has AzureCli, which is a person's own login at a terminal and never used by a server; needs another one",
        ),
        Undecided::NoProof => {
            for i in 0..2 {
                if !set.contains(&NEW[i]) && !set.contains(&OLD[i]) {
                    missing_principal(reader, i);
                }
            }
            reader.problem(
                &proofs,
                format!("missing; the function signs in as a service principal, and {CERTIFICATE}, {TOKEN_FILE} or a managed identity also work"),
            );
        }
        Undecided::NoProofBesideManagedIdentity => reader.problem(
            PASSWORD,
            format!("missing, while AzureClientID names an application and the platform offers a managed identity; remove AzureClientID and AzureTenant to sign in as the managed identity, or set {FEDERATED} if the application trusts it"),
        ),
        Undecided::NoCertificate => reader.problem(
            CERTIFICATE,
            format!("missing; required because {CERTIFICATE_PASSWORD} is set"),
        ),
        Undecided::OldManagedIdentity => reader.problem(
            ENDPOINT,
            "missing; MSI_ENDPOINT and MSI_SECRET alone are the protocol of 2017, which is not supported; assign the identity again, or move the app to a plan that sets IDENTITY_ENDPOINT and IDENTITY_HEADER",
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
