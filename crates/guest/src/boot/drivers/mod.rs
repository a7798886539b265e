//! Which drivers for the hardware of hypervisors are there, and whether they are before the root is.
//!
//! What is built into the kernel is listed beside its modules, and so are these. What is in the initial
//! filesystem is seen in it alone.

mod learned;
mod table;
mod unpacking;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{ReadAt, Window};
use fathom_report::{Coverage, Driver, DriverPlace, Evidence, Fact, Kernel, Listing};

use super::HIDES;
use super::entry::Entry;
use super::ground::{Ground, Located};
use super::portable_executable::PortableExecutable;
use crate::files::Read;
use crate::lines::Lines;

pub use self::learned::Learned;
use self::table::{DRIVERS, module};
pub(crate) use self::unpacking::Unpacking;

/// The section of a unified kernel image that holds its initial filesystem.
const INITRD: &str = ".initrd";

/// A driver of the table, and the file that it is in.
type Found = BTreeMap<&'static str, String>;

/// The drivers that the kernel has which is started.
pub(super) fn of(
    ground: &Ground<'_>,
    kernels: &Listing<Kernel>,
    chosen: &Fact<Entry>,
    unpacking: Unpacking<'_>,
) -> Listing<Driver> {
    let (kernel, started) = match started(ground, kernels, chosen) {
        Ok(found) => found,
        Err(why) => return Listing::unknown(why),
    };
    let Some(folder) = kernel.modules.as_deref() else {
        let why = format!("the folder of the modules of {} is not there", kernel.version);
        return Listing::unknown(why);
    };
    let mut evidence = Vec::new();
    let mut hidden = Vec::new();
    let mut list = |name: &str| {
        let path = format!("{folder}/{name}");
        let list = listed(ground, &path);
        match &list {
            Ok(_) => evidence.push(Evidence::from(path)),
            Err(why) => hidden.push(why.clone()),
        }
        list.ok()
    };
    let built_in = list("modules.builtin");
    let installed = list("modules.dep");
    let is_whole = built_in.is_some() && installed.is_some();
    let (built_in, installed) = (built_in.unwrap_or_default(), installed.unwrap_or_default());
    let wanted: Vec<&str> = DRIVERS
        .iter()
        .filter(|(name, ..)| installed.contains_key(name) && !built_in.contains_key(name))
        .map(|(name, ..)| *name)
        .collect();
    let mut early = Found::new();
    let version = folder.rsplit('/').next().unwrap_or_default();
    let mut search = Search {
        ground,
        unpacking,
        modules: format!("lib/modules/{version}/"),
        enough: is_whole.then_some(wanted),
        found: &mut early,
    };
    for file in &started {
        if search.has_enough() {
            break;
        }
        match search.look(file) {
            Ok(()) => evidence.push(file.shown(ground).into()),
            Err(why) => {
                hidden.push(format!("what is in {} is not known: {why}", file.shown(ground)))
            }
        }
    }
    let mut items = Vec::new();
    for (name, platform, purpose) in DRIVERS {
        let places = [
            (built_in.get(name).map(|_| format!("{folder}/modules.builtin")), DriverPlace::BuiltIn),
            (early.get(name).cloned(), DriverPlace::Early),
            (installed.get(name).map(|path| format!("{folder}/{path}")), DriverPlace::Installed),
        ];
        let place = places.into_iter().find_map(|(at, place)| Some((at?, place)));
        if let Some((at, place)) = place {
            let evidence = at.into();
            items.push(Driver { platform, purpose, name: name.to_owned(), place, evidence });
        }
    }
    let mut listing = Listing::complete(items, evidence);
    hidden.into_iter().for_each(|why| listing.hide(why));
    listing
}

/// The kernel that is started and its initial filesystems. Where it is not known which one is, the only
/// one there is.
fn started<'k>(
    ground: &Ground<'_>,
    kernels: &'k Listing<Kernel>,
    chosen: &Fact<Entry>,
) -> Result<(&'k Kernel, Vec<Located>), String> {
    if let Some(entry) = chosen.value() {
        let image = entry.image.as_ref().map(|image| image.shown(ground)).unwrap_or_default();
        let kernel = entry.kernel(ground, kernels);
        let kernel = kernel
            .ok_or_else(|| format!("{image:?}, which is started, is no kernel of this system"))?;
        return Ok((kernel, entry.initramfs.clone()));
    }
    let mut with_image = kernels.items.iter().filter(|kernel| kernel.image.is_some());
    match (with_image.next(), with_image.next()) {
        (Some(only), None) => {
            let initramfs = only.initramfs.iter().cloned().map(Located::Here);
            Ok((only, initramfs.collect()))
        }
        (None, _) => match (&kernels.coverage, &kernels.reason) {
            (Coverage::Complete, _) | (_, None) => Err("no kernel is installed".to_owned()),
            (_, Some(why)) => Err(format!("no kernel was found: {why}")),
        },
        _ => Err(match chosen {
            Fact::Unknown { reason } => {
                format!("it is not known which kernel is started: {reason}")
            }
            _ => "there is no menu that says which of the kernels is started".to_owned(),
        }),
    }
}

/// The drivers of the table in a list of modules: one a line, before a colon.
fn listed(ground: &Ground<'_>, path: &str) -> Result<Found, String> {
    let reader = match ground.files.open(path, HIDES) {
        Read::There(reader) => reader,
        Read::Absent => return Err(format!("there is no {path}")),
        Read::Unread(why) => return Err(why),
    };
    let mut found = Found::new();
    let mut lines = Lines::new(reader);
    loop {
        match lines.next() {
            Ok(Some(line)) => {
                let line = String::from_utf8_lossy(line);
                note(&mut found, line.split(':').next().unwrap_or_default().trim());
            }
            Ok(None) => return Ok(found),
            Err(error) => {
                ground.files.note(&error, path, HIDES);
                return Err(error.to_string());
            }
        }
    }
}

/// Adds the module at this path where it is one of the table.
fn note(found: &mut Found, path: &str) -> Option<&'static str> {
    let known = known(path)?;
    found.entry(known).or_insert_with(|| path.to_owned());
    Some(known)
}

/// The driver of the table that the module at this path is.
fn known(path: &str) -> Option<&'static str> {
    let name = module(path)?;
    DRIVERS.iter().map(|(known, ..)| *known).find(|known| *known == name)
}

/// Looks for drivers in initial filesystems.
struct Search<'a> {
    ground: &'a Ground<'a>,
    unpacking: Unpacking<'a>,
    /// What is in the path of the modules of this kernel; those of another it does not load.
    modules: String,
    /// What there is to be found, where that is known; nothing else is waited for.
    enough: Option<Vec<&'static str>>,
    found: &'a mut Found,
}

impl Search<'_> {
    fn has_enough(&self) -> bool {
        let found = &self.found;
        self.enough.as_ref().is_some_and(|all| all.iter().all(|name| found.contains_key(name)))
    }

    fn look(&mut self, file: &Located) -> Result<(), String> {
        let (files, path) = match file {
            Located::Here(path) => (self.ground.files, path),
            Located::Area(area, path) => (self.ground.areas[*area].files, path),
            Located::Elsewhere(path) => return Err(format!("{path} is not found")),
        };
        let shown = file.shown(self.ground);
        let reader = match files.open(path, HIDES) {
            Read::There(reader) => reader,
            Read::Absent => return Err("it is not there".to_owned()),
            Read::Unread(why) => return Err(why),
        };
        let (reader, shown) = unwrapped(reader, shown)?;
        let unpacking = self.unpacking;
        let outcome = unpacking.modules(&reader, &mut |path| {
            if !path.contains(&self.modules) {
                return ControlFlow::Continue(());
            }
            if let Some(known) = note(self.found, path) {
                self.found.insert(known, format!("{shown}: {path}"));
                if self.has_enough() {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        outcome.map_err(|error| {
            files.note(&error, path, "drivers of the initial filesystem");
            error.to_string()
        })
    }
}

/// The initial filesystem itself, where a unified kernel image holds it.
fn unwrapped(reader: Arc<dyn ReadAt>, shown: String) -> Result<(Arc<dyn ReadAt>, String), String> {
    let mut magic = [0; 2];
    if reader.len() < 2 || reader.read_at(0, &mut magic).is_err() || magic != *b"MZ" {
        return Ok((reader, shown));
    }
    let image = PortableExecutable::read(&*reader).map_err(|error| error.to_string())?;
    let section = image.section(INITRD).ok_or("the image has none")?;
    let window = Window::new(Arc::clone(&reader), section.start, section.size);
    let window = window.map_err(|error| error.to_string())?;
    Ok((Arc::new(window), format!("{shown}:{INITRD}")))
}

#[cfg(test)]
mod tests;
