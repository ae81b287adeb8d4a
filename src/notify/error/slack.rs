//! What Slack's error codes mean for an operator.
//! <https://docs.slack.dev/reference/methods/chat.postMessage#errors>

/// Whether another attempt makes sense.
pub(super) fn is_temporary(code: &str) -> bool {
    matches!(
        code,
        "ratelimited"
            | "rate_limited"
            | "message_limit_exceeded"
            | "fatal_error"
            | "internal_error"
            | "request_timeout"
            | "service_unavailable"
            | "team_added_to_org"
    )
}

/// What to do, after a semicolon.
pub(super) fn advice(code: &str) -> &'static str {
    match code {
        "not_authed"
        | "invalid_auth"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "not_allowed_token_type" => {
            "; set the setting to the bot token (xoxb-…) of an app that is installed in the workspace"
        }
        "channel_not_found" | "not_in_channel" => {
            "; invite the app to the channel, and set Notification__SlackChannel to the channel's id"
        }
        "missing_scope" | "no_permission" => {
            "; give the app the scope chat:write and install it again"
        }
        "is_archived" => "; set Notification__SlackChannel to a channel that is not archived",
        "restricted_action" | "ekm_access_denied" | "team_access_not_granted" | "access_denied" => {
            "; ask an administrator of the workspace to let the app post to the channel"
        }
        "an answer that is not Slack's" => {
            "; check that Notification__WebhookUrl, if it is set, is the address of Slack's Web API"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_the_table() {
        for (code, temporary, advised) in [
            ("ratelimited", true, false),
            ("internal_error", true, false),
            ("invalid_auth", false, true),
            ("channel_not_found", false, true),
            ("missing_scope", false, true),
            ("is_archived", false, true),
            ("restricted_action", false, true),
            ("invalid_blocks", false, false),
        ] {
            assert_eq!(is_temporary(code), temporary, "{code}");
            assert_eq!(!advice(code).is_empty(), advised, "{code}");
        }
    }
}
