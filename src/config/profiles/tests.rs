//! What profiles are read as, and what of them is refused.

use super::*;
use crate::config::{AppSettings, Settings, SettingsError};

const SUBSCRIPTION: &str = "/subscriptions/3f7c1d52-9a40-4b8e-8c1d-6e2b5a90c714";
const ACCOUNT: &str = "/subscriptions/3f7c1d52-9a40-4b8e-8c1d-6e2b5a90c714/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st";

fn settings(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let own = pairs.iter().map(|(name, value)| {
        let name = match name.strip_prefix('.') {
            Some(rest) => format!("{PROFILES}{}", rest.replace('.', "__")),
            None => (*name).to_owned(),
        };
        (name, (*value).to_owned())
    });
    let all: AppSettings = own
        .chain([(
            "PacketCapture__FilePath".to_owned(),
            "/var/captures/a.cap".to_owned(),
        )])
        .collect();
    Settings::read_for_dry_run(&all)
}

#[test]
fn a_profile_has_its_own_parameters_and_the_others_of_the_default() {
    let read = settings(&[
        ("PacketCapture__TimeLimitInSeconds", "20"),
        ("PacketCapture__BytesToCapturePerPacket", "128"),
        ("PacketCapture__CooldownSeconds", "60"),
        ("PacketCapture__StopOnResolved", "true"),
        ("Notification__Receivers__2__Url", "https://a.example/"),
        (".Deep.Order", "2"),
        (".Deep.Rules", "sql-*"),
        (".Deep.TimeLimitInSeconds", "300"),
        (".deep.StorageAccountId", ACCOUNT),
        (".DEEP.StopOnResolved", "False"),
        (".Deep.Receivers", "2"),
        (".Deep.Link", "https://wiki.example/sql"),
        (".first.Order", "1"),
        ("PacketCapture__Profiles__first__Severities", "0, sev1"),
        ("PacketCapture__Profiles__first__Signals", "Metric, Log"),
        ("PacketCapture__Profiles__first__Scopes", SUBSCRIPTION),
        (
            "PacketCapture__Profiles__first__FilePath",
            "/var/captures/b.cap",
        ),
        (
            "PacketCapture__Profiles__first__TotalBytesPerSession",
            "4096",
        ),
        ("PacketCapture__Profiles__drill__Drill", "true"),
        ("PacketCapture__Profiles__drill__Order", "3"),
        (".drill.BytesToCapturePerPacket", "64"),
        (".first.CooldownSeconds", "0"),
        (".first.Filters", r#"[{"remotePort":"{DestinationPort}"}]"#),
        (".asked.AllowByProperty", "true"),
        (".asked.Name", "asked-{vm}"),
    ])
    .unwrap();
    let names: Vec<&str> = read.profiles.iter().map(|it| &*it.profile.name).collect();
    // As the first spelling has it; the one without an order is never tried.
    assert_eq!(names, ["asked", "first", "Deep", "drill"]);
    let [asked, first, deep, drill] = &read.profiles[..] else {
        panic!("{names:?}");
    };
    let of = |it: &ProfileSettings| {
        let parameters = &it.parameters;
        let (profile, seconds) = (&it.profile, parameters.time_limit_seconds);
        (
            seconds,
            parameters.bytes_per_packet,
            profile.cooldown.as_secs(),
            profile.stop_on_resolved,
        )
    };
    assert_eq!(of(deep), (300, Some(128), 60, false));
    assert_eq!(of(drill), (5, Some(64), 60, true));
    assert_eq!(of(first), (20, Some(128), 0, true));
    assert_eq!(deep.parameters.storage.storage_id.as_deref(), Some(ACCOUNT));
    assert_eq!(deep.parameters.storage.file_path, None);
    assert_eq!(
        first.parameters.storage.file_path.as_deref(),
        Some("/var/captures/b.cap")
    );
    assert_eq!(
        asked.parameters.storage.file_path.as_deref(),
        Some("/var/captures/a.cap")
    );
    assert_eq!(first.parameters.total_bytes, Some(4096));
    let conditions = &first.profile.conditions;
    assert_eq!(conditions.signals, ["Metric", "Log"]);
    assert_eq!(conditions.scopes[0].to_string(), SUBSCRIPTION);
    assert!(drill.profile.conditions.drill && !conditions.drill);
    assert_eq!(first.profile.conditions.severities, ["Sev0", "Sev1"]);
    assert_eq!(first.profile.filters.places(), ["DestinationPort"]);
    assert_eq!(deep.profile.receivers.as_deref(), Some(&["2"][..]));
    assert_eq!(asked.parameters.name.template(), "asked-{vm}");
    assert!(asked.profile.by_property && asked.profile.conditions.is_empty());
}

#[test]
fn what_is_half_set_or_never_used_is_refused_by_name() {
    const RULE: (&str, &str) = (".a.Rules", "*");
    const SECONDS: (&str, &str) = (".a.TimeLimitInSeconds", "60");
    for (pairs, name, words) in [
        (
            &[RULE][..],
            "a__TimeLimitInSeconds",
            "the profile a changes nothing of the capture",
        ),
        (&[SECONDS], "a__Rules", "the profile a has no condition"),
        (
            &[(".a.Order", "1"), SECONDS],
            "a__Rules",
            "has no condition",
        ),
        (
            &[(".a.Rules", " ,"), SECONDS],
            "a__Rules",
            "is set but empty",
        ),
        (
            &[(".a.Severities", "5"), SECONDS],
            "a__Severities",
            "Sev0 to Sev4",
        ),
        (
            &[(".a.Scopes", "rg"), SECONDS],
            "a__Scopes",
            "ids of subscriptions",
        ),
        (
            &[RULE, (".a.TimeLimitInSeconds", "0")],
            "a__TimeLimitInSeconds",
            "has '0'",
        ),
        (
            &[RULE, (".a.Receivers", "3")],
            "a__Receivers",
            "Notification__Receivers__3__Url is not set",
        ),
        (
            &[RULE, (".a.Receivers", "10")],
            "a__Receivers",
            "webhook, 0 to 9",
        ),
        (
            &[RULE, (".a.Link", "http://wiki.example")],
            "a__Link",
            "https",
        ),
        (
            &[RULE, (".a.Link", "https://u:p@wiki.example")],
            "a__Link",
            "https",
        ),
        (
            &[RULE, (".a.Filters", r#"[{"remotePort":"{a}{b}x"}]"#)],
            "a__Filters",
            "remotePort",
        ),
        (
            &[RULE, (".a.StopOnResolved", "yes")],
            "a__StopOnResolved",
            "true, false",
        ),
        (
            &[(".default.Rules", "*"), (".default.Name", "x")],
            "default",
            "no profile can have this name",
        ),
        (
            &[RULE, SECONDS, (".b.Rules", "b"), (".b.Name", "b")],
            "a__Order",
            "missing",
        ),
        (
            &[
                RULE,
                SECONDS,
                (".a.Order", "1"),
                (".b.Rules", "b"),
                (".b.Name", "b"),
                (".b.Order", "1"),
            ],
            "b__Order",
            "as PacketCapture__Profiles__a__Order has",
        ),
        (
            &[
                RULE,
                SECONDS,
                (".a.Order", "1"),
                (".b.Rules", "b"),
                (".b.Name", "b"),
                (".b.Order", "2"),
            ],
            "b__Order",
            "the profile b is never used: each alert that matches it matches the profile a",
        ),
        (
            &[RULE, (".a.TimeLimitSeconds", "1"), SECONDS],
            "a__TimeLimitSeconds",
            "PacketCapture__Profiles__a__TimeLimitInSeconds?",
        ),
        (
            &[("PacketCapture__Profiles__Rules", "x")],
            "Rules",
            "needs the name of a profile",
        ),
    ] {
        let error = settings(pairs).unwrap_err().to_string();
        let expected = format!("{PROFILES}{name}: ");
        assert!(
            error.contains(&expected) && error.contains(words),
            "{pairs:?}: {error}"
        );
    }
    // One that the property may choose is reached in any case.
    let reached = [
        RULE,
        SECONDS,
        (".a.Order", "1"),
        (".b.Rules", "b"),
        (".b.Name", "b"),
        (".b.Order", "2"),
        (".b.AllowByProperty", "true"),
    ];
    assert!(settings(&reached).is_ok());
}

#[test]
fn no_more_than_fifty_profiles() {
    let pairs: Vec<(String, String)> = (0..51)
        .map(|n| (format!(".p{n}.Rules"), "*".to_owned()))
        .collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
    assert!(
        settings(&pairs)
            .unwrap_err()
            .to_string()
            .contains("needs 50 at most")
    );
}
