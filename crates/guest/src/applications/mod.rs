//! What a system is there for.
//!
//! What packages bring is known by their names, what lies beside them by the places where it is
//! usually unpacked; [`known`] has both. Nothing is searched for: a program in a place that nobody
//! would think of is not found.

mod found;
mod installed;
mod known;
mod oracle;
mod pattern;
mod places;
mod postgresql;
mod started;
mod version;

use std::collections::HashSet;

use fathom_block::Error;
use fathom_report::{Application, ApplicationKind, Coverage, Fact, Listing, Package, Service};

use self::found::Found;
use self::installed::Installed;
use self::known::{Known, States};
use self::places::{Place, Places};
use self::started::Starters;
use crate::files::Files;

/// What the report loses if a file cannot be read.
const HIDES: &str = "applications";

/// No system is there for as much.
const MAX_APPLICATIONS: usize = 4096;

/// Where nothing comes from packages, or from those of others than the distribution.
const OWN: [&str; 6] = ["/usr/local/", "/opt/", "/srv/", "/home/", "/root/", "/u01/"];

/// Everything that is recognised.
pub(crate) fn all(
    files: &Files<'_>,
    packages: &Listing<Package>,
    services: &Listing<Service>,
) -> Listing<Application> {
    let installed = Installed::new(packages);
    let mut places = Places::new(files);
    let mut found = Vec::new();
    for known in known::all() {
        let mut of_known = installed.of(known);
        traces(&mut places, known, &mut of_known);
        match known.name {
            known::POSTGRESQL => postgresql::clusters(&mut places, known, services, &mut of_known),
            known::ORACLE => oracle::homes(files, known, &mut of_known),
            _ => {}
        }
        if let Some(data) = known.data {
            let of_packages = of_known.iter_mut().filter(|it| it.location.is_none());
            let mut of_packages = of_packages.peekable();
            if of_packages.peek().is_some() && files.exists(data, HIDES) {
                of_packages.for_each(|it| it.location = Some(data.to_owned()));
            }
        }
        found.extend(of_known);
    }
    if found.len() > MAX_APPLICATIONS {
        let why = format!("{} are recognised; {MAX_APPLICATIONS} are told", found.len());
        files.note(&Error::unsupported("applications", why), "/", HIDES);
        found.truncate(MAX_APPLICATIONS);
    }
    let items = started(found, services);
    let mut listing = Listing::complete(items, packages.evidence.clone());
    if packages.coverage != Coverage::Complete {
        listing.hide(packages.reason.clone().unwrap_or_else(|| "packages are missing".to_owned()));
    }
    if listing.items.is_empty() && listing.reason.is_none() {
        listing.reason = Some("nothing that is known is installed".to_owned());
    }
    listing
}

/// Looks for the thing in its places. What lies where its packages put it belongs to them.
fn traces(places: &mut Places<'_, '_>, known: &'static Known, found: &mut Vec<Found>) {
    let from_packages = found.len();
    // By place and version, and which of `found` it became.
    let mut seen: Vec<((usize, u64), Option<String>, usize)> = Vec::new();
    for trace in known.traces {
        for place in places.of(trace.path) {
            let version = version::of(places.files, trace.states, &place);
            let name = (matches!(trace.states, States::Name) || trace.path.ends_with(".h"))
                .then(|| place.matched.clone())
                .flatten();
            let before = seen
                .iter()
                .find(|(identity, series, _)| *identity == place.identity && *series == name);
            if let Some((_, _, at)) = before {
                if let Some(it) = found.get_mut(*at) {
                    // Another file of the same place may say what the first did not.
                    if it.version.value().is_none() && version.value().is_some() {
                        it.version = version;
                        it.rests_on(place.file.as_str());
                    }
                    let (_, program) = programs(place);
                    if !it.programs.is_empty() && !it.programs.contains(&program) {
                        it.programs.push(program);
                    }
                }
                continue;
            }
            let of_package = (!is_own(&place, trace.path))
                .then(|| belongs(&version, found.get(..from_packages).unwrap_or_default()))
                .flatten();
            match of_package.and_then(|at| Some((at, found.get_mut(at)?))) {
                Some((at, it)) => {
                    it.rests_on(place.file.as_str());
                    let is_place = place.home != place.file && it.location.is_none();
                    it.location = it.location.take().or(is_place.then_some(place.home));
                    seen.push((place.identity, name, at));
                }
                None => {
                    seen.push((place.identity, name, found.len()));
                    found.push(unpacked(known, version, place));
                }
            }
        }
    }
}

/// Something that no package brings.
fn unpacked(known: &'static Known, version: Fact<String>, place: Place) -> Found {
    let mut it = Found::new(known, version);
    it.rests_on(place.file.as_str());
    let (location, program) = programs(place);
    it.location = Some(location);
    it.programs.push(program);
    it
}

/// Where it lies, and what its programs begin with. Nothing has `/usr/local` for itself.
fn programs(place: Place) -> (String, String) {
    if place.home == "/usr/local" || place.home == place.file {
        (place.file.clone(), place.file)
    } else {
        let programs = format!("{}/", place.home);
        (place.home, programs)
    }
}

/// Whether a place is one that packages do not use. In `/opt` are also those of vendors, whose folders
/// have one name, whereas what a person unpacks there is called after its version.
fn is_own(place: &Place, pattern: &str) -> bool {
    let is_vendor = pattern.starts_with("/opt/") && !pattern.contains(['#', '*']);
    let path = format!("{}/", place.home);
    !is_vendor && OWN.iter().any(|folder| path.starts_with(folder))
}

/// Which of what packages bring is of this version.
fn belongs(version: &Fact<String>, found: &[Found]) -> Option<usize> {
    let fits = |it: &Found| match (version.value(), &it.series) {
        (Some(version), Some(series)) => pattern::is_of(version, series),
        _ => true,
    };
    found.iter().position(fits)
}

/// Adds what starts each. A service that runs something from a place of its own starts that, and not
/// what packages bring under the same name.
fn started(found: Vec<Found>, services: &Listing<Service>) -> Vec<Application> {
    let starters = Starters::new(services);
    let mut claimed = HashSet::new();
    let mut in_place = Vec::new();
    for it in &found {
        let starting = starters.in_place(it);
        claimed.extend(starting.iter().map(|service| service.name.as_str()));
        in_place.push(starting);
    }
    let all = found.into_iter().zip(in_place);
    all.map(|(mut it, mut starting)| {
        let started = match it.started.take() {
            Some(started) => started,
            // Others run a runtime; and some things are run by hand.
            None if it.known.units.is_empty() && starting.is_empty() => {
                if it.known.kind == ApplicationKind::Runtime || it.programs.is_empty() {
                    Fact::absent(Vec::<String>::new())
                } else {
                    Fact::unknown("no service that was found runs it")
                }
            }
            None => {
                if starting.is_empty() {
                    let named = starters.by_name(&it);
                    starting = named
                        .into_iter()
                        .filter(|it| !claimed.contains(it.name.as_str()))
                        .collect();
                }
                starters.any(&starting)
            }
        };
        it.finish(started)
    })
    .collect()
}

#[cfg(test)]
mod tests;
