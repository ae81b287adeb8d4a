//! The table of all settings, in the order in which the documentation shows them.

use super::{
    Form::{Flag, List, Number, Text, Word},
    Group::{
        Allowed, ApiVersion, Capture, Changes, Cloud, FirstLook, Identity, Incidents, JobQueue,
        Log, Notification, Platform, Profile, Readiness, SecureWebhook, Traces,
    },
    {Form, Group, Setting},
};

const fn setting(group: Group, name: &'static str, form: Form) -> Setting {
    Setting {
        name,
        group,
        form,
        default: None,
        secret: false,
        restricts: false,
    }
}

impl Setting {
    const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    const fn restricts(mut self) -> Self {
        self.restricts = true;
        self
    }
}

const fn number(least: u64, most: u64) -> Form {
    Number { least, most }
}

const U32: u64 = u32::MAX as u64;
const VERSION: Form =
    Text("an api-version: a date such as 2025-05-01, with or without -preview after it");
const HTTPS: Form = Text("an https address");
const GUID: Form = Text("a GUID such as 00000000-0000-0000-0000-000000000000");
const SCHEDULE: Form = Text("a six-field cron expression in UTC such as 0 30 2 * * *");
const FORMATS: Form = Word(&["json", "teams", "slack", "pagerduty"]);
const RECEIVER: Form = Text("the receiver's https address (http only on this machine itself)");
const EVENTS: Form = List(
    "some of created, completed, failed, skipped, analyzed, readiness.degraded, readiness.restored, readiness.weekly",
);
const SECRET: Form =
    Text("whsec_ and the base64 of 24 random bytes or more, or any text of 24 bytes or more");
const ROUTING_KEY: Form =
    Text("the integration key of an Events API v2 integration: 32 letters and digits");
const TOKEN: Form = Text("a bot token of Slack, which begins with xoxb-");
const ACCOUNT: Form = Text(
    "the id of a storage account: /subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/…",
);
const CAPTURE_FILE: Form = Text(
    "a path on the captured machine that ends in .cap; on Linux it begins with /var/captures/",
);
const CAPTURE_NAME: Form = Text("a resource name, with or without {vm} and {rule}");
const FILTERS: Form =
    Text("a JSON array of filters such as [{\"protocol\":\"TCP\",\"remotePort\":\"443\"}]");
const CHANNEL: Form = Text("the id of a channel of Slack such as C0123456789");

/// All settings.
#[rustfmt::skip] // one line each
pub const SETTINGS: &[Setting] = &[
    setting(Identity, "AzureCredential", Word(&["EncryptedPassword", "ClientSecret", "ClientCertificate", "WorkloadIdentity", "ManagedIdentityFederation", "ManagedIdentity", "AzureCli"])),
    setting(Identity, "AZURE_TENANT_ID", Text("the tenant of the application")),
    setting(Identity, "AzureTenant", Text("the tenant of the application")),
    setting(Identity, "AZURE_CLIENT_ID", Text("the client id of the application, or of a user-assigned managed identity")),
    setting(Identity, "AzureClientID", Text("the client id of the application")),
    setting(Identity, "AZURE_CLIENT_SECRET", Text("the client secret of the application")).secret(),
    setting(Identity, "AZURE_CLIENT_CERTIFICATE_PATH", Text("the path of a PEM or PFX file with the application's certificate and private key")),
    setting(Identity, "AZURE_CLIENT_CERTIFICATE_PASSWORD", Text("the password of that PFX file")).secret(),
    setting(Identity, "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", Flag).or("false"),
    setting(Identity, "AZURE_FEDERATED_TOKEN_FILE", Text("the path of a Kubernetes service account token")),
    setting(Identity, "AzureFederatedIdentityClientId", Text("the client id of the user-assigned managed identity that the application trusts")),
    setting(Identity, "AzureCredPassword", Text("the client secret, encrypted by `handler credentials encrypt` or ConvertFrom-SecureString -Key")).secret(),
    setting(Identity, "AzureCredKeyPath", Text("the path of the key file")).or("AlertPacketCapture/keys/PassEncryptKey.key"),
    setting(Identity, "AzureCredPasswordFormat", Word(&["encrypted", "plain"])).or("encrypted"),
    setting(Cloud, "AzureEnvironment", Word(&["AzurePublicCloud", "AzureUSGovernment", "AzureChinaCloud"])).or("AzurePublicCloud"),
    setting(Cloud, "AZURE_AUTHORITY_HOST", HTTPS),
    setting(Cloud, "AZURE_RESOURCE_MANAGER_ENDPOINT", HTTPS),
    setting(Cloud, "AZURE_RESOURCE_MANAGER_AUDIENCE", Text("the audience of Resource Manager's tokens")),
    setting(Cloud, "SSL_CERT_FILE", Text("the path of a PEM file of certificate authorities")),
    setting(ApiVersion, "AzureApiVersion__Network", VERSION).or("2025-05-01"),
    setting(ApiVersion, "AzureApiVersion__Compute", VERSION).or("2024-07-01"),
    setting(ApiVersion, "AzureApiVersion__Storage", VERSION).or("2023-05-01"),
    setting(ApiVersion, "AzureApiVersion__Authorization", VERSION).or("2022-04-01"),
    setting(ApiVersion, "AzureApiVersion__AlertsManagement", VERSION).or("2025-05-25-preview"),
    setting(Capture, "PacketCapture__StorageAccountId", ACCOUNT),
    setting(Capture, "PacketCapture__FilePath", CAPTURE_FILE),
    setting(Capture, "PacketCapture__Name", CAPTURE_NAME).or("PSAzureFunction"),
    setting(Capture, "PacketCapture__TimeLimitInSeconds", number(1, 18_000)).or("10"),
    setting(Capture, "PacketCapture__BytesToCapturePerPacket", number(0, U32)),
    setting(Capture, "PacketCapture__TotalBytesPerSession", number(0, U32)),
    setting(Capture, "PacketCapture__Filters", FILTERS).restricts(),
    setting(Capture, "PacketCapture__Limit", number(1, 10_000)).or("10"),
    setting(Capture, "PacketCapture__CreateWithinSeconds", number(60, 86_400)).or("1800"),
    setting(Capture, "PacketCapture__RemoveFinished", Word(&["never", "after_notice", "to_make_room"])).or("never"),
    setting(Capture, "PacketCapture__StopOnResolved", Flag).or("false"),
    setting(Capture, "PacketCapture__ReplyWaitSeconds", number(0, 200)).or("8"),
    setting(Capture, "PacketCapture__DryRun", Flag).or("false"),
    setting(Allowed, "PacketCapture__AllowedScopes", List("ids of subscriptions, resource groups or resources")).restricts(),
    setting(Allowed, "PacketCapture__AllowedRules", List("alert rule names, * for any text")).restricts(),
    setting(Allowed, "PacketCapture__AllowedSignals", List("signals (Metric, Log, Activity Log)")).restricts(),
    setting(Allowed, "PacketCapture__CooldownSeconds", number(0, 86_400)).or("0"),
    setting(Allowed, "PacketCapture__MaxTargets", number(1, 1_000)).or("100"),
    // Those of each profile, whose name stands in the place of `NAME`.
    setting(Profile, "PacketCapture__Profiles__NAME__Order", number(1, 1_000)),
    setting(Profile, "PacketCapture__Profiles__NAME__Rules", List("alert rule names, * for any text")).restricts(),
    setting(Profile, "PacketCapture__Profiles__NAME__Severities", List("severities (Sev0 to Sev4)")).restricts(),
    setting(Profile, "PacketCapture__Profiles__NAME__Signals", List("signals (Metric, Log, Activity Log)")).restricts(),
    setting(Profile, "PacketCapture__Profiles__NAME__Metrics", List("names of metrics, * for any text")).restricts(),
    setting(Profile, "PacketCapture__Profiles__NAME__Scopes", List("ids of subscriptions, resource groups or resources")).restricts(),
    setting(Profile, "PacketCapture__Profiles__NAME__Drill", Flag).or("false"),
    setting(Profile, "PacketCapture__Profiles__NAME__AllowByProperty", Flag).or("false"),
    setting(Profile, "PacketCapture__Profiles__NAME__StorageAccountId", ACCOUNT),
    setting(Profile, "PacketCapture__Profiles__NAME__FilePath", CAPTURE_FILE),
    setting(Profile, "PacketCapture__Profiles__NAME__Name", CAPTURE_NAME),
    setting(Profile, "PacketCapture__Profiles__NAME__TimeLimitInSeconds", number(1, 18_000)),
    setting(Profile, "PacketCapture__Profiles__NAME__BytesToCapturePerPacket", number(0, U32)),
    setting(Profile, "PacketCapture__Profiles__NAME__TotalBytesPerSession", number(0, U32)),
    setting(Profile, "PacketCapture__Profiles__NAME__Filters", FILTERS).restricts(),
    setting(Profile, "PacketCapture__Profiles__NAME__CooldownSeconds", number(0, 86_400)),
    setting(Profile, "PacketCapture__Profiles__NAME__StopOnResolved", Word(&["true", "false"])),
    setting(Profile, "PacketCapture__Profiles__NAME__Receivers", List("names of receivers (webhook, 0 to 9)")).restricts(),
    setting(Profile, "PacketCapture__Profiles__NAME__Link", Text("an https address without user and password, such as a runbook's")),
    setting(Incidents, "Incidents__QuietMinutes", number(0, 1_440)).or("15"),
    setting(Incidents, "Budget__CapturesPerHour", number(1, 100_000)).restricts(),
    setting(Incidents, "Budget__CapturesPerMachinePerDay", number(1, 10_000)).restricts(),
    setting(Incidents, "Alert__WriteBack", Flag).or("false"),
    setting(FirstLook, "FirstLook__Enabled", Flag).or("true"),
    setting(FirstLook, "FirstLook__InNotice", Word(&["full", "counts", "none"])).or("full"),
    setting(FirstLook, "FirstLook__NotifyWithinSeconds", number(0, 3_600)).or("60"),
    setting(FirstLook, "FirstLook__MaxSeconds", number(1, 3_600)).or("120"),
    setting(FirstLook, "FirstLook__ReportBesideCapture", Flag).or("false"),
    setting(Changes, "Changes__Enabled", Flag).or("true"),
    setting(Changes, "Changes__NotifyWithinSeconds", number(0, 600)).or("20"),
    setting(Changes, "Changes__ShowCallers", Flag).or("true"),
    setting(Changes, "Changes__EffectiveRules", Flag).or("false"),
    setting(Readiness, "Readiness__Targets", List("rules, scopes, or up to 200 ids of subscriptions, resource groups, scale sets and machines")).or("rules"),
    setting(Readiness, "Readiness__EffectiveRules", Flag).or("false"),
    setting(Readiness, "Readiness__Schedule", SCHEDULE),
    setting(Readiness, "Readiness__Weekly", Flag).or("false"),
    setting(Readiness, "Readiness__DrillTargets", List("ids of virtual machines or of instances of scale sets")).restricts(),
    setting(Readiness, "Readiness__DrillSchedule", SCHEDULE),
    setting(JobQueue, "JobQueue__Kind", Word(&["memory", "storage"])).or("memory"),
    setting(JobQueue, "JobQueue__Capacity", number(1, 100_000)).or("1000"),
    setting(JobQueue, "JobQueue__MaxAttempts", number(1, 100)).or("5"),
    setting(JobQueue, "JobQueue__VisibilityTimeoutSeconds", number(1, 3_600)).or("120"),
    setting(JobQueue, "JobQueue__Receive", Word(&["trigger", "poll"])).or("trigger"),
    setting(JobQueue, "JobQueue__StorageAccountId", ACCOUNT),
    setting(JobQueue, "AzureWebJobsStorage", Text("the connection string of a storage account")).secret(),
    setting(JobQueue, "AzureWebJobsStorage__queueServiceUri", Text("an https address such as https://ACCOUNT.queue.core.windows.net")),
    setting(JobQueue, "AzureWebJobsStorage__blobServiceUri", Text("an https address such as https://ACCOUNT.blob.core.windows.net")),
    setting(JobQueue, "AzureWebJobsStorage__accountName", Text("the name of a storage account: 3 to 24 lower-case letters and digits")),
    setting(JobQueue, "AzureWebJobsStorage__credential", Word(&["managedidentity"])),
    setting(JobQueue, "AzureWebJobsStorage__clientId", Text("the client id of the user-assigned managed identity that opens the account")),
    setting(JobQueue, "AzureWebJobsStorage__managedIdentityResourceId", Text("the resource id of the user-assigned managed identity that opens the account")),
    setting(Notification, "Notification__WebhookUrl", RECEIVER).secret(),
    setting(Notification, "Notification__Format", FORMATS).or("json"),
    setting(Notification, "Notification__Events", EVENTS).or("completed, failed, skipped, analyzed, readiness.degraded, readiness.restored, readiness.weekly").restricts(),
    setting(Notification, "Notification__Secret", SECRET).secret().restricts(),
    setting(Notification, "Notification__PageBaseUrl", Text("the https address of the list of incidents, without a query, such as https://NAME.azurewebsites.net/api/PacketCaptures")),
    setting(Notification, "Notification__PagerDutyRoutingKey", ROUTING_KEY).secret(),
    setting(Notification, "Notification__SlackToken", TOKEN).secret(),
    setting(Notification, "Notification__SlackChannel", CHANNEL),
    // Those of each further receiver, up to `Receivers__9`.
    setting(Notification, "Notification__Receivers__0__Url", RECEIVER).secret(),
    setting(Notification, "Notification__Receivers__0__Format", FORMATS).or("json"),
    setting(Notification, "Notification__Receivers__0__Events", EVENTS).or("completed, failed, skipped, analyzed, readiness.degraded, readiness.restored, readiness.weekly").restricts(),
    setting(Notification, "Notification__Receivers__0__Secret", SECRET).secret().restricts(),
    setting(Notification, "Notification__Receivers__0__PagerDutyRoutingKey", ROUTING_KEY).secret(),
    setting(Notification, "Notification__Receivers__0__SlackToken", TOKEN).secret(),
    setting(Notification, "Notification__Receivers__0__SlackChannel", CHANNEL),
    setting(SecureWebhook, "SecureWebhook__TenantId", GUID).restricts(),
    setting(SecureWebhook, "SecureWebhook__Audience", List("the client id of the function's app registration, its Application ID URI, or both")).restricts(),
    setting(SecureWebhook, "SecureWebhook__Role", Text("the app role that the caller must have")).or("ActionGroupsSecureWebhook").restricts(),
    setting(SecureWebhook, "SecureWebhook__CallerAppId", GUID).or("461e8683-5575-4561-ac7f-899cc907d62a").restricts(),
    setting(SecureWebhook, "SecureWebhook__Issuer", List("accepted issuers")).restricts(),
    setting(SecureWebhook, "SecureWebhook__TrustEasyAuth", Flag).or("false").restricts(),
    setting(Traces, "OTEL_EXPORTER_OTLP_ENDPOINT", Text("the collector's address without user, password and query, such as http://127.0.0.1:4318")),
    setting(Traces, "OTEL_EXPORTER_OTLP_PROTOCOL", Word(&["http/protobuf"])).or("http/protobuf"),
    setting(Traces, "OTEL_EXPORTER_OTLP_HEADERS", List("name=value pairs for the collector")).secret(),
    setting(Traces, "OTEL_SERVICE_NAME", Text("the service's name in traces")).or("alert-packet-capture"),
    setting(Traces, "OTEL_SDK_DISABLED", Flag).or("false"),
    setting(Log, "RUST_LOG", Text("a level, or levels by target")).or("info"),
    setting(Log, "LOG_FORMAT", Text("json for one JSON object a line")),
    setting(Platform, "FUNCTIONS_CUSTOMHANDLER_PORT", number(0, 65_535)).or("7071"),
    setting(Platform, "FUNCTIONS_APP_ROOT_PATH", Text("the function app's folder")),
    setting(Platform, "WEBSITE_HOSTNAME", Text("the function app's host name")),
    setting(Platform, "REGION_NAME", Text("the function app's region")),
    setting(Identity, "IDENTITY_ENDPOINT", Text("the address of the managed identity endpoint")),
    setting(Identity, "IDENTITY_HEADER", Text("the header for that endpoint")).secret(),
    setting(Identity, "IDENTITY_SERVER_THUMBPRINT", Text("set by Service Fabric, whose managed identities are not supported")),
    setting(Identity, "IMDS_ENDPOINT", Text("set by Azure Arc, whose managed identities are not supported")),
    setting(Identity, "MSI_ENDPOINT", Text("the managed identity endpoint of 2017, which is not supported")),
    setting(Identity, "MSI_SECRET", Text("the secret for that endpoint")).secret(),
];
