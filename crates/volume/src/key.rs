//! Secrets that may open encrypted volumes.

use std::fmt;

use zeroize::Zeroizing;

/// A secret that may open an encrypted volume. It is never shown, and wiped when it is dropped.
#[derive(Clone)]
pub struct Key {
    /// The volume it is meant for, by id or UUID; all of them where this is `None`.
    pub volume: Option<String>,
    secret: Zeroizing<Vec<u8>>,
}

impl Key {
    /// The passphrase or the content of a key file.
    pub fn new(volume: Option<String>, secret: Vec<u8>) -> Self {
        Self { volume, secret: Zeroizing::new(secret) }
    }

    /// The secret itself, for those who derive keys from it.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("volume", &self.volume).field("secret", &"***").finish()
    }
}

/// How much an image may make us spend on one try of one key. What a key slot costs is a number on
/// the disk, and a slot that costs more is refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory. `cryptsetup` asks for up to 1 GiB unless told otherwise.
    pub memory: u64,
    /// Rounds of work: iterations of PBKDF2, or kibibytes filled by Argon2, over all its passes.
    pub work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 1 << 30, work: 1 << 26 }
    }
}

/// All secrets that the user gave.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    keys: Vec<Key>,
    limits: Limits,
}

impl Keys {
    /// These secrets.
    pub fn new(keys: Vec<Key>) -> Self {
        Self { keys, limits: Limits::default() }
    }

    /// The same secrets, each try of which may cost this much.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What each try may cost.
    pub(crate) fn limit(&self) -> Limits {
        self.limits
    }

    /// Whether the user gave none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The secrets to try on a volume that goes by any of these names: those meant for it first.
    pub fn for_volume<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Key> {
        let meant = |key: &&Key| key.volume.as_deref().is_some_and(|name| names.contains(&name));
        let any = self.keys.iter().filter(|key| key.volume.is_none());
        self.keys.iter().filter(meant).chain(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_meant_for_a_volume_come_first_and_none_is_shown() {
        let key = |volume: Option<&str>, secret: &str| {
            Key::new(volume.map(str::to_owned), secret.as_bytes().to_vec())
        };
        let keys = Keys::new(vec![
            key(None, "first-secret"),
            key(Some("disk0/p1"), "second-secret"),
            key(Some("disk0/p2"), "third-secret"),
        ]);
        let secrets: Vec<_> = keys.for_volume(&["disk0/p1", "uuid"]).map(Key::secret).collect();
        assert_eq!(secrets, [&b"second-secret"[..], b"first-secret"]);
        let shown = format!("{keys:?}");
        assert!(!shown.contains("first-secret") && !shown.contains("second-secret"), "{shown}");
        assert!(!keys.is_empty() && Keys::default().is_empty());
    }
}
