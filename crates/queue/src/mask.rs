//! Addresses without who logs in there.

/// The address with the user and the password blotted out.
pub(crate) fn mask(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // Without a scheme it is no address of ours; it may be anything, even a password.
        return "an address without a scheme".to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A password may hold what ends an authority elsewhere, so the last `@` of all counts.
    let host = match rest.rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    let shown = host.split(['?', '#']).next().unwrap_or_default();
    let secret = if rest.contains('@') && end > 0 { "****@" } else { "" };
    format!("{scheme}://{secret}{shown}")
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379/", "redis://127.0.0.1:6379/"),
            ("redis://:secret@h:1/0", "redis://****@h:1/0"),
            ("amqp://user:secret@h:1/%2f?heartbeat=1", "amqp://****@h:1/%2f"),
            ("amqp://user:se/cr@et@h:1/", "amqp://****@h:1/"),
            ("h:1?password=secret", "an address without a scheme"),
            ("kafka://h:1?password=secret", "kafka://h:1"),
        ] {
            assert_eq!(mask(url), shown);
        }
    }
}
