//! The app settings, read once at start into the values that the other rooms work with. All problems are reported
//! together, by name.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod api_versions;
mod app_settings;
mod azure;
mod capture;
mod changes;
mod drill;
mod identity;
mod incidents;
mod job_queue;
pub mod key_file;
mod key_path;
mod known;
mod look;
mod notification;
mod platform;
mod problem;
mod profiles;
mod reader;
mod readiness;
mod receiver;
pub mod secure_string;
mod secure_webhook;
mod traces;
mod unknown;
mod write_back;

pub use app_settings::AppSettings;
pub use azure::AzureSettings;
pub use capture::{AllowedSettings, CaptureSettings};
pub use changes::ChangesSettings;
pub use identity::{
    ClientCertificate, Credential, Identity, IdentityEndpoint, IdentityKind, IdentitySource,
    PrivateKey, SecretForm, SecretText,
};
pub use incidents::IncidentSettings;
pub use job_queue::{JobSettings, QueueAccount, QueueKind, StorageQueueSettings};
pub use known::{Form, Group, SETTINGS, Setting};
pub use look::FirstLookSettings;
pub use notification::{
    Destination, Key, NotificationSettings, ReceiverSettings, SigningSecret, WebhookUrl,
};
pub use platform::Platform;
pub use problem::{Problem, SettingsError, Warning};
pub use profiles::ProfileSettings;
pub use readiness::{ReadinessSettings, ReadinessTargets};
pub use secure_webhook::SecureWebhookSettings;
pub use traces::TraceSettings;
pub use write_back::WriteBackSettings;

use crate::{capture::Parameters, resource_id::ResourceId};
use reader::Reader;
use url::Url;

/// The name of a profile's setting.
pub fn profile_setting(profile: &str, setting: &str) -> String {
    format!("{}{profile}__{setting}", known::PROFILES)
}

/// Everything that can be set; [`SETTINGS`] lists the names.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The port on 127.0.0.1 that the Functions host talks to.
    pub port: u16,
    /// `None` when nothing was set and nothing is needed (dry run).
    pub azure: Option<AzureSettings>,
    pub capture: CaptureSettings,
    pub allowed: AllowedSettings,
    /// Which alerts get another capture, in the order in which they are tried.
    pub profiles: Vec<ProfileSettings>,
    pub incidents: IncidentSettings,
    /// `None` when outcomes are not written back to Azure alerts.
    pub write_back: Option<WriteBackSettings>,
    pub first_look: FirstLookSettings,
    pub changes: ChangesSettings,
    pub readiness: ReadinessSettings,
    pub jobs: JobSettings,
    /// `None` when the function key alone guards the function.
    pub secure_webhook: Option<SecureWebhookSettings>,
    /// `None` when notifications go to the log only.
    pub notification: Option<NotificationSettings>,
    /// The machines on which the timer makes drills.
    pub drill_targets: Vec<ResourceId>,
    /// `None` when traces go nowhere.
    pub traces: Option<TraceSettings>,
    /// The Azure portal of the cloud, for links.
    pub portal: Url,
    /// What App Service says about the app.
    pub platform: Platform,
    /// Names that are set, nearly known, and read by nothing.
    near_misses: Vec<Warning>,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Every setting that is missing, wrong or unknown, by name, with what it needs.
    pub fn read(settings: &AppSettings) -> Result<Self, SettingsError> {
        Self::read_with(Reader::new(settings))
    }

    /// Reads all settings as if `PacketCapture__DryRun` were true: those of Azure may be missing.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn read_for_dry_run(settings: &AppSettings) -> Result<Self, SettingsError> {
        const DRY_RUN: &str = "PacketCapture__DryRun";
        let mut settings = settings.without(&[DRY_RUN]);
        settings.set(DRY_RUN, "true");
        Self::read_with(Reader::new(&settings))
    }

    /// The parameters of captures, the default ones first, then those of each profile.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameters> {
        let profiles = self.profiles.iter().map(|it| &it.parameters);
        std::iter::once(&self.capture.parameters).chain(profiles)
    }

    /// The storage accounts of the capture files, each once.
    pub fn storage_accounts(&self) -> Vec<&str> {
        let mut accounts: Vec<&str> = Vec::new();
        for account in self
            .parameters()
            .filter_map(|it| it.storage.storage_id.as_deref())
        {
            if !accounts.iter().any(|it| it.eq_ignore_ascii_case(account)) {
                accounts.push(account);
            }
        }
        accounts
    }

    /// What is legal and probably not meant, for the start log and the doctor.
    pub fn warnings(&self) -> Vec<Warning> {
        let webhook = self.secure_webhook.as_ref();
        let notification = self.notification.as_ref();
        let found = [webhook.and_then(SecureWebhookSettings::warning)];
        let flows = notification.into_iter().flat_map(|it| it.warnings());
        let near_misses = self.near_misses.iter().cloned();
        let found = found.into_iter().flatten().chain(flows);
        found.chain(near_misses).collect()
    }

    fn read_with(mut reader: Reader<'_>) -> Result<Self, SettingsError> {
        for problem in unknown::check(reader.settings()) {
            reader.add(problem);
        }
        // Each one, whether it is used or not: a Key Vault reference that cannot be resolved is never intended.
        for setting in SETTINGS {
            reader.text(setting.name);
        }
        let port = reader.number("FUNCTIONS_CUSTOMHANDLER_PORT");
        let capture = capture::read(&mut reader, true);
        let azure = azure::read(&mut reader, capture.dry_run);
        let allowed = capture::read_allowed(&mut reader);
        let profiles = capture::read_profiles(&mut reader, &capture, &allowed);
        let incidents = incidents::read(&mut reader);
        let write_back = write_back::read(&mut reader);
        let first_look = look::read(&mut reader);
        let changes = changes::read(&mut reader);
        let readiness = readiness::read(&mut reader);
        let platform = Platform::of(reader.settings());
        let jobs = job_queue::read(&mut reader, azure.is_some());
        let secure_webhook = secure_webhook::read(&mut reader);
        let notification = notification::read(&mut reader);
        let drill_targets = drill::read(&mut reader);
        let traces = traces::read(&mut reader);
        let portal = azure::portal(&mut reader);
        let near_misses = unknown::near_misses(reader.settings());
        reader.explain_missing(&near_misses);
        reader.finish(Self {
            port,
            azure,
            capture,
            allowed,
            profiles,
            incidents,
            write_back,
            first_look,
            changes,
            readiness,
            jobs,
            secure_webhook,
            notification,
            drill_targets,
            traces,
            portal,
            platform,
            near_misses,
        })
    }
}

#[cfg(test)]
mod tests;
