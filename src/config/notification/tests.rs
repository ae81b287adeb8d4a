//! Settings of notifications, and the problems reported for wrong ones.

use super::{names::SINGLE, *};
use crate::config::AppSettings;

const URL: &str = SINGLE.url;
const FORMAT: &str = SINGLE.format;
const SECRET: &str = SINGLE.secret;
const EVENTS: &str = SINGLE.events;
const TOKEN: &str = SINGLE.slack_token;
const CHANNEL: &str = SINGLE.slack_channel;
const ROUTING_KEY: &str = SINGLE.routing_key;

const HOOK: &str = "https://hooks.example/services/T0/AbCdEfGhIjKl";

fn read_pairs(
    pairs: &[(&str, &str)],
) -> Result<Option<NotificationSettings>, crate::config::SettingsError> {
    let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    let settings: AppSettings = pairs.collect();
    let mut reader = Reader::new(&settings);
    let read = read(&mut reader);
    reader.finish(read)
}

fn secret(settings: &NotificationSettings) -> &[u8] {
    let Destination::Webhook { secret, .. } = &settings.receivers[0].destination else {
        panic!("{settings:?}");
    };
    secret.as_ref().unwrap().expose()
}

#[test]
fn nothing_is_sent_unless_a_url_is_set() {
    assert!(read_pairs(&[]).unwrap().is_none());
    let settings = read_pairs(&[(URL, HOOK)]).unwrap().unwrap();
    assert_eq!(
        settings.receivers[0].destination.url().expose().as_str(),
        HOOK
    );
    assert_eq!(settings.receivers[0].destination.format(), Format::Json);
    assert!(!settings.receivers[0].destination.is_signed());
    assert_eq!(settings.pages, None);
    use Event::{Analyzed, Completed, Failed, Skipped};
    use Event::{ReadinessDegraded, ReadinessRestored, ReadinessWeekly};
    let captures = [Completed, Failed, Skipped, Analyzed];
    let runs = [ReadinessDegraded, ReadinessRestored, ReadinessWeekly];
    let usual = [&captures[..], &runs[..]].concat();
    assert_eq!(settings.receivers[0].events, usual);
    assert_eq!(settings.portal.as_str(), "https://portal.azure.com/");
    assert_eq!(settings.source, "alert-packet-capture");
}

#[test]
fn all_that_is_set_is_read() {
    let settings = read_pairs(&[
        (URL, "http://127.0.0.1:8080/x"),
        (FORMAT, "Slack"),
        (SECRET, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        (EVENTS, "failed; Created, failed"),
        ("AzureEnvironment", "AzureChinaCloud"),
        ("WEBSITE_HOSTNAME", "contoso-captures.azurewebsites.net"),
    ])
    .unwrap()
    .unwrap();
    assert_eq!(settings.receivers[0].destination.format(), Format::Slack);
    assert_eq!(secret(&settings).len(), 24);
    use Event::{Created, Failed};
    assert_eq!(settings.receivers[0].events, [Failed, Created]);
    assert_eq!(settings.portal.as_str(), "https://portal.azure.cn/");
    assert_eq!(
        settings.source,
        "https://contoso-captures.azurewebsites.net"
    );
    let raw = "a text that is no base64 and long";
    let settings = read_pairs(&[(URL, HOOK), (SECRET, raw)]).unwrap().unwrap();
    assert_eq!(secret(&settings), raw.as_bytes());
}

#[test]
fn what_is_wrong_is_said_by_name_and_never_repeated() {
    let vault = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/hook)";
    for (pairs, name, contained) in [
        (&[(SECRET, "sekret-sekret-sekret-sekret")][..], URL, SECRET),
        (&[(FORMAT, "teams")], URL, FORMAT),
        (&[(EVENTS, "failed")], URL, EVENTS),
        (&[(URL, "http://hooks.example/sekret")], URL, "https"),
        (
            &[(URL, "http://127.0.0.1.nip.example/sekret")],
            URL,
            "https",
        ),
        (&[(URL, "ftp://localhost/sekret")], URL, "https"),
        (&[(URL, "hooks.example/sekret")], URL, "https"),
        (&[(URL, vault)], URL, "Key Vault reference"),
        (
            &[(URL, HOOK), (FORMAT, "xml")],
            FORMAT,
            "has 'xml', needs one of json, teams, slack, pagerduty",
        ),
        (&[(URL, HOOK), (EVENTS, ",")], EVENTS, "is set but empty"),
        (&[(URL, HOOK), (SECRET, " ")], SECRET, "is set but empty"),
        (&[(URL, HOOK), (SECRET, "sekret")], SECRET, "24"),
        (&[(URL, HOOK), (SECRET, "whsec_sekret!")], SECRET, "base64"),
        (
            &[(URL, HOOK), (SECRET, vault)],
            SECRET,
            "Key Vault reference",
        ),
        (
            &[(URL, HOOK), (EVENTS, "failed, sekret")],
            EVENTS,
            "skipped",
        ),
    ] {
        let error = read_pairs(pairs).unwrap_err();
        assert_eq!(error.problems.len(), 1, "{error}");
        assert_eq!(error.problems[0].name, name);
        assert!(error.to_string().contains(contained), "{error}");
        assert!(!format!("{error} {error:?}").contains("sekret"), "{error}");
    }
}

#[test]
fn loopback_may_be_reached_over_http() {
    for url in [
        "http://localhost:7072/x",
        "http://127.0.0.2/",
        "http://[::1]:80/",
    ] {
        assert!(read_pairs(&[(URL, url)]).unwrap().is_some(), "{url}");
    }
}

#[test]
fn only_the_host_prints() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let settings = read_pairs(&[(URL, HOOK), (SECRET, secret)]).unwrap();
    let printed = format!("{settings:?}");
    assert!(printed.contains("WebhookUrl(hooks.example)"), "{printed}");
    assert!(!printed.contains("AbCdEfGhIjKl") && !printed.contains("MfKQ9r8"));
}

#[test]
fn a_receiver_of_one_format_gets_that_one_or_an_error() {
    const SLACK: &str = "https://hooks.slack.com/services/T0/B0/sekret";
    const TEAMS: &str = "https://contoso.webhook.office.com/webhookb2/sekret";
    const OLD_TEAMS: &str = "https://outlook.office.com/webhook/sekret";
    for (url, format, expected) in [
        (
            SLACK,
            None,
            Some("is not set, so json is sent, needs slack"),
        ),
        (SLACK, Some("json"), Some("has 'json', needs slack")),
        (SLACK, Some("teams"), Some("has 'teams', needs slack")),
        (SLACK, Some("slack"), None),
        (TEAMS, None, Some("needs teams")),
        (TEAMS, Some("slack"), Some("needs teams")),
        (TEAMS, Some("teams"), None),
        (OLD_TEAMS, Some("json"), Some("needs teams")),
        (HOOK, Some("slack"), None),
    ] {
        let format = format.map(|format| (FORMAT, format));
        let pairs: Vec<_> = [(URL, url)].into_iter().chain(format).collect();
        let found = read_pairs(&pairs).err().map(|error| error.to_string());
        match expected {
            None => assert_eq!(found, None, "{pairs:?}"),
            Some(words) => {
                let text = found.unwrap();
                assert!(text.contains(words) && text.contains(FORMAT), "{text}");
                assert!(!text.contains("sekret"), "{text}");
            }
        }
    }
}

#[test]
fn a_flow_takes_what_is_set_and_warns_when_nothing_is() {
    for url in [
        "https://prod-00.westus.logic.azure.com:443/workflows/aa/triggers/manual/paths/invoke?sig=sekret",
        "https://default0.43.environment.api.powerplatform.com:443/powerautomate/aa?sig=sekret",
        "https://d.4.environment.api.gov.powerplatform.microsoft.us/powerautomate/aa?sig=sekret",
    ] {
        let unset = read_pairs(&[(URL, url)]).unwrap().unwrap();
        let unset = &unset.receivers[0];
        assert_eq!(unset.destination.format(), Format::Json);
        let warning = unset.warning.as_ref().unwrap().to_string();
        assert!(warning.contains("Notification__Format=teams"), "{warning}");
        assert!(!warning.contains("sekret"), "{warning}");
        for format in [Format::Json, Format::Teams, Format::Slack] {
            let word = format!("{format:?}");
            let set = read_pairs(&[(URL, url), (FORMAT, &word)]).unwrap().unwrap();
            let set = &set.receivers[0];
            assert_eq!(set.destination.format(), format);
            assert_eq!(set.warning, None);
        }
    }
    let set = read_pairs(&[(URL, HOOK)]).unwrap().unwrap();
    assert_eq!(set.receivers[0].warning, None);
}

const KEY_32: &str = "0123456789abcdef0123456789ABCDEF";
const BOT: &str = "xoxb-not-a-real-token-of-slack";

#[test]
fn each_receiver_is_read_beside_the_single_one() {
    let settings = read_pairs(&[
        (URL, HOOK),
        ("Notification__Receivers__0__PagerDutyRoutingKey", KEY_32),
        (
            "Notification:Receivers:3:Url",
            "https://hooks.slack.com/services/T0/B0/xyz",
        ),
        ("Notification__Receivers__3__Format", "slack"),
        ("Notification__Receivers__3__Events", "failed"),
        (
            "Notification__Receivers__3__Secret",
            "twenty-four bytes at the least",
        ),
        ("Notification__Receivers__9__SlackToken", BOT),
        ("Notification__Receivers__9__SlackChannel", "C0123456789"),
        (
            "Notification__PageBaseUrl",
            "https://contoso.example/captures",
        ),
    ]);
    let settings = settings.unwrap().unwrap();
    let found: Vec<_> = settings.receivers.iter().collect();
    let found = found.iter().map(|it| {
        let destination = &it.destination;
        let host = destination.url().host();
        (it.name, destination.setting(), destination.format(), host)
    });
    let signed = settings
        .receivers
        .iter()
        .map(|it| it.destination.is_signed());
    assert_eq!(signed.collect::<Vec<_>>(), [false, false, true, false]);
    let own = |host: &str| host.to_owned();
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("webhook", URL, Format::Json, own("hooks.example")),
            (
                "0",
                "Notification__Receivers__0__PagerDutyRoutingKey",
                Format::PagerDuty,
                own("events.pagerduty.com")
            ),
            (
                "3",
                "Notification__Receivers__3__Url",
                Format::Slack,
                own("hooks.slack.com")
            ),
            (
                "9",
                "Notification__Receivers__9__SlackToken",
                Format::Slack,
                own("slack.com")
            ),
        ]
    );
    assert_eq!(settings.receivers[2].events, [Event::Failed]);
    assert_eq!(
        settings.pages.as_ref().unwrap().as_str(),
        "https://contoso.example/captures"
    );
    let printed = format!("{settings:?}");
    assert!(
        !printed.contains(KEY_32) && !printed.contains("xoxb"),
        "{printed}"
    );
}

#[test]
fn the_pages_are_those_of_the_app_unless_they_are_elsewhere() {
    let host = ("WEBSITE_HOSTNAME", "contoso.azurewebsites.net");
    let settings = read_pairs(&[(URL, HOOK), host]).unwrap().unwrap();
    assert_eq!(
        settings.pages.unwrap().as_str(),
        "https://contoso.azurewebsites.net/api/PacketCaptures"
    );
    for wrong in [
        "https://contoso.example/api/PacketCaptures?code=sekret",
        "https://user:sekret@contoso.example/",
        "https://contoso.example/#sekret",
        "http://contoso.example/",
        "contoso.example",
    ] {
        let error = read_pairs(&[(URL, HOOK), host, (PAGE_BASE, wrong)]).unwrap_err();
        assert_eq!(error.problems[0].name, PAGE_BASE);
        assert!(!error.to_string().contains("sekret"), "{error}");
    }
}

#[test]
fn keys_and_tokens_have_their_form_and_their_format() {
    let pagerduty = "https://events.pagerduty.com/v2/enqueue";
    for (pairs, name, contained) in [
        (&[(FORMAT, "pagerduty")][..], ROUTING_KEY, "missing"),
        (
            &[(URL, pagerduty), (FORMAT, "pagerduty")],
            ROUTING_KEY,
            "missing",
        ),
        (&[(URL, pagerduty)], FORMAT, "needs pagerduty"),
        (
            &[(ROUTING_KEY, "sekret")],
            ROUTING_KEY,
            "32 letters and digits",
        ),
        (
            &[(ROUTING_KEY, KEY_32), (FORMAT, "teams")],
            FORMAT,
            "needs pagerduty",
        ),
        (
            &[
                (ROUTING_KEY, KEY_32),
                (SECRET, "sekret-sekret-sekret-sekret"),
            ],
            SECRET,
            "remove it",
        ),
        (&[(TOKEN, BOT)], CHANNEL, "missing"),
        (&[(CHANNEL, "C0123456789")], TOKEN, "missing"),
        (&[(URL, HOOK), (CHANNEL, "C0123456789")], TOKEN, "missing"),
        (
            &[(TOKEN, "sekret"), (CHANNEL, "C0123456789")],
            TOKEN,
            "xoxb-",
        ),
        (
            &[(TOKEN, BOT), (CHANNEL, "#incidents")],
            CHANNEL,
            "C0123456789",
        ),
        (
            &[(TOKEN, BOT), (CHANNEL, "C0123456789"), (FORMAT, "json")],
            FORMAT,
            "needs slack",
        ),
        (
            &[("Notification__Receivers__4__Events", "failed")],
            "Notification__Receivers__4__Url",
            "missing",
        ),
        (
            &[(
                "Notification__Receivers__4__Url",
                "http://hooks.example/sekret",
            )],
            "Notification__Receivers__4__Url",
            "https",
        ),
    ] {
        let error = read_pairs(pairs).unwrap_err();
        assert_eq!(error.problems.len(), 1, "{error}");
        assert_eq!(error.problems[0].name, name, "{error}");
        assert!(error.to_string().contains(contained), "{error}");
        assert!(!format!("{error} {error:?}").contains("sekret"), "{error}");
    }
}
