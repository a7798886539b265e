//! systemd-boot: entries of the Boot Loader Specification and unified kernel images, ordered and
//! chosen as it does.

use fathom_report::{Evidence, Fact};

use super::HIDES;
use super::entry::Entry;
use super::ground::{Area, Ground, Located, Role};
use super::kernels::is_efi;
use super::pattern;
use super::portable_executable::PortableExecutable;
use super::snippet::{self, Snippet, systemd_order};
use crate::files::Read;
use crate::shell;

const LOADER: &str = "systemd-boot";

/// The longest sections of a unified kernel image that are read.
const MAX_SECTION: u64 = 64 << 10;

/// The most unified kernel images that are read.
const MAX_IMAGES: usize = 256;

/// The loader itself, for the processors that it is built for.
const PROGRAMS: [&str; 3] = ["systemd-bootx64.efi", "systemd-bootaa64.efi", "systemd-bootia32.efi"];

/// An entry and where it lies.
struct Candidate {
    snippet: Snippet,
    area: usize,
    /// The file that says it.
    at: String,
}

/// Whether it is installed on a partition, or has settings there.
pub(super) fn is_installed(ground: &Ground<'_>) -> bool {
    ground.areas.iter().filter(|area| area.role == Role::Esp).any(|area| {
        let programs = PROGRAMS.map(|name| format!("/EFI/systemd/{name}"));
        let files = programs.iter().map(String::as_str).chain(["/loader/loader.conf"]);
        files.into_iter().any(|file| area.files.exists(&area.path(file), HIDES))
    })
}

/// What it starts when nobody chooses. Variables of the firmware can say otherwise; they are not on
/// the disk.
pub(super) fn default(ground: &Ground<'_>) -> Fact<Entry> {
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut preferred = None;
    for area in ground.areas.iter().filter(|area| area.role == Role::Esp) {
        let path = area.path("/loader/loader.conf");
        match area.files.text(&path, HIDES) {
            Read::There(text) => {
                evidence.push(area.shown(&path).into());
                preferred = preferred.or_else(|| setting(&text, "default"));
            }
            Read::Absent => {}
            Read::Unread(why) => return Fact::unknown(why),
        }
    }
    let mut candidates = Vec::new();
    for (index, area) in ground.areas.iter().enumerate() {
        if let Err(why) = entries(area, index, &mut candidates) {
            return Fact::unknown(why);
        }
    }
    candidates.retain(|one| is_bootable(ground, one));
    candidates.sort_by(|one, other| systemd_order(&one.snippet, &other.snippet));
    if let Some(pattern) = preferred.as_deref().filter(|pattern| pattern.starts_with('@')) {
        return Fact::unknown(format!(
            "loader.conf says {pattern}, which a variable of the firmware holds and no disk"
        ));
    }
    let chosen = preferred.as_deref().and_then(|wanted| {
        let wanted = wanted.to_lowercase();
        candidates.iter().find(|one| pattern::matches(&wanted, &one.snippet.id.to_lowercase()))
    });
    let Some(chosen) = chosen.or_else(|| candidates.first()) else {
        let looked = ground.areas.iter().map(|area| area.shown(&area.path("/loader/entries")));
        return Fact::absent(looked);
    };
    evidence.push(chosen.at.clone().into());
    Fact::Known { value: entry(ground, chosen), evidence }
}

/// A line of `loader.conf`; the last of a name counts.
fn setting(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once([' ', '\t']));
    pairs.rev().find(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned())
}

fn entries(area: &Area<'_>, index: usize, into: &mut Vec<Candidate>) -> Result<(), String> {
    let folder = area.path("/loader/entries");
    match snippet::read(area.files, &folder) {
        Read::There(snippets) => {
            into.extend(snippets.into_iter().map(|snippet| {
                let at = area.shown(&format!("{folder}/{}", snippet.file));
                Candidate { snippet, area: index, at }
            }));
        }
        Read::Absent => {}
        Read::Unread(why) => return Err(why),
    }
    let folder = area.path("/EFI/Linux");
    let images = match area.files.children(&folder, HIDES) {
        Read::There(images) => images,
        Read::Absent => return Ok(()),
        Read::Unread(why) => return Err(why),
    };
    let images: Vec<_> = images.iter().filter(|(name, _)| is_efi(name)).collect();
    if images.len() > MAX_IMAGES {
        return Err(format!("{folder} has more than {MAX_IMAGES} images"));
    }
    for (name, _) in images {
        let path = format!("{folder}/{name}");
        if let Some(snippet) = unified(area, &path, name) {
            into.push(Candidate { snippet, area: index, at: area.shown(&path) });
        }
    }
    Ok(())
}

/// What a unified kernel image says of itself in its sections.
fn unified(area: &Area<'_>, path: &str, name: &str) -> Option<Snippet> {
    let reader = area.files.open(path, HIDES).there()?;
    let read = || {
        let image = PortableExecutable::read(&*reader)?;
        let release = image.text(&*reader, ".osrel", MAX_SECTION)?;
        Ok((release, image.text(&*reader, ".cmdline", MAX_SECTION)?))
    };
    match read() {
        Ok((Some(release), arguments)) => {
            let release = shell::assignments(&release);
            let first = |names: &[&str]| names.iter().find_map(|name| release.get(*name).cloned());
            let mut fields = vec![("uki".to_owned(), format!("/EFI/Linux/{name}"))];
            let mut add = |key: &str, value: Option<String>| {
                fields.extend(value.map(|value| (key.to_owned(), value)));
            };
            add("title", first(&["PRETTY_NAME", "IMAGE_ID", "NAME", "ID"]));
            add("sort-key", first(&["IMAGE_ID", "ID"]));
            add("version", first(&["IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"]));
            add("options", arguments);
            Some(Snippet::made(name, fields))
        }
        // It is no such image, which systemd-boot passes over too.
        Ok((None, _)) => None,
        Err(error) => {
            area.files.note(&error, &area.shown(path), HIDES);
            None
        }
    }
}

/// What the entry starts, as its file names it.
fn program(snippet: &Snippet) -> Option<&str> {
    ["linux", "uki", "efi"].iter().find_map(|key| snippet.get(key))
}

/// It passes over entries for other processors, and those whose file is not there.
fn is_bootable(ground: &Ground<'_>, one: &Candidate) -> bool {
    let area = &ground.areas[one.area];
    if let (Some(theirs), Some(ours)) = (one.snippet.get("architecture"), architecture(ground))
        && !theirs.eq_ignore_ascii_case(ours)
    {
        return false;
    }
    program(&one.snippet).is_some_and(|path| area.files.exists(&area.path(path), HIDES))
}

/// The processor that the loader was built for, where there is one for one processor alone.
fn architecture(ground: &Ground<'_>) -> Option<&'static str> {
    const NAMES: [&str; 3] = ["x64", "aa64", "ia32"];
    let esps = || ground.areas.iter().filter(|area| area.role == Role::Esp);
    let is_there = |name: &str| {
        let files = [
            format!("/EFI/systemd/systemd-boot{name}.efi"),
            format!("/EFI/BOOT/BOOT{}.EFI", name.to_ascii_uppercase()),
        ];
        esps().any(|area| files.iter().any(|file| area.files.exists(&area.path(file), HIDES)))
    };
    let mut found = NAMES.into_iter().filter(|name| is_there(name));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn entry(ground: &Ground<'_>, chosen: &Candidate) -> Entry {
    let (snippet, area) = (&chosen.snippet, &ground.areas[chosen.area]);
    let locate = |path: &str| {
        if std::ptr::eq(area.files, ground.files) {
            Located::Here(area.path(path))
        } else {
            Located::Area(chosen.area, area.path(path))
        }
    };
    let options: Vec<_> = snippet.all("options").collect();
    let mut initramfs: Vec<_> = snippet.all("initrd").map(locate).collect();
    if snippet.get("uki").is_some() && initramfs.is_empty() {
        initramfs.extend(snippet.get("uki").map(locate));
    }
    Entry {
        loader: LOADER,
        title: snippet.get("title").map(str::to_owned),
        image: program(snippet).map(locate),
        initramfs,
        arguments: (!options.is_empty()).then(|| options.join(" ")),
    }
}
