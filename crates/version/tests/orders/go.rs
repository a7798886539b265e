//! Releases of Go by `go/version`, where a release from 1.21 on that says no third number is its
//! first.

use fathom_version::Scheme;

use crate::check;
use crate::random::Random;

/// Numbers, and the kind and number of a pre-release.
type Release = ([u64; 3], Option<(&'static str, u64)>);

fn release(random: &mut Random) -> (String, Release) {
    let mut numbers = [1, random.one_of(&[0, 2, 20, 21, 22]), 0];
    let mut text = format!("go1.{}", numbers[1]);
    let prerelease = match random.below(4) {
        0 => Some((random.one_of(&["alpha", "beta", "rc"]), random.one_of(&[0, 1, 2, 10]))),
        1 => None,
        _ => {
            numbers[2] = random.one_of(&[0, 1, 2, 10]);
            text += &format!(".{}", numbers[2]);
            None
        }
    };
    if let Some((kind, number)) = prerelease {
        text += &format!("{kind}{number}");
    }
    text += random.one_of(&["", "", "-company", " X:fips", "+built"]);
    (text, (numbers, prerelease))
}

#[test]
fn releases_by_their_numbers() {
    let mut random = Random::new();
    for _ in 0..20_000 {
        let ((one, a), (other, b)) = (release(&mut random), release(&mut random));
        let rank = |it: &Release| (it.0, it.1.is_none(), it.1);
        check(Scheme::Go, &one, &other, rank(&a).cmp(&rank(&b)));
        // Advisories number them by Semantic Versioning.
        let ([major, minor, patch], prerelease) = b;
        let mut written = format!("v{major}.{minor}.{patch}");
        if let Some((kind, number)) = prerelease {
            written += &format!("-{kind}.{number}");
        }
        check(Scheme::Go, &one, &written, rank(&a).cmp(&rank(&b)));
    }
}
