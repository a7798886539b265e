//! Builds of the same package for other purposes, and which statements hold for which.
//!
//! Oracle builds some packages three times over: as they are, for Ksplice, which patches what runs, and
//! as they were certified by FIPS 140. The release says which it is, and often an epoch sets them apart
//! too. Each kind is mended by errata of its own, so that a version of one says nothing of the others.

/// Which kind of build a version is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Variant {
    is_of_ksplice: bool,
    is_of_fips: bool,
}

impl Variant {
    /// By the release: `2:2.28-151.0.1.ksplice2.el8`, `10:3.6.16-4.0.1.el8_fips`.
    fn of(version: &str) -> Self {
        Self { is_of_ksplice: version.contains(".ksplice"), is_of_fips: version.contains("_fips") }
    }
}

/// Whether what is said of versions up to this one holds for such a build; what is said of all versions
/// holds for every build.
pub(crate) fn fits(installed: &str, upper: Option<&str>) -> bool {
    upper.is_none_or(|upper| Variant::of(upper) == Variant::of(installed))
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
            assert_eq!(fits(installed, upper), expected, "{installed} {upper:?}");
        }
    }
}
