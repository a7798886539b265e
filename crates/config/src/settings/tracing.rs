//! Traces for OpenTelemetry.

use fathom_secret::Secret;

use super::group;
use super::secret_source::SecretSource;
use crate::value::Span;

group! {
    /// Traces for OpenTelemetry.
    pub struct Tracing {
        /// Where they are sent, by OTLP over HTTP, as http://collector:4318. Without an address there are none.
        pub otlp_endpoint: Option<String>,
        /// Headers that are sent along, each as NAME: VALUE.
        #[schemars(with = "Vec<SecretSource>")]
        pub otlp_headers: Vec<Secret>,
        /// What this service is called in them.
        pub service_name: String,
        /// Which part of the traces that begin here is sent, from 0 to 1. Who brings a trace along decides
        /// themselves.
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
            otlp_headers: Vec::new(),
            service_name: "fathom".into(),
            sample_ratio: 1.0,
            timeout: Span::seconds(10),
        }
    }
}
