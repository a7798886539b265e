//! The connections: kept open between requests, and shared by all images of one opener.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::unversioned::transport::DefaultConnector;

use super::HttpOptions;
use crate::error::{Error, Result};

/// A connection that nothing was sent on for so long is not used again.
const KEPT: Duration = Duration::from_secs(60);

/// Connections to `https` or `http`, for whoever asks a server for something else than images.
pub fn agent(options: &HttpOptions, secure: bool) -> Result<Agent> {
    Agents::new(options.clone()).agent(secure).cloned()
}

/// The connections, and how they are made.
pub(crate) struct Agents {
    pub(super) options: HttpOptions,
    plain: OnceLock<Agent>,
    /// Apart from the plain ones, because to know whom to trust takes reading files.
    secure: OnceLock<Agent>,
}

impl Agents {
    pub(crate) fn new(options: HttpOptions) -> Self {
        Self { options, plain: OnceLock::new(), secure: OnceLock::new() }
    }

    /// The connections for `https` or for `http`.
    pub(super) fn agent(&self, secure: bool) -> Result<&Agent> {
        if !secure {
            return Ok(self.plain.get_or_init(|| self.build(None)));
        }
        if let Some(agent) = self.secure.get() {
            return Ok(agent);
        }
        let agent = self.build(Some(self.tls()?));
        Ok(self.secure.get_or_init(|| agent))
    }

    fn build(&self, tls: Option<TlsConfig>) -> Agent {
        let options = &self.options;
        let config = Agent::config_builder()
            // Statuses and redirects are for us to judge.
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("fathom/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.idle_timeout))
            .timeout_per_read(Some(options.idle_timeout))
            .timeout_per_write(Some(options.idle_timeout))
            .max_idle_connections(2 * options.parallel)
            .max_idle_connections_per_host(options.parallel)
            .max_idle_age(KEPT);
        let config = match tls {
            Some(tls) => config.tls_config(tls),
            None => config,
        };
        match &options.resolver {
            Some(resolver) => Agent::with_parts(
                config.proxy(None).build(),
                DefaultConnector::default(),
                resolver.clone(),
            ),
            None => config.build().new_agent(),
        }
    }

    fn tls(&self) -> Result<TlsConfig> {
        let roots = match (&self.options.ca_file, self.options.insecure) {
            (_, true) => Vec::new(),
            (Some(path), false) => read_certificates(path)?,
            (None, false) => system_certificates()?,
        };
        Ok(TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::from(roots))
            .disable_verification(self.options.insecure)
            .build())
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let name = path.display().to_string();
    let pem = std::fs::read(path).map_err(|error| Error::io(&*name, error))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(error) => Some(Err(Error::invalid(&*name, error.to_string()))),
        })
        .collect::<Result<_>>()?;
    if certificates.is_empty() {
        return Err(Error::invalid(name, "it holds no certificate in PEM"));
    }
    Ok(certificates)
}

fn system_certificates() -> Result<Vec<Certificate<'static>>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(Error::unreachable(
            "certificates of this system",
            "none are installed: install ca-certificates, or name a file of your own",
        ));
    }
    Ok(found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let check = |expected| {
            let options = HttpOptions::new().ca_file(Some(path.clone()));
            let error = Agents::new(options).agent(true).err().unwrap();
            assert_eq!(error.kind(), expected, "{error}");
        };
        check(ErrorKind::NotFound);
        std::fs::write(&path, "nothing of the kind").unwrap();
        check(ErrorKind::Invalid);
    }
}
