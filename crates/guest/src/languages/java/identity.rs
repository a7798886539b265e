//! What an archive of Java is called.

use crate::languages::headers::value;

/// The coordinates of a library in a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Coordinates {
    pub(super) group: Option<String>,
    pub(super) artifact: String,
    pub(super) version: String,
}

impl Coordinates {
    /// `GROUP:ARTIFACT`, or the artifact alone where the group is not known.
    pub(super) fn name(&self) -> String {
        match &self.group {
            Some(group) => format!("{group}:{}", self.artifact),
            None => self.artifact.clone(),
        }
    }

    /// Whether a file of that name is this library.
    pub(super) fn is_file(&self, name: &str) -> bool {
        let stem = stem(name);
        stem.strip_prefix(&*self.artifact).is_some_and(|rest| {
            rest.is_empty()
                || rest.strip_prefix('-').is_some_and(|rest| {
                    rest.strip_prefix(&*self.version)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                })
        })
    }
}

/// What a `pom.properties` says; nothing where it lacks one of the three.
pub(super) fn of_properties(text: &[u8]) -> Option<Coordinates> {
    let text = String::from_utf8_lossy(text);
    let says = |key: &str| {
        let mut lines = text.lines().map(str::trim);
        let value = lines.find_map(|line| {
            let rest = line.strip_prefix(key)?.trim_start();
            rest.strip_prefix(['=', ':'])
        });
        value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    Some(Coordinates {
        group: Some(says("groupId")?),
        artifact: says("artifactId")?,
        version: says("version")?,
    })
}

/// What the name of the file says, and the manifest. The version in the name is preferred: it is the
/// one that the library was published as, while in manifests others are found, of the
/// specification, of what builds the bundle.
pub(super) fn of_manifest(manifest: &[(String, String)], file: &str) -> Option<Coordinates> {
    let (artifact, version) = split(stem(file));
    if artifact.is_empty() {
        return None;
    }
    let says = |name: &str| value(manifest, name);
    let version = version
        .or_else(|| says("Implementation-Version"))
        .or_else(|| says("Bundle-Version"))
        .or_else(|| says("Specification-Version"))
        .unwrap_or_default();
    // A symbolic name is often the group and the artifact. Settings may follow it.
    let symbolic = says("Bundle-SymbolicName").or_else(|| says("Automatic-Module-Name"));
    let symbolic = symbolic.and_then(|name| name.split(';').next()).map(str::trim);
    let of_symbolic = symbolic.and_then(|name| name.strip_suffix(artifact)?.strip_suffix('.'));
    let group = says("Implementation-Vendor-Id").or(of_symbolic);
    let group = group.filter(|it| !it.is_empty() && !it.contains([' ', ':']));
    Some(Coordinates {
        group: group.map(str::to_owned),
        artifact: artifact.to_owned(),
        version: version.to_owned(),
    })
}

/// The name without its ending.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// `commons-lang3-3.12.0` as `commons-lang3` and `3.12.0`: a version begins with the first part that
/// begins with a digit.
fn split(stem: &str) -> (&str, Option<&str>) {
    let mut dashes = stem.match_indices('-').map(|(at, _)| at);
    let begins = |at: &usize| stem.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    match dashes.find(begins) {
        Some(at) => (&stem[..at], Some(&stem[at + 1..])),
        None => (stem, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(split("commons-lang3-3.12.0"), ("commons-lang3", Some("3.12.0")));
        assert_eq!(split("guava-31.1-jre"), ("guava", Some("31.1-jre")));
        assert_eq!(split("tools"), ("tools", None));
        let is = |artifact: &str, version: &str, file: &str| {
            let (artifact, version) = (artifact.to_owned(), version.to_owned());
            Coordinates { group: None, artifact, version }.is_file(file)
        };
        assert!(is("a-b", "1.0", "a-b-1.0.jar") && is("a", "1", "a.jar"));
        assert!(is("a", "1", "a-1-shaded.jar"));
        assert!(!is("a", "1", "a-b-1.jar") && !is("a", "1", "a-11.jar") && !is("a", "1", "ab.jar"));
    }

    #[test]
    fn properties() {
        let text = b"#Generated\nversion=1.0\r\ngroupId = g.h\nartifactId:a\n";
        assert_eq!(of_properties(text).unwrap().name(), "g.h:a");
        assert_eq!(of_properties(text).unwrap().version, "1.0");
        assert_eq!(of_properties(b"version=1\n"), None);
    }

    #[test]
    fn manifests() {
        let check = |headers: &[(&str, &str)], file: &str, expected: (&str, &str)| {
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let found = of_manifest(&headers, file).unwrap();
            assert_eq!((found.name().as_str(), found.version.as_str()), expected);
        };
        let symbolic = ("Bundle-SymbolicName", "org.slf4j.api;singleton:=true");
        check(&[symbolic], "api-2.0.jar", ("org.slf4j:api", "2.0"));
        check(&[symbolic, ("Bundle-Version", "3")], "slf4j-api.jar", ("slf4j-api", "3"));
        check(&[("Implementation-Vendor-Id", "org.x")], "y-1.jar", ("org.x:y", "1"));
        check(&[("Implementation-Vendor-Id", "X Y")], "y.jar", ("y", ""));
        assert_eq!(of_manifest(&[], ".jar"), None);
    }
}
