//! What the disks are made of.

use fathom_block::{Error, ErrorKind};
use fathom_report::{Evidence, Mount, Volume};

use super::answer::{Answer, Search};
use super::{Disks, Subject};

/// How full the root and `/boot` may be, in percent, and how full any other.
const FULL_ROOT: u64 = 90;
const FULL: u64 = 95;

/// The volumes that are so. Where something of the disks could not be read, there may be more.
fn volumes(disks: &Disks<'_>, is: impl Fn(&Volume) -> Result<bool, String>) -> Search {
    let mut search = Search::new();
    for volume in &disks.storage.volumes {
        match is(volume) {
            Ok(true) => {
                let name = format!("{} ({})", volume.id, volume.content);
                search = search.with(name, vec![volume.id.clone().into()]);
            }
            Ok(false) => {}
            Err(why) => search = search.unsure(format!("{}: {why}", volume.id)),
        }
    }
    // What is encrypted or of a kind that is not read is an answer; the rest hides something.
    let hides =
        |error: &&Error| !matches!(error.kind(), ErrorKind::Encrypted | ErrorKind::Unsupported);
    match disks.problems.iter().find(hides) {
        Some(problem) => search.unsure(problem.to_string()),
        None => search,
    }
}

/// What lies on it; an error where that could not be looked at.
fn content(volume: &Volume) -> Result<&str, String> {
    match volume.content.as_str() {
        "could not be looked at" => Err("it could not be looked at".to_owned()),
        content => Ok(content),
    }
}

pub(super) fn encrypted(disks: &Disks<'_>) -> Answer {
    volumes(disks, |volume| {
        Ok(volume.encrypted || {
            content(volume)?;
            false
        })
    })
    .answer(
        "volumes are encrypted",
        "A key that a TPM of the old machine holds does not come along: have a passphrase or the \
         recovery key at hand, and give it with --key to look inside",
    )
}

pub(super) fn dynamic(disks: &Disks<'_>) -> Answer {
    volumes(disks, |volume| Ok(content(volume)?.contains("Windows dynamic disk")))
        .answer("disks are kept by the logical disk manager", "Turn them into basic disks first")
}

pub(super) fn raid(disks: &Disks<'_>) -> Answer {
    volumes(disks, |volume| {
        let content = content(volume)?;
        Ok(content.contains("RAID member") || content.contains("DRBD"))
    })
    .answer(
        "disks are members of an array",
        "All of its members have to be moved together, in the same state",
    )
}

pub(super) fn thin(disks: &Disks<'_>) -> Answer {
    // A volume that could not be looked at may hold a group, so it leaves the answer open.
    let mut search = volumes(disks, |volume| content(volume).map(|_| false));
    let is_meant = |error: &&Error| {
        error.kind() == ErrorKind::Unsupported && is_of_special_volume(&error.to_string())
    };
    for problem in disks.problems.iter().filter(is_meant) {
        search = search.with(problem.to_string(), Vec::new());
    }
    search.answer(
        "a group of LVM has volumes that are not plain",
        "They are moved with the whole disk; what is on them was not looked at",
    )
}

/// Whether the problem is that of a logical volume which is thin, a snapshot or cached. Its words are
/// those of the reader of LVM; names of groups and volumes before them may be anything.
fn is_of_special_volume(problem: &str) -> bool {
    const TYPES: [&str; 6] = ["thin", "thin-pool", "cache", "cache-pool", "vdo", "writecache"];
    let kind = problem.rsplit_once("LVM segment type ").map(|(_, behind)| behind);
    let kind = kind.and_then(|behind| behind.split([':', ' ']).next());
    kind.is_some_and(|kind| TYPES.contains(&kind) || kind.starts_with("snapshot"))
        || problem.contains("LVM snapshot: ")
}

pub(super) fn damaged(disks: &Disks<'_>) -> Answer {
    let is = |error: &&Error| matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Invalid);
    let search = disks
        .problems
        .iter()
        .filter(is)
        .fold(Search::new(), |search, problem| search.with(problem.to_string(), Vec::new()));
    let unread = disks
        .problems
        .iter()
        .find(|it| matches!(it.kind(), ErrorKind::Io | ErrorKind::Unreachable));
    let search = match unread {
        Some(problem) => search.unsure(problem.to_string()),
        None => search,
    };
    search.answer("the disks are damaged", "Have the system check them before they are moved")
}

pub(super) fn unreadable(disks: &Disks<'_>) -> Answer {
    volumes(disks, |volume| {
        let content = content(volume)?;
        Ok(content.ends_with("not read") && !volume.encrypted && !content.contains("swap"))
    })
    .answer("what lies on them was not looked at", "Something on them may stand in the way")
}

pub(super) fn unclean(disks: &Disks<'_>) -> Answer {
    volumes(disks, |volume| match volume.health.as_deref() {
        Some("dirty" | "errors" | "replayed") => Ok(true),
        Some(_) => Ok(false),
        None if content(volume)?.ends_with("not read") => Err("it was not read".to_owned()),
        None => Ok(false),
    })
    .answer(
        "filesystems were not left in order",
        "Shut the machine down before the last copy; one with errors has to be checked",
    )
}

pub(super) fn several(disks: &Disks<'_>) -> Answer {
    let systems = disks.systems.iter().fold(Search::new(), |search, system| {
        let name = system.identity.name.value().map_or("a system", String::as_str);
        search.with(format!("{name} on {}", system.root), vec![system.root.clone().into()])
    });
    if disks.systems.len() > 1 {
        return systems.answer("there are several", "See which of them starts");
    }
    let is_open = |id: &str| {
        let mut parents = disks.storage.volumes.iter().flat_map(|volume| &volume.parents);
        parents.any(|parent| parent == id)
    };
    let unread = volumes(disks, |volume| match content(volume)?.ends_with("not read") {
        true => Err("it was not read".to_owned()),
        false if volume.encrypted && !is_open(&volume.id) => Err("it is locked".to_owned()),
        false => Ok(false),
    });
    match unread.any() {
        Err(why) => Answer::Unknown(why),
        Ok(_) => Answer::No,
    }
}

/// How full the filesystem is in percent; an error where it does not say.
fn fullness(volume: &Volume) -> Result<u64, String> {
    let used = volume.used.ok_or("how much of it is in use is not known")?;
    used.checked_mul(100)
        .and_then(|used| used.checked_div(volume.size))
        .ok_or_else(|| "its size is not known".to_owned())
}

pub(super) fn full(subject: &Subject<'_>) -> Answer {
    let of = |id: &str| subject.storage.volumes.iter().find(|volume| volume.id == id);
    let judge = |path: &str, id: &str, evidence: Evidence, limit: u64| {
        let volume = of(id).ok_or_else(|| format!("{path}: its volume is not in the report"))?;
        let percent = fullness(volume).map_err(|why| format!("{path}: {why}"))?;
        Ok((percent >= limit).then(|| (format!("{path} {percent} %"), vec![evidence])))
    };
    let root = subject.system.root.split_once(':').map_or(&*subject.system.root, |(id, _)| id);
    let mut search = match judge("/", root, root.into(), FULL_ROOT) {
        Ok(Some((name, evidence))) => Search::new().with(name, evidence),
        Ok(None) => Search::new(),
        Err(why) => Search::new().unsure(why),
    };
    search = search.of(&subject.system.mounts, |mount: &Mount| {
        let Some(id) = mount.volume.as_deref().filter(|id| *id != root) else { return Ok(None) };
        let limit = if mount.path == "/boot" { FULL_ROOT } else { FULL };
        judge(&mount.path, id, mount.evidence.clone(), limit)
    });
    search.answer("filesystems are nearly full", "Make room, or their disks larger")
}
