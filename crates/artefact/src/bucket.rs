//! A bucket of a server that speaks S3.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Once};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, Error as Theirs, GetOptions, ObjectStore,
    ObjectStoreExt as _, PutMode, PutOptions, RetryConfig, UpdateVersion,
};

use crate::error::{Error, Kind, Result};
use crate::failed::failed;
use crate::folder::other;
use crate::key::Key;
use crate::settings::BucketSettings;
use crate::{Entry, Put, Replaced};

/// The slowest that bytes may come or go, in bytes a second.
const LEAST_SPEED: u64 = 64 << 10;
/// How often somebody else may have written in between.
const ROUNDS: usize = 8;
/// How often a request is tried again, where that does not take too long.
const RETRIES: usize = 30;

/// A bucket, or what lies beneath a prefix of it.
#[derive(Clone)]
pub(crate) struct Bucket {
    store: Arc<AmazonS3>,
    shown: String,
    prefix: String,
    patience: Duration,
    conditional: bool,
}

impl Bucket {
    pub(crate) fn new(settings: &BucketSettings, prefix: &str) -> Result<Self> {
        let prefix = prefix.trim_matches('/');
        if !prefix.is_empty() {
            Key::new(prefix)?;
        }
        let invalid = |why: &str| Error::new(Kind::Invalid, settings.shown(), why);
        let base = settings.base()?;
        let (key, secret, session) = settings.credentials()?;
        let conditional = match settings.conditional {
            true => S3ConditionalPut::ETagMatch,
            false => S3ConditionalPut::Disabled,
        };
        // With the bucket in the address the client is told the whole of it, and otherwise the server.
        let server = match settings.path_style {
            true => base.strip_suffix(&format!("/{}", settings.name)).unwrap_or(&base),
            false => &base,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.name)
            .with_region(&settings.region)
            .with_endpoint(server)
            .with_virtual_hosted_style_request(!settings.path_style)
            .with_access_key_id(key)
            .with_secret_access_key(secret.expose())
            .with_allow_http(server.starts_with("http://"))
            .with_conditional_put(conditional)
            .with_disable_bulk_delete(true)
            .with_retry(retry(settings.patience))
            .with_client_options(client(settings)?);
        if let Some(session) = session {
            builder = builder.with_token(session.expose());
        }
        let store = builder.build().map_err(|_| invalid("its settings make no sense"))?;
        let shown = match prefix {
            "" => settings.shown(),
            prefix => format!("{}/{prefix}", settings.shown()),
        };
        Ok(Self {
            store: Arc::new(store),
            shown,
            prefix: prefix.to_owned(),
            patience: settings.patience,
            conditional: settings.conditional,
        })
    }

    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<Put> {
        let place = self.shown(key);
        if !self.conditional {
            return match self.compare(key, &bytes).await {
                Err(error) if error.kind() == Kind::NotFound => {
                    self.write(key, bytes, PutMode::Overwrite).await?.map_err(|_| other(place))?;
                    Ok(Put::New)
                }
                compared => compared,
            };
        }
        match self.write(key, bytes.clone(), PutMode::Create).await? {
            Ok(()) => Ok(Put::New),
            Err(Taken) => self.compare(key, &bytes).await,
        }
    }

    /// What is there is looked at before `still` is asked, and replaced only if it is still that: whoever
    /// is stopped in between and has lost the right meanwhile finds that somebody has written, asks
    /// again, and leaves it. Where a server knows no conditions, that is left to chance.
    pub(crate) async fn replace<F, W>(&self, key: &Key, bytes: Bytes, still: F) -> Result<Replaced>
    where
        F: Fn() -> W + Send + Sync,
        W: Future<Output = Result<bool>> + Send,
    {
        for _ in 0..ROUNDS {
            let mode = match self.tag(key).await? {
                _ if !self.conditional => PutMode::Overwrite,
                None => PutMode::Create,
                Some(tag) => PutMode::Update(UpdateVersion { e_tag: Some(tag), version: None }),
            };
            if !still().await? {
                return Ok(Replaced::No);
            }
            if self.write(key, bytes.clone(), mode).await?.is_ok() {
                return Ok(Replaced::Yes);
            }
        }
        let why = "others write it all the time; it is tried again later";
        Err(Error::new(Kind::Unreachable, self.shown(key), why))
    }

    pub(crate) async fn get(&self, key: &Key, most: u64) -> Result<Bytes> {
        let place = self.shown(key);
        let too_large =
            || Error::new(Kind::TooLarge, place.as_str(), format!("it has more than {most} bytes"));
        let fetch = async {
            let got = self.store.get_opts(&self.path(key), GetOptions::default()).await;
            let got = got.map_err(|error| failed(&place, &error))?;
            if got.meta.size > most {
                return Err(too_large());
            }
            let mut bytes = BytesMut::with_capacity(got.meta.size.min(1 << 24) as usize);
            let mut stream = got.into_stream();
            while let Some(piece) = stream.next().await {
                let piece = piece.map_err(|error| failed(&place, &error))?;
                if (bytes.len() + piece.len()) as u64 > most {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&piece);
            }
            Ok(bytes.freeze())
        };
        self.in_time(&place, most, fetch).await
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<()> {
        let place = self.shown(key);
        let deleted = async {
            match self.store.delete(&self.path(key)).await {
                Ok(()) | Err(Theirs::NotFound { .. }) => Ok(()),
                Err(error) => Err(failed(&place, &error)),
            }
        };
        self.in_time(&place, 0, deleted).await
    }

    pub(crate) async fn list(
        &self,
        prefix: Option<&Key>,
        after: Option<&Key>,
        most: usize,
    ) -> Result<Vec<Entry>> {
        let whole = match (self.prefix.as_str(), prefix) {
            ("", None) => None,
            ("", Some(prefix)) => Some(Path::from(prefix.as_str())),
            (ours, None) => Some(Path::from(ours)),
            (ours, Some(prefix)) => Some(Path::from(format!("{ours}/{prefix}"))),
        };
        let place =
            whole.as_ref().map_or_else(|| self.shown.clone(), |it| format!("{}:{it}", self.shown));
        let collect = async {
            let mut listed = match after {
                Some(after) => self.store.list_with_offset(whole.as_ref(), &self.path(after)),
                None => self.store.list(whole.as_ref()),
            };
            let mut found = Vec::new();
            while found.len() < most
                && let Some(one) = listed.next().await
            {
                let one = one.map_err(|error| failed(&place, &error))?;
                let name = one.location.as_ref();
                let name = match self.prefix.as_str() {
                    "" => Some(name),
                    ours => name.strip_prefix(ours).and_then(|rest| rest.strip_prefix('/')),
                };
                // What is no key was put there by others.
                if let Some(name) = name.filter(|name| Key::new(*name).is_ok()) {
                    found.push(Entry { key: name.to_owned(), length: one.size });
                }
            }
            found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            Ok(found)
        };
        self.in_time(&place, (most as u64) << 10, collect).await
    }

    /// Writes, and says whether what was there was what it had to be.
    async fn write(
        &self,
        key: &Key,
        bytes: Bytes,
        mode: PutMode,
    ) -> Result<std::result::Result<(), Taken>> {
        let place = self.shown(key);
        let length = bytes.len() as u64;
        let options = PutOptions { mode, ..PutOptions::default() };
        let written = async {
            match self.store.put_opts(&self.path(key), bytes.into(), options).await {
                Ok(_) => Ok(Ok(())),
                Err(Theirs::AlreadyExists { .. } | Theirs::Precondition { .. }) => Ok(Err(Taken)),
                Err(error) => Err(failed(&place, &error)),
            }
        };
        self.in_time(&place, length, written).await
    }

    /// Compares what is there with what was to be made.
    async fn compare(&self, key: &Key, bytes: &Bytes) -> Result<Put> {
        match self.get(key, bytes.len() as u64).await {
            Ok(there) if there == bytes => Ok(Put::There),
            Ok(_) => Err(other(self.shown(key))),
            Err(error) if error.kind() == Kind::TooLarge => Err(other(self.shown(key))),
            Err(error) => Err(error),
        }
    }

    /// What tells the object that is there from others.
    async fn tag(&self, key: &Key) -> Result<Option<String>> {
        let place = self.shown(key);
        let asked = async {
            match self.store.head(&self.path(key)).await {
                Ok(there) if there.e_tag.is_none() && self.conditional => {
                    let why = "the server gives no ETag; set conditional_writes: false for it";
                    Err(Error::new(Kind::Invalid, place.as_str(), why))
                }
                Ok(there) => Ok(there.e_tag),
                Err(Theirs::NotFound { .. }) => Ok(None),
                Err(error) => Err(failed(&place, &error)),
            }
        };
        self.in_time(&place, 0, asked).await
    }

    /// Ends what takes longer than it may, with so many bytes on the way. Whoever tries again gives up
    /// before that, and says why.
    async fn in_time<T>(
        &self,
        place: &str,
        length: u64,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let longest = self.patience * 2 + Duration::from_secs(length / LEAST_SPEED);
        match tokio::time::timeout(longest, work).await {
            Ok(done) => done,
            Err(_) => {
                let why = format!("the server took longer than {} s", longest.as_secs());
                Err(Error::new(Kind::Unreachable, place, why))
            }
        }
    }

    fn path(&self, key: &Key) -> Path {
        match self.prefix.as_str() {
            "" => Path::from(key.as_str()),
            prefix => Path::from(format!("{prefix}/{key}")),
        }
    }

    fn shown(&self, key: &Key) -> String {
        format!("{}/{key}", self.shown)
    }
}

/// Something else is there.
struct Taken;

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

fn retry(patience: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: patience,
    }
}

/// How a connection is made.
fn client(settings: &BucketSettings) -> Result<ClientOptions> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Somebody else in this process may have chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let options = ClientOptions::new()
        .with_allow_http(true)
        .with_connect_timeout(settings.idle.min(Duration::from_secs(10)))
        .with_read_timeout(settings.idle)
        .with_timeout_disabled()
        .with_user_agent(reqwest::header::HeaderValue::from_static(concat!(
            "fathom/",
            env!("CARGO_PKG_VERSION")
        )));
    let Some(file) = &settings.ca_file else { return Ok(options) };
    let invalid = |why: String| Error::new(Kind::Invalid, file.display().to_string(), why);
    let pem = std::fs::read(file).map_err(|error| invalid(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .map_err(|_| invalid("it holds no certificates in PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(invalid("it holds no certificate in PEM".to_owned()));
    }
    let options = options.with_no_system_certificates(true);
    Ok(certificates.into_iter().fold(options, ClientOptions::with_root_certificate))
}
