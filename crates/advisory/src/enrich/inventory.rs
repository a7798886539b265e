//! A number of what is installed, to tell whether it changed.
//!
//! It is the FNV-1a hash of 64 bits, which is quick and short; it need not withstand anybody.

use fathom_report::Package;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The number of these packages, in whatever order they are listed.
pub(super) fn number(packages: &[Package]) -> String {
    let mut numbers: Vec<u64> =
        packages.iter().filter(|package| package.is_installed()).map(of_package).collect();
    numbers.sort_unstable();
    let all = numbers.iter().fold(OFFSET, |hash, number| add(hash, &number.to_le_bytes()));
    format!("{all:016x}")
}

fn of_package(package: &Package) -> u64 {
    let version = package.full_version();
    let parts = [
        package.kind.name(),
        &package.name,
        &version,
        package.architecture.as_deref().unwrap_or_default(),
        package.location.as_deref().unwrap_or_default(),
    ];
    // A byte that is in no text, so that no two lists of parts read alike.
    parts.iter().fold(OFFSET, |hash, part| add(add(hash, part.as_bytes()), &[0xff]))
}

fn add(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use fathom_report::PackageKind;

    use super::*;

    #[test]
    fn what_is_installed_has_its_number() {
        let of = |name: &str, version: &str| Package::bare(PackageKind::Deb, name, version, "db");
        let one = number(&[of("a", "1"), of("b", "2")]);
        assert_eq!(one, number(&[of("b", "2"), of("a", "1")]));
        assert_eq!(one.len(), 16);
        let gone = Package { state: Some("config-files".to_owned()), ..of("c", "1") };
        assert_eq!(one, number(&[of("a", "1"), of("b", "2"), gone]));
        for other in
            [vec![of("a", "1")], vec![of("a", "1"), of("b", "3")], vec![of("a1", ""), of("b", "2")]]
        {
            assert_ne!(one, number(&other));
        }
        // As the algorithm was published: the hash of nothing, and of one letter.
        assert_eq!(add(OFFSET, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(add(OFFSET, b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
