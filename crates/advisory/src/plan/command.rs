//! What to type in a shell of the machine.
//!
//! The names come out of an image that a stranger wrote, and package managers read more into a name
//! than its letters: a dash before it is an option, one behind it takes the package away, a star means
//! many. So a name that no package may have gets no command at all, and every word is quoted besides.
//!
//! Managers that have repositories are asked for the newest version, not for that which is known to
//! suffice: repositories drop versions when a later one appears, and a command that names one that is
//! gone would not mend anything. Registries of languages keep all, and there the version is named.

use std::collections::BTreeSet;

use fathom_report::{PackageKind, Upgrade};

use super::restart::is_kernel;

/// How many names one command may have.
const NAMES: usize = 64;

/// The command that upgrades these packages.
pub(super) fn of(kind: PackageKind, source: &str, packages: &[Upgrade]) -> Option<String> {
    let to = &packages.first()?.to;
    let names: BTreeSet<&str> = packages.iter().map(|it| it.package.as_str()).collect();
    let is_named = |name: &str| match kind {
        PackageKind::Npm => is_scoped_name(name, '@'),
        PackageKind::Composer => is_scoped_name(name, char::MAX),
        _ => is_name(name),
    };
    if names.len() > NAMES || !names.iter().all(|name| is_named(name)) {
        return None;
    }
    let one = packages.first().map(|it| it.package.as_str())?;
    let words: Vec<String> = match kind {
        PackageKind::Deb => {
            let names = of_debian(source, &names)?;
            words(&["apt-get", "install", "--only-upgrade"], names)
        }
        PackageKind::Rpm if is_of_suse(packages) => words(&["zypper", "update"], owned(&names)),
        PackageKind::Rpm => words(&["dnf", "upgrade"], owned(&names)),
        PackageKind::Apk => words(&["apk", "upgrade"], owned(&names)),
        PackageKind::Python if is_version(to) => {
            words(&["pip", "install"], [format!("{one}=={to}")])
        }
        PackageKind::Npm if is_version(to) => words(&["npm", "install"], [format!("{one}@{to}")]),
        PackageKind::Gem if is_version(to) => {
            words(&["gem", "install"], [one.to_owned(), "--version".to_owned(), to.clone()])
        }
        PackageKind::Composer if is_version(to) => {
            words(&["composer", "require"], [format!("{one}:{to}")])
        }
        _ => return None,
    };
    Some(words.join(" "))
}

fn owned(names: &BTreeSet<&str>) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn words(program: &[&str], rest: impl IntoIterator<Item = String>) -> Vec<String> {
    let program = program.iter().map(|word| (*word).to_owned());
    program.chain(rest.into_iter().map(|word| quoted(&word))).collect()
}

/// A kernel of Debian and Ubuntu is mended by another package than the one that is installed, as the
/// version is part of its name. A package without it in its name brings the newest.
fn of_debian(source: &str, names: &BTreeSet<&str>) -> Option<Vec<String>> {
    if !names.iter().any(|name| is_kernel(PackageKind::Deb, name)) {
        return Some(owned(names));
    }
    let is_numbered = |name: &str| {
        name.split('-')
            .any(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
    };
    let plain: Vec<_> = names.iter().filter(|name| !is_numbered(name)).collect();
    if !plain.is_empty() {
        return Some(plain.into_iter().map(|name| (*name).to_owned()).collect());
    }
    // Other sources have other names for what brings their newest.
    if !matches!(source, "linux" | "linux-signed") && !source.starts_with("linux-signed-a") {
        return None;
    }
    let flavours: BTreeSet<_> = names
        .iter()
        .filter_map(|name| {
            let rest = name.strip_prefix("linux-image-")?;
            // The version, the number of its interface, and then the flavour.
            let flavour = rest.splitn(3, '-').nth(2)?;
            is_name(flavour).then(|| format!("linux-image-{flavour}"))
        })
        .collect();
    (!flavours.is_empty()).then(|| flavours.into_iter().collect())
}

/// SUSE writes its releases, and openSUSE Leap its service packs, into every version.
fn is_of_suse(packages: &[Upgrade]) -> bool {
    packages.iter().any(|it| {
        let release = it.to.rsplit_once('-').map_or("", |(_, release)| release);
        ["150", "160", "lp15", "bp15"].iter().any(|mark| release.starts_with(mark))
            && release.contains('.')
            && !release.contains(".el")
    })
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
        PackageKind::Deb if is_kernel(kind, package) => {
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

/// Whether managers of packages read nothing into a name but its letters.
fn is_name(name: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '_' | '-');
    name.len() <= 256
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !name.ends_with('-')
        && name.chars().all(is_of_names)
}

/// A name that may stand behind that of whose it is, and a slash.
fn is_scoped_name(name: &str, mark: char) -> bool {
    match name.strip_prefix(mark).unwrap_or(name).split_once('/') {
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

    #[track_caller]
    fn check(kind: PackageKind, source: &str, names: &[&str], to: &str, expected: Option<&str>) {
        let packages: Vec<_> = names
            .iter()
            .map(|name| Upgrade {
                package: (*name).to_owned(),
                architecture: None,
                location: None,
                from: "1".to_owned(),
                to: to.to_owned(),
            })
            .collect();
        assert_eq!(of(kind, source, &packages).as_deref(), expected, "{names:?}");
    }

    #[test]
    fn each_manager_is_asked_in_its_own_words() {
        use PackageKind::{Apk, Cargo, Composer, Deb, Gem, Hotfix, Npm, Python, Rpm};
        let apt = "apt-get install --only-upgrade libssl1.1 openssl";
        check(Deb, "openssl", &["openssl", "libssl1.1"], "1.1.1l-1", Some(apt));
        check(
            Rpm,
            "openssl",
            &["openssl-libs"],
            "1:1.1.1k-7.el8_6",
            Some("dnf upgrade openssl-libs"),
        );
        let zypper = Some("zypper update libpq5");
        check(Rpm, "postgresql14", &["libpq5"], "14.7-150200.5.23.1", zypper);
        check(Apk, "openssl", &["libssl3"], "3.1.4-r1", Some("apk upgrade libssl3"));
        check(Python, "x", &["requests"], "2.31.0", Some("pip install 'requests==2.31.0'"));
        check(Npm, "x", &["@angular/core"], "11.0.5", Some("npm install @angular/core@11.0.5"));
        check(Gem, "x", &["rack"], "2.2.8", Some("gem install rack --version 2.2.8"));
        check(
            Composer,
            "x",
            &["symfony/http"],
            "5.4.1",
            Some("composer require symfony/http:5.4.1"),
        );
        check(Cargo, "x", &["tokio"], "1.18.4", None);
        check(Hotfix, "x", &["Windows 10"], "KB5034123", None);
    }

    #[test]
    fn a_kernel_is_mended_by_another_package() {
        let deb = PackageKind::Deb;
        let all = ["linux-image-6.1.0-18-amd64", "linux-image-amd64"];
        let plain = Some("apt-get install --only-upgrade linux-image-amd64");
        check(deb, "linux-signed-amd64", &all, "6.1.90-1", plain);
        check(deb, "linux", &all[..1], "6.1.90-1", plain);
        let generic = Some("apt-get install --only-upgrade linux-image-generic");
        let ubuntu = ["linux-image-5.15.0-91-generic", "linux-modules-5.15.0-91-generic"];
        check(deb, "linux", &ubuntu, "5.15.0-92.102", generic);
        check(deb, "linux-hwe-6.5", &ubuntu, "6.5.0-17.17", None);
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
            for kind in [PackageKind::Deb, PackageKind::Rpm, PackageKind::Apk, PackageKind::Python]
            {
                check(kind, "s", &["fine", name], "1", None);
            }
        }
        check(PackageKind::Npm, "s", &["git+ssh://a/b"], "1", None);
        check(PackageKind::Npm, "s", &["@a/../b"], "1", None);
        check(PackageKind::Python, "s", &["fine"], "1;reboot", None);
        check(PackageKind::Python, "s", &["fine"], "-1", None);
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
