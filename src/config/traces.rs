//! Where traces go, by OpenTelemetry's own names of settings.
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use super::reader::Reader;
use std::path::PathBuf;
use url::Url;

/// A collector of traces.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// The whole address, `/v1/traces` included.
    pub endpoint: Url,
    pub service_name: String,
    /// PEM; replaces the system's roots.
    pub ca_file: Option<PathBuf>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<TraceSettings> {
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
    let endpoint = reader.text(ENDPOINT)?;
    if reader.flag("OTEL_SDK_DISABLED") {
        return None;
    }
    // The only protocol that is built in.
    let _ = reader.word(PROTOCOL, &[("http/protobuf", ())]);
    let service_name = reader.text("OTEL_SERVICE_NAME");
    let ca_file = reader.text("SSL_CERT_FILE").map(PathBuf::from);
    let Some(endpoint) = traces_of(endpoint) else {
        let needed = "needs the collector's address without user, password and query, such as http://127.0.0.1:4318; a key goes in OTEL_EXPORTER_OTLP_HEADERS";
        reader.problem(ENDPOINT, needed);
        return None;
    };
    Some(TraceSettings {
        endpoint,
        service_name: service_name.unwrap_or("alert-packet-capture").to_owned(),
        ca_file,
    })
}

/// The address for traces below an endpoint, as OpenTelemetry forms it.
fn traces_of(endpoint: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !plain {
        return None;
    }
    url.set_fragment(None);
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["v1", "traces"]);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::traces_of;

    #[test]
    fn addresses_follow_the_table() {
        for (endpoint, expected) in [
            (
                "http://127.0.0.1:4318",
                Some("http://127.0.0.1:4318/v1/traces"),
            ),
            (
                "http://127.0.0.1:4318/",
                Some("http://127.0.0.1:4318/v1/traces"),
            ),
            (
                "https://otlp.example/api/otlp",
                Some("https://otlp.example/api/otlp/v1/traces"),
            ),
            ("https://user:s3cr3t@otlp.example", None),
            ("https://otlp.example?key=s3cr3t", None),
            ("grpc://otlp.example:4317", None),
            ("otlp.example:4318", None),
            ("127.0.0.1:4318", None),
        ] {
            let traces = traces_of(endpoint);
            assert_eq!(
                traces.as_ref().map(url::Url::as_str),
                expected,
                "{endpoint}"
            );
        }
    }
}
