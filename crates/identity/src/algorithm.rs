//! The kinds of signatures that count (RFC 7518, RFC 8037).

use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

use crate::key::Material;

/// A kind of signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// The one of this name. `none` and those that sign with a shared secret are not among them.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            _ => return None,
        })
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }

    /// Whether a signature of this kind can be made with such a key.
    pub(crate) fn suits(self, key: &Material) -> bool {
        match key {
            Material::Rsa { .. } => self.rsa().is_some(),
            Material::P256(_) => self == Self::Es256,
            Material::P384(_) => self == Self::Es384,
            Material::Ed25519(_) => self == Self::EdDsa,
        }
    }

    /// Whether `signature` is that of `message` by the owner of `key`.
    pub(crate) fn verify(self, key: &Material, message: &[u8], signature: &[u8]) -> bool {
        let plain = |kind: &'static dyn VerificationAlgorithm, point: &[u8]| {
            UnparsedPublicKey::new(kind, point).verify(message, signature)
        };
        let outcome = match (key, self) {
            (Material::Rsa { n, e }, _) => match self.rsa() {
                Some(kind) => RsaPublicKeyComponents { n, e }.verify(kind, message, signature),
                None => return false,
            },
            (Material::P256(point), Self::Es256) => plain(&ECDSA_P256_SHA256_FIXED, point),
            (Material::P384(point), Self::Es384) => plain(&ECDSA_P384_SHA384_FIXED, point),
            (Material::Ed25519(point), Self::EdDsa) => {
                plain(&ED25519 as &dyn signature::VerificationAlgorithm, point)
            }
            _ => return false,
        };
        outcome.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

    #[test]
    fn what_anybody_could_sign_is_no_signature() {
        for name in
            ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "RS1", "ES256K", "rs256"]
        {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }
}
