//! What the address of a webhook says about its receiver: Slack and Teams take one format only, and take anything else
//! without an error that a sender would see.

use crate::notify::Format;

/// What is known of a receiver by its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    /// Takes this format and no other.
    Only(Format),
    /// A flow of Power Automate or Logic Apps: the workflow of a Teams channel, or any other one.
    Flow,
    Unknown,
}

/// <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>,
/// <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
/// <https://developer.pagerduty.com/docs/send-alert-event>
const ONLY: [(&str, Format); 7] = [
    ("hooks.slack.com", Format::Slack),
    ("hooks.slack-gov.com", Format::Slack),
    ("webhook.office.com", Format::Teams),
    ("events.pagerduty.com", Format::PagerDuty),
    ("events.eu.pagerduty.com", Format::PagerDuty),
    // Connectors of before 2021.
    ("outlook.office.com", Format::Teams),
    ("outlook.office365.com", Format::Teams),
];

/// Logic Apps, and Power Automate before 2025.
const LOGIC_APPS: [&str; 3] = ["logic.azure.com", "logic.azure.us", "logic.azure.cn"];
/// Power Automate since 2025: `{environment}.environment.api.` and one of these, or of their subdomains
/// (`gov.`, `high.`).
/// <https://learn.microsoft.com/en-us/power-automate/ip-address-configuration>
const POWER_PLATFORM: [&str; 4] = [
    "powerplatform.com",
    "powerplatform.microsoft.us",
    "appsplatform.us",
    "powerplatform.partner.microsoftonline.cn",
];

pub(super) fn receiver(host: &str) -> Receiver {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let within = |domain: &&str| {
        let rest = host.strip_suffix(*domain);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some((_, format)) = ONLY.iter().find(|(domain, _)| within(domain)) {
        return Receiver::Only(*format);
    }
    let environment = host.contains(".environment.api.");
    let is_flow =
        LOGIC_APPS.iter().any(&within) || environment && POWER_PLATFORM.iter().any(within);
    match is_flow {
        true => Receiver::Flow,
        false => Receiver::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Receiver::*, *};

    #[test]
    fn receivers_are_known_by_their_hosts() {
        for (host, expected) in [
            ("hooks.slack.com", Only(Format::Slack)),
            ("HOOKS.SLACK.COM.", Only(Format::Slack)),
            ("hooks.slack-gov.com", Only(Format::Slack)),
            ("contoso.webhook.office.com", Only(Format::Teams)),
            ("outlook.office.com", Only(Format::Teams)),
            ("outlook.office365.com", Only(Format::Teams)),
            ("events.pagerduty.com", Only(Format::PagerDuty)),
            ("events.eu.pagerduty.com", Only(Format::PagerDuty)),
            ("prod-00.westus.logic.azure.com", Flow),
            ("prod-01.usgovvirginia.logic.azure.us", Flow),
            ("default0000.43.environment.api.powerplatform.com", Flow),
            (
                "default0000.43.environment.api.gov.powerplatform.microsoft.us",
                Flow,
            ),
            ("default0000.43.environment.api.appsplatform.us", Flow),
            (
                "d.4.environment.api.powerplatform.partner.microsoftonline.cn",
                Flow,
            ),
            ("api.powerplatform.com", Unknown),
            ("hooks.slack.com.example", Unknown),
            ("nothooks.slack.com", Unknown),
            ("a.environment.api.example", Unknown),
            ("logic.azure.com.example", Unknown),
            ("alerts.example", Unknown),
        ] {
            assert_eq!(receiver(host), expected, "{host}");
        }
    }
}
