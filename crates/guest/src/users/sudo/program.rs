//! Which sudo is installed, and which of its files it reads: what it makes of a line that it does not
//! understand depends on its release.

use fathom_report::{Listing, Package, PackageKind};

use super::{HIDES, token};
use crate::files::{Files, Read};

/// The file of the administrator, and that of SUSE, which holds where there is none.
const SUDOERS: [&str; 2] = ["/etc/sudoers", "/usr/etc/sudoers"];

/// The file that sudo-rs prefers.
const OF_RUST: [&str; 2] = ["/etc/sudoers-rs", "/etc/sudoers"];

/// Where the program lies.
const PROGRAM: &str = "/usr/bin/sudo";

/// What says which program decides, and by which file.
const CONF: &str = "/etc/sudo.conf";

/// From here on a line that is not understood is passed over; before, nothing else held either.
const RECOVERS_SINCE: [u32; 3] = [1, 9, 3];

/// The program.
pub(super) struct Program {
    /// Its release, where it is known.
    release: Option<[u32; 3]>,
    /// Whether it is sudo-rs.
    is_rust: bool,
    /// The files that it looks for, of which the first that is there counts.
    pub(super) sudoers: Vec<String>,
    /// Why not all that decides is in these.
    pub(super) others: Option<String>,
}

impl Program {
    pub(super) fn of(files: &Files<'_>, packages: &Listing<Package>) -> Self {
        // Debian and Ubuntu keep both side by side, and a link says which is meant.
        let place = files.real_path(PROGRAM, HIDES).there().unwrap_or_default();
        if place.contains("/cargo/") || place.ends_with("/sudo-rs") {
            let others = format!("{place} is sudo-rs; which lines it takes was not compared");
            let sudoers = OF_RUST.map(str::to_owned).to_vec();
            return Self { release: None, is_rust: true, sudoers, others: Some(others) };
        }
        let sudoers = SUDOERS.map(str::to_owned).to_vec();
        let mut program =
            Self { release: release(packages), is_rust: false, sudoers, others: None };
        match files.text(CONF, HIDES) {
            Read::There(text) => program.configure(&text),
            Read::Absent => {}
            Read::Unread(why) => program.others = Some(why),
        }
        program
    }

    /// Takes what the lines `Plugin NAME FILE ARGUMENTS…` say.
    fn configure(&mut self, text: &str) {
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            if words.next() != Some("Plugin") {
                continue;
            }
            let (Some(name), Some(file)) = (words.next(), words.next()) else { continue };
            if name == "sudoers_policy" {
                let mut sudoers = words.filter_map(|word| word.strip_prefix("sudoers_file="));
                if let Some(sudoers) = sudoers.next_back() {
                    self.sudoers = vec![sudoers.to_owned()];
                }
            } else if name.contains("policy") {
                let why = format!("{CONF}: {name} of {file} decides who may become whom");
                self.others = Some(why);
            }
        }
    }

    /// What it makes of a line that it does not understand.
    pub(super) fn on_mistakes(&self) -> &'static str {
        match self.release {
            _ if self.is_rust => "which sudo does not understand",
            Some(release) if release >= RECOVERS_SINCE => "which sudo passes over",
            Some(_) => "for which sudo takes none of its rules",
            None => "which sudo passes over, or before 1.9.3 takes no rules for",
        }
    }

    /// Whether there are lines that only later releases understand.
    pub(super) fn is_old(&self) -> bool {
        self.is_before(token::NEWEST)
    }

    /// Whether it is certainly older than that.
    pub(super) fn is_before(&self, release: [u32; 3]) -> bool {
        self.release.is_some_and(|own| own < release)
    }
}

/// The three numbers of the release of sudo: 1.9.13 of `1.9.13p3-1+deb12u1`.
pub(crate) fn release(packages: &Listing<Package>) -> Option<[u32; 3]> {
    let package = ["sudo", "sudo-ldap", "app-admin/sudo"].iter().find_map(|name| {
        use PackageKind::{Apk, Deb, Pacman, Portage, Rpm};
        let is_system = |kind| matches!(kind, Apk | Deb | Pacman | Portage | Rpm);
        packages.items.iter().find(|it| it.name == *name && is_system(it.kind))
    })?;
    let mut numbers = package.version.splitn(3, '.');
    let mut next = || {
        let part = numbers.next()?;
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().ok()
    };
    Some([next()?, next()?, next()?])
}
