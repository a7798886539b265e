//! Which of two versions is newer, where that can be said for sure.
//!
//! Debian and rpm have written down how their versions are ordered, and these are their rules. Of
//! every other kind only versions that are plain numbers are ordered: `1.9.2` and `1.10.0` leave no
//! doubt, `2.0-beta` and `2.0.post1` do.

use std::cmp::Ordering;

use fathom_report::{Direction, PackageKind};

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

/// The epoch, which is nought where none is written, and the rest.
fn epoch(version: &str) -> Option<(u64, &str)> {
    match version.split_once(':') {
        Some((epoch, rest)) => Some((epoch.parse().ok()?, rest)),
        None => Some((0, version)),
    }
}

/// The order of Debian's versions (deb-version(7)): by epoch, upstream version and revision.
fn debian(a: &str, b: &str) -> Option<Ordering> {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".+-~:".contains(c);
    if !a.chars().all(legal) || !b.chars().all(legal) {
        return None;
    }
    let ((epoch_a, a), (epoch_b, b)) = (epoch(a)?, epoch(b)?);
    let split = |text| str::rsplit_once(text, '-').unwrap_or((text, "0"));
    let ((version_a, revision_a), (version_b, revision_b)) = (split(a), split(b));
    Some(
        epoch_a
            .cmp(&epoch_b)
            .then_with(|| debian_part(version_a.as_bytes(), version_b.as_bytes()))
            .then_with(|| debian_part(revision_a.as_bytes(), revision_b.as_bytes())),
    )
}

/// Stretches of other characters and of digits by turns. Letters come before what is none, and a
/// tilde before everything, even the end.
fn debian_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    fn weight(byte: Option<&u8>) -> i32 {
        match byte {
            None => 0,
            Some(b'~') => -1,
            Some(byte) if byte.is_ascii_digit() => 0,
            Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
            Some(byte) => i32::from(*byte) + 256,
        }
    }
    let is_other = |text: &[u8]| text.first().is_some_and(|byte| !byte.is_ascii_digit());
    while !a.is_empty() || !b.is_empty() {
        while is_other(a) || is_other(b) {
            let order = weight(a.first()).cmp(&weight(b.first()));
            if order != Ordering::Equal {
                return order;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (number_a, number_b);
        (number_a, a) = digits(a);
        (number_b, b) = digits(b);
        let order = by_number(number_a, number_b);
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// The digits that a text begins with, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Numbers of any length.
fn by_number(a: &[u8], b: &[u8]) -> Ordering {
    let trim = |text: &[u8]| {
        let zeros = text.iter().take_while(|byte| **byte == b'0').count();
        text.get(zeros..).unwrap_or_default().to_vec()
    };
    let (a, b) = (trim(a), trim(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
}

/// The order of rpm: by epoch, version and release.
fn rpm(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> (u64, String, Option<String>) {
        let (epoch, rest) = epoch(text).unwrap_or((0, text));
        match rest.rsplit_once('-') {
            Some((version, release)) => (epoch, version.to_owned(), Some(release.to_owned())),
            None => (epoch, rest.to_owned(), None),
        }
    };
    let ((epoch_a, version_a, release_a), (epoch_b, version_b, release_b)) = (parts(a), parts(b));
    let releases = match (&release_a, &release_b) {
        (Some(a), Some(b)) => rpm_part(a.as_bytes(), b.as_bytes()),
        _ => Ordering::Equal,
    };
    epoch_a
        .cmp(&epoch_b)
        .then_with(|| rpm_part(version_a.as_bytes(), version_b.as_bytes()))
        .then(releases)
}

/// Stretches of letters or of digits; what is neither only parts them. A tilde comes before
/// everything, even the end; a caret after the end, but before everything else.
fn rpm_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let parts = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^');
    let skip = |text: &[u8]| text.iter().take_while(|byte| parts(byte)).count();
    loop {
        a = a.get(skip(a)..).unwrap_or_default();
        b = b.get(skip(b)..).unwrap_or_default();
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                a = a.get(1..).unwrap_or_default();
                b = b.get(1..).unwrap_or_default();
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => match (one.is_ascii_digit(), other.is_ascii_digit()) {
                (true, true) => {
                    let (number_a, number_b);
                    (number_a, a) = digits(a);
                    (number_b, b) = digits(b);
                    let order = by_number(number_a, number_b);
                    if order != Ordering::Equal {
                        return order;
                    }
                }
                (false, false) => {
                    let (word_a, word_b);
                    (word_a, a) = letters(a);
                    (word_b, b) = letters(b);
                    if word_a != word_b {
                        return word_a.cmp(word_b);
                    }
                }
                // A number is newer than a word.
                (true, false) => return Ordering::Greater,
                (false, true) => return Ordering::Less,
            },
        }
    }
}

fn letters(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len());
    text.split_at(end)
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
