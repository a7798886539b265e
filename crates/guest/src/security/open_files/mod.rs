//! Programs that run as their owner or group whoever starts them or that are given capabilities, and
//! files that everybody may write.
//!
//! By default the folders are looked at in which programs and settings of a system lie. `--deep` looks
//! at every file.

use std::collections::HashSet;

use fathom_filesystem::{FileType, Metadata, Xattr};
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

    /// Judges a file by its mode.
    pub(crate) fn see(&mut self, path: &str, metadata: &Metadata) {
        // Links have no mode of their own, and what is no file is not what programs are made of.
        let is_file = metadata.file_type == FileType::File;
        if !is_file && metadata.file_type != FileType::Directory {
            return;
        }
        // In a folder with the sticky bit everybody may write, but nobody change what is another's.
        let sticky = !is_file && metadata.mode & 0o1000 != 0;
        if metadata.mode & 0o002 != 0 && !sticky {
            add(&mut self.world_writable, entry(path, metadata, None));
        }
        if is_file && metadata.mode & 0o6000 != 0 {
            add(&mut self.set_id, entry(path, metadata, None));
        }
    }

    /// Judges a program by its attributes; it has been judged by its mode.
    pub(crate) fn attributes(&mut self, path: &str, metadata: &Metadata, attributes: &[Xattr]) {
        let Some(capabilities) = capability::of(attributes) else { return };
        match self.set_id.items.iter_mut().find(|file| file.path == path) {
            Some(file) => file.capabilities = Some(capabilities),
            None => add(&mut self.set_id, entry(path, metadata, Some(capabilities))),
        }
    }

    /// Puts both in order.
    pub(crate) fn sort(&mut self) {
        for listing in [&mut self.set_id, &mut self.world_writable] {
            listing.items.sort_by(|a, b| a.path.cmp(&b.path));
        }
    }

    /// Says of both that there may be more.
    pub(crate) fn hide(&mut self, why: &str) {
        self.set_id.hide(why);
        self.world_writable.hide(why);
    }
}

/// Whether the file is a program, whose attributes matter.
pub(crate) fn is_program(metadata: &Metadata) -> bool {
    metadata.file_type == FileType::File && metadata.mode & 0o111 != 0
}

fn entry(path: &str, metadata: &Metadata, capabilities: Option<String>) -> OpenFile {
    OpenFile {
        path: path.to_owned(),
        mode: format!("{:04o}", metadata.mode & 0o7777),
        owner: metadata.uid,
        group: metadata.gid,
        capabilities,
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
            let outcome = found.metadata().and_then(|metadata| {
                open.see(&path, &metadata);
                if is_program(&metadata) {
                    open.attributes(&path, &metadata, &found.xattrs()?);
                }
                Ok(())
            });
            if let Err(error) = outcome {
                files.note(&error, &path, HIDES);
                failed = Some(error.to_string());
            }
        }
    }
    if let Some(why) = failed {
        open.hide(&why);
    }
    open.hide(fathom_report::USUAL_FOLDERS_ALONE);
    open.sort();
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
            open.see(path, &metadata);
        }
        let shown = |listing: &Listing<OpenFile>| {
            listing.items.iter().map(|it| format!("{} {}", it.path, it.mode)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&open.set_id), ["/usr/bin/a 4755", "/usr/bin/a 2711"]);
        let found = tree.resolve(b"/usr/bin/a", false).unwrap().metadata().unwrap();
        let value = [0x0200_0001, 1 << 13, 0, 0, 0].map(u32::to_le_bytes).concat();
        let attribute = Xattr { name: b"security.capability".to_vec(), value };
        open.attributes("/usr/bin/a", &found, std::slice::from_ref(&attribute));
        open.attributes("/b", &found, &[attribute]);
        assert_eq!(open.set_id.items[0].capabilities.as_deref(), Some("cap_net_raw=ep"));
        assert_eq!(open.set_id.items[2].path, "/b");
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
