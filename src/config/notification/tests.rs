//! What can be set about notices, and what is said of settings that are wrong.

use super::*;
use crate::config::AppSettings;

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

#[test]
fn nothing_is_told_unless_a_url_is_set() {
    assert!(read_pairs(&[]).unwrap().is_none());
    let settings = read_pairs(&[(URL, HOOK)]).unwrap().unwrap();
    assert_eq!(settings.webhook_url.expose().as_str(), HOOK);
    assert_eq!(settings.format, NotificationFormat::Json);
    assert!(settings.secret.is_none());
    use NotificationEvent::{Completed, Failed, Skipped};
    assert_eq!(settings.events, [Completed, Failed, Skipped]);
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
    assert_eq!(settings.format, NotificationFormat::Slack);
    assert_eq!(settings.secret.unwrap().expose().len(), 24);
    use NotificationEvent::{Created, Failed};
    assert_eq!(settings.events, [Failed, Created]);
    assert_eq!(settings.portal.as_str(), "https://portal.azure.cn/");
    assert_eq!(
        settings.source,
        "https://contoso-captures.azurewebsites.net"
    );
    let raw = "a text that is no base64 and long";
    let settings = read_pairs(&[(URL, HOOK), (SECRET, raw)]).unwrap().unwrap();
    assert_eq!(settings.secret.unwrap().expose(), raw.as_bytes());
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
        (&[(URL, HOOK), (FORMAT, "sekret")], FORMAT, "teams"),
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
