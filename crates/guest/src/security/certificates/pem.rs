//! Blocks of certificates in a text: base64 between two lines that name it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The lines that blocks of certificates begin and end with.
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const KINDS: [&[u8]; 5] = [
    b"CERTIFICATE-----",
    b"X509 CERTIFICATE-----",
    b"TRUSTED CERTIFICATE-----",
    b"PKCS7-----",
    b"CMS-----",
];

/// Whether the text has a line that a block of certificates begins with.
pub(super) fn has_certificates(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(start) = find(rest, BEGIN) {
        rest = &rest[start + BEGIN.len()..];
        if KINDS.iter().any(|kind| rest.starts_with(kind)) {
            return true;
        }
    }
    false
}

/// The certificates in the text, at most so many. Other blocks, as those of keys, are passed over and
/// not decoded.
pub(super) fn certificates(text: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = find(rest, BEGIN) {
        rest = &rest[start + BEGIN.len()..];
        let Some(kind) = KINDS.iter().find(|kind| rest.starts_with(kind)) else { continue };
        rest = &rest[kind.len()..];
        let end = find(rest, END).ok_or("a certificate has no end")?;
        let body: Vec<u8> =
            rest[..end].iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        rest = &rest[end + END.len()..];
        let bytes = STANDARD.decode(&body);
        found.push(bytes.map_err(|_| "a certificate is not in base64".to_owned())?);
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_are_decoded() {
        let text = b"text\n-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n\
              -----BEGIN CERTIFICATE-----\r\nYW\nJj\r\n-----END CERTIFICATE-----\n\
              -----BEGIN TRUSTED CERTIFICATE-----\nZGVm\n-----END TRUSTED CERTIFICATE-----";
        assert_eq!(certificates(text, 9).unwrap(), [b"abc".to_vec(), b"def".to_vec()]);
        assert_eq!(certificates(text, 1).unwrap().len(), 1);
        assert!(certificates(b"-----BEGIN CERTIFICATE-----\nYW", 9).is_err());
        assert!(certificates(b"-----BEGIN CERTIFICATE-----\n!\n-----END ", 9).is_err());
        assert!(certificates(b"", 9).unwrap().is_empty());
    }
}
