//! Windows: which flaws no installed update mends.
//!
//! Microsoft numbers its updates, and says which flaws in which product each mends and which updates it
//! replaces. A flaw is mended where, for every component that has it, one of the updates that mend it
//! there is installed, or one that has replaced it, however many times over. Of updates that hold all that came before them it also says
//! which build they bring a Windows to: who has that build or a later one is mended, whether or not the
//! update is listed. An image that was made with them lists none.

mod updates;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use fathom_report::{Coverage, Family, Identity, PackageKind, System};
use fathom_version::Scheme;

use self::updates::Updates;
use super::{Hit, Named, Role};
use crate::database::Database;
use crate::day::Day;
use crate::error::Result;
use crate::segment::{Namespace, Row, Segment, Subject, Version};

/// Before the names of products, in the names of ecosystems.
pub(crate) const PREFIX: &str = "Windows:";

/// Releases of Windows 10 and 11 by their builds, as advisories call them.
const CLIENTS: [(u32, &str); 23] = [
    (10240, "Windows 10"),
    (10586, "Windows 10 Version 1511"),
    (14393, "Windows 10 Version 1607"),
    (15063, "Windows 10 Version 1703"),
    (16299, "Windows 10 Version 1709"),
    (17134, "Windows 10 Version 1803"),
    (17763, "Windows 10 Version 1809"),
    (18362, "Windows 10 Version 1903"),
    (18363, "Windows 10 Version 1909"),
    (19041, "Windows 10 Version 2004"),
    (19042, "Windows 10 Version 20H2"),
    (19043, "Windows 10 Version 21H1"),
    (19044, "Windows 10 Version 21H2"),
    (19045, "Windows 10 Version 22H2"),
    (22000, "Windows 11 version 21H2"),
    (22621, "Windows 11 Version 22H2"),
    (22631, "Windows 11 Version 23H2"),
    (26100, "Windows 11 Version 24H2"),
    (26200, "Windows 11 Version 25H2"),
    (28000, "Windows 11 version 26H1"),
    (9600, "Windows 8.1"),
    (9200, "Windows 8"),
    (7601, "Windows 7"),
];

/// Releases of Windows Server by their builds.
const SERVERS: [(u32, &str); 16] = [
    (6002, "Windows Server 2008"),
    (6003, "Windows Server 2008"),
    (7601, "Windows Server 2008 R2"),
    (9200, "Windows Server 2012"),
    (9600, "Windows Server 2012 R2"),
    (14393, "Windows Server 2016"),
    (16299, "Windows Server, version 1709"),
    (17134, "Windows Server, version 1803"),
    (17763, "Windows Server 2019"),
    (18362, "Windows Server, version 1903"),
    (18363, "Windows Server, version 1909"),
    (19041, "Windows Server, version 2004"),
    (19042, "Windows Server, version 20H2"),
    (20348, "Windows Server 2022"),
    (25398, "Windows Server 2022, 23H2 Edition"),
    (26100, "Windows Server 2025"),
];

/// The name that advisories have for a Windows; nothing for one of a build that is not known.
fn product(identity: &Identity) -> Option<String> {
    let build = build(identity)?;
    let named = |releases: &[(u32, &'static str)]| {
        releases.iter().find(|(known, _)| *known == build).map(|(_, name)| *name)
    };
    let installation = identity.installation.as_deref().unwrap_or_default();
    let is_server = installation.starts_with("Server")
        || identity.name.value().is_some_and(|name| name.contains("Server"));
    let is_core = installation.contains("Core");
    let architecture = match identity.architecture.value().map(|it| it.0.as_str()) {
        Some("x86_64") => "x64-based Systems",
        Some("aarch64") => "ARM64-based Systems",
        Some("i686" | "i386") => "32-bit Systems",
        _ => return None,
    };
    let core = if is_core { " (Server Core installation)" } else { "" };
    if is_server {
        let release = named(&SERVERS)?;
        return Some(match build {
            6002 | 6003 => format!("{release} for {architecture} Service Pack 2{core}"),
            7601 => format!("{release} for {architecture} Service Pack 1{core}"),
            _ => format!("{release}{core}"),
        });
    }
    let release = named(&CLIENTS)?;
    Some(match build {
        7601 => format!("{release} for {architecture} Service Pack 1"),
        _ => format!("{release} for {architecture}"),
    })
}

/// Whether a product is meant by this name: the same one is written in several ways.
fn is_written(name: &str, product: &str) -> bool {
    let name = name.trim();
    name.eq_ignore_ascii_case(product)
        || name.strip_suffix("ARM systems").is_some_and(|release| {
            let own = product.strip_suffix("ARM64-based Systems");
            own.is_some_and(|own| release.eq_ignore_ascii_case(own))
        })
}

/// The number of its build, without the revision.
fn build(identity: &Identity) -> Option<u32> {
    identity.build.value()?.split('.').next()?.parse().ok()
}

/// What is known of a Windows.
pub(super) enum Known<'d> {
    /// Nobody speaks of it.
    Nothing,
    /// The flaws that it has, with what would mend them.
    Flaws {
        flaws: Vec<(String, Vec<Hit<'d>>)>,
        /// Whether it could not be read which updates are installed: then only its build tells.
        lacks_updates: bool,
    },
}

/// Whether the system is one of these.
pub(super) fn is_one(system: &System) -> bool {
    system.identity.family == Family::Windows
}

/// What is known to be wrong with a Windows.
pub(super) fn find<'d>(database: &'d Database, system: &System) -> Result<Known<'d>> {
    let Some(product) = product(&system.identity) else { return Ok(Known::Nothing) };
    let mut spoken = Vec::new();
    for (segment, namespace) in database.namespaces()? {
        let name = namespace.name.strip_prefix(PREFIX);
        if name.is_some_and(|name| is_written(name, &product)) {
            spoken.push((segment, namespace));
        }
    }
    if spoken.is_empty() {
        return Ok(Known::Nothing);
    }
    let installed = installed(system);
    let lacks_updates = installed.is_empty() && system.packages.coverage != Coverage::Complete;
    let mut said = Vec::new();
    for (segment, namespace) in &spoken {
        let who = spoken.iter().position(|(it, _)| std::ptr::eq(*it, *segment)).unwrap_or_default();
        of_product(segment, namespace, who, &mut said)?;
    }
    let mut flaws = flaws(&said, system, &installed, lacks_updates)?;
    for (_, hits) in &mut flaws {
        // A patch without a restart brings to a lower build than the update that everybody gets.
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.row.upper.map(|upper| upper.key)));
    }
    let flaws = flaws.into_iter().map(|(flaw, hits)| (flaw.to_owned(), hits)).collect();
    Ok(Known::Flaws { flaws, lacks_updates })
}

/// The numbers of the updates that are installed, those that others have replaced among them.
fn installed(system: &System) -> HashSet<u32> {
    let is_there = |state: Option<&str>| matches!(state, None | Some("superseded"));
    let updates = system.packages.items.iter().filter(|package| {
        package.kind == PackageKind::Hotfix && is_there(package.state.as_deref())
    });
    updates.filter_map(|package| number(&package.name)).collect()
}

fn number(update: &str) -> Option<u32> {
    update.strip_prefix("KB")?.parse().ok()
}

/// That a component of a Windows has a flaw, and what mends it there.
struct Said<'d> {
    /// Who says it: the same of one segment.
    who: usize,
    segment: &'d Segment,
    namespace: &'d str,
    subject: Subject,
    component: &'d str,
    flaw: &'d str,
    published: Day,
    row: Row<'d>,
}

/// Adds what is said of a product.
fn of_product<'d>(
    segment: &'d Segment,
    namespace: &Namespace<'d>,
    who: usize,
    said: &mut Vec<Said<'d>>,
) -> Result<()> {
    for all in segment.all(namespace) {
        let (name, rows) = all?;
        for row in rows {
            let advisory = segment.advisory(row.advisory)?;
            said.push(Said {
                who,
                segment,
                namespace: namespace.name,
                subject: namespace.subject,
                component: component(name),
                flaw: advisory.name,
                published: advisory.published,
                row,
            });
        }
    }
    Ok(())
}

/// What of a Windows is meant. It has one Internet Explorer, of whichever version.
fn component(name: &str) -> &str {
    if name.contains("Internet Explorer") { "Internet Explorer" } else { name }
}

/// Where a flaw is not mended, and what would mend it there: by who says so, and the component.
type Places<'d> = BTreeMap<(usize, &'d str), Option<Vec<Hit<'d>>>>;

/// The flaws that are not mended.
fn flaws<'d>(
    said: &[Said<'d>],
    system: &System,
    installed: &HashSet<u32>,
    lacks_updates: bool,
) -> Result<Vec<(&'d str, Vec<Hit<'d>>)>> {
    let version = system.identity.build.value().cloned().unwrap_or_default();
    let own = Build::of(&version);
    let updates = Updates::of(said, build(&system.identity))?;
    let month = updates.month(installed);
    let mut named = HashMap::new();
    let mut known = HashMap::new();
    let mut remedies = HashMap::new();
    let mut flaws: BTreeMap<&str, Places<'_>> = BTreeMap::new();
    for it in said {
        let by_build = own.as_ref().zip(it.row.upper).and_then(|(own, upper)| own.has(upper));
        let update = it.row.qualifier.and_then(number);
        let listed = update.filter(|_| !lacks_updates);
        // Neither what is installed nor the build says anything of it.
        if by_build.is_none() && listed.is_none() {
            continue;
        }
        let has = |update: u32| {
            *known.entry(update).or_insert_with(|| updates.has(update, installed, month))
        };
        let is_mended = by_build == Some(true) || listed.is_some_and(has);
        let place = flaws.entry(it.flaw).or_default().entry((it.who, it.component));
        let hits = place.or_insert_with(|| Some(Vec::new()));
        if is_mended {
            *hits = None;
        }
        let Some(hits) = hits else { continue };
        let named = named.entry(it.component).or_insert_with(|| {
            Rc::new(Named { name: it.component.to_owned(), version: version.clone() })
        });
        let remedy =
            update.map(|update| *remedies.entry(update).or_insert_with(|| updates.latest(update)));
        hits.push(Hit {
            segment: it.segment,
            namespace: it.namespace,
            subject: it.subject,
            role: Role::Own,
            row: it.row,
            named: Rc::clone(named),
            remedy,
        });
    }
    let remaining = |(flaw, places)| Some((flaw, remaining(places)?));
    Ok(flaws.into_iter().filter_map(remaining).collect())
}

/// What remains of a flaw; nothing where anybody says of all components that it is mended there.
fn remaining(places: Places<'_>) -> Option<Vec<Hit<'_>>> {
    let remain = |who: usize| places.iter().any(|((it, _), hits)| *it == who && hits.is_some());
    if places.keys().any(|(who, _)| !remain(*who)) {
        return None;
    }
    Some(places.into_values().flatten().flatten().collect())
}

/// The build of a Windows, with its revision, as updates name builds.
struct Build {
    text: String,
    key: Vec<u8>,
}

impl Build {
    /// That of `20348.2113`; nothing where the revision is not told.
    fn of(build: &str) -> Option<Self> {
        let (number, revision) = build.split_once('.')?;
        let version = match number.parse().ok()? {
            6000..7000 => "6.0",
            7000..9000 => "6.1",
            9000..9600 => "6.2",
            9600..10000 => "6.3",
            10000.. => "10.0",
            _ => return None,
        };
        let text = format!("{version}.{number}.{}", revision.split('.').next()?);
        let key = Scheme::Windows.key(&text)?;
        Some(Self { text, key })
    }

    /// Whether it is this build or a later one of the same; nothing where it is of another, of which
    /// the revisions have nothing to say to each other.
    fn has(&self, fixed: Version<'_>) -> Option<bool> {
        let of = |text: &str| text.rsplit_once('.').map(|(of, _)| of.to_owned());
        (of(&self.text)? == of(fixed.text)?).then(|| *self.key >= *fixed.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_written_in_several_ways() {
        let product = "Windows 11 Version 25H2 for ARM64-based Systems";
        for name in [
            "Windows 11 Version 25H2 for ARM64-based Systems",
            "Windows 11 version 25H2 for ARM64-based systems ",
            "Windows 11 Version 25H2 for ARM systems",
        ] {
            assert!(is_written(name, product), "{name}");
        }
        assert!(!is_written("Windows 11 Version 24H2 for ARM systems", product));
        assert!(!is_written(product, "Windows 11 Version 25H2 for x64-based Systems"));
    }
}
