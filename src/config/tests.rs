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
        azure.authority_host.as_str(),
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
        assert_eq!(azure.authority_host.as_str(), authority);
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
