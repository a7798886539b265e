//! Objects of a bucket that somebody else fetches: their addresses, and what requests for them bear.

use std::fmt::Write as _;

use fathom_secret::Secret;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};

use crate::error::{Error, Kind, Result};
use crate::settings::BucketSettings;

/// The longest name of an object.
const MAX_NAME: usize = 1024;

/// The objects of a bucket, for a client of its own.
pub struct Objects {
    base: String,
    shown: String,
    region: String,
    credential: AwsCredential,
}

impl Objects {
    /// Those of this bucket.
    pub fn new(settings: &BucketSettings) -> Result<Self> {
        let (key_id, secret, session) = settings.credentials()?;
        Ok(Self {
            base: settings.base()?,
            shown: settings.shown(),
            region: settings.region.clone(),
            credential: AwsCredential {
                key_id,
                secret_key: secret.expose().to_owned(),
                token: session.map(|token| token.expose().to_owned()),
            },
        })
    }

    /// Where the object of this name is fetched from. Whatever is in the name stands for itself.
    pub fn url(&self, name: &str) -> Result<String> {
        let leads = |part: &str| matches!(part, "" | "." | "..");
        if name.len() > MAX_NAME || name.split('/').any(leads) || name.chars().any(char::is_control)
        {
            let why =
                "the name of an object has up to 1024 bytes, and no part that is empty, . or ..";
            return Err(Error::new(Kind::Invalid, self.shown.as_str(), why));
        }
        let mut url = format!("{}/", self.base);
        for byte in name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                    url.push(byte.into());
                }
                other => {
                    let _ = write!(url, "%{other:02X}");
                }
            }
        }
        Ok(url)
    }

    /// The headers that a request to get what is at `url` needs besides `headers`, by which the server
    /// knows who asks. They hold for some minutes.
    pub fn sign(&self, url: &str, headers: &[(&str, String)]) -> Result<Vec<(String, Secret)>> {
        let invalid = |why: String| Error::new(Kind::Invalid, self.shown.as_str(), why);
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.parse().map_err(|_| invalid("that is no address".to_owned()))?;
        for (name, value) in headers {
            let name: reqwest::header::HeaderName =
                name.parse().map_err(|_| invalid(format!("{name} is no header")))?;
            let value = value.parse().map_err(|_| invalid(format!("{name} is no header")))?;
            request.headers_mut().insert(name, value);
        }
        let given: Vec<_> = request.headers().keys().cloned().collect();
        AwsAuthorizer::new(&self.credential, "s3", &self.region)
            .try_authorize(&mut request, None)
            .map_err(|_| invalid("the request cannot be signed".to_owned()))?;
        let mut signed = Vec::new();
        for (name, value) in request.headers().iter().filter(|(name, _)| !given.contains(name)) {
            let value = value.to_str().map_err(|_| invalid(format!("{name} is no text")))?;
            signed.push((name.to_string(), Secret::new(value)));
        }
        Ok(signed)
    }
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Objects({})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects() -> Objects {
        let key = Some(("id".to_owned(), Secret::new("hush")));
        let settings = BucketSettings { key, path_style: true, ..BucketSettings::new("images") };
        Objects::new(&settings).unwrap()
    }

    #[test]
    fn names_stand_for_themselves() {
        let base = "https://s3.us-east-1.amazonaws.com/images";
        for (name, expected) in [
            ("a/b.qcow2", "a/b.qcow2"),
            ("a b+c?d#e%2f", "a%20b%2Bc%3Fd%23e%252f"),
            ("ä", "%C3%A4"),
        ] {
            assert_eq!(objects().url(name).unwrap(), format!("{base}/{expected}"));
        }
        for name in ["", "/a", "a/", "a//b", "../a", "a/./b", "a\0", "a\r\nb", &"a".repeat(1025)] {
            assert!(objects().url(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_request_is_signed_with_its_headers() {
        let range = [("Range", "bytes=0-9".to_owned())];
        let signed = objects().sign(&objects().url("a").unwrap(), &range).unwrap();
        let of = |name: &str| {
            let found = signed.iter().find(|(it, _)| it == name);
            found.map(|(_, value)| value.expose().to_owned()).unwrap()
        };
        assert!(of("authorization").starts_with("AWS4-HMAC-SHA256 Credential=id/"));
        assert!(
            of("authorization")
                .contains("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date")
        );
        assert_eq!(of("x-amz-date").len(), 16);
        assert!(signed.iter().all(|(name, _)| name != "range" && name != "host"));
        assert!(!format!("{signed:?} {:?}", objects()).contains("hush"));
    }
}
