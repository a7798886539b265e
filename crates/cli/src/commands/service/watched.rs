//! What the service writes, and where its traces go.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use fathom_block::source::HttpOptions;
use fathom_config::{Config, Format, Level};
use fathom_trace::{Exporter, Post, Resource, Sending, Watch};
use prometheus_client::registry::Registry;
use tracing::{info, warn};

use super::host;
use crate::exit::{self, Failure};

/// Where requests with traces go, beneath the address of who collects them.
const TRACES: &str = "/v1/traces";
/// How long what is left may take when the process ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// The watch that is kept over the process, until this is dropped.
pub(super) struct Watched(Option<Arc<Exporter>>);

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(exporter) = &self.0 {
            exporter.end(PATIENCE);
        }
    }
}

/// Begins to write and to send what is done, as the settings say.
pub(super) fn begin(config: &Config, registry: &mut Registry) -> Result<Watched, Failure> {
    let exporter = match &config.tracing.otlp_endpoint {
        Some(endpoint) => Some(Arc::new(exporter(config, endpoint, registry)?)),
        None => None,
    };
    let watch = Watch {
        level: match config.log.level {
            Level::Error => tracing::Level::ERROR,
            Level::Warn => tracing::Level::WARN,
            Level::Info => tracing::Level::INFO,
            Level::Debug => tracing::Level::DEBUG,
            Level::Trace => tracing::Level::TRACE,
        },
        format: match config.log.format {
            Format::Auto if std::io::stderr().is_terminal() => fathom_trace::Format::Text,
            Format::Text => fathom_trace::Format::Text,
            Format::Auto | Format::Json => fathom_trace::Format::Json,
        },
        // Where nobody can read it, nobody is told; what is being done goes on.
        write: Box::new(|line| drop(std::io::stderr().lock().write_all(line.as_bytes()))),
        exporter: exporter.clone(),
        ratio: config.tracing.sample_ratio,
    };
    fathom_trace::start(watch)
        .map_err(|error| Failure::Usage(format!("what is done cannot be written: {error}")))?;
    exit::survive_panics(|why| tracing::error!("{why}"));
    Ok(Watched(exporter))
}

/// Says something about the start, to whoever starts it. Where every line is to be an object, it is one.
pub(super) fn say(config: &Config, message: &str) {
    match config.log.format {
        Format::Json => tell(message),
        _ => exit::say(message),
    }
}

/// Writes what is to be told of, a warning as one.
pub(super) fn tell(message: &str) {
    match message.strip_prefix("warning: ") {
        Some(warning) => warn!("{warning}"),
        None => info!("{message}"),
    }
}

fn exporter(config: &Config, endpoint: &str, registry: &mut Registry) -> Result<Exporter, Failure> {
    let url = match endpoint.trim_end_matches('/') {
        whole if whole.ends_with(TRACES) => whole.to_owned(),
        base => format!("{base}{TRACES}"),
    };
    let resource = Resource {
        service: config.tracing.service_name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        instance: host::name(config),
    };
    Exporter::start(resource, post(config, url)?, registry)
        .map_err(Failure::host("the thread that sends traces"))
}

/// Sends to who collects traces, by OTLP over HTTP.
fn post(config: &Config, url: String) -> Result<Box<Post>, Failure> {
    let timeout = config.tracing.timeout.get();
    let options = HttpOptions::new().timeouts(timeout, timeout);
    let agent = fathom_block::source::agent(&options, url.starts_with("https://"))?;
    let headers: Vec<_> = config.tracing.otlp_headers.clone();
    Ok(Box::new(move |request| {
        let mut asked = agent.post(&url).header("content-type", "application/x-protobuf");
        for (name, value) in headers.iter().filter_map(|header| header.expose().split_once(':')) {
            asked = asked.header(name, value.trim());
        }
        match asked.config().timeout_global(Some(timeout)).build().send(request) {
            Ok(mut answer) => {
                let status = answer.status();
                // Read, so that the connection can be used again.
                let _ = answer.body_mut().with_config().limit(1 << 20).read_to_vec();
                match status.as_u16() {
                    200..300 => Sending::Taken,
                    // As the protocol has it, these are worth another try.
                    429 | 502..=504 => Sending::Away(format!("the collector answers {status}")),
                    _ => Sending::Refused(format!("the collector answers {status}")),
                }
            }
            Err(error) => Sending::Away(error.to_string()),
        }
    }))
}
