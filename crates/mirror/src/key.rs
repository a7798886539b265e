//! Keys that manifests are signed with: Ed25519.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::error::{Error, Result};

/// What stands before a secret key in its file, so that it is not taken for a public one.
const SECRET: &str = "fathom-secret-key:";

/// What stands before a public key in its file.
const PUBLIC: &str = "fathom-public-key:";

/// How long a public key is.
const LENGTH: usize = 32;

/// How long a signature is.
const SIGNATURE: usize = 64;

/// The key that whoever publishes a database signs with.
pub struct SecretKey {
    pair: Ed25519KeyPair,
    document: Vec<u8>,
}

/// The key that signatures are checked with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; LENGTH]);

impl SecretKey {
    /// A new key.
    pub fn generate() -> Result<Self> {
        let failed = |_| Error::Refused("this host gives no random numbers".to_owned());
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(failed)?;
        Self::of(document.as_ref())
    }

    /// The key in the text of a file.
    pub fn parse(text: &str) -> Result<Self> {
        let malformed = || Error::Refused("this is no secret key of fathom".to_owned());
        let text = text.trim().strip_prefix(SECRET).ok_or_else(malformed)?;
        let document = STANDARD.decode(text.trim()).map_err(|_| malformed())?;
        Self::of(&document).map_err(|_| malformed())
    }

    fn of(document: &[u8]) -> Result<Self> {
        let failed = |_| Error::Refused("this is no secret key of fathom".to_owned());
        let pair = Ed25519KeyPair::from_pkcs8(document).map_err(failed)?;
        Ok(Self { pair, document: document.to_owned() })
    }

    /// The text of a file that holds it. Whoever has it can publish in its owner's name.
    pub fn to_text(&self) -> String {
        format!("{SECRET}{}\n", STANDARD.encode(&self.document))
    }

    /// The key that its signatures are checked with.
    pub fn public(&self) -> PublicKey {
        let mut key = [0; LENGTH];
        for (to, from) in key.iter_mut().zip(self.pair.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey(key)
    }

    /// A signature of the bytes, as text.
    pub fn sign(&self, bytes: &[u8]) -> String {
        format!("{}\n", STANDARD.encode(self.pair.sign(bytes).as_ref()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecretKey(*** of {})", self.public())
    }
}

impl PublicKey {
    /// The key in a text: that of a file, or what stands in it behind its name.
    pub fn parse(text: &str) -> Result<Self> {
        let malformed = || Error::Refused("this is no public key of fathom".to_owned());
        let text = text.trim();
        if text.starts_with(SECRET) {
            let why = "this is a secret key: it belongs to whoever publishes, and nowhere else";
            return Err(Error::Refused(why.to_owned()));
        }
        let text = text.strip_prefix(PUBLIC).unwrap_or(text);
        let bytes = STANDARD.decode(text.trim()).map_err(|_| malformed())?;
        Ok(Self(bytes.try_into().map_err(|_| malformed())?))
    }

    /// Whether the text is a signature of the bytes with this key's other half.
    pub fn is_signature(&self, bytes: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
        signature.len() == SIGNATURE
            && UnparsedPublicKey::new(&ED25519, &self.0).verify(bytes, &signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PUBLIC}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_bytes_and_its_key() -> Result<()> {
        let secret = SecretKey::generate()?;
        let again = SecretKey::parse(&secret.to_text())?;
        assert_eq!(secret.public(), again.public());
        let signature = again.sign(b"manifest");
        let public = PublicKey::parse(&secret.public().to_string())?;
        assert!(public.is_signature(b"manifest", &signature));
        assert!(!public.is_signature(b"manifest ", &signature));
        assert!(!public.is_signature(b"manifest", "AAAA"));
        assert!(!SecretKey::generate()?.public().is_signature(b"manifest", &signature));
        Ok(())
    }

    #[test]
    fn a_secret_is_not_shown_nor_taken_for_a_public_key() -> Result<()> {
        let secret = SecretKey::generate()?;
        let shown = format!("{secret:?}");
        assert!(!shown.contains(secret.to_text().trim()), "{shown}");
        assert!(PublicKey::parse(&secret.to_text()).is_err());
        assert!(SecretKey::parse(&secret.public().to_string()).is_err());
        assert!(PublicKey::parse("AAAA").is_err());
        Ok(())
    }
}
