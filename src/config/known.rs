//! Every app setting that the program reads, with its form and default. One table serves the readers, the checks for
//! unknown names and unresolved Key Vault references, and the test that compares `docs/settings.md` with it.

mod table;

use std::fmt;
pub use table::SETTINGS;

/// One app setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The setting's name, as the documentation spells it. Settings are found in any letter case, and with `:` in place
    /// of `__`.
    pub name: &'static str,
    pub group: Group,
    pub form: Form,
    /// The value that an unset setting stands for, as one would write it. `None` when there is no such value.
    pub default: Option<&'static str>,
    /// Whether the value is a secret.
    pub secret: bool,
    /// Whether the setting narrows what is allowed. A value without content is then an error, because it must not mean
    /// the same as no setting.
    pub restricts: bool,
}

/// What a setting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The identity that signs in to Azure. App Service sets those that begin with `IDENTITY_` or `MSI_`.
    Identity,
    /// The cloud's endpoints and certificate authorities.
    Cloud,
    ApiVersion,
    Capture,
    /// Which alerts and machines are allowed.
    Allowed,
    /// Which alerts get another capture than that of [`Group::Capture`].
    Profile,
    /// The incident record and the budgets.
    Incidents,
    /// What the function reads in finished captures.
    FirstLook,
    /// What the function reads of changes around alerts.
    Changes,
    /// Whether captures would start on all machines, and drills.
    Readiness,
    JobQueue,
    Notification,
    SecureWebhook,
    Traces,
    Log,
    /// Set by App Service or the Functions host.
    Platform,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A whole number in this range.
    Number { least: u64, most: u64 },
    /// `true` or `false`.
    Flag,
    /// One of these words, in any letter case.
    Word(&'static [&'static str]),
    /// Entries separated by commas, semicolons or line ends. The text says what an entry is.
    List(&'static str),
    /// Anything else. The text says what.
    Text(&'static str),
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Form::Number { least, most } => write!(f, "a whole number from {least} to {most}"),
            Form::Flag => f.write_str("true or false"),
            Form::Word(words) => write!(f, "one of {}", words.join(", ")),
            Form::List(entries) => write!(f, "{entries}, separated by commas"),
            Form::Text(text) => f.write_str(text),
        }
    }
}

impl Setting {
    /// The setting of this name, in any letter case and with `__` or `:`.
    pub fn find(name: &str) -> Option<&'static Setting> {
        let name = of_a_profile(of_first_receiver(canonical(name)));
        SETTINGS.iter().find(|it| canonical(it.name) == name)
    }
}

/// The form in which names are compared. .NET reads `A:B` and `A__B` as the same name, so people use both; and Windows,
/// where settings are often moved from, ignores the letter case.
/// <https://learn.microsoft.com/en-us/azure/app-service/configure-common#configure-app-settings>
pub(super) fn canonical(name: &str) -> String {
    name.replace(':', "__").to_ascii_lowercase()
}

/// The settings of any receiver of notifications (`0` to `9`) are listed as those of the first.
fn of_first_receiver(name: String) -> String {
    const RECEIVERS: &str = "notification__receivers__";
    let rest = name.strip_prefix(RECEIVERS);
    match rest.and_then(|rest| rest.split_once("__")) {
        Some((number, rest)) if number.len() == 1 && number.as_bytes()[0].is_ascii_digit() => {
            format!("{RECEIVERS}0__{rest}")
        }
        _ => name,
    }
}

/// What all settings of profiles begin with. A profile's name follows, and then the name of the setting.
pub(super) const PROFILES: &str = "PacketCapture__Profiles__";
/// In the place of a profile's name in the table.
pub(super) const PROFILE_NAME: &str = "NAME";
/// Maximum characters of a profile's name.
const MAX_PROFILE_NAME: usize = 40;

/// Whether a profile may have this name.
pub(super) fn is_profile_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=MAX_PROFILE_NAME).contains(&name.len())
        && name.chars().all(legal)
        && !name.contains("__")
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// The settings of every profile are listed as those of `NAME`.
fn of_a_profile(name: String) -> String {
    let prefix = canonical(PROFILES);
    let rest = name.strip_prefix(&prefix);
    match rest.and_then(|rest| rest.split_once("__")) {
        Some((profile, rest)) if is_profile_name(profile) => {
            format!("{prefix}{}__{rest}", canonical(PROFILE_NAME))
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_setting_is_listed_once_with_a_default_of_its_form() {
        let names: BTreeSet<String> = SETTINGS.iter().map(|it| canonical(it.name)).collect();
        assert_eq!(names.len(), SETTINGS.len());
        for Setting {
            name,
            form,
            default,
            ..
        } in SETTINGS
        {
            let good = match (form, default) {
                (Form::Number { least, most }, Some(default)) => {
                    (*least..=*most).contains(&default.parse().unwrap())
                }
                (Form::Flag, default) => matches!(default, Some("false" | "true")),
                (Form::Word(words), Some(default)) => words.contains(default),
                (_, _) => true,
            };
            assert!(good, "{name}: {default:?}");
        }
    }

    #[test]
    fn names_are_found_in_any_spelling() {
        for name in [
            "PacketCapture__Limit",
            "PACKETCAPTURE__LIMIT",
            "PacketCapture:Limit",
            "packetcapture:limit",
        ] {
            assert_eq!(Setting::find(name).unwrap().name, "PacketCapture__Limit");
        }
        assert_eq!(Setting::find("PacketCapture_Limit"), None);
        const PROFILE_RULES: &str = "PacketCapture__Profiles__NAME__Rules";
        let first = "Notification__Receivers__0__Url";
        for (name, expected) in [
            (first, Some(first)),
            ("Notification:Receivers:9:Url", Some(first)),
            ("notification__receivers__3__URL", Some(first)),
            ("Notification__Receivers__10__Url", None),
            ("Notification__Receivers__x__Url", None),
            ("Notification__Receivers__Url", None),
            ("Notification__Receivers__0__Uri", None),
            ("PacketCapture__Profiles__deep__Rules", Some(PROFILE_RULES)),
            ("packetcapture:profiles:Deep-1:rules", Some(PROFILE_RULES)),
            ("PacketCapture__Profiles__Rules", None),
            ("PacketCapture__Profiles__a__b__Rules", None),
            ("PacketCapture__Profiles__a.b__Rules", None),
            ("PacketCapture__Profiles__deep__Rule", None),
        ] {
            assert_eq!(Setting::find(name).map(|it| it.name), expected, "{name}");
        }
    }
}
