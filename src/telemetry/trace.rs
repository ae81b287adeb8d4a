//! One alert is one trace, whichever processes work on it: the caller's trace continues in this program's spans, and a
//! job carries it. Both in the form of <https://www.w3.org/TR/trace-context/>. Without an exporter nothing happens here.

use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// The two headers.
#[derive(Default)]
struct Headers {
    parent: Option<String>,
    state: Option<String>,
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            PARENT => self.parent.as_deref(),
            STATE => self.state.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT, STATE]
    }
}

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        match key {
            PARENT => self.parent = Some(value),
            STATE => self.state = Some(value),
            _ => {}
        }
    }
}

/// Makes a span that has not been entered yet a part of the trace that these headers name. Bad ones count as none.
pub fn continue_trace(span: &Span, trace_parent: Option<&str>, trace_state: Option<&str>) {
    if trace_parent.is_none() {
        return;
    }
    let headers = Headers {
        parent: trace_parent.map(str::to_owned),
        state: trace_state.map(str::to_owned),
    };
    // It fails where there is no exporter, which is as well.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&headers));
}

/// Adds to a span's attributes for those who read traces; log lines stay as short as they are.
pub fn describe(span: &Span, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        span.set_attribute(name, value.to_owned());
    }
}

/// The `traceparent` that makes later spans, in whatever process, children of this one.
pub fn trace_parent(span: &Span) -> Option<String> {
    let mut headers = Headers::default();
    TraceContextPropagator::new().inject_context(&span.context(), &mut headers);
    headers.parent
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::prelude::*;

    #[test]
    fn a_trace_continues_and_a_bad_header_starts_a_new_one() {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let trace = "0af7651916cd43dd8448eb211c80319c";
        for (header, same) in [
            (format!("00-{trace}-b7ad6b7169203331-01"), true),
            (format!("00-{trace}-0000000000000000-01"), false),
            (format!("ff-{trace}-b7ad6b7169203331-01"), false),
            (
                format!("00-{}-b7ad6b7169203331-01", trace.to_uppercase()),
                false,
            ),
            ("<script>".to_owned(), false),
            (String::new(), false),
        ] {
            let span = tracing::info_span!("request");
            continue_trace(&span, Some(&header), Some("vendor=1"));
            let own = trace_parent(&span).unwrap();
            assert_eq!(own.len(), 55, "{own}");
            assert_eq!(own[3..35] == *trace, same, "{header}: {own}");
            assert_ne!(own, header, "the span has an id of its own");
        }
    }

    #[test]
    fn without_an_exporter_there_is_no_trace() {
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry());
        let span = tracing::info_span!("request");
        continue_trace(
            &span,
            Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            None,
        );
        assert_eq!(trace_parent(&span), None);
    }
}
