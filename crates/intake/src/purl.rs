//! Package URLs, taken apart: `pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12`.

use fathom_report::percent_decoded;

/// The longest that is taken apart.
const MOST: usize = 8192;

/// A package URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purl {
    /// The type, in small letters.
    pub(crate) kind: String,
    pub(crate) namespace: Vec<String>,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    qualifiers: Vec<(String, String)>,
}

impl Purl {
    /// Takes a text apart; nothing where it is no package URL.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MOST {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return None;
        }
        // What stands behind the `#` is a place within the package.
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest).trim_start_matches('/');
        let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, path) = path.split_once('/')?;
        // Some do not encode the `@` that names of npm begin with.
        let at = path.rfind('@').filter(|at| *at > 0 && !path[..*at].ends_with('/'));
        let (path, version) = match at {
            Some(at) => (&path[..at], Some(decoded(&path[at + 1..])?)),
            None => (path, None),
        };
        let mut parts: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(decoded).collect::<Option<_>>()?;
        let name = parts.pop()?;
        let mut known = Vec::new();
        for pair in qualifiers.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            known.push((key.to_ascii_lowercase(), decoded(value)?));
        }
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: parts,
            name,
            version: version.filter(|version| !version.is_empty()),
            qualifiers: known,
        })
    }

    /// What stands behind a name in the qualifiers.
    pub(crate) fn qualifier(&self, key: &str) -> Option<&str> {
        let found = self.qualifiers.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Without percent-encoding; nothing where what comes of it is no text, or one that holds what no name
/// or version does.
fn decoded(text: &str) -> Option<String> {
    percent_decoded(text).filter(|text| !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: (&str, &[&str], &str, Option<&str>)) -> Purl {
        let purl = Purl::parse(text).unwrap();
        let namespace: Vec<&str> = purl.namespace.iter().map(String::as_str).collect();
        let found = (&*purl.kind, &*namespace, &*purl.name, purl.version.as_deref());
        assert_eq!(found, expected, "{text}");
        purl.clone()
    }

    #[test]
    fn parts_are_told_apart() {
        let purl = check(
            "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&upstream=gcc-12&distro=debian-12",
            ("deb", &["debian"], "libstdc++6", Some("12.2.0-14")),
        );
        assert_eq!(purl.qualifier("upstream"), Some("gcc-12"));
        assert_eq!(purl.qualifier("epoch"), None);
        check("pkg:npm/%40babel/core@7.0.0", ("npm", &["@babel"], "core", Some("7.0.0")));
        check("pkg:npm/@babel/core@7.0.0", ("npm", &["@babel"], "core", Some("7.0.0")));
        check("pkg:npm/@babel/core", ("npm", &["@babel"], "core", None));
        let deb = ("deb", ["debian"].as_slice(), "dpkg", Some("1:1.2+b1"));
        check("PKG:Deb//debian/dpkg@1%3A1.2%2Bb1#usr/bin", deb);
        let go = ("golang", ["github.com", "a"].as_slice(), "b", Some("v1.0.0+incompatible"));
        check("pkg:golang/github.com/a/b@v1.0.0+incompatible#sub", go);
    }

    #[test]
    fn what_is_none_is_none() {
        for text in [
            "",
            "pkg:",
            "pkg:deb",
            "pkg:deb/",
            "pkg:deb/x@%",
            "pkg:deb/x@%zz",
            "pkg:deb/x@%ff",
            "pkg:deb/x@1%0A2",
            "pkg:deb/x@1?y",
            "cpe:/a:b",
            "http://x/y",
        ] {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
        assert_eq!(Purl::parse(&format!("pkg:npm/{}", "x".repeat(MOST))), None);
    }
}
