//! Programs that run as their owner or group whoever starts them or that are given capabilities, and
//! files that everybody may write.
//!
//! By default the folders are looked at in which programs and settings of a system lie. `--deep` looks
//! at every file.

use std::collections::HashSet;

use fathom_block::Result;
use fathom_filesystem::{FileType, Found, Metadata};
use fathom_report::{Listing, OpenFile};

use crate::files::{Files, Read};

mod capability;

const HIDES: &str = "programs that run as their owner, and files that everybody may write";

/// Where programs lie.
const PROGRAMS: [&str; 31] = [
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
    "/usr/local/libexec",
    "/usr/games",
    "/usr/lib/openssh",
    "/usr/lib/ssh",
    "/usr/lib/dbus-1.0",
    "/usr/lib/policykit-1",
    "/usr/lib/polkit-1",
    "/usr/lib/eject",
    "/usr/lib/snapd",
    "/usr/lib/xorg",
    "/usr/lib/authselect",
    "/usr/libexec/openssh",
    "/usr/libexec/dbus-1",
    "/usr/libexec/polkit-1",
    "/usr/libexec/sudo",
    "/usr/libexec/utempter",
    "/usr/libexec/postfix",
    "/usr/lib/postfix/sbin",
    "/opt",
];

/// Where settings lie, and what is started.
const SETTINGS: [&str; 24] = [
    "/",
    "/etc",
    "/etc/cron.d",
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/etc/init.d",
    "/etc/ld.so.conf.d",
    "/etc/pam.d",
    "/etc/profile.d",
    "/etc/ssh",
    "/etc/sudoers.d",
    "/etc/systemd/system",
    "/etc/security",
    "/etc/default",
    "/etc/sysconfig",
    "/usr",
    "/usr/local",
    "/usr/lib/systemd/system",
    "/boot",
    "/srv",
    "/var",
    "/var/log",
];

/// How many files each list holds.
const MAX_FOUND: usize = 10_000;

/// Both lists.
pub(crate) struct OpenFiles {
    pub(crate) set_id: Listing<OpenFile>,
    pub(crate) world_writable: Listing<OpenFile>,
}

impl OpenFiles {
    /// Nothing yet of what lies at `places`.
    pub(crate) fn at(places: Vec<fathom_report::Evidence>) -> Self {
        Self {
            set_id: Listing::complete(Vec::new(), places.clone()),
            world_writable: Listing::complete(Vec::new(), places),
        }
    }

    /// Looks at one file. What cannot be looked at is the caller's to note.
    pub(crate) fn file(&mut self, path: &str, found: &Found, metadata: &Metadata) -> Result<()> {
        // Links have no mode of their own, and what is no file is not what programs are made of.
        let is_file = metadata.file_type == FileType::File;
        if !is_file && metadata.file_type != FileType::Directory {
            return Ok(());
        }
        let mode = metadata.mode & 0o7777;
        let entry = |capabilities| OpenFile {
            path: path.to_owned(),
            mode: format!("{mode:04o}"),
            owner: metadata.uid,
            group: metadata.gid,
            capabilities,
        };
        // In a folder with the sticky bit everybody may write, but nobody change what is another's.
        let sticky = !is_file && mode & 0o1000 != 0;
        if mode & 0o002 != 0 && !sticky {
            add(&mut self.world_writable, entry(None));
        }
        if !is_file {
            return Ok(());
        }
        let capabilities = match mode & 0o111 {
            0 => None,
            _ => capability::of(found)?,
        };
        if mode & 0o6000 != 0 || capabilities.is_some() {
            add(&mut self.set_id, entry(capabilities));
        }
        Ok(())
    }

    /// Says of both that there may be more.
    pub(crate) fn hide(&mut self, why: &str) {
        self.set_id.hide(why);
        self.world_writable.hide(why);
    }
}

fn add(listing: &mut Listing<OpenFile>, file: OpenFile) {
    match listing.items.len() {
        ..MAX_FOUND => listing.items.push(file),
        MAX_FOUND => {
            let why = format!("there are more than {MAX_FOUND}; the rest is left out");
            if listing.reason.as_deref().is_none_or(|reason| !reason.contains(&why)) {
                listing.hide(why);
            }
        }
        _ => {}
    }
}

/// What lies in the usual folders.
pub(super) fn usual(files: &Files<'_>) -> OpenFiles {
    let mut open = OpenFiles::at(Vec::new());
    let mut seen = HashSet::new();
    let mut failed = None;
    for folder in PROGRAMS.iter().chain(&SETTINGS) {
        // /bin is mostly another name of /usr/bin.
        match files.found(folder, HIDES) {
            Read::There(found) if seen.insert(found.place()) => {}
            Read::There(_) | Read::Absent => continue,
            Read::Unread(why) => {
                failed = Some(why);
                continue;
            }
        }
        let children = match files.children(folder, HIDES) {
            Read::There(children) => children,
            Read::Absent => continue,
            Read::Unread(why) => {
                failed = Some(why);
                continue;
            }
        };
        let of_programs = PROGRAMS.contains(folder);
        let listings = [&mut open.set_id, &mut open.world_writable];
        for listing in &mut listings.into_iter().skip(usize::from(!of_programs)) {
            listing.evidence.push((*folder).into());
        }
        for (name, found) in children {
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            let outcome = found.metadata().and_then(|metadata| open.file(&path, &found, &metadata));
            if let Err(error) = outcome {
                files.note(&error, &path, HIDES);
                failed = Some(error.to_string());
            }
        }
    }
    if let Some(why) = failed {
        open.hide(&why);
    }
    let rest = "only the usual folders were looked at; --deep looks at every file";
    open.hide(rest);
    for listing in [&mut open.set_id, &mut open.world_writable] {
        listing.items.sort_by(|a, b| a.path.cmp(&b.path));
    }
    open
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory;

    #[test]
    fn modes_decide_and_sticky_folders_are_no_finding() {
        let tree = memory::tree(&[("/usr/bin/a", b""), ("/tmp/x", b""), ("/l -> x", b"")]);
        let mut open = OpenFiles::at(Vec::new());
        for (path, mode) in [
            ("/usr/bin/a", 0o4755),
            ("/usr/bin/a", 0o2711),
            ("/usr/bin/a", 0o666),
            ("/usr/bin/a", 0o755),
            ("/tmp", 0o1777),
            ("/tmp", 0o777),
            ("/tmp", 0o2755),
            ("/l", 0o777),
        ] {
            let found = tree.resolve(path.as_bytes(), false).unwrap();
            let metadata = Metadata { mode, ..found.metadata().unwrap() };
            open.file(path, &found, &metadata).unwrap();
        }
        let shown = |listing: &Listing<OpenFile>| {
            listing.items.iter().map(|it| format!("{} {}", it.path, it.mode)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&open.set_id), ["/usr/bin/a 4755", "/usr/bin/a 2711"]);
        assert_eq!(shown(&open.world_writable), ["/usr/bin/a 0666", "/tmp 0777"]);
    }

    #[test]
    fn without_the_walk_the_lists_are_partial() {
        let tree = memory::tree(&[("/usr/bin/a", b""), ("/bin -> usr/bin", b"")]);
        let open = usual(&Files::new(&tree));
        assert_eq!(open.set_id.coverage, Coverage::Partial);
        assert!(open.set_id.reason.unwrap().contains("--deep"));
        assert_eq!(open.set_id.evidence, ["/usr/bin".into()]);
    }
}
