//! Units of systemd that mount something or swap to it when the system starts.

use std::collections::{BTreeMap, BTreeSet};

use fathom_block::{Error, ErrorKind, Result};
use fathom_filesystem::Tree;

use crate::autofs;
use crate::fstab::Line;
use crate::sections::assignments;
use crate::text;

/// Where units lie, the first counting most.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// What fstab says counts more than a unit beyond this many of the folders.
const BEFORE_FSTAB: usize = 1;

/// The section of a unit that says what is mounted where, and that of one that swaps.
const MOUNT: &str = "Mount";
const SWAP: &str = "Swap";

/// Where scripts are started from that are no units: those of System V's init, and of OpenRC.
const RUNLEVELS: [&str; 7] = [
    "/etc/rc2.d",
    "/etc/rc3.d",
    "/etc/rc5.d",
    "/etc/rc.d/rc3.d",
    "/etc/rc.d/rc5.d",
    "/etc/init.d/rc3.d",
    "/etc/runlevels/default",
];

/// The longest unit that is read.
const MAX_UNIT: usize = 64 << 10;

/// The most units that are read.
const MAX_UNITS: usize = 1000;

/// Windows into the kernel, which hold nothing: those that come with systemd are on every system.
const OF_THE_KERNEL: [&str; 10] = [
    "binfmt_misc",
    "bpf",
    "configfs",
    "debugfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "securityfs",
    "tracefs",
];

/// A unit that mounts something, or swaps to it.
pub(crate) struct Unit {
    /// Its file.
    pub(crate) path: String,
    pub(crate) line: Line,
    /// Whether a line of fstab for the same path counts more.
    pub(crate) yields: bool,
}

/// The units that something wants or requires; and why there may be more.
pub(crate) fn started(tree: &Tree) -> (Vec<Unit>, Option<Error>) {
    let mut units = Vec::new();
    let outcome = Folders::of(tree).and_then(|folders| folders.collect(tree, &mut units));
    (units, outcome.err())
}

/// The names that each of the folders holds.
struct Folders(Vec<(&'static str, BTreeSet<String>)>);

impl Folders {
    fn of(tree: &Tree) -> Result<Self> {
        let listed = FOLDERS.map(|folder| Ok((folder, names(tree, folder)?)));
        Ok(Self(listed.into_iter().collect::<Result<_>>()?))
    }

    /// The names in all folders that start what they name.
    fn wanted(&self, tree: &Tree) -> Result<BTreeSet<String>> {
        let mut wanted = BTreeSet::new();
        for (folder, held) in &self.0 {
            let starts = |name: &&String| name.ends_with(".wants") || name.ends_with(".requires");
            for name in held.iter().filter(starts) {
                wanted.extend(names(tree, &format!("{folder}/{name}"))?);
            }
        }
        Ok(wanted)
    }

    fn collect(&self, tree: &Tree, units: &mut Vec<Unit>) -> Result<()> {
        let wanted = self.wanted(tree)?;
        for name in &wanted {
            // What is mounted when somebody looks at it is mounted as far as a disk can tell.
            let (name, waits) = match name.strip_suffix(".automount") {
                Some(stem) => (format!("{stem}.mount"), true),
                None => (name.clone(), false),
            };
            let kinds = [(".mount", MOUNT), (".swap", SWAP)];
            let kind = kinds.into_iter().find(|(ending, _)| name.ends_with(ending));
            let Some((_, section)) = kind.filter(|_| !waits || !wanted.contains(&name)) else {
                continue;
            };
            if units.len() >= MAX_UNITS {
                let why = format!("more than {MAX_UNITS} of them mount something or swap");
                return Err(Error::unsupported("units", why));
            }
            let Some(place) = self.0.iter().position(|(_, held)| held.contains(&name)) else {
                self.missing(tree, &name)?;
                continue;
            };
            let path = format!("{}/{name}", self.0[place].0);
            let Some(mut text) = read(tree, &path)? else { continue };
            for path in self.changes(tree, &name)? {
                text.push('\n');
                text.push_str(&read(tree, &path)?.unwrap_or_default());
            }
            let Some(mut line) = parse(&text, section) else { continue };
            if OF_THE_KERNEL.contains(&line.kind.as_str()) {
                continue;
            }
            if waits {
                line.options.push("x-systemd.automount".to_owned());
            }
            units.push(Unit { path, line, yields: place >= BEFORE_FSTAB });
        }
        if wanted.contains("autofs.service") || has_script(tree, "autofs")? {
            let lines = autofs::lines(tree)?.into_iter();
            units.extend(lines.map(|(path, line)| Unit { path, line, yields: false }));
        }
        Ok(())
    }

    /// The files that change the unit, of one name the first, in the order of their names.
    fn changes(&self, tree: &Tree, name: &str) -> Result<Vec<String>> {
        let mut changes = BTreeMap::new();
        for (folder, held) in &self.0 {
            let own = format!("{name}.d");
            if !held.contains(&own) {
                continue;
            }
            for file in names(tree, &format!("{folder}/{own}"))? {
                if file.ends_with(".conf") {
                    let path = format!("{folder}/{own}/{file}");
                    changes.entry(file).or_insert(path);
                }
            }
        }
        Ok(changes.into_values().collect())
    }

    /// A unit that is in none of the folders is started by nobody, unless a folder is on another disk.
    fn missing(&self, tree: &Tree, name: &str) -> Result<()> {
        let has_own = self.0.iter().skip(BEFORE_FSTAB).any(|(_, held)| !held.is_empty());
        if has_own || !tree.exists(b"/etc/fstab")? {
            return Ok(());
        }
        let why = "something wants it, and what comes with the system is on another filesystem";
        Err(Error::unsupported(name, why))
    }
}

/// Whether a system without units starts the script of that name.
fn has_script(tree: &Tree, script: &str) -> Result<bool> {
    for folder in RUNLEVELS {
        // A link to it is called as it is, or has the order in which it is started before it.
        let starts = |name: &String| {
            let name = name.strip_prefix('S').unwrap_or(name);
            name.trim_start_matches(|letter: char| letter.is_ascii_digit()) == script
        };
        if names(tree, folder)?.iter().any(starts) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The text of the file; nothing where there is none, or where it leads to `/dev/null`.
fn read(tree: &Tree, path: &str) -> Result<Option<String>> {
    match tree.read(path.as_bytes(), MAX_UNIT) {
        Ok(bytes) => Ok(Some(text::whole(path, bytes)?)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

fn names(tree: &Tree, folder: &str) -> Result<BTreeSet<String>> {
    match tree.read_dir(folder.as_bytes()) {
        Ok(entries) => {
            Ok(entries.iter().map(|it| String::from_utf8_lossy(&it.name).into_owned()).collect())
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {
            Ok(BTreeSet::new())
        }
        Err(error) => Err(error),
    }
}

/// The section as a line of fstab; nothing where it does not say what and where.
fn parse(text: &str, section: &str) -> Option<Line> {
    let (mut what, mut place) = (None, None);
    let (mut kind, mut options) = ("auto".to_owned(), String::new());
    if section == SWAP {
        (place, kind) = (Some("none".to_owned()), "swap".to_owned());
    }
    for one in assignments(text).into_iter().filter(|one| one.section == section) {
        // A percent sign is written twice.
        let value = one.value.replace("%%", "%");
        match one.name.as_str() {
            "What" => what = Some(value),
            "Where" if section == MOUNT => place = Some(value),
            "Type" if section == MOUNT && !value.is_empty() => kind = value,
            "Options" => options = value,
            _ => {}
        }
    }
    let options = if options.is_empty() { "defaults".to_owned() } else { options };
    let place = place.filter(|place| section == SWAP || place.starts_with('/'))?;
    Some(Line {
        device: what?,
        path: place.trim_end_matches('/').to_owned(),
        kind,
        // Whether it is started is not said there.
        options: options.split(',').filter(|it| *it != "noauto").map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn units_that_are_started() {
        let unit = b"[Unit]\nWhat=no\n[Mount]\nWhat=/dev/disk/by-uuid/1-2\nWhere=/srv/data\nType=xfs\nOptions=ro,nofail\n";
        let tree = memory::tree(&[
            ("/etc/systemd/system/srv-data.mount", unit),
            ("/etc/systemd/system/idle.mount", unit),
            ("/etc/systemd/system/broken.mount", b"[Mount]\nWhat=/dev/sda1\n"),
            ("/etc/systemd/system/local-fs.target.wants/srv-data.mount -> ../srv-data.mount", b""),
            (
                "/etc/systemd/system/local-fs.target.requires/srv-data.mount -> ../srv-data.mount",
                b"",
            ),
            ("/etc/systemd/system/local-fs.target.wants/broken.mount -> ../broken.mount", b""),
            ("/etc/systemd/system/local-fs.target.wants/gone.mount -> ../gone.mount", b""),
        ]);
        let (units, hidden) = started(&tree);
        assert_eq!((units.len(), hidden.is_none()), (1, true));
        let line = &units[0].line;
        assert_eq!((line.path.as_str(), line.kind.as_str()), ("/srv/data", "xfs"));
        assert_eq!((line.device.as_str(), line.options.len()), ("/dev/disk/by-uuid/1-2", 2));
        assert!(started(&memory::tree(&[])).0.is_empty());
    }

    #[test]
    fn units_count_wherever_they_lie_with_what_changes_them() {
        let unit = |what: &str, place: &str, kind: &str| {
            format!("[Mount]\nWhat={what}\nWhere={place}\nType={kind}\nOptions=nosuid\n")
                .into_bytes()
        };
        let etc = "/etc/systemd/system";
        let texts = [
            ("/usr/local/lib/systemd/system/var.mount".to_owned(), unit("UUID=1", "/var", "ext4")),
            (format!("{etc}/local-fs.target.wants/var.mount -> /usr/local/x"), Vec::new()),
            ("/usr/lib/systemd/system/tmp.mount".to_owned(), unit("tmpfs", "/tmp", "tmpfs")),
            ("/usr/lib/systemd/system/local-fs.target.wants/tmp.mount".to_owned(), Vec::new()),
            (format!("{etc}/tmp.mount.d/o.conf"), b"[Mount]\nOptions=size=50%%\n".to_vec()),
            ("/usr/lib/systemd/system/a.mount".to_owned(), unit("d", "/a", "debugfs")),
            ("/usr/lib/systemd/system/sysinit.target.wants/a.mount".to_owned(), Vec::new()),
            ("/usr/lib/systemd/system/off.mount".to_owned(), unit("UUID=2", "/off", "ext4")),
            ("/usr/lib/systemd/system/sysinit.target.wants/off.mount".to_owned(), Vec::new()),
            (format!("{etc}/off.mount -> /dev/null"), Vec::new()),
            (format!("{etc}/net-x.mount"), unit("nas:/x", "/net/x", "nfs")),
            (format!("{etc}/multi-user.target.wants/net-x.automount"), Vec::new()),
        ];
        let files: Vec<_> = texts.iter().map(|(path, text)| (&path[..], &text[..])).collect();
        let (units, hidden) = started(&memory::tree(&files));
        assert!(hidden.is_none());
        let shown: Vec<_> = units
            .iter()
            .map(|unit| (&unit.line.path[..], unit.line.options.join(","), unit.yields))
            .collect();
        let expected = [
            ("/net/x", "nosuid,x-systemd.automount".to_owned(), false),
            ("/tmp", "size=50%".to_owned(), true),
            ("/var", "nosuid".to_owned(), true),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn units_that_swap_and_units_that_are_damaged() {
        let wants = "/etc/systemd/system/swap.target.wants/dev-sdb2.swap -> ../dev-sdb2.swap";
        let unit: &[u8] = b"[Swap]\nWhat=/dev/sdb2\nType=xfs\nWhere=/x\n";
        let tree = memory::tree(&[(wants, b""), ("/etc/systemd/system/dev-sdb2.swap", unit)]);
        let (units, hidden) = started(&tree);
        assert_eq!((units.len(), hidden.is_none()), (1, true));
        let line = &units[0].line;
        assert_eq!((line.device.as_str(), line.kind.as_str()), ("/dev/sdb2", "swap"));
        let damaged = memory::tree(&[(wants, b""), ("/etc/systemd/system/dev-sdb2.swap", &[0; 9])]);
        let (units, hidden) = started(&damaged);
        assert!(
            units.is_empty() && hidden.is_some_and(|why| why.to_string().contains("9 zero bytes"))
        );
    }

    #[test]
    fn the_daemon_of_autofs_may_be_started_by_a_script() {
        let places = |script: &str| {
            let map: (&str, &[u8]) = ("/etc/auto.master", b"/home /etc/auto.home\n");
            let (units, hidden) = started(&memory::tree(&[map, (script, b"")]));
            assert!(hidden.is_none());
            units.into_iter().map(|unit| unit.line.path).collect::<Vec<_>>()
        };
        assert_eq!(places("/etc/rc.d/rc3.d/S28autofs -> ../init.d/autofs"), ["/home"]);
        assert_eq!(places("/etc/runlevels/default/autofs -> /etc/init.d/autofs"), ["/home"]);
        assert!(places("/etc/rc.d/rc3.d/K72autofs -> ../init.d/autofs").is_empty());
    }
}
