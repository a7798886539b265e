//! Asking a provider for its keys.

use std::time::Duration;

use fathom_block::source::{HttpOptions, Web};
use serde::Deserialize;

use crate::address::{is_local, is_safe};
use crate::key::Keys;
use crate::provider::Settings;

/// How long to wait for a connection, and for a server that is silent.
const SILENCE: Duration = Duration::from_secs(4);
/// How long a document may take.
const WITHIN: Duration = Duration::from_secs(6);
/// How large a document may be.
const MOST: u64 = 1 << 20;

/// What a provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Deserialize)]
struct About {
    issuer: String,
    jwks_uri: String,
}

/// The keys as they are now. Blocks for some seconds at most.
pub(crate) fn keys(settings: &Settings) -> Result<Keys, String> {
    let options = HttpOptions::new()
        .ca_file(settings.ca_file.clone())
        .timeouts(SILENCE, SILENCE)
        .retries(0, Duration::ZERO, Duration::ZERO)
        .no_redirects();
    let web = Web::new(&options);
    let document = |url: &str| {
        web.document(url, MOST, WITHIN).map_err(|error| error.to_string().replace('\n', " "))
    };
    let place = match &settings.keys {
        Some(place) => place.clone(),
        None => {
            let issuer = settings.issuer.trim_end_matches('/');
            let url = format!("{issuer}/.well-known/openid-configuration");
            place(&document(&url)?, settings).map_err(|why| format!("{url}: {why}"))?
        }
    };
    Keys::read(&document(&place)?).map_err(|why| format!("{place}: {why}"))
}

/// Where the keys are, by what the provider says of itself.
fn place(document: &[u8], settings: &Settings) -> Result<String, String> {
    let about: About = serde_json::from_slice(document)
        .map_err(|error| format!("that is no description of a provider: {error}"))?;
    if about.issuer != settings.issuer {
        let said = about.issuer.chars().take(200).collect::<String>();
        return Err(format!("it is the issuer {said:?}, and {:?} was named", settings.issuer));
    }
    let place = about.jwks_uri;
    // One that is elsewhere has no business on this machine.
    if !is_safe(&place) || (is_local(&place) && !is_local(&settings.issuer)) {
        let said = place.chars().take(200).collect::<String>();
        return Err(format!("its keys are at {said:?}, which is not https"));
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_lie_where_they_cannot_be_exchanged() {
        let of = |issuer: &str, said: &str, keys: &str| {
            let settings = Settings { issuer: issuer.to_owned(), ..Settings::default() };
            let document = json!({ "issuer": said, "jwks_uri": keys, "more": 1 }).to_string();
            place(document.as_bytes(), &settings)
        };
        let (far, near) = ("https://login.test", "http://127.0.0.1:9");
        assert!(of(far, far, "https://keys.test/k").is_ok());
        assert!(of(near, near, "http://127.0.0.1:9/k").is_ok());
        assert!(
            of(far, "https://login.test/", "https://keys.test/k")
                .unwrap_err()
                .contains("was named")
        );
        for keys in ["http://keys.test/k", "http://127.0.0.1/k", "file:///etc/passwd", "k", ""] {
            assert!(of(far, far, keys).unwrap_err().contains("not https"), "{keys}");
        }
        let settings = Settings::default();
        assert!(place(b"<html>", &settings).unwrap_err().contains("no description"));
        assert!(place(b"{}", &settings).is_err());
    }
}
