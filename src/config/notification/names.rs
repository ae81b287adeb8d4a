//! The names of the settings of each receiver: one without a number, and up to ten numbered ones.

/// The names of one receiver's settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    /// The receiver's own name, by which jobs and incidents remember it.
    pub receiver: &'static str,
    pub url: &'static str,
    pub format: &'static str,
    pub events: &'static str,
    pub secret: &'static str,
    pub routing_key: &'static str,
    pub slack_token: &'static str,
    pub slack_channel: &'static str,
}

impl Names {
    /// Everything but the address.
    pub fn beside_url(&self) -> [&'static str; 6] {
        [
            self.format,
            self.events,
            self.secret,
            self.routing_key,
            self.slack_token,
            self.slack_channel,
        ]
    }
}

macro_rules! numbered {
    ($($number:literal),*) => {
        [$(Names {
            receiver: $number,
            url: concat!("Notification__Receivers__", $number, "__Url"),
            format: concat!("Notification__Receivers__", $number, "__Format"),
            events: concat!("Notification__Receivers__", $number, "__Events"),
            secret: concat!("Notification__Receivers__", $number, "__Secret"),
            routing_key: concat!("Notification__Receivers__", $number, "__PagerDutyRoutingKey"),
            slack_token: concat!("Notification__Receivers__", $number, "__SlackToken"),
            slack_channel: concat!("Notification__Receivers__", $number, "__SlackChannel"),
        }),*]
    };
}

/// The receiver without a number.
pub(super) const SINGLE: Names = Names {
    receiver: "webhook",
    url: "Notification__WebhookUrl",
    format: "Notification__Format",
    events: "Notification__Events",
    secret: "Notification__Secret",
    routing_key: "Notification__PagerDutyRoutingKey",
    slack_token: "Notification__SlackToken",
    slack_channel: "Notification__SlackChannel",
};

pub(super) const NUMBERED: [Names; 10] =
    numbered!("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
