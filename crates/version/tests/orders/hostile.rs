//! Versions that are made to take long.

use fathom_version::Scheme;

const SCHEMES: [Scheme; 12] = [
    Scheme::Debian,
    Scheme::Rpm,
    Scheme::Apk,
    Scheme::Pacman,
    Scheme::Semver,
    Scheme::Go,
    Scheme::Pep440,
    Scheme::Maven,
    Scheme::Gem,
    Scheme::Nuget,
    Scheme::Packagist,
    Scheme::Windows,
];

/// How long they are, about.
const LENGTH: usize = 1 << 17;

#[test]
fn time_and_memory_grow_with_the_length_alone() {
    let pieces = [
        "0", "1", "a", ".", "-", "~", "^", "_", ":", "+", "é", "\0", "0.", "1.", ".0", "0-", "-0",
        "a1", "1a", "a.", "-a", "~1", "_p", "_p1", "final-", "0.0.0-", ".a.0.0", "rc", "x.", "dev",
        "- ", "!",
    ];
    for scheme in SCHEMES {
        for piece in pieces {
            for (before, behind) in
                [("", ""), ("1", ""), ("1.0-a", "1"), ("go1.", "rc1"), ("0", "!a")]
            {
                let version = format!("{before}{}{behind}", piece.repeat(LENGTH / piece.len()));
                if let Some(key) = scheme.key(&version) {
                    // The worst are the legacy versions of Python, whose dashes are `*final-`.
                    assert!(
                        key.len() <= 9 * version.len() + 64,
                        "{scheme:?} {before}{piece}{behind}"
                    );
                    assert_eq!(scheme.key(&version), Some(key));
                }
            }
        }
    }
}

#[test]
fn every_character_may_stand_everywhere() {
    for scheme in SCHEMES {
        for c in (0..0x250).chain(0x1F600..0x1F610).filter_map(char::from_u32) {
            for version in
                [format!("{c}"), format!("1{c}"), format!("1.0-{c}2"), format!("{c}{c}1a{c}")]
            {
                let mut key = vec![7];
                let is_version = scheme.encode(&version, &mut key);
                assert!(key[0] == 7 && (is_version || key.len() == 1), "{scheme:?} {version:?}");
                assert_eq!(scheme.key(&version).is_some(), is_version, "{scheme:?} {version:?}");
            }
        }
    }
}
