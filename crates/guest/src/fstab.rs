//! `/etc/fstab`: what the guest mounts when it starts.

use std::collections::HashMap;

use crate::contents::SubvolumeName;

/// The longest path that Linux takes.
const MAX_PATH: usize = 4096;

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
    Disk { subvolume: Option<SubvolumeName> },
    /// A directory or file of the same namespace; with what is mounted beneath it, or without.
    Bind { recursive: bool },
    /// A server or another program, by the kind of filesystem.
    Elsewhere(String),
}

/// Filesystems that the kernel makes up, and those of removable disks.
const NOT_KEPT: [&str; 27] = [
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

/// Where boot loaders have their files.
const BOOT: [&str; 3] = ["/boot", "/boot/efi", "/efi"];

/// The lines that mount something at start other than the root, otherwise in the order of the file:
/// each behind those that it lies beneath, and a bind mount behind those that its source lies on, as
/// systemd waits for them.
///
/// What `units` mount takes the place of a line for the same path.
pub(crate) fn mounts(text: &str, units: &[Line]) -> Vec<Entry> {
    let is_unit = |line: &Line| units.iter().any(|unit| unit.path == line.path);
    let listed = lines(text).filter(|line| !is_unit(line));
    let entries: Vec<Entry> = listed
        .chain(units.iter().cloned())
        .filter_map(entry)
        .filter(|one| one.path != "/")
        .collect();
    let mut by_path: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        by_path.entry(&entry.path).or_default().push(index);
    }
    // What an entry waits for, outermost last, since the last one is looked at first.
    let awaited = |entry: &Entry| {
        let mut places: Vec<&str> = above(&entry.path).collect();
        let source = clean(&entry.device);
        if let What::Bind { .. } = entry.what {
            places.extend(
                std::iter::once(source.as_str())
                    .chain(above(&source))
                    .filter_map(|one| by_path.get_key_value(one).map(|(path, _)| *path)),
            );
        }
        let indices = places.iter().filter_map(|place| by_path.get(place));
        indices.flat_map(|indices| indices.iter().rev().copied()).collect::<Vec<_>>()
    };
    let mut order = Vec::with_capacity(entries.len());
    let mut begun = vec![false; entries.len()];
    for start in 0..entries.len() {
        let mut todo = vec![(start, false)];
        while let Some((index, waited)) = todo.pop() {
            if waited {
                order.push(index);
            } else if !std::mem::replace(&mut begun[index], true) {
                todo.push((index, true));
                todo.extend(awaited(&entries[index]).into_iter().map(|index| (index, false)));
            }
        }
    }
    order.into_iter().map(|index| entries[index].clone()).collect()
}

/// The directories that a path lies in but for the root, the innermost first.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').map(|(at, _)| &path[..at]).filter(|above| !above.is_empty())
}

/// The subvolume that the root is to be.
pub(crate) fn root_subvolume(text: &str) -> Option<SubvolumeName> {
    let root = text.lines().filter_map(parse_line).find(|one| one.path == "/")?;
    match root.what {
        What::Disk { subvolume } => subvolume,
        _ => None,
    }
}

/// Every line that is one.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line> {
    text.lines().filter_map(fields)
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
    entry(fields(line)?)
}

/// What the line mounts at start.
fn entry(Line { device, path, kind, options }: Line) -> Option<Entry> {
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let automount = ["x-systemd.automount", "comment=systemd.automount"]
        .iter()
        .any(|automount| options.contains(automount));
    // `none` as the kind is how a bind mount is mostly written.
    let recursive = options.contains(&"rbind");
    let bind = recursive || options.contains(&"bind");
    let kept = bind || !kind.split(',').all(|kind| NOT_KEPT.contains(&kind));
    // Of two that contradict each other the last one counts.
    let auto = options.iter().rfind(|option| matches!(**option, "auto" | "noauto"));
    // Nobody mounts it when the system starts, but what starts it lies there: a folder that is empty
    // would say that nothing does.
    let starts = BOOT.contains(&path.as_str());
    let waits = auto == Some(&"noauto") && !automount && !starts;
    if !path.starts_with('/') || path.len() > MAX_PATH || !kept || waits {
        return None;
    }
    let on_disk = device.starts_with("/dev/")
        || ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "ID="]
            .iter()
            .any(|tag| device.starts_with(tag));
    let what = if bind {
        What::Bind { recursive }
    } else if on_disk {
        What::Disk { subvolume: subvolume(&options) }
    } else {
        What::Elsewhere(kind)
    };
    Some(Entry { device, path, what })
}

/// The subvolume that the options name: `subvol=/@`, `subvolid=256`, or both.
fn subvolume(options: &[&str]) -> Option<SubvolumeName> {
    let last = |name: &str| options.iter().rev().find_map(|option| option.strip_prefix(name));
    let id = last("subvolid=").map(|id| (id, number(id)));
    match (last("subvol="), id) {
        (Some(path), id) => {
            Some(SubvolumeName::Path { path: unescape(path), id: id.and_then(|(_, id)| id) })
        }
        (None, Some((_, Some(id)))) => Some(SubvolumeName::Id(id)),
        // No number: Linux mounts nothing then.
        (None, Some((text, None))) => {
            Some(SubvolumeName::Path { path: format!("subvolid={text}"), id: None })
        }
        (None, None) => None,
    }
}

/// A number as the kernel takes it: decimal, hexadecimal or octal. The top has the number 5, and 0 is
/// another name of it.
fn number(text: &str) -> Option<u64> {
    let id = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok()?,
        None if text.len() > 1 && text.starts_with('0') => u64::from_str_radix(text, 8).ok()?,
        None => text.parse().ok()?,
    };
    Some(if id == 0 { 5 } else { id })
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

    fn at(path: &str) -> Option<SubvolumeName> {
        Some(SubvolumeName::Path { path: path.to_owned(), id: None })
    }

    fn disk(device: &str, path: &str, subvolume: Option<SubvolumeName>) -> Entry {
        let what = What::Disk { subvolume };
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
            ("/dev/sda1 / btrfs subvol=/@", disk("/dev/sda1", "/", at("/@"))),
            (
                "/dev/sda1 /x btrfs subvolid=0x100,noauto,auto",
                disk("/dev/sda1", "/x", Some(SubvolumeName::Id(256))),
            ),
            (
                "/dev/sda1 /x btrfs subvol=@x,subvolid=0",
                disk(
                    "/dev/sda1",
                    "/x",
                    Some(SubvolumeName::Path { path: "@x".into(), id: Some(5) }),
                ),
            ),
            ("/dev/sda1 /b vfat noauto,x-systemd.automount", disk("/dev/sda1", "/b", None)),
            ("/dev/sda1 /boot ext2 noauto,noatime 1 2", disk("/dev/sda1", "/boot", None)),
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
        let order: Vec<_> = mounts(text, &[]).into_iter().map(|entry| entry.path).collect();
        assert_eq!(order, ["/srv", "/srv/x", "/data/vol", "/home"]);
        let twice = mounts("/dev/a /x ext4\n/dev/b /x ext4", &[]);
        assert_eq!(twice.len(), 2);
        let bound = "/mnt/data/home /home none bind\n/home/x /srv none bind\n/dev/a /mnt/data ext4";
        let order: Vec<_> = mounts(bound, &[]).into_iter().map(|entry| entry.path).collect();
        assert_eq!(order, ["/mnt/data", "/home", "/srv"]);
        // Each waits for the other: the first as written breaks the circle.
        let circle = mounts("/b /a none bind\n/a /b none bind", &[]);
        assert_eq!(circle.len(), 2);
    }

    #[test]
    fn many_lines_are_sorted_in_no_time() {
        let nested = (1..240).map(|depth| format!("/dev/sda1 {} ext4\n", "/d".repeat(depth)));
        let beneath = (0..20_000).map(|n| format!("/dev/sda1 {}/{n} ext4\n", "/d".repeat(200)));
        let text: String = beneath.chain(nested).collect();
        let order = mounts(&text, &[]);
        assert_eq!(order.len(), 20_239);
        assert!(order.iter().take(200).enumerate().all(|(n, it)| it.path == "/d".repeat(n + 1)));
    }

    #[test]
    fn the_subvolume_of_the_root() {
        assert_eq!(root_subvolume("UUID=1 / btrfs defaults,subvol=@ 0 0"), at("@"));
        assert_eq!(root_subvolume("UUID=1 / ext4 defaults 0 0"), None);
    }
}
