//! Which of two versions is newer, where that can be said for sure.
//!
//! Debian and rpm have written down how their versions are ordered. Of every other kind only versions that are plain numbers are ordered: `1.9.2` and `1.10.0` leave no
//! doubt, `2.0-beta` and `2.0.post1` do.

use std::cmp::Ordering;

use fathom_report::{Direction, PackageKind};
use fathom_version::{by_number, debian, rpm};

/// Which way a version of a package of this kind changed; nothing where that is not sure, or where
/// both are equally new.
pub fn direction(kind: PackageKind, before: &str, after: &str) -> Option<Direction> {
    let order = match kind {
        PackageKind::Deb => debian(before, after),
        PackageKind::Rpm => Some(rpm(before, after)),
        _ => plain(before, after),
    };
    match order? {
        Ordering::Less => Some(Direction::Upgrade),
        Ordering::Greater => Some(Direction::Downgrade),
        Ordering::Equal => None,
    }
}

/// Versions that are numbers and nothing else, as many on both sides.
fn plain(a: &str, b: &str) -> Option<Ordering> {
    fn numbers(text: &str) -> Option<Vec<&[u8]>> {
        // What a build of the same version is numbered by: `-r1` of Alpine, `-1` of Arch.
        let text = text.strip_prefix('v').unwrap_or(text);
        let parts: Vec<&str> = match text.split_once('-') {
            Some((version, build)) => version
                .split('.')
                .chain(std::iter::once(build.strip_prefix('r').unwrap_or(build)))
                .collect(),
            None => text.split('.').collect(),
        };
        let is_number =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.iter().all(is_number).then(|| parts.iter().map(|part| part.as_bytes()).collect())
    }
    // A build number on one side only would be taken for a part of the version.
    if a.contains('-') != b.contains('-') {
        return None;
    }
    let (a, b) = (numbers(a)?, numbers(b)?);
    if a.len() != b.len() {
        return None;
    }
    let orders = a.iter().zip(&b).map(|(a, b)| by_number(a, b));
    Some(orders.fold(Ordering::Equal, Ordering::then))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: PackageKind, before: &str, after: &str, wanted: Option<Direction>) {
        assert_eq!(direction(kind, before, after), wanted, "{before} -> {after}");
        let turned = wanted.map(|it| match it {
            Direction::Upgrade => Direction::Downgrade,
            Direction::Downgrade => Direction::Upgrade,
        });
        assert_eq!(direction(kind, after, before), turned, "{after} -> {before}");
    }

    #[test]
    fn debian_and_rpm_have_rules() {
        let up = Some(Direction::Upgrade);
        for (before, after) in [
            ("1.9", "1.10"),
            ("1.0~rc1", "1.0"),
            ("1.0-1", "1.0-1+deb12u1"),
            ("9:1", "10:0"),
            ("1.0a", "1.0+"),
            ("2.36-9+deb12u9", "2.36-9+deb12u10"),
            ("1.2", "1:1.0"),
        ] {
            check(PackageKind::Deb, before, after, up);
        }
        for (before, after) in [
            ("1.0-1.fc38", "1.0-2.fc38"),
            ("1.0~rc1-1", "1.0-1"),
            ("1.0-1", "1.0^git1-1"),
            ("1.0^git1-1", "1.0.1-1"),
            ("1.a-1", "1.1-1"),
            ("5.10-1", "1:1.0-1"),
        ] {
            check(PackageKind::Rpm, before, after, up);
        }
        check(PackageKind::Deb, "1.0", "1.0-0", None);
        check(PackageKind::Deb, "1_0", "2_0", None);
    }

    #[test]
    fn of_other_kinds_only_numbers_are_sure() {
        let up = Some(Direction::Upgrade);
        check(PackageKind::Npm, "1.9.2", "1.10.0", up);
        check(PackageKind::Apk, "3.1.4-r5", "3.1.4-r10", up);
        check(PackageKind::Go, "v1.2.3", "v1.3.0", up);
        check(PackageKind::Python, "2.0b1", "2.0", None);
        check(PackageKind::Pacman, "1.0.a-1", "1.0-1", None);
        check(PackageKind::Gem, "1.0", "1.0.0", None);
        check(PackageKind::Snap, "", "1", None);
    }
}
