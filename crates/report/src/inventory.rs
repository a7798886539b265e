//! Numbers of what is installed, by which two lists of findings tell what changed on a machine.
//!
//! A package has one of 32 bits, folded from the FNV-1a hash of 64, which is quick and short; it need
//! not withstand anybody.

use crate::finding::Finding;
use crate::package::Package;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// How many digits a package takes.
const DIGITS: usize = 8;

/// The numbers of these packages, in whatever order they are listed.
pub fn of_packages(packages: &[Package]) -> String {
    let installed = packages.iter().filter(|package| package.is_installed());
    let mut numbers: Vec<u32> = installed
        .map(|it| {
            let parts = [it.kind.name(), &it.name, &it.full_version()];
            of_parts(parts, it.architecture.as_deref(), it.location.as_deref())
        })
        .collect();
    numbers.sort_unstable();
    let mut all = String::with_capacity(numbers.len() * DIGITS);
    for number in numbers {
        all.push_str(&format!("{number:08x}"));
    }
    all
}

/// Whether the package of a finding is among these, in its version.
pub fn has(inventory: &str, finding: &Finding) -> bool {
    let parts = [finding.package_kind.name(), &finding.package, &finding.installed_version];
    let (architecture, location) = (finding.architecture.as_deref(), finding.location.as_deref());
    let wanted = format!("{:08x}", of_parts(parts, architecture, location));
    inventory.as_bytes().chunks(DIGITS).any(|number| number == wanted.as_bytes())
}

fn of_parts(parts: [&str; 3], architecture: Option<&str>, location: Option<&str>) -> u32 {
    let further = [architecture.unwrap_or_default(), location.unwrap_or_default()];
    // A byte that is in no text, so that no two lists of parts read alike.
    let hash = parts
        .iter()
        .chain(&further)
        .fold(OFFSET, |hash, part| add(add(hash, part.as_bytes()), &[0xff]));
    (hash >> 32) as u32 ^ hash as u32
}

fn add(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::PackageKind;

    #[test]
    fn what_is_installed_has_its_numbers() {
        let of = |name: &str, version: &str| Package::bare(PackageKind::Deb, name, version, "db");
        let two = of_packages(&[of("a", "1"), of("b", "2")]);
        assert_eq!(two.len(), 2 * DIGITS);
        assert_eq!(two, of_packages(&[of("b", "2"), of("a", "1")]));
        let gone = Package { state: Some("config-files".to_owned()), ..of("c", "1") };
        assert_eq!(two, of_packages(&[of("a", "1"), of("b", "2"), gone]));
        for other in [vec![of("a", "1")], vec![of("a1", ""), of("b", "2")]] {
            assert_ne!(two, of_packages(&other));
        }
        // As the algorithm was published: the hash of nothing, and of one letter.
        assert_eq!(add(OFFSET, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(add(OFFSET, b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn a_finding_is_found_among_them() {
        let package = Package {
            epoch: Some(1),
            architecture: Some("amd64".to_owned()),
            ..Package::bare(PackageKind::Deb, "a", "1-2", "db")
        };
        let all = of_packages(&[Package::bare(PackageKind::Deb, "b", "2", "db"), package]);
        let finding = |version: &str| -> Finding {
            serde_json::from_value(serde_json::json!({"cve_id": "CVE-1", "package": "a",
                "package_kind": "deb", "installed_version": version, "architecture": "amd64",
                "state": "affected", "remediation": "", "exploitability": {}, "because": [],
                "evidence": "", "risk": {"score": 0.0, "severity": 0.0, "likelihood": 0.0,
                "context": 0.0}}))
            .unwrap()
        };
        assert!(has(&all, &finding("1:1-2")));
        assert!(!has(&all, &finding("1:1-3")) && !has("", &finding("1:1-2")));
    }
}
