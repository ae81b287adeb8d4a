//! The api-versions of Azure's providers, for clouds that do not support the defaults.

use super::reader::Reader;
use crate::azure::api_versions::ApiVersions;
use time::{Date, macros::format_description};

pub(super) fn read(reader: &mut Reader<'_>) -> ApiVersions {
    let default = ApiVersions::default();
    ApiVersions {
        network: version(reader, "AzureApiVersion__Network", default.network),
        compute: version(reader, "AzureApiVersion__Compute", default.compute),
        storage: version(reader, "AzureApiVersion__Storage", default.storage),
        authorization: version(
            reader,
            "AzureApiVersion__Authorization",
            default.authorization,
        ),
        alerts_management: version(
            reader,
            "AzureApiVersion__AlertsManagement",
            default.alerts_management,
        ),
    }
}

fn version(reader: &mut Reader<'_>, name: &'static str, default: String) -> String {
    match reader.text(name) {
        None => default,
        Some(text) => {
            if !is_version(text) {
                reader.wrong(name);
            }
            text.to_owned()
        }
    }
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
