//! An address that may hold a password.

use std::fmt;

use crate::{MASK, Secret};

/// Parameters of a query whose values are no secrets. Of the others nobody knows.
const HARMLESS: &[&str] = &[
    "application_name",
    "cache",
    "channel_max",
    "connect_timeout",
    "connection_timeout",
    "db",
    "frame_max",
    "heartbeat",
    "mode",
    "protocol",
    "region",
    "sslmode",
    "sslrootcert",
    "timeout",
    "vhost",
];

/// An address, of which the password and what its query may hold of secrets are not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Secret);

impl SecretUrl {
    /// Takes any text; whether it is an address is for whoever uses it.
    pub fn new(url: impl Into<String>) -> Self {
        Self(Secret::new(url))
    }

    /// The whole address, for the one place that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What stands before `:` (`https`), in lower case; nothing where no scheme does.
    pub fn scheme(&self) -> Option<String> {
        let (scheme, _) = self.expose().split_once(':')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let fits = scheme.as_bytes().first()?.is_ascii_alphabetic() && scheme.bytes().all(plain);
        fits.then(|| scheme.to_ascii_lowercase())
    }
}

impl From<String> for SecretUrl {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(self.expose()))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", masked(self.expose()))
    }
}

/// The address as it may be shown. Passwords hold `/`, `?` and `#` although they should not, so
/// everything up to the last `@` counts as user information: rather too little is shown than too much.
fn masked(url: &str) -> String {
    let (scheme, rest) = match url.find("://") {
        Some(at) => url.split_at(at + 3),
        None => ("", url),
    };
    let (scheme, hidden) = match scheme.contains('@') {
        // What looks like a scheme stands behind user information.
        true => ("", true),
        false => (scheme, false),
    };
    let mut shown = scheme.to_owned();
    let rest = match rest.rsplit_once('@') {
        Some((user, rest)) => {
            // A name alone may be a token.
            match user.split_once(':') {
                Some((name, _)) if !hidden && !name.contains(['/', '?', '#', '@']) => {
                    shown.push_str(name);
                    shown.push(':');
                    shown.push_str(MASK);
                }
                _ => shown.push_str(MASK),
            }
            shown.push('@');
            rest
        }
        None if hidden => {
            shown.push_str(MASK);
            shown.push('@');
            rest
        }
        None => rest,
    };
    let (rest, fragment) = match rest.split_once('#') {
        Some((rest, _)) => (rest, true),
        None => (rest, false),
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    shown.push_str(path);
    for (index, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if index == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) if HARMLESS.contains(&name) => shown.push_str(pair),
            Some((name, _)) => {
                shown.push_str(name);
                shown.push('=');
                shown.push_str(MASK);
            }
            None if pair.is_empty() => {}
            None => shown.push_str(MASK),
        }
    }
    if fragment {
        shown.push('#');
        shown.push_str(MASK);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, shown: &str) {
        let url = SecretUrl::new(url);
        assert_eq!(url.to_string(), shown, "{}", url.expose());
        assert_eq!(format!("{url:?}"), format!("{shown:?}"));
    }

    #[test]
    fn what_is_secret_is_masked() {
        check("https://example.com/a/b", "https://example.com/a/b");
        check("amqp://guest:hush@host:5672/%2f", "amqp://guest:***@host:5672/%2f");
        check("redis://:hush@host", "redis://:***@host");
        check("https://hush@host/", "https://***@host/");
        check(
            "postgres://h/db?sslmode=require&password=hush",
            "postgres://h/db?sslmode=require&password=***",
        );
        check("https://h/?hush", "https://h/?***");
        check("https://h/p#hush", "https://h/p#***");
        check("https://h/?a=b#hush", "https://h/?a=***#***");
        check("sqlite:///var/lib/fathom/fathom.db", "sqlite:///var/lib/fathom/fathom.db");
        check("broker:9092", "broker:9092");
    }

    #[test]
    fn passwords_that_are_not_spelled_as_they_must_be() {
        check("amqp://u:hu/sh@host/", "amqp://u:***@host/");
        check("amqp://u:hu?sh#hush@host/", "amqp://u:***@host/");
        check("amqp://u:hush@hush@host/", "amqp://u:***@host/");
        check("u:hush@host/db", "u:***@host/db");
        check("u:hush@http://host", "***@host");
        check("https://h/?mail=hush@host", "https://***@host");
    }

    #[test]
    fn scheme() {
        assert_eq!(SecretUrl::new("AMQPS://h").scheme().as_deref(), Some("amqps"));
        assert_eq!(SecretUrl::new("sqlite:a.db").scheme().as_deref(), Some("sqlite"));
        assert_eq!(SecretUrl::new("/var/lib/a").scheme(), None);
        assert_eq!(SecretUrl::new("10:2").scheme(), None);
    }
}
