//! Package URLs, as far as they name packages of Red Hat:
//! `pkg:rpm/redhat/redis@7.2.10-1.module%2Bel9.6.0?arch=src&epoch=1&rpmmod=redis:7:9060020250716081121:9`.

use fathom_report::percent_decoded;

/// What a package URL says of a package of rpm.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Purl {
    pub(super) name: String,
    /// With its epoch.
    pub(super) version: Option<String>,
    /// Nothing where it is not told: that of what is not mended is only told of sources.
    pub(super) architecture: Option<String>,
    /// The stream of a module, as `redis:7`.
    pub(super) stream: Option<String>,
}

/// What a package URL names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A package of rpm.
    Package(Purl),
    /// A module of packages, with its stream.
    Module(String),
    /// An image, a library of a language: no package of a system.
    Other,
}

/// What the package URL names; nothing where it is none.
pub(super) fn read(text: &str) -> Option<Named> {
    let rest = text.strip_prefix("pkg:")?;
    let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.split('#').next()?;
    let (kind, path) = path.split_once('/')?;
    // Behind the last slash, so that an `@` of a namespace is none of a version.
    let (namespace, last) = path.rsplit_once('/').unwrap_or(("", path));
    let (name, version) = match last.split_once('@') {
        Some((name, version)) => (name, Some(percent_decoded(version)?)),
        None => (last, None),
    };
    let name = percent_decoded(name).filter(|name| !name.is_empty())?;
    match (kind, namespace) {
        ("rpm", "redhat") => {}
        ("rpmmod", "redhat") => {
            let build = version?;
            let stream = build.split(':').next()?;
            return Some(Named::Module(format!("{name}:{stream}")));
        }
        _ => return Some(Named::Other),
    }
    let value = |wanted: &str| {
        let mut pairs = qualifiers.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == wanted).and_then(|(_, value)| percent_decoded(value))
    };
    let epoch = value("epoch").filter(|epoch| epoch != "0");
    let version = version.filter(|version| !version.is_empty()).map(|version| match epoch {
        Some(epoch) => format!("{epoch}:{version}"),
        None => version,
    });
    let stream = value("rpmmod").map(|module| {
        let end = module.match_indices(':').nth(1).map_or(module.len(), |(at, _)| at);
        module[..end].to_owned()
    });
    Some(Named::Package(Purl { name, version, architecture: value("arch"), stream }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, version, architecture and stream, `-` where there is none.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match read(text) {
            Some(Named::Package(purl)) => {
                let or_none = |it: Option<String>| it.unwrap_or_else(|| "-".to_owned());
                let rest = [purl.version, purl.architecture, purl.stream].map(or_none);
                format!("{} {}", purl.name, rest.join(" "))
            }
            _ => String::new(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn packages_are_named() {
        check("pkg:rpm/redhat/samba@4.15.5-111.el9_0?arch=src", "samba 4.15.5-111.el9_0 src -");
        check(
            "pkg:rpm/redhat/redis@7.2.10-1.module%2Bel9.6.0%2B1%2Bab?arch=src&epoch=1&rpmmod=redis:7:9060020250716081121:9",
            "redis 1:7.2.10-1.module+el9.6.0+1+ab src redis:7",
        );
        check("pkg:rpm/redhat/kernel?arch=src", "kernel - src -");
        check("pkg:rpm/redhat/kernel?rpmmod=rhel10", "kernel - - rhel10");
        check("pkg:rpm/fedora/kernel@1", "");
    }

    #[test]
    fn other_things_are_told_apart() {
        let module = "pkg:rpmmod/redhat/nodejs@16:8050020211206113934:c5368500";
        assert_eq!(read(module), Some(Named::Module("nodejs:16".to_owned())));
        assert_eq!(read("pkg:oci/quay-rhel8@sha256:ab?arch=amd64"), Some(Named::Other));
        for none in [
            "",
            "kernel",
            "pkg:rpm",
            "pkg:rpm/redhat/",
            "pkg:rpm/redhat/a@%",
            "pkg:rpm/redhat/a@%FF",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
