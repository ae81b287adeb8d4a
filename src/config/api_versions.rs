//! The api-versions of Azure's providers, for clouds that do not know the usual ones (yet, or any more).

use super::app_settings::Reader;
use time::{Date, macros::format_description};

/// `None` takes the default of this program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiVersionSettings {
    /// Microsoft.Network: network watchers and their captures.
    pub network: Option<String>,
    /// Microsoft.Compute: machines and scale sets.
    pub compute: Option<String>,
    /// Microsoft.Storage: the account of the capture files.
    pub storage: Option<String>,
    /// Microsoft.Authorization: the doctor's look at rights.
    pub authorization: Option<String>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> ApiVersionSettings {
    ApiVersionSettings {
        network: version(reader, "AzureApiVersion__Network"),
        compute: version(reader, "AzureApiVersion__Compute"),
        storage: version(reader, "AzureApiVersion__Storage"),
        authorization: version(reader, "AzureApiVersion__Authorization"),
    }
}

fn version(reader: &mut Reader<'_>, name: &str) -> Option<String> {
    let text = reader.text(name)?;
    if !is_version(text) {
        reader.problem(
            name,
            "an api-version: a date such as 2025-05-01, perhaps with -preview behind it",
        );
        return None;
    }
    Some(text.to_owned())
}

fn is_version(text: &str) -> bool {
    let date = text.strip_suffix("-preview").unwrap_or(text);
    // The format alone would take a sign and more digits.
    date.len() == 10 && Date::parse(date, format_description!("[year]-[month]-[day]")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dates() {
        for (text, good) in [
            ("2025-05-01", true),
            ("2025-05-01-preview", true),
            ("2025-13-01", false),
            ("2025-05-32", false),
            ("2025-5-1", false),
            ("2025-05-01-beta", false),
            ("2025-05-01 preview", false),
            ("-025-05-01", false),
            ("2025-05-01&x=1", false),
            ("latest", false),
            ("-preview", false),
        ] {
            assert_eq!(is_version(text), good, "{text}");
        }
    }
}
