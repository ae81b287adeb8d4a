//! Which refusals are about another operation in progress, and which conflicts no wait resolves.
//! <https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors>

/// Refusals of one resource that is busy, with 409 or 429.
const IN_PROGRESS: [&str; 2] = ["AnotherOperationInProgress", "RetryableError"];

/// Conflicts that stay until an operator changes something. All others, unknown ones too, are with another write.
const FINAL: [&str; 5] = [
    "DisallowedProvider",
    "MissingSubscriptionRegistration",
    "ReadOnlyDisabledSubscription",
    "ResourceGroupBeingDeleted",
    "ScopeLocked",
];

/// Service limits have a code for each kind of resource.
const FINAL_ENDINGS: [&str; 3] = ["LimitReached", "LimitExceeded", "QuotaExceeded"];

/// Refusals of a name that another capture has, with 400 or 409. The list may show the name free: it is older, or Azure
/// has still to forget a capture that was deleted.
const NAME_TAKEN: [&str; 1] = ["PacketCaptureAlreadyExists"];

/// How operations end that gave way to another write.
const SUPERSEDED: [&str; 3] = [
    "CanceledAndSupersededDueToAnotherOperation",
    "Conflict",
    "ConflictingConcurrentWriteNotAllowed",
];

/// Whether an operation with this error gave way to another one.
pub(super) fn is_superseded(code: &str) -> bool {
    let superseded = SUPERSEDED.iter().any(|one| one.eq_ignore_ascii_case(code));
    superseded || is_in_progress(code)
}

/// Whether a resource is busy with another operation, whatever the status.
pub(super) fn is_in_progress(code: &str) -> bool {
    IN_PROGRESS.iter().any(|one| one.eq_ignore_ascii_case(code))
}

/// Whether another capture has the name, whatever the status.
pub(super) fn is_name_taken(code: &str) -> bool {
    NAME_TAKEN.iter().any(|one| one.eq_ignore_ascii_case(code))
}

/// Whether a 409 with this code stays until an operator changes something.
pub(super) fn is_final(code: &str) -> bool {
    let lower = code.to_ascii_lowercase();
    FINAL.iter().any(|one| one.eq_ignore_ascii_case(code))
        || FINAL_ENDINGS
            .iter()
            .any(|ending| lower.ends_with(&ending.to_ascii_lowercase()))
}
