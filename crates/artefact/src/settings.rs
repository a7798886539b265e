//! A bucket: where its server is, and who we are to it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use fathom_secret::Secret;

use crate::error::{Error, Kind, Result};

/// A bucket of a server that speaks S3.
#[derive(Clone)]
pub struct BucketSettings {
    /// What it is called.
    pub name: String,
    /// The server; that of Amazon for the region where there is none.
    pub endpoint: Option<String>,
    /// The region that it is in.
    pub region: String,
    /// The name of the key that opens it, and the key.
    pub key: Option<(String, Secret)>,
    /// What comes with a key that holds for a while.
    pub session: Option<Secret>,
    /// Whether the bucket stands in the path of addresses, or before the name of the server.
    pub path_style: bool,
    /// Whether the server knows `If-None-Match` and `If-Match`. Without, what two write at once is
    /// decided by who is last.
    pub conditional: bool,
    /// The certificates that are trusted, where they are not those of this system: a file of PEM.
    pub ca_file: Option<PathBuf>,
    /// How long it may be silent.
    pub idle: Duration,
    /// How long something is tried again.
    pub patience: Duration,
}

impl BucketSettings {
    /// A bucket of which nothing else is known.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            endpoint: None,
            region: "us-east-1".to_owned(),
            key: None,
            session: None,
            path_style: false,
            conditional: true,
            ca_file: None,
            idle: Duration::from_secs(20),
            patience: Duration::from_secs(60),
        }
    }

    /// The address that the names of objects are put behind, with the bucket in it and no `/` at its end.
    pub(crate) fn base(&self) -> Result<String> {
        let invalid = |why: &str| Error::new(Kind::Invalid, self.shown(), why);
        if !is_bucket(&self.name) {
            return Err(invalid("a bucket has 3 to 63 characters of a-z 0-9 . -"));
        }
        let region = &self.region;
        if region.is_empty() || !region.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-') {
            return Err(invalid("its region is none; as us-east-1"));
        }
        let amazon = format!("https://s3.{region}.amazonaws.com");
        let endpoint = self.endpoint.as_deref().unwrap_or(&amazon).trim_end_matches('/');
        let (scheme, host) = endpoint
            .split_once("://")
            .filter(|(scheme, host)| matches!(*scheme, "http" | "https") && is_host(host))
            .ok_or_else(|| invalid("its endpoint is no https://HOST or http://HOST"))?;
        Ok(match self.path_style {
            true => format!("{scheme}://{host}/{}", self.name),
            false => format!("{scheme}://{}.{host}", self.name),
        })
    }

    pub(crate) fn shown(&self) -> String {
        format!("s3://{}", self.name)
    }

    /// The key: that of the settings, or that of the environment.
    pub(crate) fn credentials(&self) -> Result<(String, Secret, Option<Secret>)> {
        if let Some((id, secret)) = &self.key {
            return Ok((id.clone(), secret.clone(), self.session.clone()));
        }
        let of = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        match (of("AWS_ACCESS_KEY_ID"), of("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => {
                Ok((id, Secret::new(secret), of("AWS_SESSION_TOKEN").map(Secret::new)))
            }
            _ => {
                let why = "no key is set for it: set access_key and secret_key, or \
                           AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
                Err(Error::new(Kind::Invalid, self.shown(), why))
            }
        }
    }
}

impl fmt::Debug for BucketSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketSettings")
            .field("name", &self.name)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("key", &self.key.as_ref().map(|(id, _)| id))
            .finish_non_exhaustive()
    }
}

/// Whether it can be the name of a bucket.
fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-.".contains(&it))
        && !name.starts_with(['-', '.'])
        && !name.ends_with(['-', '.'])
        && !name.contains("..")
}

/// A name or number of a host, and perhaps a port, and nothing else.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-.:[]".contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_bucket_is() {
        let at = |endpoint: Option<&str>, path_style| BucketSettings {
            endpoint: endpoint.map(str::to_owned),
            path_style,
            ..BucketSettings::new("reports")
        };
        for (settings, expected) in [
            (at(None, false), "https://reports.s3.us-east-1.amazonaws.com"),
            (at(None, true), "https://s3.us-east-1.amazonaws.com/reports"),
            (at(Some("http://127.0.0.1:9000/"), true), "http://127.0.0.1:9000/reports"),
            (at(Some("https://s3.example.org"), false), "https://reports.s3.example.org"),
        ] {
            assert_eq!(settings.base().unwrap(), expected);
        }
        for endpoint in
            ["", "s3.example.org", "ftp://h", "https://", "https://u:p@h", "https://h/x?y"]
        {
            assert!(at(Some(endpoint), true).base().is_err(), "{endpoint}");
        }
        for name in ["", "ab", "Reports", "a/b", "../x", "a..b", "-ab", "ab-", "a b", "a\0b"] {
            assert!(BucketSettings::new(name).base().is_err(), "{name:?}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let key = Some(("id".to_owned(), Secret::new("hush")));
        let settings = BucketSettings { key, ..BucketSettings::new("reports") };
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
