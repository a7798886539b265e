//! Which program is init: whose configuration says what is started.
//!
//! Systems carry units of systemd, scripts of System V init and more side by side, since packages ship
//! them all. Only those count that the program at `/sbin/init` reads.

use super::program::{Program, holds};
use crate::files::{Files, Read};

/// Where the kernel looks for it, in its order.
const PLACES: [&str; 3] = ["/sbin/init", "/etc/init", "/bin/init"];

/// How the file is called in the end, where it is a link.
const NAMES: [(&str, Init); 8] = [
    ("systemd", Init::Systemd),
    ("busybox", Init::BusyBox),
    ("busybox.static", Init::BusyBox),
    ("openrc-init", Init::OpenRc),
    ("upstart", Init::Upstart),
    ("runit-init", Init::Other("runit")),
    ("dinit", Init::Other("dinit")),
    ("finit", Init::Other("finit")),
];

/// What stands in the file itself. The first that fits counts.
const WORDS: [(&str, Init); 7] = [
    ("BusyBox v", Init::BusyBox),
    ("libsystemd", Init::Systemd),
    ("com.ubuntu.Upstart", Init::Upstart),
    ("/etc/runit/", Init::Other("runit")),
    ("s6-svscan", Init::Other("s6")),
    ("/etc/inittab", Init::Sysv),
    ("openrc", Init::OpenRc),
];

/// The program that starts everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Init {
    Systemd,
    Sysv,
    BusyBox,
    OpenRc,
    Upstart,
    /// One whose configuration is not read.
    Other(&'static str),
    /// There is none, as in an image that is started from outside. Then everything is told as its
    /// own tools tell it.
    None,
    /// It cannot be told, for this reason.
    Unknown(String),
}

impl Init {
    pub(super) fn of(files: &Files<'_>) -> Self {
        for place in PLACES {
            match Program::at(files, place) {
                Read::There(program) => return Self::program(files, place, &program),
                Read::Absent => {}
                Read::Unread(why) => return Self::Unknown(why),
            }
        }
        Self::None
    }

    fn program(files: &Files<'_>, place: &str, program: &Program) -> Self {
        if let Some((_, init)) = NAMES.iter().find(|(name, _)| *name == program.name()) {
            return init.clone();
        }
        let bytes = match program.bytes(files) {
            Read::There(bytes) => bytes,
            Read::Absent => return Self::Unknown(format!("{place} leads to no file")),
            Read::Unread(why) => return Self::Unknown(why),
        };
        match WORDS.iter().find(|(words, _)| holds(&bytes, words)) {
            Some((_, init)) => init.clone(),
            None => Self::Unknown(format!("{place} is no init that is known")),
        }
    }

    /// Whether units of systemd may be what is started.
    pub(super) fn takes_units(&self) -> bool {
        matches!(self, Self::Systemd | Self::None | Self::Unknown(_))
    }

    /// Whether scripts may be what is started. systemd takes those of System V init, but not OpenRC's
    /// runlevels.
    pub(super) fn takes_runlevels(&self) -> bool {
        *self != Self::Systemd
    }

    /// Whether it reads `/etc/inittab`.
    pub(super) fn takes_inittab(&self) -> bool {
        matches!(self, Self::Sysv | Self::BusyBox | Self::Unknown(_))
    }

    /// What of its configuration is not read.
    pub(super) fn unread(&self) -> Option<String> {
        match self {
            Self::Upstart => Some("jobs of upstart are not read".to_owned()),
            Self::Other(name) => Some(format!("init is {name}, whose services are not read")),
            Self::Unknown(why) => Some(format!("which program is init is not known: {why}")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    type Tree<'a> = &'a [(&'a str, &'a [u8])];

    #[test]
    fn what_init_is() {
        let cases: [(Tree<'_>, Init); 7] = [
            (
                &[("/sbin/init -> /lib/systemd/systemd", b""), ("/lib/systemd/systemd", b"")],
                Init::Systemd,
            ),
            (&[("/sbin/init -> ../bin/busybox", b""), ("/bin/busybox", b"")], Init::BusyBox),
            (&[("/sbin/init", b"\x7fELF..INIT: /etc/inittab..")], Init::Sysv),
            (&[("/sbin/init", b"\x7fELF..com.ubuntu.Upstart..")], Init::Upstart),
            (&[("/sbin/init", b"\x7fELF..BusyBox v1.36 /etc/inittab")], Init::BusyBox),
            (&[("/bin/init", b"/etc/runit/1")], Init::Other("runit")),
            (&[("/etc/passwd", b"")], Init::None),
        ];
        for (files, expected) in cases {
            let tree = memory::tree(files);
            assert_eq!(Init::of(&Files::new(&tree)), expected);
        }
        let tree = memory::tree(&[("/sbin/init", b"#!/bin/sh\n")]);
        assert!(matches!(Init::of(&Files::new(&tree)), Init::Unknown(_)));
    }
}
