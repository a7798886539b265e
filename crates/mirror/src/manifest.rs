//! What a database is made of.

use fathom_advisory::{Day, EXTENSION};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::key::PublicKey;

/// The version of the document.
pub const SCHEMA: &str = "fathom.database/v1";

/// What the manifest is called in bundles and on mirrors.
pub(crate) const MANIFEST: &str = "manifest.json";

/// What its signature is called.
pub(crate) const SIGNATURE: &str = "manifest.sig";

/// The longest that either of them is.
pub(crate) const LONGEST: u64 = 1 << 20;

/// The most files that a database has.
const FILES: usize = 1000;

/// What a database is made of, in the words of whoever publishes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `fathom.database/v1`.
    pub schema: String,
    /// Higher than that of every one before, by the same hand.
    pub serial: u64,
    /// When it was made, RFC 3339.
    pub created: String,
    /// The last day on which it is to be installed; empty for one that does not expire.
    pub expires: String,
    /// The files, by their names.
    pub files: Vec<File>,
}

/// One provider's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name.
    pub name: String,
    /// How many bytes it has.
    pub size: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Whose manifests are installed.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those that this key has signed.
    Key(PublicKey),
    /// Whoever made it: it came by a way that is trusted.
    Anybody,
}

impl Trust {
    /// The key, as what is installed keeps it.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            Self::Key(key) => Some(key.to_string()),
            Self::Anybody => None,
        }
    }

    /// Whether the signature is there, and of somebody else or of other bytes.
    pub(crate) fn is_denied(&self, bytes: &[u8], signature: Option<&str>) -> bool {
        match (self, signature) {
            (Self::Key(key), Some(signature)) => !key.is_signature(bytes, signature),
            _ => false,
        }
    }
}

impl Manifest {
    /// The bytes that are signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and lists of them can always be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The manifest in these bytes, if whoever is trusted has signed it, and it is of today.
    pub fn of(bytes: &[u8], signature: Option<&str>, trust: &Trust, today: Day) -> Result<Self> {
        if let Trust::Key(_) = trust {
            if signature.is_none() {
                let why = "the manifest is not signed, and a key is asked for";
                return Err(Error::Refused(why.to_owned()));
            }
            if trust.is_denied(bytes, signature) {
                let why = "the manifest's signature is not of the key that is trusted: it was \
                           changed, or somebody else has published it";
                return Err(Error::Refused(why.to_owned()));
            }
        }
        let malformed = |why: String| Error::Malformed("the manifest".to_owned(), why);
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        if manifest.schema != SCHEMA {
            let why = format!("is of {:?}; this program reads {SCHEMA}", manifest.schema);
            return Err(malformed(why));
        }
        manifest.check().map_err(malformed)?;
        let expires = Day::of(&manifest.expires);
        if expires.is_known() && today.is_known() && expires < today {
            let why = format!(
                "the manifest expired on {expires}: whoever publishes has a newer one, or somebody \
                 keeps it from you",
            );
            return Err(Error::Refused(why));
        }
        Ok(manifest)
    }

    /// How many bytes its files have together.
    pub fn size(&self) -> u64 {
        self.files.iter().fold(0, |all, file| all.saturating_add(file.size))
    }

    fn check(&self) -> std::result::Result<(), String> {
        if self.files.is_empty() {
            // It would replace what is there by a database that knows of nothing.
            return Err("names no file".to_owned());
        }
        if self.files.len() > FILES {
            return Err(format!("names {} files", self.files.len()));
        }
        if !is_time(&self.created) {
            return Err(format!("was made at {:?}, which is no time", self.created));
        }
        if !self.expires.is_empty() && Day::of(&self.expires).to_string() != self.expires {
            return Err(format!("expires on {:?}, which is no day", self.expires));
        }
        let sum = self.files.iter().try_fold(0_u64, |all, file| all.checked_add(file.size));
        if sum.is_none() {
            return Err("names files of more bytes than there can be".to_owned());
        }
        for file in &self.files {
            let stem = file.name.strip_suffix(EXTENSION).and_then(|it| it.strip_suffix('.'));
            let is_plain = stem.is_some_and(|stem| {
                let fits =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                !stem.is_empty() && stem.len() <= 64 && stem.bytes().all(fits)
            });
            if !is_plain {
                return Err(format!("names a file {:?}, which is no name of one", file.name));
            }
            let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            if file.sha256.len() != 64 || !file.sha256.bytes().all(is_hex) {
                return Err(format!("has no SHA-256 of {}", file.name));
            }
        }
        if !self.files.is_sorted_by(|one, other| one.name < other.name) {
            return Err("does not name its files in their order, each once".to_owned());
        }
        Ok(())
    }
}

/// Whether it is written as RFC 3339 writes times of UTC: `2026-01-01T00:00:00Z`.
fn is_time(text: &str) -> bool {
    let shape = b"0000-00-00T00:00:00Z";
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        shape => byte == *shape,
    };
    text.len() == shape.len() && text.bytes().zip(shape).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    fn manifest() -> Manifest {
        Manifest {
            schema: SCHEMA.to_owned(),
            serial: 7,
            created: "2026-01-01T00:00:00Z".to_owned(),
            expires: "2026-01-31".to_owned(),
            files: vec![File {
                name: "debian.advisories".to_owned(),
                size: 5,
                sha256: "0".repeat(64),
            }],
        }
    }

    fn of(bytes: &[u8], signature: Option<&str>, trust: &Trust, day: &str) -> Option<String> {
        Manifest::of(bytes, signature, trust, Day::of(day)).err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_signed_and_fresh_is_taken() -> Result<()> {
        let key = SecretKey::generate()?;
        let trust = Trust::Key(key.public());
        let bytes = manifest().to_bytes();
        let signature = key.sign(&bytes);
        assert_eq!(of(&bytes, Some(&signature), &trust, "2026-01-31"), None);
        let expired = of(&bytes, Some(&signature), &trust, "2026-02-01").unwrap_or_default();
        assert!(expired.contains("expired on 2026-01-31"), "{expired}");
        let unsigned = of(&bytes, None, &trust, "2026-01-02").unwrap_or_default();
        assert!(unsigned.contains("not signed"), "{unsigned}");
        let mut changed = bytes.clone();
        changed.push(b' ');
        let changed = of(&changed, Some(&signature), &trust, "2026-01-02").unwrap_or_default();
        assert!(changed.contains("signature"), "{changed}");
        let other = Trust::Key(SecretKey::generate()?.public());
        assert!(of(&bytes, Some(&signature), &other, "2026-01-02").is_some());
        assert_eq!(of(&bytes, None, &Trust::Anybody, "2026-01-02"), None);
        Ok(())
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let check = |change: &dyn Fn(&mut Manifest), why: &str| {
            let mut bad = manifest();
            change(&mut bad);
            let refused = of(&bad.to_bytes(), None, &Trust::Anybody, "").unwrap_or_default();
            assert!(refused.contains(why), "{refused}");
            assert!(!refused.contains('\u{1b}'), "{refused:?}");
        };
        check(&|it| it.files.clear(), "names no file");
        check(&|it| it.created = "\u{1b}[31mnow".to_owned(), "no time");
        check(&|it| it.created = "2026-01-01T00:00:00Z and more".to_owned(), "no time");
        check(&|it| it.expires = "2026-01-31\u{1b}[31m".to_owned(), "no day");
        check(&|it| it.expires = "2026-02-31".to_owned(), "no day");
        let huge = |it: &mut Manifest| {
            it.files[0].size = u64::MAX;
            it.files.push(File { name: "kev.advisories".to_owned(), ..it.files[0].clone() });
        };
        check(&huge, "more bytes than there can be");
    }

    #[test]
    fn names_lead_nowhere_else() {
        for name in
            ["../x.advisories", "a/b.advisories", ".advisories", "x.txt", "X.advisories", ""]
        {
            let mut bad = manifest();
            bad.files[0].name = name.to_owned();
            assert!(of(&bad.to_bytes(), None, &Trust::Anybody, "").is_some(), "{name}");
        }
        let mut twice = manifest();
        twice.files.push(twice.files[0].clone());
        assert!(of(&twice.to_bytes(), None, &Trust::Anybody, "").is_some());
        let mut older = manifest();
        older.schema = "fathom.database/v0".to_owned();
        assert!(of(&older.to_bytes(), None, &Trust::Anybody, "").is_some());
    }
}
