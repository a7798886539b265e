//! Managers of packages whose databases are not read, and managers without a database.

use fathom_block::Error;

use super::HIDES;
use crate::files::Files;
use crate::unread::{self, Other};

/// Those that are not read, and where their databases are.
const OTHERS: &[Other] = &[
    ("pkgtools of Slackware", "/var/lib/pkgtools/packages/"),
    ("pkgtools of Slackware", "/var/log/packages/"),
    ("XBPS of Void", "/var/db/xbps/"),
    ("Nix", "/nix/store"),
    ("Guix", "/gnu/store"),
    ("opkg", "/usr/lib/opkg/status"),
    ("opkg", "/var/lib/opkg/status"),
    ("eopkg of Solus", "/var/lib/eopkg/package"),
    ("PiSi", "/var/lib/pisi/package"),
    ("swupd of Clear Linux", "/usr/share/clear/bundles/"),
    ("pkg of FreeBSD", "/var/db/pkg/local.sqlite"),
    ("Paludis of Exherbo", "/var/db/paludis/repositories/installed"),
    ("pkgutils of CRUX", "/var/lib/pkg/db"),
    ("tazpkg of SliTaz", "/var/lib/tazpkg/installed"),
    ("KISS", "/var/db/kiss/installed"),
    ("Homebrew", "/home/linuxbrew/.linuxbrew/Cellar"),
    ("Homebrew", "/usr/local/Cellar"),
];

/// Programs of those that are read: who has one has a database.
const PROGRAMS: &[&str] = &[
    "/usr/bin/dpkg",
    "/usr/bin/rpm",
    "/bin/rpm",
    "/sbin/apk",
    "/usr/bin/apk",
    "/usr/bin/pacman",
    "/usr/bin/emerge",
];

/// Why there may be more packages than those in the databases that are read.
pub(super) fn beside(files: &Files<'_>) -> Option<String> {
    unread::note(files, OTHERS, false, HIDES)
}

/// Why there may be packages although no database is there that is read.
pub(super) fn instead(files: &Files<'_>) -> Option<String> {
    unread::note(files, OTHERS, true, HIDES).or_else(|| {
        let program = PROGRAMS.iter().find(|program| files.exists(program, HIDES))?;
        let why = format!("no package database is there, but {program} is");
        let error = Error::not_found("packages", why);
        files.note(&error, program, HIDES);
        Some(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use crate::files::Files;
    use crate::memory;
    use crate::packages::all;

    #[test]
    fn what_is_not_read_is_not_nothing() {
        let check = |found: &[(&str, &[u8])], expected: (Coverage, usize)| {
            let tree = memory::tree(found);
            let listing = all(&Files::new(&tree));
            assert_eq!((listing.coverage, listing.items.len()), expected, "{found:?}");
        };
        let apk: (&str, &[u8]) = ("/lib/apk/db/installed", b"P:musl\nV:1\n\n");
        check(&[("/etc/os-release", b"")], (Coverage::Complete, 0));
        check(&[("/nix/store/abc-bash/bin/bash", b"")], (Coverage::Unknown, 0));
        check(&[("/var/db/xbps/pkgdb-0.38.plist", b"x")], (Coverage::Unknown, 0));
        check(&[("/var/log/packages/bash-5.1-x86_64-1", b"")], (Coverage::Unknown, 0));
        check(&[("/usr/bin/pacman", b"")], (Coverage::Unknown, 0));
        check(&[apk, ("/sbin/apk", b"")], (Coverage::Complete, 1));
        check(&[apk, ("/nix/store/abc-bash/bin/bash", b"")], (Coverage::Partial, 1));
        check(&[apk, ("/usr/lib/opkg/status", b"")], (Coverage::Complete, 1));
    }
}
