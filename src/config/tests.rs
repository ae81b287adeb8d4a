//! The settings as a whole: defaults, clouds, spellings, and everything that is wrong in one report.

use super::*;

const COMPLETE: [(&str, &str); 4] = [
    ("AzureTenant", "contoso.example"),
    ("AzureClientID", "5e0c9a51-9d4c-4c9f-9a35-0d8f2ad7ab3c"),
    ("AZURE_CLIENT_SECRET", "s3cr3t-value"),
    ("PacketCapture__FilePath", "/var/captures/a.cap"),
];

fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    Settings::read(&pairs.collect())
}

#[test]
fn defaults_are_the_originals() {
    let settings = read(&COMPLETE).unwrap();
    assert_eq!(settings.port, 7071);
    assert_eq!(
        settings.capture.parameters.name.template(),
        "PSAzureFunction"
    );
    assert_eq!(settings.capture.parameters.limit, 10);
    assert_eq!(settings.capture.parameters.time_limit_seconds, 10);
    let azure = settings.azure.unwrap();
    assert_eq!(
        azure.resource_manager_endpoint.as_str(),
        "https://management.azure.com/"
    );
    assert_eq!(azure.audience, "https://management.azure.com");
    assert_eq!(
        azure
            .identity
            .application()
            .unwrap()
            .authority_host
            .as_str(),
        "https://login.microsoftonline.com/"
    );
}

#[test]
fn a_cloud_has_its_own_endpoints_and_each_can_be_overridden() {
    for (more, authority, endpoint, audience) in [
        (
            &[("AzureEnvironment", "azureusgovernment")][..],
            "https://login.microsoftonline.us/",
            "https://management.usgovcloudapi.net/",
            "https://management.usgovcloudapi.net",
        ),
        (
            &[
                ("AzureEnvironment", "AzureChinaCloud"),
                (
                    "AZURE_AUTHORITY_HOST",
                    "https://login.partner.microsoftonline.cn",
                ),
                (
                    "AZURE_RESOURCE_MANAGER_AUDIENCE",
                    "https://management.core.chinacloudapi.cn/",
                ),
            ],
            "https://login.partner.microsoftonline.cn/",
            "https://management.chinacloudapi.cn/",
            "https://management.core.chinacloudapi.cn/",
        ),
        (
            &[(
                "AZURE_RESOURCE_MANAGER_ENDPOINT",
                "https://management.stack.example/",
            )],
            "https://login.microsoftonline.com/",
            "https://management.stack.example/",
            "https://management.stack.example",
        ),
    ] {
        let azure = read(&[&COMPLETE[..], more].concat())
            .unwrap()
            .azure
            .unwrap();
        assert_eq!(
            azure
                .identity
                .application()
                .unwrap()
                .authority_host
                .as_str(),
            authority
        );
        assert_eq!(azure.resource_manager_endpoint.as_str(), endpoint);
        assert_eq!(azure.audience, audience);
    }
    let error = read(&[&COMPLETE[..], &[("AzureEnvironment", "AzureGermanCloud")]].concat());
    assert!(error.unwrap_err().to_string().contains("AzureEnvironment"));
}

#[test]
fn everything_wrong_is_said_at_once_and_no_secret_with_it() {
    let wrong = [
        ("PacketCapture__TimeLimitInSeconds", "18001"),
        ("PacketCapture__Limit", "ten"),
        ("PacketCapture__RemoveFinished", "always"),
        ("PacketCapture__Filters", r#"[{"protocol":"ICMP"}]"#),
        ("PacketCapture__StorageAccountId", "stcaptures"),
        ("PacketCapture__Name", "-a"),
        ("PacketCapture__AllowedScopes", "rg-web"),
        ("PacketCapture__AllowedRule", "cpu-*"),
        ("JobQueue__Kind", "storage"),
        ("AzureWebJobsStorage", "AccountName=st;AccountKey=s3cr3t!"),
        ("Notification__Format", "slack"),
        ("SecureWebhook__Audience", "api://alerts"),
        ("AZURE_CLIENT_SECRET", "s3cr3t-value"),
        ("AZURE_AUTHORITY_HOST", "http://login.example"),
    ];
    let error = read(&wrong).unwrap_err();
    let text = error.to_string();
    for name in [
        "PacketCapture__TimeLimitInSeconds",
        "PacketCapture__Limit",
        "PacketCapture__RemoveFinished",
        "PacketCapture__Filters",
        "PacketCapture__StorageAccountId",
        "PacketCapture__Name",
        "PacketCapture__AllowedScopes",
        "did you mean PacketCapture__AllowedRules?",
        "AzureWebJobsStorage: needs an AccountKey in base64",
        "Notification__WebhookUrl",
        "SecureWebhook__TenantId",
        "PacketCapture__Limit: has 'ten', needs a whole number from 1 to 10000",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_AUTHORITY_HOST",
    ] {
        assert!(text.contains(name), "{name} is not in: {text}");
    }
    assert!(!text.contains("s3cr3t"));
    assert!(!format!("{error:?}").contains("s3cr3t"));
    assert!(!format!("{:?}", read(&COMPLETE)).contains("s3cr3t"));
}

#[test]
fn names_are_found_in_any_case_unless_two_disagree() {
    let mut pairs = COMPLETE.to_vec();
    pairs.push(("PACKETCAPTURE__LIMIT", "7"));
    assert_eq!(read(&pairs).unwrap().capture.parameters.limit, 7);
    pairs.push(("packetcapture__limit", "8"));
    let text = read(&pairs).unwrap_err().to_string();
    assert!(text.contains("PACKETCAPTURE__LIMIT") && text.contains("packetcapture__limit"));
    pairs.push(("PacketCapture__Limit", "9"));
    assert_eq!(read(&pairs).unwrap().capture.parameters.limit, 9);
}

#[test]
fn a_dry_run_needs_nothing_of_azure() {
    let settings = read(&[("PacketCapture__DryRun", "true")]).unwrap();
    assert!(settings.capture.dry_run && settings.azure.is_none());
}

#[test]
fn the_colon_form_is_the_double_underscore_form() {
    let pairs = [
        &COMPLETE[..],
        &[
            ("PacketCapture:Limit", "7"),
            ("PacketCapture:AllowedRules", "cpu-*"),
            ("packetcapture:stoponresolved", "true"),
        ],
    ]
    .concat();
    let settings = read(&pairs).unwrap();
    assert_eq!(settings.capture.parameters.limit, 7);
    assert_eq!(settings.allowed.allowed.rules, ["cpu-*"]);
    assert!(settings.capture.stop_on_resolved);
}

#[test]
fn set_but_empty_is_never_all() {
    for name in [
        "PacketCapture__AllowedScopes",
        "PacketCapture__AllowedRules",
        "PacketCapture__AllowedSignals",
        "PacketCapture__Filters",
        "Notification__Events",
        "Notification__Secret",
        "SecureWebhook__TenantId",
        "SecureWebhook__Issuer",
    ] {
        for value in ["", "  ", ",", " ;\n"] {
            if value.contains([',', ';']) && !matches!(form(name), Form::List(_)) {
                continue;
            }
            let pairs = [&COMPLETE[..], &[(name, value)]].concat();
            let text = read(&pairs).unwrap_err().to_string();
            let expected = format!("{name}: is set but empty");
            assert!(text.contains(&expected), "{value:?}: {text}");
        }
    }
    let blank = [&COMPLETE[..], &[("PacketCapture__Limit", " ")]].concat();
    assert_eq!(read(&blank).unwrap().capture.parameters.limit, 10);
}

fn form(name: &str) -> Form {
    Setting::find(name).unwrap().form
}

#[test]
fn an_unresolved_key_vault_reference_is_named_in_every_setting() {
    const REFERENCE: &str = "@Microsoft.KeyVault(SecretUri=https://kv.example/secrets/name/)";
    for setting in SETTINGS {
        let name = setting.name;
        for value in [REFERENCE.to_owned(), format!("api-key={REFERENCE}")] {
            let others = COMPLETE.iter().filter(|(other, _)| *other != name);
            let pairs: Vec<_> = others.copied().chain([(name, &*value)]).collect();
            let error = read(&pairs).unwrap_err();
            let own: Vec<_> = error.problems.iter().filter(|it| it.name == name).collect();
            assert_eq!(own.len(), 1, "{name}: {error}");
            let text = &own[0].expected;
            assert!(text.starts_with("a Key Vault reference"), "{name}: {text}");
        }
    }
}

/// What the table says of a setting is what the readers do.
#[test]
fn defaults_and_ranges_are_those_of_the_table() {
    let unset = format!("{:?}", read(&COMPLETE).unwrap());
    for Setting {
        name,
        group,
        form,
        default,
        ..
    } in SETTINGS
    {
        // A profile of its own needs a condition and a parameter.
        let rest: &[(&str, &str)] = match group {
            Group::Profile => &[
                ("PacketCapture__Profiles__NAME__Rules", "*"),
                ("PacketCapture__Profiles__NAME__Link", "https://a.example"),
            ],
            _ => &[],
        };
        let with = |value: &str| read(&[&COMPLETE[..], rest, &[(*name, value)]].concat());
        // Half a group is an error of its own, and these choose between identities.
        let alone = !matches!(
            group,
            Group::Identity | Group::Notification | Group::SecureWebhook | Group::Profile
        );
        if let (Some(default), true) = (default, alone) {
            assert_eq!(format!("{:?}", with(default).unwrap()), unset, "{name}");
        }
        if let Form::Number { least, most } = form {
            assert!(with(&least.to_string()).is_ok() && with(&most.to_string()).is_ok());
            let beyond = most.checked_add(1).unwrap().to_string();
            let below = least.checked_sub(1).map(|it| it.to_string());
            for wrong in [Some(beyond), below, Some("1.5".to_owned())]
                .into_iter()
                .flatten()
            {
                let text = with(&wrong).unwrap_err().to_string();
                assert!(
                    text.contains(&format!("{name}: has '{wrong}', needs {form}")),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn storage_accounts_are_named_by_their_ids() {
    const ID: &str = "/subscriptions/3f7c1d52-9a40-4b8e-8c1d-6e2b5a90c714/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st";
    for (value, good) in [
        (ID, true),
        (&ID.to_ascii_lowercase(), true),
        ("stcaptures01", false),
        ("https://stcaptures01.blob.core.windows.net/", false),
        (&format!("{ID}/blobServices/default/containers/c"), false),
        (&format!("{ID}/"), false),
    ] {
        let pairs = [&COMPLETE[..], &[("PacketCapture__StorageAccountId", value)]].concat();
        let read = read(&pairs).map_err(|error| error.to_string());
        match read {
            Ok(_) => assert!(good, "{value}"),
            Err(text) => assert!(!good && text.contains("/storageAccounts/…"), "{text}"),
        }
    }
}

#[test]
fn a_mistyped_name_of_the_identity_is_named() {
    let mistyped = [
        ("AzureTenant", "contoso.example"),
        ("AzureClientID", "5e0c9a51-9d4c-4c9f-9a35-0d8f2ad7ab3c"),
        ("AzureCredPasword", "s3cr3t-value"),
        ("PacketCapture__FilePath", "/var/captures/a.cap"),
    ];
    let hint = "AzureCredPasword is set and not read; did you mean AzureCredPassword?";
    let text = read(&mistyped).unwrap_err().to_string();
    assert!(text.contains(hint) && !text.contains("s3cr3t"), "{text}");
    // With a managed identity beside it, one of the names is needed, and the hint is at that one.
    let endpoint = [
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token"),
        ("IDENTITY_HEADER", "h"),
    ];
    let text = read(&[&mistyped[..], &endpoint].concat()).unwrap_err();
    assert!(text.to_string().contains(hint), "{text}");
    // The identity is whole without it: a warning, since another program may read the name.
    let whole = [&COMPLETE[..], &[("AZURE_CLIENT_IDS", "x")]].concat();
    let warnings = read(&whole).unwrap().warnings();
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    assert_eq!(warning.name, "AZURE_CLIENT_ID");
    assert!(
        warning
            .text
            .starts_with("AZURE_CLIENT_IDS is set and not read")
    );
    assert!(read(&COMPLETE).unwrap().warnings().is_empty());
}

#[test]
fn a_value_or_a_name_forges_no_line() {
    let name = format!(
        "PacketCapture__x\n2026-11-28 ERROR forged{}",
        "y".repeat(9_000)
    );
    let filters = format!(
        r#"[{{"a{}b":1}}]"#,
        "\\n2026-11-28 ERROR forged".repeat(500)
    );
    let error = read(&[
        (&name, "1"),
        ("PacketCapture__Filters", &filters),
        ("PacketCapture__Limit", "1\u{202e}0"),
    ])
    .unwrap_err();
    let text = error.to_string();
    assert!(!text.contains(['\n', '\u{202e}']), "{text}");
    assert!(text.contains("has '1?0'"), "{text}");
    assert!(text.len() < 4_000, "{} bytes", text.len());
}
