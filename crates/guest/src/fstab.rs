//! `/etc/fstab`: what the guest mounts when it starts.

/// The most lines that are followed.
const MAX_LINES: usize = 4096;

/// A line as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What, as the guest names it.
    pub(crate) device: String,
    /// Where: `/` and names, or a word such as `none`.
    pub(crate) path: String,
    /// The kind of filesystem.
    pub(crate) kind: String,
    pub(crate) options: Vec<String>,
}

/// A line that mounts something at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What, as the guest names it.
    pub(crate) device: String,
    /// Where: `/` and names, without more slashes than it takes.
    pub(crate) path: String,
    pub(crate) what: What,
}

/// Where the files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A disk; its subvolume, where one is named.
    Disk { subvolume: Option<String> },
    /// A directory or file of the same namespace; with what is mounted beneath it, or without.
    Bind { recursive: bool },
    /// A server or another program, by the kind of filesystem.
    Elsewhere(String),
}

/// Filesystems that the kernel makes up, and those of removable disks.
const NOT_KEPT: [&str; 28] = [
    "autofs",
    "bdev",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "none",
    "nfsd",
    "proc",
    "pstore",
    "ramfs",
    "rootfs",
    "securityfs",
    "swap",
    "sysfs",
    "tmpfs",
    "tracefs",
    "udf",
    "usbfs",
];

/// The lines that mount something at start other than the root, each behind those that it lies
/// beneath, otherwise in the order of the file.
pub(crate) fn mounts(text: &str) -> Vec<Entry> {
    let mut left: Vec<Entry> =
        text.lines().take(MAX_LINES).filter_map(parse_line).filter(|one| one.path != "/").collect();
    let mut sorted = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let outermost =
            |at: &usize| !left.iter().any(|other| is_beneath(&left[*at].path, &other.path));
        let next = (0..left.len()).find(outermost).unwrap_or(0);
        sorted.push(left.remove(next));
    }
    sorted
}

/// The subvolume that the root is to be.
pub(crate) fn root_subvolume(text: &str) -> Option<String> {
    let root = text.lines().take(MAX_LINES).filter_map(parse_line).find(|one| one.path == "/")?;
    match root.what {
        What::Disk { subvolume } => subvolume,
        _ => None,
    }
}

/// Whether `path` lies beneath `outer`, and is not the same.
fn is_beneath(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// Every line that is one.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line> {
    text.lines().take(MAX_LINES).filter_map(fields)
}

fn fields(line: &str) -> Option<Line> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split_whitespace();
    let (device, path, kind) = (fields.next()?, fields.next()?, fields.next()?);
    let path = unescape(path);
    Some(Line {
        device: unescape(&device.replace('"', "")),
        path: if path.starts_with('/') { clean(&path) } else { path },
        kind: kind.to_owned(),
        options: fields.next().unwrap_or("defaults").split(',').map(str::to_owned).collect(),
    })
}

fn parse_line(line: &str) -> Option<Entry> {
    let Line { device, path, kind, options } = fields(line)?;
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let automount = ["x-systemd.automount", "comment=systemd.automount"]
        .iter()
        .any(|automount| options.contains(automount));
    // `none` as the kind is how a bind mount is mostly written.
    let recursive = options.contains(&"rbind");
    let bind = recursive || options.contains(&"bind");
    let kept = bind || !kind.split(',').all(|kind| NOT_KEPT.contains(&kind));
    if !path.starts_with('/') || !kept || (options.contains(&"noauto") && !automount) {
        return None;
    }
    let on_disk = device.starts_with("/dev/")
        || ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "ID="]
            .iter()
            .any(|tag| device.starts_with(tag));
    let what = if bind {
        What::Bind { recursive }
    } else if on_disk {
        let subvolume = options.iter().find_map(|option| {
            option.strip_prefix("subvol=").or_else(|| option.strip_prefix("subvolid="))
        });
        What::Disk { subvolume: subvolume.map(unescape) }
    } else {
        What::Elsewhere(kind)
    };
    Some(Entry { device, path, what })
}

/// fstab writes blanks and backslashes in octal: `\040`.
fn unescape(field: &str) -> String {
    let mut clean = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                clean.push(char::from(code));
                rest = &rest[at + 4..];
            }
            None => {
                clean.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    clean + rest
}

/// The path without doubled and trailing slashes.
fn clean(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let joined: String = parts.flat_map(|part| ["/", part]).collect();
    if joined.is_empty() { "/".into() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(device: &str, path: &str, subvolume: Option<&str>) -> Entry {
        let what = What::Disk { subvolume: subvolume.map(str::to_owned) };
        Entry { device: device.into(), path: path.into(), what }
    }

    #[test]
    fn lines() {
        for (line, entry) in [
            (
                "UUID=\"ab-cd\"  /srv/my\\040data/  ext4 defaults,nofail 0 2",
                disk("UUID=ab-cd", "/srv/my data", None),
            ),
            ("LABEL=my\\040disk //x///y ext4", disk("LABEL=my disk", "/x/y", None)),
            ("/dev/sda1 / btrfs subvol=/@", disk("/dev/sda1", "/", Some("/@"))),
            ("/dev/sda1 /b vfat noauto,x-systemd.automount", disk("/dev/sda1", "/b", None)),
            (
                "/data/home /home none bind 0 0",
                Entry {
                    device: "/data/home".into(),
                    path: "/home".into(),
                    what: What::Bind { recursive: false },
                },
            ),
            (
                "server:/x /y nfs4 _netdev",
                Entry {
                    device: "server:/x".into(),
                    path: "/y".into(),
                    what: What::Elsewhere("nfs4".into()),
                },
            ),
        ] {
            assert_eq!(parse_line(line).as_ref(), Some(&entry), "{line}");
        }
        for line in [
            "# /dev/sda1 /boot ext4",
            "",
            "tmpfs /tmp tmpfs",
            "/dev/sda2 none swap sw",
            "/dev/sr0 /media udf,iso9660 noauto",
            "/dev/sdb1 /mnt ext4 noauto,user",
        ] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }

    #[test]
    fn outer_mounts_come_first_and_the_rest_as_written() {
        let text =
            "/dev/a /srv/x ext4\n/dev/b /srv/ ext4\n/dev/c /data/vol ext4\n/dev/d /home ext4";
        let order: Vec<_> = mounts(text).into_iter().map(|entry| entry.path).collect();
        assert_eq!(order, ["/srv", "/srv/x", "/data/vol", "/home"]);
        let twice = mounts("/dev/a /x ext4\n/dev/b /x ext4");
        assert_eq!(twice.len(), 2);
    }

    #[test]
    fn the_subvolume_of_the_root() {
        assert_eq!(root_subvolume("UUID=1 / btrfs defaults,subvol=@ 0 0").as_deref(), Some("@"));
        assert_eq!(root_subvolume("UUID=1 / ext4 defaults 0 0"), None);
    }
}
