//! Names of documents out of what they say.

use std::fmt::Write as _;
use std::io;

use fathom_report::{Package, Report};
use sha2::{Digest as _, Sha256};

/// Takes bytes into a checksum.
struct Hasher(Sha256);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A universally unique identifier of the report and the purpose: version 8 of RFC 9562, made of a
/// SHA-256. It is another one for another report, and the same for the same.
pub(super) fn identifier(purpose: &str, report: &Report, timestamp: &str) -> io::Result<String> {
    let mut hasher = Hasher(Sha256::new());
    hasher.0.update(purpose.as_bytes());
    hasher.0.update([0]);
    hasher.0.update(timestamp.as_bytes());
    hasher.0.update([0]);
    serde_json::to_writer(&mut hasher, report)?;
    Ok(shaped(hasher.0))
}

/// The same of texts, in their order.
pub(crate) fn uuid(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    shaped(hash)
}

/// The first bytes of a checksum in the shape of an identifier.
fn shaped(hash: Sha256) -> String {
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The first 64 bits of a text's SHA-256, in hexadecimal.
pub(super) fn short(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |mut shown, byte| {
        let _ = write!(shown, "{byte:02x}");
        shown
    })
}

/// The checksum that a package was recognised by: its algorithm in the spelling of CycloneDX, and
/// its hexadecimal digits.
pub(super) fn checksum(package: &Package) -> Option<(&'static str, String)> {
    let text = package.checksum.as_deref()?;
    let (named, digits) = match text.split_once(':') {
        Some((name, digits)) => (Some(name.to_ascii_lowercase()), digits),
        None => (None, text),
    };
    let algorithm = match (named.as_deref(), digits.len()) {
        (None | Some("md5"), 32) => "MD5",
        (None | Some("sha1" | "sha-1"), 40) => "SHA-1",
        (None | Some("sha256" | "sha-256"), 64) => "SHA-256",
        (None | Some("sha384" | "sha-384"), 96) => "SHA-384",
        (None | Some("sha512" | "sha-512"), 128) => "SHA-512",
        _ => return None,
    };
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| (algorithm, digits.to_ascii_lowercase()))
}
