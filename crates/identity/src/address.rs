//! Which addresses a provider may have.

use std::net::IpAddr;

/// Whether what is fetched from there is what its owner sent: over TLS, or within this machine.
pub(crate) fn is_safe(url: &str) -> bool {
    authority(url, "https://").is_some() || is_local(url)
}

/// Whether it is spoken in the clear, to this machine.
pub(crate) fn is_local(url: &str) -> bool {
    authority(url, "http://").is_some_and(|authority| {
        let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// The host and port of an address that names no user and is plain in every letter.
fn authority<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let rest = url.strip_prefix(scheme)?;
    let plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>".contains(&byte));
    let authority = rest.split(['/', '?', '#']).next()?;
    (plain && !authority.is_empty() && !authority.contains('@')).then_some(authority)
}

#[cfg(test)]
mod tests {
    use super::{is_local, is_safe};

    #[test]
    fn tls_or_this_machine() {
        for url in ["https://login.example.com/a", "https://h:8443", "https://[2001:db8::1]/"] {
            assert!(is_safe(url) && !is_local(url), "{url}");
        }
        for url in ["http://localhost:80/a", "http://127.0.0.1", "http://[::1]:9/x"] {
            assert!(is_safe(url) && is_local(url), "{url}");
        }
        for url in [
            "http://login.example.com",
            "http://127.0.0.1.example.com/",
            "http://localhost@example.com/",
            "http://localhost.example.com",
            "https://",
            "https://user:word@h/",
            "https://h/ a",
            "ftp://h/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!is_safe(url), "{url}");
        }
    }
}
