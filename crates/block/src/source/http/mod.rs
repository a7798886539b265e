//! An image on a web server, read by ranges.
//!
//! The first request asks for the first bytes rather than for the length alone, so that opening an
//! image costs one round trip and brings its header. Later reads are split and joined into requests
//! of a good size, several of which run side by side on connections that are kept. An image that
//! changes on the server while it is read is an error: bytes of two versions are never mixed.
//!
//! The client is synchronous, as everything that reads disks is: parsing is a chain of dependent
//! reads, and the page cache above makes few and large requests of them.

mod address;
mod agent;
mod answer;
mod client;
mod download;
mod jobs;
mod post;
mod public;
mod resolve;
mod signer;
mod web;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use agent::agent;
pub use fathom_secret::Secret;

pub(crate) use self::agent::Agents;
use self::answer::Version;
use self::client::Client;
pub use self::download::{Downloaded, download, forget};
use self::jobs::Job;
pub use self::public::{Network, is_public};
pub use self::resolve::{Forbidden, Resolver};
pub use self::signer::Signer;
pub use self::web::Web;
use crate::error::Result;
use crate::meter::Meter;
use crate::read::{ReadAt, check_range};

/// How images are fetched from web servers.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    headers: Vec<(String, Secret)>,
    ca_file: Option<PathBuf>,
    insecure: bool,
    connect_timeout: Duration,
    idle_timeout: Duration,
    retries: u32,
    pause: Duration,
    longest_pause: Duration,
    patience: Duration,
    parallel: usize,
    redirects: bool,
    resolver: Option<Resolver>,
    signer: Option<Signer>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            ca_file: None,
            insecure: false,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            retries: 4,
            pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(20),
            patience: Duration::from_secs(60),
            parallel: 8,
            redirects: true,
            resolver: None,
            signer: None,
        }
    }
}

impl HttpOptions {
    /// No credentials, the system's certificates, patience for a slow server.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends this header to the image's own server, and to no other that it redirects to.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: Secret) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    /// Sends this `Authorization` header, such as `Bearer …`, as [`HttpOptions::header`] does.
    #[must_use]
    pub fn authorization(self, value: Secret) -> Self {
        self.header("Authorization", value)
    }

    /// Trusts the certificates in this PEM file, and no others.
    #[must_use]
    pub fn ca_file(mut self, path: Option<PathBuf>) -> Self {
        self.ca_file = path;
        self
    }

    /// Has each request to the image's own server signed. Servers that ask for that know `If-Match`,
    /// by which they refuse to send of an image that has changed.
    #[must_use]
    pub fn signer(mut self, signer: Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Takes any certificate. Whoever is on the way may then read and change everything.
    #[must_use]
    pub fn insecure(mut self, insecure: bool) -> Self {
        self.insecure = insecure;
        self
    }

    /// Gives up a connection that is not there after `connect`, or silent for `idle`.
    #[must_use]
    pub fn timeouts(mut self, connect: Duration, idle: Duration) -> Self {
        self.connect_timeout = connect;
        self.idle_timeout = idle;
        self
    }

    /// Tries a failed request again up to `retries` times. The first pause is `pause`, each next
    /// one twice as long, and none longer than `longest`, whatever the server asks for.
    #[must_use]
    pub fn retries(mut self, retries: u32, pause: Duration, longest: Duration) -> Self {
        self.retries = retries;
        self.pause = pause;
        self.longest_pause = longest;
        self
    }

    /// Does not try again what has brought nothing for `patience`, however many tries are left.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Has at most this many requests under way for one image.
    #[must_use]
    pub fn parallel(mut self, parallel: usize) -> Self {
        self.parallel = parallel.max(1);
        self
    }

    /// Follows no redirect: what is fetched is at the address that was given, or refused.
    #[must_use]
    pub fn no_redirects(mut self) -> Self {
        self.redirects = false;
        self
    }

    /// Asks `resolver` where a server is, each time that a connection is made, and connects to what it
    /// answers and nowhere else: no proxy is used, whatever the environment says.
    #[must_use]
    pub fn resolver(mut self, resolver: Resolver) -> Self {
        self.resolver = Some(resolver);
        self
    }
}

/// An image on a web server.
pub(crate) struct HttpSource {
    client: Client,
    version: Version,
    /// What the first request brought.
    head: Vec<u8>,
}

impl HttpSource {
    /// How many bytes the first request asks for.
    pub(crate) const HEAD: u64 = 512 << 10;

    /// Asks for the first bytes of what is at `url`.
    pub(crate) fn open(url: &str, agents: Arc<Agents>, meter: Arc<Meter>) -> Result<Self> {
        let client = Client::new(url, agents, meter)?;
        let (version, head) = client.first(Self::HEAD)?;
        Ok(Self { client, version, head })
    }
}

impl HttpSource {
    /// What is to be known of how the image is served.
    pub(crate) fn note(&self) -> Option<&'static str> {
        let version = &self.version;
        (version.etag.is_none() && version.modified.is_none() && version.length > 0).then_some(
            "the server gives neither ETag nor Last-Modified: whether the image changes while it \
             is read cannot be told",
        )
    }
}

impl ReadAt for HttpSource {
    fn len(&self) -> u64 {
        self.version.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.read_many(&mut [(offset, buf)])
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let mut wanted: Vec<(u64, &mut [u8])> = Vec::with_capacity(reads.len());
        for (offset, buf) in reads {
            check_range(*offset, buf.len(), self.len())
                .map_err(|error| error.of_image(self.client.name()))?;
            let here = (self.head.len() as u64).saturating_sub(*offset).min(buf.len() as u64);
            let (here, beyond) = buf.split_at_mut(here as usize);
            if !here.is_empty() {
                let start = *offset as usize;
                here.copy_from_slice(&self.head[start..start + here.len()]);
            }
            if !beyond.is_empty() {
                wanted.push((*offset + here.len() as u64, beyond));
            }
        }
        let mut jobs: Vec<Job<'_>> = jobs::arrange(wanted);
        self.client.fetch(&mut jobs, &self.version)
    }
}
