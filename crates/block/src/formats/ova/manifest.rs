//! The manifest: a digest of every file of the archive, each in a line such as
//! `SHA256(machine.ovf)= 0123…`.
//!
//! Only the description's own is compared: those of the disks would take reading them whole.
//!
//! *Open Virtualization Format Specification*, DMTF DSP0243, 5.1.

use std::fmt::Write as _;

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::error::{Error, Problem};

/// The longest manifest that is read.
pub(super) const LONGEST: u64 = 1 << 20;

/// What the manifest of the description called `name` is called.
pub(super) fn name(name: &str) -> String {
    format!("{}.mf", name.rsplit_once('.').map_or(name, |(stem, _)| stem))
}

/// Why the description called `name` is not the one that the manifest was made for.
pub(super) fn contradiction(manifest: &[u8], name: &str, description: &[u8]) -> Option<Problem> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let manifest = String::from_utf8_lossy(manifest);
    let (algorithm, stated) = manifest.lines().find_map(|line| {
        let (algorithm, rest) = line.split_once('(')?;
        let (file, digest) = rest.rsplit_once(')')?;
        let digest = digest.trim_start().strip_prefix('=')?;
        (last(file) == last(name)).then(|| (algorithm.trim(), digest.trim()))
    })?;
    let actual = match algorithm.to_ascii_uppercase().as_str() {
        "SHA1" => hexadecimal(&Sha1::digest(description)),
        "SHA256" => hexadecimal(&Sha256::digest(description)),
        "SHA512" => hexadecimal(&Sha512::digest(description)),
        _ => return None,
    };
    (!stated.eq_ignore_ascii_case(&actual)).then(|| {
        let stated = stated.escape_debug();
        let why = format!(
            "its {algorithm} is {actual}, but the manifest says {stated}: one of them was changed"
        );
        Error::corrupt(name, 0, why)
    })
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_held_to_its_own_line() {
        let right = [
            "SHA1(m.ovf)= a9993e364706816aba3e25717850c26c9cd0d89d",
            "SHA1(disk.vmdk)= 00\r\nsha1 (./m.ovf) = A9993E364706816ABA3E25717850C26C9CD0D89D\r\n",
            "SHA256(m.ovf)= ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "SHA1(disk.vmdk)= 00",
            "MD5(m.ovf)= 00",
            "",
        ];
        for manifest in right {
            let problem = contradiction(manifest.as_bytes(), "./m.ovf", b"abc");
            assert!(problem.is_none(), "{problem:?}");
        }
        for manifest in ["SHA1(m.ovf)= 00", "SHA512(m.ovf)= ", "SHA256(a(b).ovf)=\nSHA256(m.ovf)=="]
        {
            let problem = contradiction(manifest.as_bytes(), "m.ovf", b"abc").unwrap();
            assert!(problem.to_string().contains("the manifest says"), "{problem}");
        }
        assert_eq!(name("dir/m.ovf"), "dir/m.mf");
    }
}
