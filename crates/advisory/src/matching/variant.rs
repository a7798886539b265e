//! Builds of the same package for other purposes, and which statements hold for which.
//!
//! Oracle builds some packages three times over: as they are, for Ksplice, which patches what runs, and
//! as they were certified by FIPS 140. The release says which it is, and often an epoch sets them apart
//! too. Each kind is mended by errata of its own, so that a version of one says nothing of the others.
//! Ubuntu has builds for FIPS 140 too, in pockets of their own.

use fathom_version::Scheme;

/// Which kind of build a version is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    is_of_ksplice: bool,
    is_of_fips: bool,
}

impl Variant {
    /// By the release: `2:2.28-151.0.1.ksplice2.el8`, `10:3.6.16-4.0.1.el8_fips`; by the revision:
    /// `1.1.1f-1ubuntu2.fips.7.1`, `5.4.0-1026.30+fips2`.
    pub(crate) fn of(scheme: Scheme, version: &str) -> Self {
        let is = |marks: &[&str]| marks.iter().any(|mark| has(version, mark));
        match scheme {
            Scheme::Rpm => Self { is_of_ksplice: is(&[".ksplice"]), is_of_fips: is(&["_fips"]) },
            Scheme::Debian => {
                Self { is_of_ksplice: false, is_of_fips: is(&[".fips", "+fips", "+Fips"]) }
            }
            _ => Self { is_of_ksplice: false, is_of_fips: false },
        }
    }
}

impl Variant {
    /// Whether it is a build for no purpose of its own.
    pub(crate) fn is_plain(self) -> bool {
        !self.is_of_ksplice && !self.is_of_fips
    }

    /// Whether what is said of versions up to this one holds for such a build; what is said of all
    /// versions holds for every build.
    pub(crate) fn fits(self, scheme: Scheme, upper: Option<&str>) -> bool {
        upper.is_none_or(|upper| Self::of(scheme, upper) == self)
    }
}

/// Whether the mark stands anywhere in the version. It is asked of every statement, of versions so short
/// that to prepare a search would take longer than to search.
fn has(version: &str, mark: &str) -> bool {
    version.as_bytes().windows(mark.len()).any(|it| it == mark.as_bytes())
}

/// Whether what a pocket for builds for FIPS says of all versions is about this package: one of these
/// builds, or one that there is of no other kind.
pub(crate) fn is_of_pocket(namespace: &str, name: &str, installed: &str) -> bool {
    let is_for_fips = namespace.split(':').any(|part| part.starts_with("FIPS"));
    !is_for_fips || name.contains("fips") || Variant::of(Scheme::Debian, installed).is_of_fips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_keep_apart() {
        let plain = "2.28-151.el8";
        let ksplice = "2:2.28-151.0.1.ksplice2.el8";
        let fips = "10:3.6.16-4.0.1.el8_fips";
        for (installed, upper, expected) in [
            (plain, Some("2.28-151.0.1.el8"), true),
            (plain, Some(ksplice), false),
            (plain, Some(fips), false),
            (ksplice, Some("2:2.28-164.0.3.ksplice1.el8"), true),
            (ksplice, Some("2.28-164.0.3.el8"), false),
            (fips, Some("10:3.6.16-5.el8_fips"), true),
            (fips, Some("3.6.16-5.el8"), false),
            (plain, None, true),
            (fips, None, true),
            // The name of a package says nothing: `openssl-fips-provider`, `kernel-ksplice`.
            ("3.0.7-1.fips.el9", Some("3.0.7-2.fips.el9"), true),
        ] {
            let fits = Variant::of(Scheme::Rpm, installed).fits(Scheme::Rpm, upper);
            assert_eq!(fits, expected, "{installed} {upper:?}");
        }
    }

    #[test]
    fn builds_of_ubuntu_keep_apart() {
        let (plain, fips) = ("1.1.1f-1ubuntu2.16", "1.1.1f-1ubuntu2.fips.7.1");
        for (installed, upper, expected) in [
            (plain, "1.1.1f-1ubuntu2.17", true),
            (plain, "1.1.1f-1ubuntu2.fips.16", false),
            (fips, "1.1.1f-1ubuntu2.fips.16", true),
            (fips, "1.1.1f-1ubuntu2.17", false),
        ] {
            let found = Variant::of(Scheme::Debian, installed).fits(Scheme::Debian, Some(upper));
            assert_eq!(found, expected, "{installed} {upper}");
        }
        let pocket = "Ubuntu:Pro:FIPS-updates:20.04:LTS";
        for (namespace, name, installed, expected) in [
            (pocket, "openssl", plain, false),
            (pocket, "openssl", fips, true),
            (pocket, "linux-fips", "5.4.0-1026.30", true),
            ("Ubuntu:20.04:LTS", "openssl", plain, true),
        ] {
            assert_eq!(is_of_pocket(namespace, name, installed), expected, "{name} {installed}");
        }
    }
}
