//! What to type in a shell of the machine.
//!
//! The names come out of an image that a stranger wrote, and package managers read more into a name
//! than its letters: a dash before it is an option, one behind it takes the package away, a star means
//! many. So a name that no package may have gets no command at all, and every word is quoted besides.
//!
//! Managers that have repositories are asked for the newest version, not for that which is known to
//! suffice: repositories drop versions when a later one appears, and a command that names one that is
//! gone would not mend anything. Registries of languages keep all, and there the version is named. A
//! package that lies at a place is mended there and nowhere else: the command names the place, or there
//! is none.

use std::collections::BTreeSet;

use fathom_report::finding::Scanned;
use fathom_report::{PackageKind, Upgrade};

use super::restart::is_kernel;

/// How many names one command may have.
const NAMES: usize = 64;

/// The command that upgrades these packages of a system.
pub(super) fn of(
    kind: PackageKind,
    system: Option<&Scanned>,
    packages: &[Upgrade],
) -> Option<String> {
    let Upgrade { package: one, location, to, .. } = packages.first()?;
    let names: BTreeSet<&str> = packages.iter().map(|it| it.package.as_str()).collect();
    if names.len() > NAMES || !names.iter().all(|name| is_name_of(kind, name)) {
        return None;
    }
    let place = location.as_deref();
    let words: Vec<String> = match kind {
        PackageKind::Deb => words(&["apt-get", "install", "--only-upgrade"], of_debian(&names)?),
        PackageKind::Rpm => words(of_rpm(system?)?, owned(&names)),
        PackageKind::Apk => words(&["apk", "upgrade"], owned(&names)),
        PackageKind::Python if is_version(to) => {
            let pip = match place {
                Some(place) => words(&[], [python_of(place)?, "-m".to_owned(), "pip".to_owned()]),
                None => words(&["pip"], []),
            };
            [pip, words(&["install"], [format!("{one}=={to}")])].concat()
        }
        PackageKind::Npm if is_version(to) => {
            let npm = match place {
                Some(place) => {
                    let folder = project_of(place, "node_modules", one)?;
                    words(&["npm", "--prefix"], [folder.to_owned()])
                }
                None => words(&["npm"], []),
            };
            [npm, words(&["install"], [format!("{one}@{to}")])].concat()
        }
        // It lies in one of several places, of which none can be named.
        PackageKind::Gem if is_version(to) && place.is_none() => {
            words(&["gem", "install"], [one.clone(), "--version".to_owned(), to.clone()])
        }
        PackageKind::Composer if is_version(to) => {
            let composer = match place {
                Some(place) => {
                    let folder = project_of(place, "vendor", one)?;
                    words(&["composer", "--working-dir"], [folder.to_owned()])
                }
                None => words(&["composer"], []),
            };
            [composer, words(&["require"], [format!("{one}:{to}")])].concat()
        }
        _ => return None,
    };
    Some(words.join(" "))
}

/// What a system upgrades its packages with.
fn of_rpm(system: &Scanned) -> Option<&'static [&'static str]> {
    let id = system.distribution.as_deref()?.to_lowercase();
    let major = system.version.as_deref().and_then(|it| it.split('.').next()?.parse::<u32>().ok());
    let is_before = |first: u32| major.is_none_or(|major| major < first);
    Some(match id.as_str() {
        "sles" | "sled" | "sles_sap" | "suse" => &["zypper", "update"],
        id if id.starts_with("opensuse") => &["zypper", "update"],
        "photon" | "mariner" | "azurelinux" => &["tdnf", "upgrade"],
        // The later ones know it by this name too, so that it holds where the version is not known.
        "rhel" | "centos" | "almalinux" | "rocky" | "ol" | "scientific" if is_before(8) => {
            &["yum", "update"]
        }
        "amzn" if is_before(2022) || major == Some(2018) => &["yum", "update"],
        _ => &["dnf", "upgrade"],
    })
}

/// The interpreter whose package lies here: `/opt/venv/lib/python3.11/site-packages/…`.
fn python_of(location: &str) -> Option<String> {
    let (library, _) = location.split_once("/site-packages/")?;
    let (library, python) = library.rsplit_once('/')?;
    let prefix = library.strip_suffix("/lib").or_else(|| library.strip_suffix("/lib64"))?;
    let version = python.strip_prefix("python")?;
    let is_version =
        version.starts_with('3') && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    // What users have for themselves has no interpreter of its own.
    (is_version && is_place(prefix) && !prefix.ends_with("/.local"))
        .then(|| format!("{prefix}/bin/{python}"))
}

/// The project whose package lies here: `/srv/app/node_modules/NAME`. What lies within another package
/// is not asked for by a project.
fn project_of<'l>(location: &'l str, folder: &str, name: &str) -> Option<&'l str> {
    let location = location.strip_suffix("/package.json").unwrap_or(location);
    let parent = location.strip_suffix(name)?.strip_suffix('/')?;
    let project = parent.strip_suffix(folder)?.strip_suffix('/')?;
    let is_within = project.split('/').any(|it| it == folder);
    // What is installed for all lies in a library, which is no project.
    let is_library = project.ends_with("/lib") || project.ends_with("/share");
    (is_place(project) && !is_within && !is_library).then_some(project)
}

/// Whether a path is one of the machine, and not of what runs on it.
fn is_place(path: &str) -> bool {
    let elsewhere = ["/var/lib/docker/", "/var/lib/containers/", "/var/lib/containerd/", "/snap/"];
    path.starts_with('/')
        && !path.split('/').any(|it| it == ".." || it == "overlay2")
        && !path.contains(char::is_control)
        && !elsewhere.iter().any(|it| path.starts_with(it))
}

fn owned(names: &BTreeSet<&str>) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn words(program: &[&str], rest: impl IntoIterator<Item = String>) -> Vec<String> {
    let program = program.iter().map(|word| (*word).to_owned());
    program.chain(rest.into_iter().map(|word| quoted(&word))).collect()
}

/// A kernel of Debian and Ubuntu is mended by another package than the one that is installed, as the
/// version is part of its name. A package without it in its name brings the newest; apt passes over
/// what is not installed, so that one is named only where it is known to be.
fn of_debian(names: &BTreeSet<&str>) -> Option<Vec<String>> {
    let mut kept = Vec::new();
    for name in names {
        match flavour(name) {
            None => kept.push((*name).to_owned()),
            Some(flavour) => {
                names.contains(format!("linux-image-{flavour}").as_str()).then_some(())?;
            }
        }
    }
    (!kept.is_empty()).then_some(kept)
}

/// The flavour of a part of a kernel whose name holds its version: `amd64` of
/// `linux-image-6.1.0-18-amd64-unsigned`.
fn flavour(name: &str) -> Option<String> {
    let parts = ["image-unsigned", "image", "modules-extra", "modules", "headers"];
    let rest = name.strip_prefix("linux-")?;
    let rest = parts.iter().find_map(|part| rest.strip_prefix(part)?.strip_prefix('-'))?;
    let is_numbered = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let mut words: Vec<&str> = rest.trim_end_matches("-unsigned").split('-').collect();
    if !words.first().is_some_and(|word| is_numbered(word) && word.contains('.')) {
        return None;
    }
    words.remove(0);
    // The number of its interface; there are flavours that begin with a number.
    if words.len() > 1 && words.first().is_some_and(|word| is_numbered(word)) {
        words.remove(0);
    }
    Some(words.join("-"))
}

/// What to do in words.
pub(super) fn advice(kind: PackageKind, channel: Option<&str>, packages: &[Upgrade]) -> String {
    let Some(first) = packages.first() else { return String::new() };
    let (package, to) = (&first.package, &first.to);
    let more = match packages.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let what = match kind {
        PackageKind::Hotfix => format!("Install {to}"),
        PackageKind::Deb if packages.iter().any(|it| is_kernel(kind, &it.package)) => {
            format!(
                "Install the newest kernel, which is to be {to} or later, and remove the old one"
            )
        }
        PackageKind::Maven | PackageKind::Nuget => {
            format!(
                "Ask for {package} {to} or later where what uses it is built, and build it anew"
            )
        }
        PackageKind::Go | PackageKind::Cargo => {
            format!("Build what {package} is part of anew, with {to} or later")
        }
        kind if kind.is_of_language() => match &first.location {
            Some(location) => format!("Upgrade {package}{more} at {location} to {to} or later"),
            None => format!("Upgrade {package}{more} to {to} or later"),
        },
        _ => format!("Upgrade {package}{more} to {to} or later"),
    };
    match channel {
        None => what,
        Some("Ubuntu Pro") => format!("{what}; the machine has to be attached to Ubuntu Pro"),
        Some(channel) => format!("{what}, from {channel}"),
    }
}

/// Whether the manager of such packages reads nothing into a name but its letters.
fn is_name_of(kind: PackageKind, name: &str) -> bool {
    let is_file = |ends: &[&str]| {
        let name = name.to_ascii_lowercase();
        ends.iter().any(|end| name.ends_with(end))
    };
    match kind {
        // Without a mark before it, what stands behind a slash is a repository of GitHub's.
        PackageKind::Npm => match name.strip_prefix('@') {
            Some(scoped) => scoped.contains('/') && is_scoped_name(scoped),
            None => is_name(name) && !is_file(&[".tgz", ".tar", ".tar.gz"]),
        },
        PackageKind::Gem => is_name(name) && !is_file(&[".gem"]),
        PackageKind::Composer => is_scoped_name(name),
        _ => is_name(name),
    }
}

/// Whether managers of packages read nothing into a name but its letters.
fn is_name(name: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '_' | '-');
    name.len() <= 256
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !name.ends_with('-')
        && name.chars().all(is_of_names)
}

/// A name that may stand behind that of whose it is, and a slash.
fn is_scoped_name(name: &str) -> bool {
    match name.split_once('/') {
        Some((scope, name)) => is_name(scope) && is_name(name),
        None => is_name(name),
    }
}

fn is_version(version: &str) -> bool {
    let is_of_versions = |c: char| c.is_ascii_alphanumeric() || ".+-!_~".contains(c);
    version.starts_with(|c: char| c.is_ascii_alphanumeric()) && version.chars().all(is_of_versions)
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+._-/:@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgrades(names: &[&str], to: &str, location: Option<&str>) -> Vec<Upgrade> {
        let upgrade = |name: &&str| Upgrade {
            package: (*name).to_owned(),
            architecture: None,
            location: location.map(str::to_owned),
            from: "1".to_owned(),
            to: to.to_owned(),
        };
        names.iter().map(upgrade).collect()
    }

    fn system(name: &str) -> Option<Scanned> {
        let (distribution, version) = name.split_once(' ')?;
        Some(Scanned {
            root: "/".to_owned(),
            distribution: Some(distribution.to_owned()),
            version: Some(version.to_owned()).filter(|it| !it.is_empty()),
            hostname: None,
            inventory: None,
        })
    }

    #[track_caller]
    fn check(kind: PackageKind, on: &str, names: &[&str], to: &str, expected: Option<&str>) {
        let found = of(kind, system(on).as_ref(), &upgrades(names, to, None));
        assert_eq!(found.as_deref(), expected, "{names:?}");
    }

    #[test]
    fn each_manager_is_asked_in_its_own_words() {
        use PackageKind::{Apk, Cargo, Composer, Deb, Gem, Hotfix, Npm, Python};
        let apt = "apt-get install --only-upgrade libssl1.1 openssl";
        check(Deb, "", &["openssl", "libssl1.1"], "1.1.1l-1", Some(apt));
        check(Apk, "", &["libssl3"], "3.1.4-r1", Some("apk upgrade libssl3"));
        check(Python, "", &["requests"], "2.31.0", Some("pip install 'requests==2.31.0'"));
        check(Npm, "", &["@angular/core"], "11.0.5", Some("npm install @angular/core@11.0.5"));
        check(Gem, "", &["rack"], "2.2.8", Some("gem install rack --version 2.2.8"));
        let composer = "composer require symfony/http:5.4.1";
        check(Composer, "", &["symfony/http"], "5.4.1", Some(composer));
        check(Cargo, "", &["tokio"], "1.18.4", None);
        check(Hotfix, "", &["Windows 10"], "KB5034123", None);
    }

    #[test]
    fn systems_with_rpm_have_several_managers() {
        for (on, expected) in [
            ("sles 12.5", "zypper update a"),
            ("sled 15.4", "zypper update a"),
            ("opensuse-tumbleweed 20240101", "zypper update a"),
            ("centos 7", "yum update a"),
            ("rhel 6.10", "yum update a"),
            ("rhel ", "yum update a"),
            ("rhel 8.6", "dnf upgrade a"),
            ("almalinux 9.3", "dnf upgrade a"),
            ("amzn 2", "yum update a"),
            ("amzn 2018.03", "yum update a"),
            ("amzn 2023", "dnf upgrade a"),
            ("photon 4.0", "tdnf upgrade a"),
            ("fedora 39", "dnf upgrade a"),
        ] {
            check(PackageKind::Rpm, on, &["a"], "1-2", Some(expected));
        }
        check(PackageKind::Rpm, "", &["a"], "1-2", None);
    }

    #[test]
    fn a_kernel_is_mended_by_another_package() {
        let deb = PackageKind::Deb;
        let all =
            ["linux-image-6.1.0-18-amd64", "linux-image-amd64", "linux-headers-6.1.0-18-amd64"];
        let plain = Some("apt-get install --only-upgrade linux-image-amd64");
        check(deb, "", &all, "6.1.90-1", plain);
        // Whether what brings the newest is installed is not known.
        for names in [
            &all[..1],
            &["linux-image-6.1.0-18-rt-amd64", "linux-image-amd64"],
            &["linux-image-6.1.0-18-amd64", "linux-libc-dev"],
            &["linux-image-6.1.0-18-amd64-unsigned"],
            &["linux-image-6.12.41+deb13-amd64"],
            &["linux-image-unsigned-5.15.0-25-generic"],
            &["linux-image-5.15.0-91-generic", "linux-modules-5.15.0-91-generic"],
        ] {
            check(deb, "", names, "6.1.90-1", None);
        }
        for (name, expected) in [
            ("linux-image-6.1.0-18-cloud-amd64-unsigned", "cloud-amd64"),
            ("linux-image-6.12.41+deb13-amd64", "amd64"),
            ("linux-image-3.16.0-4-686-pae", "686-pae"),
            ("linux-image-unsigned-5.15.0-25-generic", "generic"),
        ] {
            assert_eq!(flavour(name).as_deref(), Some(expected));
        }
        let words =
            advice(deb, None, &upgrades(&["linux-headers-6.1.0-18-amd64", all[0]], "6", None));
        assert!(words.starts_with("Install the newest kernel"), "{words}");
    }

    #[test]
    fn what_lies_at_a_place_is_mended_there() {
        use PackageKind::{Composer, Gem, Npm, Python};
        for (kind, name, location, expected) in [
            (
                Python,
                "a",
                "/opt/my venv/lib/python3.11/site-packages/a-1.dist-info/METADATA",
                Some("'/opt/my venv/bin/python3.11' -m pip install 'a==2'"),
            ),
            (Python, "a", "/home/u/.local/lib/python3.11/site-packages/a-1.dist-info", None),
            (Python, "a", "/usr/lib/python3/dist-packages/a-1.egg-info", None),
            (Python, "a", "/x/../lib/python3.11/site-packages/a-1.dist-info", None),
            (Python, "a", "/srv/lib/python3;reboot/site-packages/a-1.dist-info", None),
            (
                Npm,
                "a",
                "/srv/$(app)/node_modules/a",
                Some("npm --prefix '/srv/$(app)' install a@2"),
            ),
            (Npm, "@s/a", "/srv/node_modules/@s/a", Some("npm --prefix /srv install @s/a@2")),
            (Npm, "a", "/srv/node_modules/b/node_modules/a", None),
            (Npm, "a", "/usr/lib/node_modules/a", None),
            (Npm, "a", "/srv/package-lock.json", None),
            (Npm, "a", "srv/node_modules/a", None),
            (Composer, "a/b", "/srv/vendor/a/b", Some("composer --working-dir /srv require a/b:2")),
            (Gem, "a", "/usr/local/bundle/specifications/a-1.gemspec", None),
        ] {
            let found = of(kind, None, &upgrades(&[name], "2", Some(location)));
            assert_eq!(found.as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn a_name_that_is_none_gets_no_command() {
        for name in [
            "-o",
            "--allow-downgrades",
            "bash-",
            "a*",
            "a;reboot",
            "$(reboot)",
            "`reboot`",
            "a b",
            "a'b",
            "a\nb",
            "a=1",
            "../a",
            "/etc/passwd",
            "a/b",
            "",
            "\u{202e}a",
        ] {
            let kinds = [PackageKind::Deb, PackageKind::Rpm, PackageKind::Apk, PackageKind::Python];
            for kind in kinds.into_iter().chain([PackageKind::Npm]) {
                check(kind, "fedora 39", &["fine", name], "1", None);
            }
        }
        check(PackageKind::Npm, "", &["evil/repo"], "1", None);
        check(PackageKind::Npm, "", &["@evil"], "1", None);
        check(PackageKind::Npm, "", &["evil.tgz"], "1", None);
        check(PackageKind::Npm, "", &["git+ssh://a/b"], "1", None);
        check(PackageKind::Npm, "", &["@a/../b"], "1", None);
        check(PackageKind::Python, "", &["fine"], "1;reboot", None);
        check(PackageKind::Python, "", &["fine"], "-1", None);
    }

    #[test]
    fn a_shell_takes_a_word_for_one() {
        for word in ["a b", "a'b", "$(x)", "", "a\nb", "*", "~"] {
            let shown = quoted(word);
            assert!(shown.starts_with('\'') && shown.ends_with('\''), "{shown}");
        }
        assert_eq!(quoted("a'b"), "'a'\\''b'");
        assert_eq!(quoted("libssl1.1"), "libssl1.1");
    }
}
