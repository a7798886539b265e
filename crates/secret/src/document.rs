//! Secrets in documents: read as texts, written masked.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{MASK, Secret, SecretUrl};

/// Takes a text (from formats that say what stands there, of which no reader comes before it with a
/// complaint of its own), and of anything else says what is wrong without saying what stood there.
struct Text;

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<String, E> {
        Ok(value)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<String, E> {
        Err(E::custom("it must be a text"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<String, E> {
        Err(E::custom("it must be a text"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<String, E> {
        Err(E::custom("it must be a text"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<String, E> {
        Err(E::custom("it must be a text"))
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<String, E> {
        Err(E::custom("it must be a text"))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text).map(Self::new)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(MASK)
    }
}

impl<'de> Deserialize<'de> for SecretUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text).map(Self::new)
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_masked() {
        let secret: Secret = serde_json::from_str("\"hush\"").unwrap();
        assert_eq!(secret.expose(), "hush");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        let url: SecretUrl = serde_json::from_str("\"redis://u:hush@h\"").unwrap();
        assert_eq!(url.expose(), "redis://u:hush@h");
        assert_eq!(serde_json::to_string(&url).unwrap(), "\"redis://u:***@h\"");
    }

    #[test]
    fn errors_do_not_say_what_stood_there() {
        for text in ["4711", "-4711", "47.11", "true", "[4711]", "{\"hush\": 4711}"] {
            let error = serde_json::from_str::<Secret>(text).unwrap_err().to_string();
            assert!(!error.contains("47") && !error.contains("hush"), "{error}");
        }
    }
}
