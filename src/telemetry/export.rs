//! Traces over OTLP (HTTP, protobuf) to a collector. What tunes OpenTelemetry itself its SDK reads from the process
//! environment: `OTEL_EXPORTER_OTLP_HEADERS` (which may hold a secret, so it is in no struct of this program),
//! `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`.
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

/// A collector that takes longer than this has lost the batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stop waits for the last export; later spans are lost. The host kills 10 s after its stop, and jobs come
/// first.
const FLUSH: Duration = Duration::from_millis(1500);

/// Why no exporter could be built.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be exported to OTEL_EXPORTER_OTLP_ENDPOINT")]
pub struct ExportError(#[from] ExporterBuildError);

/// The way of spans to a collector.
pub struct Export {
    provider: SdkTracerProvider,
}

impl Export {
    /// `traces` is the whole address, path included. Must be called within the runtime that sends.
    ///
    /// # Errors
    /// When the SDK does not take its settings.
    pub fn new(
        traces: &Url,
        service_name: &str,
        http: reqwest::Client,
    ) -> Result<Self, ExportError> {
        let sender = Sender {
            runtime: Handle::current(),
            http,
            failing: AtomicBool::new(false),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_endpoint(traces.as_str())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let resource = Resource::builder()
            .with_service_name(service_name.to_owned())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new(
                "service.instance.id",
                uuid::Uuid::new_v4().to_string(),
            ))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self { provider })
    }

    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        // Paths and threads of the code say nothing to those who read a trace.
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
    }

    /// Sends what is left and ends the exporter's thread.
    pub async fn stop(self) {
        // It blocks, and the runtime has to send meanwhile.
        let stopped =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(FLUSH));
        if let Ok(Err(error)) = stopped.await {
            tracing::warn!("could not export the last spans: {error}");
        }
    }
}

/// The SDK exports from a thread of its own; reqwest needs the runtime.
#[derive(Debug)]
struct Sender {
    runtime: Handle,
    http: reqwest::Client,
    failing: AtomicBool,
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(send(http, request)).await?;
        let trouble = match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answered {}", response.status())),
            Err(error) => Some(error.to_string()),
        };
        // Once for each time that the collector goes away, not once a batch.
        let failed_before = self.failing.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(trouble) if !failed_before => {
                tracing::warn!(
                    "could not export spans to OTEL_EXPORTER_OTLP_ENDPOINT: {trouble}; they are lost"
                );
            }
            None if failed_before => tracing::info!("spans are exported again"),
            _ => {}
        }
        sent
    }
}

async fn send(
    http: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    // The address is the user's and may hold a secret in its query.
    let answer = http.execute(request.try_into()?).await;
    let answer = answer.map_err(reqwest::Error::without_url)?;
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
    }
    Ok(response.body(answer.bytes().await?)?)
}
