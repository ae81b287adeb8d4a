//! A few plain words beside each call, for readers who have never seen Azure.

use azure_sandbox::{Call, Entry};

/// Why the function makes this call.
pub fn of(entry: &Entry) -> &'static str {
    match entry.kind {
        _ if entry.fault.is_some() => "an ordered fault",
        // A poll of an operation that is gone, and the like, mean something other than a refusal.
        _ if entry.status.is_some_and(|status| status >= 400) => "Azure refuses",
        Call::InstanceDiscovery | Call::OpenIdConfiguration => "where to sign in?",
        Call::Token | Call::ManagedIdentityToken => "sign in to Azure",
        Call::Endpoints => "open the connection ahead of the first alert",
        Call::GetVirtualMachine => "in which region is the machine?",
        Call::ListWatchers => "which Network Watcher serves that region?",
        Call::ListCaptures => "which packet captures are on it?",
        Call::GetCapture => "what is the state of the capture?",
        Call::QueryStatus => "is that capture still running?",
        Call::DeleteCapture => "the stale capture is in the way: delete it",
        Call::PutCapture => "the name is free: create the capture",
        Call::OperationStatus | Call::OperationResult | Call::EffectiveResult => {
            "has Azure finished that?"
        }
        Call::GetBlobProperties => "is the capture's file there?",
        Call::GetBlob => "what is in it?",
        Call::QueryResources => "what is around the machine, and what changed there?",
        Call::ListActivityLog => "who did what in the last six hours?",
        Call::ListMetrics => "what did the machine's metrics say?",
        Call::GetInstanceView | Call::GetAvailability => "how is the machine?",
        Call::EffectiveRules | Call::EffectiveRoutes => "what does Azure enforce on it?",
        Call::Unknown => "nothing that the sandbox imitates",
        _ => "",
    }
}

/// Whether a call only asks how an earlier one gets on.
pub fn is_poll(entry: &Entry) -> bool {
    matches!(
        entry.kind,
        Call::OperationStatus | Call::OperationResult | Call::EffectiveResult
    )
}
