//! Traces for OpenTelemetry.

use super::group;
use crate::value::Span;

group! {
    /// Traces for OpenTelemetry.
    pub struct Tracing {
        /// Where they are sent, as http://collector:4318. Without an address there are none.
        pub otlp_endpoint: Option<String>,
        /// What this service is called in them.
        pub service_name: String,
        /// Which part of what is done is traced, from 0 to 1.
        #[schemars(range(min = 0, max = 1))]
        pub sample_ratio: f64,
        /// How long sending may take.
        pub timeout: Span,
    }
}

impl Default for Tracing {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            service_name: "fathom".into(),
            sample_ratio: 1.0,
            timeout: Span::seconds(10),
        }
    }
}
