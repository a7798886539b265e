//! A signed token as it is written (RFC 7515, RFC 7519): three parts between dots.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;

/// The longest that is looked at.
const LONGEST: usize = 16 << 10;

/// A token of which nothing is believed yet.
pub(crate) struct Token<'t> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) claims: Map<String, Value>,
    /// What is signed.
    pub(crate) message: &'t str,
    pub(crate) signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// What must be understood, of which we understand nothing.
    crit: Option<Value>,
}

impl<'t> Token<'t> {
    pub(crate) fn parse(text: &'t str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("the token is longer than 16 KiB");
        }
        let shape = "it is no signed token";
        let (message, signature) = text.rsplit_once('.').ok_or(shape)?;
        let (header, claims) = message.split_once('.').ok_or(shape)?;
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| shape);
        let header: Header = serde_json::from_slice(&part(header)?).map_err(|_| shape)?;
        let algorithm = Algorithm::parse(&header.alg)
            .ok_or("the token is signed in a way that is not taken here")?;
        if header.crit.is_some() {
            return Err("the token asks for what is not known here");
        }
        // Tokens that are made for other purposes, such as to end a session, say so.
        let typ = header.typ.unwrap_or_default().to_ascii_lowercase();
        if !matches!(typ.as_str(), "" | "jwt" | "at+jwt" | "application/at+jwt") {
            return Err("the token is not one of access");
        }
        let claims = serde_json::from_slice(&part(claims)?).map_err(|_| shape)?;
        Ok(Self { algorithm, kid: header.kid, claims, message, signature: part(signature)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(header: &str, claims: &str) -> &'static str {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let text = format!("{}.{}.{}", part(header), part(claims), part("x"));
        Token::parse(&text).err().unwrap_or("it is taken")
    }

    #[test]
    fn what_is_no_token_is_refused() {
        assert_eq!(refused(r#"{"alg":"ES256"}"#, "{}"), "it is taken");
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":""}"#] {
            assert!(refused(header, "{}").contains("signed in a way"), "{header}");
        }
        assert!(refused(r#"{"alg":"ES256","crit":["b64"]}"#, "{}").contains("not known"));
        assert!(refused(r#"{"alg":"ES256","typ":"logout+jwt"}"#, "{}").contains("access"));
        for (header, claims) in [
            ("{}", "{}"),
            ("", ""),
            (r#"{"alg":"ES256","alg":"none"}"#, "{}"),
            (r#"{"alg":["ES256"]}"#, "{}"),
            (r#"{"alg":"ES256"}"#, "[]"),
            (r#"{"alg":"ES256"}"#, "{"),
        ] {
            assert_eq!(refused(header, claims), "it is no signed token", "{header} {claims}");
        }
        for text in ["", ".", "..", "a.b", "a.b.c.d.e", "é.é.é", "====.====.===="] {
            assert!(Token::parse(text).is_err(), "{text}");
        }
        assert!(Token::parse(&"a".repeat(LONGEST + 1)).err().unwrap().contains("16 KiB"));
    }
}
