//! The app settings, read once at start into one struct a concern. Wrong ones are reported by name, all at
//! once, so that nobody mends them one restart at a time.

mod api_versions;
mod app_settings;
mod azure;
mod capture;
mod filters;
mod identity;
mod job_queue;
pub mod key_file;
mod key_path;
mod notification;
pub mod secure_string;
mod secure_webhook;
mod traces;

pub use api_versions::ApiVersionSettings;
pub use app_settings::{AppSettings, Problem, SettingsError};
pub use azure::AzureSettings;
pub use capture::{AllowedSettings, CaptureSettings, RemoveFinished};
pub use identity::{
    ClientCertificate, Credential, Identity, IdentityEndpoint, IdentityKind, IdentitySource,
    Principal, PrivateKey, SecretForm, SecretText,
};
pub use job_queue::{ConnectionString, JobSettings, QueueAccount, QueueKind, StorageQueueSettings};
pub use notification::{
    NotificationEvent, NotificationFormat, NotificationSettings, SigningSecret, WebhookUrl,
};
pub use secure_webhook::SecureWebhookSettings;
pub use traces::TraceSettings;

use app_settings::Reader;
use url::Url;

/// Everything that can be set. See the README's table.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The port on 127.0.0.1 that the Functions host talks to.
    pub port: u16,
    /// `None` when nothing was set and nothing is needed (dry run).
    pub azure: Option<AzureSettings>,
    pub capture: CaptureSettings,
    pub allowed: AllowedSettings,
    pub jobs: JobSettings,
    /// `None` when the function key alone guards the function.
    pub secure_webhook: Option<SecureWebhookSettings>,
    /// `None` when nobody but the log is told how captures went.
    pub notification: Option<NotificationSettings>,
    /// `None` when traces go nowhere.
    pub traces: Option<TraceSettings>,
    /// The Azure portal of the cloud, for links.
    pub portal: Url,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Every setting that is missing or wrong, by name, with what was expected.
    pub fn read(settings: &AppSettings) -> Result<Self, SettingsError> {
        Self::read_with(Reader::new(settings))
    }

    /// Reads all settings as if `PacketCapture__DryRun` were true: those of Azure may be missing.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn read_for_dry_run(settings: &AppSettings) -> Result<Self, SettingsError> {
        let mut settings = settings.clone();
        settings.set("PacketCapture__DryRun", "true");
        Self::read_with(Reader::new(&settings))
    }

    fn read_with(mut reader: Reader<'_>) -> Result<Self, SettingsError> {
        let port = reader.number("FUNCTIONS_CUSTOMHANDLER_PORT", 0..=65_535, 7071) as u16;
        let capture = capture::read(&mut reader);
        let azure = azure::read(&mut reader, capture.dry_run);
        let allowed = capture::read_allowed(&mut reader);
        let jobs = job_queue::read(&mut reader, azure.is_some());
        let secure_webhook = secure_webhook::read(&mut reader);
        let notification = notification::read(&mut reader);
        let traces = traces::read(&mut reader);
        let portal = azure::portal(&mut reader);
        reader.finish(Self {
            port,
            azure,
            capture,
            allowed,
            jobs,
            secure_webhook,
            notification,
            traces,
            portal,
        })
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(settings.capture.name, "PSAzureFunction");
        assert_eq!(settings.capture.limit, 10);
        assert_eq!(settings.capture.time_limit_seconds, 10);
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
        assert_eq!(read(&pairs).unwrap().capture.limit, 7);
        pairs.push(("packetcapture__limit", "8"));
        let text = read(&pairs).unwrap_err().to_string();
        assert!(text.contains("PACKETCAPTURE__LIMIT") && text.contains("packetcapture__limit"));
        pairs.push(("PacketCapture__Limit", "9"));
        assert_eq!(read(&pairs).unwrap().capture.limit, 9);
    }

    #[test]
    fn a_dry_run_needs_nothing_of_azure() {
        let settings = read(&[("PacketCapture__DryRun", "true")]).unwrap();
        assert!(settings.capture.dry_run && settings.azure.is_none());
    }
}
