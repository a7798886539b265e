//! Secrets that may open encrypted volumes.

use std::fmt;

/// A secret that may open an encrypted volume. It is never shown.
#[derive(Clone)]
pub struct Key {
    /// The volume it is meant for, by id or UUID; all of them where this is `None`.
    pub volume: Option<String>,
    secret: Vec<u8>,
}

impl Key {
    /// The passphrase or the content of a key file.
    pub fn new(volume: Option<String>, secret: Vec<u8>) -> Self {
        Self { volume, secret }
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

/// All secrets that the user gave.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// These secrets.
    pub fn new(keys: Vec<Key>) -> Self {
        Self(keys)
    }

    /// Whether the user gave none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secrets to try on a volume that goes by any of these names: those meant for it first.
    pub fn for_volume<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Key> {
        let meant = |key: &&Key| key.volume.as_deref().is_some_and(|name| names.contains(&name));
        let any = self.0.iter().filter(|key| key.volume.is_none());
        self.0.iter().filter(meant).chain(any)
    }
}
