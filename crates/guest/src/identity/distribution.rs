//! Which distribution, and which version of it: by `os-release`, and on systems that are older than
//! that file by those that it replaced.

use std::collections::HashMap;

use fathom_report::Fact;

use super::HIDES;
use crate::files::{Files, Read};
use crate::shell;

/// What a distribution says of itself.
pub(super) struct Distribution {
    pub(super) id: Fact<String>,
    pub(super) like: Vec<String>,
    pub(super) name: Fact<String>,
    pub(super) version: Fact<String>,
    pub(super) codename: Fact<String>,
    pub(super) edition: Fact<String>,
    pub(super) build: Fact<String>,
    pub(super) cpe: Fact<String>,
}

const OS_RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// Files with a line such as `CentOS release 6.10 (Final)`.
const RELEASE_LINES: [&str; 4] =
    ["/etc/redhat-release", "/etc/oracle-release", "/etc/centos-release", "/etc/SuSE-release"];

/// How the names in such a line begin, and what os-release would call them.
const NAMES: [(&str, &str); 10] = [
    ("Red Hat Enterprise Linux", "rhel"),
    ("CentOS", "centos"),
    ("Oracle Linux", "ol"),
    ("Enterprise Linux Enterprise Linux", "ol"),
    ("Scientific Linux", "scientific"),
    ("Fedora", "fedora"),
    ("Amazon Linux", "amzn"),
    ("SUSE Linux Enterprise", "sles"),
    ("openSUSE", "opensuse"),
    ("VMware Photon", "photon"),
];

impl Distribution {
    pub(super) fn of(files: &Files<'_>) -> Self {
        for path in OS_RELEASE {
            match files.text(path, HIDES) {
                Read::There(text) => return Self::os_release(files, path, &text),
                Read::Absent => {}
                Read::Unread(why) => return Self::all(&Fact::unknown(why)),
            }
        }
        for path in RELEASE_LINES {
            match files.text(path, HIDES) {
                Read::There(text) => return Self::release_line(path, &text),
                Read::Absent => {}
                Read::Unread(why) => return Self::all(&Fact::unknown(why)),
            }
        }
        match files.text("/etc/debian_version", HIDES) {
            Read::There(text) => Self::debian_version("/etc/debian_version", text.trim()),
            Read::Absent => Self::all(&Fact::absent(OS_RELEASE)),
            Read::Unread(why) => Self::all(&Fact::unknown(why)),
        }
    }

    /// The same of everything.
    fn all(fact: &Fact<String>) -> Self {
        Self {
            id: fact.clone(),
            like: Vec::new(),
            name: fact.clone(),
            version: fact.clone(),
            codename: fact.clone(),
            edition: fact.clone(),
            build: fact.clone(),
            cpe: fact.clone(),
        }
    }

    fn os_release(files: &Files<'_>, path: &str, text: &str) -> Self {
        let values = shell::assignments(text);
        let fact = |names: &[&str]| first(&values, names, path);
        let id = fact(&["ID"]);
        let version = fact(&["VERSION_ID"]);
        let mut codename = fact(&["VERSION_CODENAME", "UBUNTU_CODENAME"]);
        if codename.value().is_none()
            && let Some(name) = values.get("VERSION").and_then(|version| in_brackets(version))
        {
            codename = Fact::known(name, path);
        }
        let build = match fact(&["BUILD_ID", "IMAGE_VERSION"]) {
            known @ Fact::Known { .. } => known,
            other => point_release(files, version.value()).unwrap_or(other),
        };
        Self {
            // The specification's default.
            id: if id.value().is_none() { Fact::known("linux".into(), path) } else { id },
            like: values
                .get("ID_LIKE")
                .map(|like| like.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            name: fact(&["PRETTY_NAME", "NAME"]),
            version,
            codename,
            edition: fact(&["VARIANT", "VARIANT_ID"]),
            build,
            cpe: fact(&["CPE_NAME"]),
        }
    }

    fn release_line(path: &str, text: &str) -> Self {
        let line = text.lines().next().unwrap_or_default().trim();
        let absent = || Fact::absent([path]);
        let fact = |value: Option<String>| value.map_or_else(absent, |it| Fact::known(it, path));
        let id = NAMES.iter().find(|(start, _)| line.starts_with(start)).map(|(_, id)| *id);
        let version = line
            .split_whitespace()
            .find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        Self {
            id: fact(id.map(str::to_owned)),
            like: Vec::new(),
            name: fact((!line.is_empty()).then(|| line.to_owned())),
            version: fact(version.map(str::to_owned)),
            codename: fact(in_brackets(line)),
            edition: absent(),
            build: absent(),
            cpe: absent(),
        }
    }

    fn debian_version(path: &str, version: &str) -> Self {
        let absent = || Fact::absent([path]);
        let known = |value: &str| Fact::known(value.to_owned(), path);
        Self {
            id: known("debian"),
            like: Vec::new(),
            name: known(&format!("Debian {version}")),
            version: if version.is_empty() { absent() } else { known(version) },
            codename: absent(),
            edition: absent(),
            build: absent(),
            cpe: absent(),
        }
    }
}

/// The exact version where os-release names only the release: `12.5` of Debian 12, `7.9.2009` of
/// CentOS 7.
fn point_release(files: &Files<'_>, version: Option<&String>) -> Option<Fact<String>> {
    let release = version?;
    let mut unread = None;
    for path in ["/etc/debian_version", "/etc/centos-release", "/etc/redhat-release"] {
        let text = match files.text(path, HIDES) {
            Read::There(text) => text,
            Read::Absent => continue,
            Read::Unread(why) => {
                unread.get_or_insert(why);
                continue;
            }
        };
        let exact = text.split_whitespace().find(|word| {
            word.strip_prefix(release.as_str()).is_some_and(|rest| rest.starts_with('.'))
        });
        if let Some(exact) = exact {
            return Some(Fact::known(exact.to_owned(), path));
        }
    }
    unread.map(Fact::unknown)
}

fn first(values: &HashMap<String, String>, names: &[&str], path: &str) -> Fact<String> {
    let value = names.iter().find_map(|name| values.get(*name)).filter(|value| !value.is_empty());
    value.map_or_else(|| Fact::absent([path]), |value| Fact::known(value.clone(), path))
}

/// `bookworm` of `12 (bookworm)`.
fn in_brackets(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('(')?;
    let (inside, _) = rest.split_once(')')?;
    (!inside.is_empty()).then(|| inside.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::tree;

    #[test]
    fn a_point_release_that_cannot_be_read_is_unknown() {
        let release: (&str, &[u8]) = ("/etc/os-release", b"ID=debian\nVERSION_ID=12\n");
        let build = |found: &[(&str, &[u8])]| {
            let tree = tree(found);
            Distribution::of(&Files::new(&tree)).build
        };
        fn version(text: &[u8]) -> (&str, &[u8]) {
            ("/etc/debian_version", text)
        }
        assert_eq!(build(&[release, version(b"12.5\n")]).value().unwrap(), "12.5");
        assert!(matches!(build(&[release]), Fact::Absent { .. }));
        assert!(matches!(build(&[release, version(b"trixie/sid\n")]), Fact::Absent { .. }));
        assert!(matches!(build(&[release, version(&[0; 6])]), Fact::Unknown { .. }));
    }
}
