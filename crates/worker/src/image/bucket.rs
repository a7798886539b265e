//! `s3://` addresses: which objects are fetched, from where, and with whose key.
//!
//! A job names a bucket and an object. Where the server is, and by which key we are known to it, the
//! settings say; so a job can name no other server, and sees no key. Every request is signed, and of an
//! object that is exchanged while it is read the server sends nothing more (`If-Match`).

use std::path::PathBuf;
use std::sync::Arc;

use fathom_artefact::{BucketSettings, Objects, beneath, bucket_and_rest};
use fathom_block::source::{HttpOptions, Signer};

use super::failure::{Code, Refusal};
use super::roots::{is_strange, refused};

/// Beginnings of addresses that images are read behind. None, unless told otherwise.
#[derive(Debug, Default)]
pub struct Buckets(Vec<Allowed>);

#[derive(Debug)]
struct Allowed {
    bucket: String,
    prefix: String,
    objects: Arc<Objects>,
    ca_file: Option<PathBuf>,
}

/// An object that images are read from.
#[derive(Debug)]
pub(crate) struct Object {
    /// As it was named.
    pub(crate) address: String,
    /// Where it is fetched from.
    pub(crate) url: String,
    objects: Arc<Objects>,
    ca_file: Option<PathBuf>,
}

impl Buckets {
    /// Reads what lies behind these `s3://BUCKET/…`, of which `buckets` knows the bucket.
    pub fn new<T: AsRef<str>>(
        places: impl IntoIterator<Item = T>,
        buckets: &[BucketSettings],
    ) -> Result<Self, Refusal> {
        let invalid = |why: String| Refusal::new(Code::InvalidRequest, why);
        let allowed = |text: &str| {
            let (bucket, prefix) =
                bucket_and_rest(text).map_err(|error| invalid(error.to_string()))?;
            let settings = buckets.iter().find(|it| it.name == bucket).ok_or_else(|| {
                invalid(format!("{text}: no bucket {bucket} is set; name it in buckets"))
            })?;
            let objects = Objects::new(settings).map_err(|error| invalid(error.to_string()))?;
            Ok(Allowed {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
                objects: Arc::new(objects),
                ca_file: settings.ca_file.clone(),
            })
        };
        places.into_iter().map(|text| allowed(text.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// The object of an address. Nothing is asked of anybody.
    pub(crate) fn object(&self, address: &str) -> Result<Object, Refusal> {
        let shown: String = address.chars().take(200).collect();
        let refuse = |why: &str| Refusal::path(format!("{shown:?}"), why);
        if address.chars().any(is_strange) || address.trim() != address {
            let why = "an address has no control characters, and none that look like others";
            return Err(refuse(why));
        }
        let (bucket, name) = bucket_and_rest(address).map_err(|_| refuse("it names no bucket"))?;
        if address.ends_with('/') {
            return Err(refuse("it names no object"));
        }
        let found = self.0.iter().find(|allowed| {
            allowed.bucket == bucket
                && beneath(name, &allowed.prefix).is_some_and(|rest| !rest.is_empty())
        });
        let Some(Allowed { objects, ca_file, .. }) = found else {
            return Err(refuse("it is not among those that images are read from"));
        };
        let url = objects.url(name).map_err(|error| refuse(&error.to_string()))?;
        let (objects, ca_file) = (Arc::clone(objects), ca_file.clone());
        Ok(Object { address: address.to_owned(), url, objects, ca_file })
    }
}

impl Object {
    /// How it is fetched.
    pub(crate) fn options(&self) -> HttpOptions {
        let objects = Arc::clone(&self.objects);
        let signer = Signer::new(move |url, headers| {
            objects.sign(url, headers).map_err(|error| error.to_string())
        });
        HttpOptions::new().ca_file(self.ca_file.clone()).no_redirects().signer(signer)
    }

    /// The address of what an image here calls `asked`: something in the same folder, or beneath it.
    pub(crate) fn beside(&self, asked: &str) -> Result<String, Refusal> {
        let plain = !asked.is_empty()
            && !asked.starts_with('/')
            && !asked.contains("://")
            && !asked.split('/').any(|part| matches!(part, "" | "." | ".."));
        match self.address.rsplit_once('/') {
            Some((folder, _)) if plain => Ok(format!("{folder}/{asked}")),
            _ => Err(refused("an image in a bucket may ask for what lies beside it alone")),
        }
    }
}

#[cfg(test)]
mod tests {
    use fathom_artefact::BucketSettings;
    use fathom_block::source::Secret;

    use super::*;

    fn buckets() -> Buckets {
        let key = Some(("id".to_owned(), Secret::new("hush")));
        let one = BucketSettings { key: key.clone(), ..BucketSettings::new("images") };
        let other = BucketSettings { key, ..BucketSettings::new("others") };
        Buckets::new(["s3://images/golden/", "s3://others"], &[one, other]).unwrap()
    }

    #[test]
    fn only_what_lies_behind_is_read() {
        for (address, expected) in [
            (
                "s3://images/golden/a.qcow2",
                "https://images.s3.us-east-1.amazonaws.com/golden/a.qcow2",
            ),
            ("s3://others/a b/c?d", "https://others.s3.us-east-1.amazonaws.com/a%20b/c%3Fd"),
        ] {
            assert_eq!(buckets().object(address).unwrap().url, expected);
        }
        for address in [
            "s3://",
            "s3://images",
            "s3://images/",
            "s3://images/a",
            "s3://images/golden",
            "s3://images/golden/",
            "s3://images/goldenx/a",
            "s3://images/golden/../a",
            "s3://none/a",
            "s3://others//a",
            "s3://others/a/",
            "s3://others/a\0",
            "s3://others/a\u{202e}b",
            "s3://others/a ",
            "S3://others/a",
            "s3://OTHERS/a",
            "s3://u@others/a",
        ] {
            let refusal = buckets().object(address).unwrap_err();
            assert_eq!(refusal.code, Code::PathRefused, "{address:?}");
        }
    }

    #[test]
    fn an_image_asks_for_its_neighbours_alone() {
        let object = buckets().object("s3://images/golden/a/b.qcow2").unwrap();
        assert_eq!(object.beside("base.qcow2").unwrap(), "s3://images/golden/a/base.qcow2");
        for asked in
            ["", "/etc/passwd", "../base", "a/../../b", "s3://others/a", "https://h/a", "a//b"]
        {
            assert!(object.beside(asked).is_err(), "{asked}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        assert!(!format!("{:?}", buckets()).contains("hush"));
    }
}
