//! Facts about versions: a line each, which says that one is older than the other, newer, or as
//! good.

use std::cmp::Ordering;
use std::path::Path;

use fathom_version::{Scheme, debian, rpm};

const OURS: [(Scheme, &str); 12] = [
    (Scheme::Debian, include_str!("vectors/debian.txt")),
    (Scheme::Rpm, include_str!("vectors/rpm.txt")),
    (Scheme::Apk, include_str!("vectors/apk.txt")),
    (Scheme::Pacman, include_str!("vectors/pacman.txt")),
    (Scheme::Semver, include_str!("vectors/semver.txt")),
    (Scheme::Go, include_str!("vectors/go.txt")),
    (Scheme::Pep440, include_str!("vectors/pep440.txt")),
    (Scheme::Maven, include_str!("vectors/maven.txt")),
    (Scheme::Gem, include_str!("vectors/gem.txt")),
    (Scheme::Nuget, include_str!("vectors/nuget.txt")),
    (Scheme::Packagist, include_str!("vectors/packagist.txt")),
    (Scheme::Windows, include_str!("vectors/windows.txt")),
];

/// The beginnings of the names of the shared files.
const SHARED: [(Scheme, &str); 9] = [
    (Scheme::Debian, "debian"),
    (Scheme::Rpm, "redhat"),
    (Scheme::Apk, "alpine"),
    (Scheme::Semver, "semver"),
    (Scheme::Pep440, "pypi"),
    (Scheme::Maven, "maven"),
    (Scheme::Gem, "rubygems"),
    (Scheme::Nuget, "nuget"),
    (Scheme::Packagist, "packagist"),
];

/// What the shared files say, and those who made the rules do not.
const EXCEPTIONS: [(Scheme, &str); 12] = [
    // So said Maven 3.6. Maven 3.9 says the opposite, since it reads `.rc` as `-rc` before the end
    // and before digits.
    (Scheme::Maven, "1.0.0-RC16 < 1.0.0.RC8-beta"),
    (Scheme::Maven, "6.1.12.rc5 < 6.1.12rc1"),
    (Scheme::Maven, "1.1.31.sec10 < 1.1.31_noneautotype"),
    (Scheme::Maven, "1.2.31.sec10 < 1.2.31_noneautotype"),
    (Scheme::Maven, "1.2.67.sec10 < 1.2.67_noneautotype"),
    (Scheme::Maven, "1.0.0rc0 < 1.0.beta8"),
    // So says PHP of the text as it is. Composer first makes four numbers, and reads names in any
    // case.
    (Scheme::Packagist, "1.0.0 > 1.0"),
    (Scheme::Packagist, "v6.5 < v6.5.0-beta-0"),
    (Scheme::Packagist, "v6.6 < v6.6.0-beta"),
    (Scheme::Packagist, "v1.9.0-ALPHA.1 = v1.9.0-BETA.1"),
    (Scheme::Packagist, "v1.9.0-ALPHA.2 = v1.9.0-BETA.2"),
    // `stable` is no name to PHP. To Composer it is the release itself.
    (Scheme::Packagist, "5.1.0-stable < 5.1.0-beta2"),
];

/// The facts of a text.
fn facts(text: &str) -> impl Iterator<Item = (&str, &str, Ordering)> {
    let is_fact =
        |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.starts_with("//");
    text.lines().map(str::trim).filter(is_fact).map(|line| {
        let signs = [(" < ", Ordering::Less), (" = ", Ordering::Equal), (" > ", Ordering::Greater)];
        let mut found = signs.iter().filter_map(|(sign, order)| {
            let (one, other) = line.split_once(sign)?;
            Some((one.trim(), other.trim(), *order))
        });
        found.next().expect("a line is a fact")
    })
}

/// Whether keys agree with the fact, which is then also turned round; and whatever compares without
/// keys.
fn holds(scheme: Scheme, one: &str, other: &str, order: Ordering) -> bool {
    let keys = scheme.compare(one, other);
    assert_eq!(scheme.compare(other, one).map(Ordering::reverse), keys, "{one} and {other}");
    match scheme {
        Scheme::Debian => assert_eq!(debian(one, other), keys, "{one} and {other}"),
        // A release that only one has does not count there.
        Scheme::Rpm if one.contains('-') == other.contains('-') => {
            assert_eq!(Some(rpm(one, other)), keys, "{one} and {other}");
        }
        _ => {}
    }
    keys == Some(order)
}

#[test]
fn our_facts_hold() {
    for (scheme, text) in OURS {
        for (one, other, order) in facts(text) {
            assert!(holds(scheme, one, other, order), "{scheme:?}: {one} and {other}: {order:?}");
        }
    }
}

#[test]
fn shared_facts_hold() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/advisories/version-vectors");
    if !folder.is_dir() {
        println!("passed over: there is no {}", folder.display());
        return;
    }
    let exceptions: Vec<_> = EXCEPTIONS
        .iter()
        .flat_map(|(scheme, fact)| facts(fact).map(|fact| (*scheme, fact)))
        .collect();
    let mut met = 0;
    for (scheme, name) in SHARED {
        for file in [format!("{name}-versions.txt"), format!("{name}-versions-generated.txt")] {
            let Ok(text) = std::fs::read_to_string(folder.join(&file)) else { continue };
            let (mut count, mut excepted) = (0, 0);
            for fact @ (one, other, order) in facts(&text) {
                let is_exception = exceptions.contains(&(scheme, fact));
                let holds = holds(scheme, one, other, order);
                assert_ne!(holds, is_exception, "{file}: {one} and {other}: {order:?}");
                count += 1;
                excepted += usize::from(is_exception);
            }
            println!("{file}: {count} facts, {excepted} of them excepted");
            met += excepted;
        }
    }
    assert!(met >= EXCEPTIONS.len(), "only {met} exceptions were met");
}
