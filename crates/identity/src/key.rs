//! The keys that a provider publishes (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::algorithm::Algorithm;

/// More keys than a provider has any use for.
const MOST: usize = 100;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Uncompressed: 4, x, y.
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A key, and what it is meant for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    material: Material,
}

/// The keys of a provider.
#[derive(Clone, Debug)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a set. Keys of other kinds, and for other purposes, are passed over.
    pub(crate) fn read(document: &[u8]) -> Result<Self, String> {
        let set: Set = serde_json::from_slice(document)
            .map_err(|error| format!("what should be its keys is no JSON Web Key Set: {error}"))?;
        if set.keys.len() > MOST {
            return Err(format!("it publishes more than {MOST} keys"));
        }
        let keys: Vec<Key> = set.keys.into_iter().filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err(
                "it publishes no key that signatures of RSA (2048 bits and more), P-256, P-384 or \
                        Ed25519 could be checked with"
                    .to_owned(),
            );
        }
        Ok(Self(keys))
    }

    /// Those that a signature of this kind may have been made with. A token that names no key may be
    /// of any of them.
    pub(crate) fn of(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &Material> {
        self.0
            .iter()
            .filter(move |key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid)))
            .filter(move |key| key.algorithm.is_none_or(|it| it == algorithm))
            .map(|key| &key.material)
            .filter(move |material| algorithm.suits(material))
    }
}

impl Key {
    fn read(document: Value) -> Option<Self> {
        let written: Written = serde_json::from_value(document).ok()?;
        if written.purpose.as_deref().is_some_and(|purpose| purpose != "sig")
            || written.key_ops.as_ref().is_some_and(|all| !all.iter().any(|it| it == "verify"))
        {
            return None;
        }
        let algorithm = match &written.alg {
            Some(name) => Some(Algorithm::parse(name)?),
            None => None,
        };
        let number = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        let exactly = |text: &Option<String>, length: usize| {
            number(text).filter(|bytes| bytes.len() == length)
        };
        let point = |length: usize| {
            let (x, y) = (exactly(&written.x, length)?, exactly(&written.y, length)?);
            Some([&[4], &*x, &*y].concat())
        };
        let material = match (written.kty.as_str(), written.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (without_noughts(number(&written.n)?), number(&written.e)?);
                if !(256..=1024).contains(&n.len()) {
                    return None;
                }
                Material::Rsa { n, e: without_noughts(e) }
            }
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(exactly(&written.x, 32)?),
            _ => return None,
        };
        Some(Self { kid: written.kid, algorithm, material })
    }
}

/// Some write numbers with noughts before them.
fn without_noughts(mut bytes: Vec<u8>) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.drain(..first);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<usize, String> {
        Keys::read(document.as_bytes()).map(|keys| keys.0.len())
    }

    #[test]
    fn keys_for_other_purposes_are_passed_over() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let good = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
        let set = |others: &[&str]| format!(r#"{{"keys":[{}]}}"#, others.join(","));
        let short = URL_SAFE_NO_PAD.encode([7; 128]);
        let others = [
            r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(),
            good.replace("Ed25519", "X25519"),
            good.replace("\"kty\"", "\"use\":\"enc\",\"kty\""),
            good.replace("\"kty\"", "\"key_ops\":[\"sign\"],\"kty\""),
            good.replace("\"kty\"", "\"alg\":\"HS256\",\"kty\""),
            good.replace(&x, &x[4..]),
            format!(r#"{{"kty":"RSA","n":"{short}","e":"AQAB"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}"}}"#),
            "7".to_owned(),
        ];
        for other in &others {
            assert!(read(&set(&[other])).unwrap_err().contains("no key"), "{other}");
            assert_eq!(read(&set(&[other, &good])), Ok(1), "{other}");
        }
        assert!(read("{}").unwrap_err().contains("Key Set"));
        assert!(read("<html>").is_err());
        assert!(read(&set(&vec![&*good; 101])).unwrap_err().contains("more than"));
    }
}
