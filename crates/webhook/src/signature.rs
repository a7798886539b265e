//! By which a receiver knows that a message is ours, and how old it is.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What `X-Fathom-Signature` says of a body that is sent at this second: `t=…,v1=…`, where `v1` is the
/// HMAC-SHA256 of `t`, a full stop and the body, by the secret that both know.
pub fn sign(secret: &[u8], at: u64, body: &[u8]) -> String {
    // Keys of every length are taken.
    let digest = Hmac::<Sha256>::new_from_slice(secret).map(|mut mac| {
        mac.update(at.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.finalize().into_bytes()
    });
    let hex: String = digest
        .map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect())
        .unwrap_or_default();
    format!("t={at},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::sign;

    /// `printf '1764324000.{"a":1}' | openssl dgst -sha256 -hmac hush`
    #[test]
    fn a_signature_is_what_others_compute() {
        let signed = sign(b"hush", 1_764_324_000, br#"{"a":1}"#);
        assert_eq!(
            signed,
            "t=1764324000,v1=446e7ce9a80547c8bae8ab3357d7776e1337b5b676ed7ed098b94d40cf3c0a2f"
        );
        assert_ne!(sign(b"hush", 1_764_324_001, br#"{"a":1}"#)[13..], signed[13..]);
        assert_ne!(sign(b"husk", 1_764_324_000, br#"{"a":1}"#), signed);
        // Secrets longer than a block are taken too.
        assert_eq!(sign(&[b'x'; 200], 1, b"").len(), "t=1,v1=".len() + 64);
    }
}
