//! Units of systemd that mount something or swap to it when the system starts.

use fathom_block::{Error, ErrorKind, Result};
use fathom_filesystem::Tree;

use crate::fstab::Line;
use crate::text;

/// Where a system's own units lie.
const UNITS: &str = "/etc/systemd/system";

/// The section of a unit that says what is mounted where, and that of one that swaps.
const MOUNT: &str = "[Mount]";
const SWAP: &str = "[Swap]";

/// The longest unit that is read.
const MAX_UNIT: usize = 64 << 10;

/// The most units that are read.
const MAX_UNITS: usize = 1000;

/// A unit that mounts something, or swaps to it.
pub(crate) struct Unit {
    /// Its file.
    pub(crate) path: String,
    pub(crate) line: Line,
}

/// The units that something wants or requires; and why there may be more.
pub(crate) fn started(tree: &Tree) -> (Vec<Unit>, Option<String>) {
    let mut units = Vec::new();
    let outcome = collect(tree, &mut units);
    (units, outcome.err().map(|error| error.to_string()))
}

fn collect(tree: &Tree, units: &mut Vec<Unit>) -> Result<()> {
    for folder in names(tree, UNITS)? {
        if !folder.ends_with(".wants") && !folder.ends_with(".requires") {
            continue;
        }
        for name in names(tree, &format!("{UNITS}/{folder}"))? {
            let path = format!("{UNITS}/{name}");
            let kinds = [(".mount", MOUNT), (".swap", SWAP)];
            let kind = kinds.into_iter().find(|(ending, _)| name.ends_with(ending));
            let Some((_, section)) = kind else { continue };
            if units.iter().any(|unit: &Unit| unit.path == path) {
                continue;
            }
            if units.len() >= MAX_UNITS {
                let why = format!("more than {MAX_UNITS} of them mount something or swap");
                return Err(Error::unsupported("units", why));
            }
            match tree.read(path.as_bytes(), MAX_UNIT) {
                Ok(bytes) => {
                    let line = parse(&text::whole(&path, bytes)?, section);
                    units.extend(line.map(|line| Unit { path, line }));
                }
                // What leads to `/dev/null` is not started.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn names(tree: &Tree, folder: &str) -> Result<Vec<String>> {
    match tree.read_dir(folder.as_bytes()) {
        Ok(entries) => {
            Ok(entries.iter().map(|it| String::from_utf8_lossy(&it.name).into_owned()).collect())
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The section as a line of fstab; nothing where it does not say what and where.
fn parse(text: &str, section: &str) -> Option<Line> {
    let (mut inside, mut what, mut place) = (false, None, None);
    let (mut kind, mut options) = ("auto".to_owned(), String::new());
    if section == SWAP {
        (place, kind) = (Some("none".to_owned()), "swap".to_owned());
    }
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == section;
        } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
            let value = value.trim().to_owned();
            match key.trim() {
                "What" => what = Some(value),
                "Where" if section == MOUNT => place = Some(value),
                "Type" if section == MOUNT && !value.is_empty() => kind = value,
                "Options" => options = value,
                _ => {}
            }
        }
    }
    let options = if options.is_empty() { "defaults".to_owned() } else { options };
    let place = place.filter(|place| section == SWAP || place.starts_with('/'))?;
    Some(Line {
        device: what?,
        path: place.trim_end_matches('/').to_owned(),
        kind,
        options: options.split(',').map(str::to_owned).collect(),
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
        assert_eq!((units.len(), hidden), (1, None));
        let line = &units[0].line;
        assert_eq!((line.path.as_str(), line.kind.as_str()), ("/srv/data", "xfs"));
        assert_eq!((line.device.as_str(), line.options.len()), ("/dev/disk/by-uuid/1-2", 2));
        assert!(started(&memory::tree(&[])).0.is_empty());
    }

    #[test]
    fn units_that_swap_and_units_that_are_damaged() {
        let wants = "/etc/systemd/system/swap.target.wants/dev-sdb2.swap -> ../dev-sdb2.swap";
        let unit: &[u8] = b"[Swap]\nWhat=/dev/sdb2\nType=xfs\nWhere=/x\n";
        let tree = memory::tree(&[(wants, b""), ("/etc/systemd/system/dev-sdb2.swap", unit)]);
        let (units, hidden) = started(&tree);
        assert_eq!((units.len(), hidden), (1, None));
        let line = &units[0].line;
        assert_eq!((line.device.as_str(), line.kind.as_str()), ("/dev/sdb2", "swap"));
        let damaged = memory::tree(&[(wants, b""), ("/etc/systemd/system/dev-sdb2.swap", &[0; 9])]);
        let (units, hidden) = started(&damaged);
        assert!(units.is_empty() && hidden.is_some_and(|why| why.contains("9 zero bytes")));
    }
}
