//! Who may read and write the files that others are kept out of.

use super::Found;
use crate::files::Read;

/// The names, and the files.
const FILES: [(&str, &str); 23] = [
    ("mode-passwd", "/etc/passwd"),
    ("mode-passwd-backup", "/etc/passwd-"),
    ("mode-shadow", "/etc/shadow"),
    ("mode-shadow-backup", "/etc/shadow-"),
    ("mode-group", "/etc/group"),
    ("mode-group-backup", "/etc/group-"),
    ("mode-gshadow", "/etc/gshadow"),
    ("mode-gshadow-backup", "/etc/gshadow-"),
    ("mode-password-history", "/etc/security/opasswd"),
    ("mode-sudoers", "/etc/sudoers"),
    ("mode-sudoers-folder", "/etc/sudoers.d"),
    ("mode-sshd-config", "/etc/ssh/sshd_config"),
    ("mode-crontab", "/etc/crontab"),
    ("mode-cron-hourly", "/etc/cron.hourly"),
    ("mode-cron-daily", "/etc/cron.daily"),
    ("mode-cron-weekly", "/etc/cron.weekly"),
    ("mode-cron-monthly", "/etc/cron.monthly"),
    ("mode-cron-folder", "/etc/cron.d"),
    ("mode-audit-log", "/var/log/audit"),
    ("mode-issue", "/etc/issue"),
    ("mode-motd", "/etc/motd"),
    ("mode-root-home", "/root"),
    ("mode-login-defs", "/etc/login.defs"),
];

/// Files that there may be several of, each told by itself.
const SEVERAL: [(&str, &str); 3] = [
    ("mode-host-keys", "/etc/ssh/ssh_host_*_key"),
    ("mode-boot-loader", "/boot/grub*/grub.cfg"),
    ("mode-audit-rules", "/etc/audit/rules.d/*.rules"),
];

/// Each as `0640 0:42`: the mode, the owner and the group.
pub(super) fn of(found: &mut Found<'_>) {
    for (name, path) in FILES {
        one(found, name, path);
    }
    for (name, pattern) in SEVERAL {
        for path in found.expand(pattern) {
            one(found, name, &path);
        }
    }
}

fn one(found: &mut Found<'_>, name: &str, path: &str) {
    let file = match found.files.found(path, super::HIDES) {
        Read::There(file) => file,
        Read::Absent => return,
        Read::Unread(why) => return found.listing.hide(why),
    };
    match file.metadata() {
        Ok(metadata) => {
            let mode = metadata.mode & 0o7777;
            let value = format!("{mode:04o} {}:{}", metadata.uid, metadata.gid);
            found.add(name, value, Some(path));
        }
        Err(error) => {
            found.files.note(&error, path, super::HIDES);
            found.listing.hide(error.to_string());
        }
    }
}
