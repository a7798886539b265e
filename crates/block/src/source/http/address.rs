//! Addresses: where a redirect leads, and whether that is still the same server.

use ureq::http::Uri;

/// Who a header with a secret may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    pub(super) fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host()?.to_ascii_lowercase();
        let port = match uri.authority()?.as_str().rsplit_once(':') {
            // A colon may also stand in an address of IPv6, or in user information.
            Some((_, port)) if !port.contains([']', '@']) && !port.is_empty() => uri.port_u16()?,
            _ if secure => 443,
            _ => 80,
        };
        Some(Self { secure, host, port })
    }

    pub(super) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is this machine, where no proxy is of use.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let address: Option<std::net::IpAddr> = host.parse().ok();
        host == "localhost" || address.is_some_and(|address| address.is_loopback())
    }
}

/// The address that `location` means on a page at `base`; none if it is not one to fetch from.
pub(super) fn join(base: &str, location: &str) -> Option<String> {
    let location = location.split('#').next().unwrap_or(location);
    let scheme_end = base.find("://")?;
    let (scheme, rest) = (&base[..scheme_end], &base[scheme_end + 3..]);
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    // What a redirect does not spell out it does not take over: credentials stay behind.
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let joined = if has_scheme(location) {
        location.to_owned()
    } else if let Some(elsewhere) = location.strip_prefix("//") {
        format!("{scheme}://{elsewhere}")
    } else if location.starts_with('/') {
        format!("{scheme}://{host}{location}")
    } else {
        let path = path.split(['?', '#']).next().unwrap_or(path);
        let directory = &path[..path.rfind('/').map_or(0, |at| at + 1)];
        let slash = if directory.is_empty() { "/" } else { "" };
        match location.starts_with('?') {
            true => format!("{scheme}://{host}{path}{location}"),
            false => format!("{scheme}://{host}{directory}{slash}{location}"),
        }
    };
    Origin::of(&joined).map(|_| joined)
}

fn has_scheme(location: &str) -> bool {
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_a_browser_would_go() {
        let base = "https://user:word@host:8443/a/b.img?x=1";
        for (location, expected) in [
            ("https://other/c", "https://other/c"),
            ("http://other/c#part", "http://other/c"),
            ("//other/c", "https://other/c"),
            ("/c?y", "https://host:8443/c?y"),
            ("c", "https://host:8443/a/c"),
            ("../c", "https://host:8443/a/../c"),
            ("?y=2", "https://host:8443/a/b.img?y=2"),
        ] {
            assert_eq!(join(base, location).as_deref(), Some(expected), "{location}");
        }
        assert_eq!(join("http://host", "c").as_deref(), Some("http://host/c"));
        assert_eq!(join(base, "file:///etc/passwd"), None);
        assert_eq!(join(base, "ftp://host/x"), None);
    }

    #[test]
    fn another_scheme_host_or_port_is_another_server() {
        let origin = |url| Origin::of(url).unwrap();
        assert_eq!(origin("https://Host/a"), origin("https://host:443/b"));
        assert_eq!(origin("http://host/a"), origin("http://u:p@host:80/b"));
        assert_ne!(origin("https://host/a"), origin("http://host/a"));
        assert_ne!(origin("https://host/a"), origin("https://host:444/a"));
        assert_ne!(origin("https://host/a"), origin("https://sub.host/a"));
        assert!(origin("http://127.0.0.1:80/").is_loopback());
        assert!(origin("http://[::1]:80/").is_loopback());
        assert!(!origin("http://127.example/").is_loopback());
        assert_eq!(origin("http://[::1]/"), origin("http://[::1]:80/"));
        assert_eq!(origin("http://user:word@host/"), origin("http://host:80/"));
        for url in
            ["/just/a/path", "http://", "http://host:99999/", "http://host:x/", "ftp://host/"]
        {
            assert_eq!(Origin::of(url), None, "{url}");
        }
    }
}
