//! Windows: which flaws no installed update mends.
//!
//! Microsoft numbers its updates, and says which flaws in which product each mends and which updates it
//! replaces. A flaw is mended where one of the updates that mend it is installed, or one that has
//! replaced it, however many times over. Of updates that hold all that came before them it also says
//! which build they bring a Windows to: who has that build or a later one is mended, whether or not the
//! update is listed. An image that was made with them lists none.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use fathom_report::{Coverage, Family, Identity, PackageKind, System};
use fathom_version::Scheme;

use super::{Hit, Named, Role};
use crate::database::Database;
use crate::error::Result;
use crate::segment::{Namespace, Segment, Version};

/// Before the names of products, in the names of ecosystems.
pub(crate) const PREFIX: &str = "Windows:";

/// The most updates that are followed from one: what replaces it, and what replaces that.
const FOLLOWED: usize = 10_000;

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
const SERVERS: [(u32, &str); 14] = [
    (6002, "Windows Server 2008"),
    (6003, "Windows Server 2008"),
    (7601, "Windows Server 2008 R2"),
    (9200, "Windows Server 2012"),
    (9600, "Windows Server 2012 R2"),
    (14393, "Windows Server 2016"),
    (17134, "Windows Server, version 1803"),
    (17763, "Windows Server 2019"),
    (18362, "Windows Server, version 1903"),
    (18363, "Windows Server, version 1909"),
    (19041, "Windows Server, version 2004"),
    (20348, "Windows Server 2022"),
    (25398, "Windows Server 2022, 23H2 Edition"),
    (26100, "Windows Server 2025"),
];

/// The name that advisories have for a Windows; nothing for one of a build that is not known.
fn product(identity: &Identity) -> Option<String> {
    let build = identity.build.value()?;
    let build: u32 = build.split('.').next()?.parse().ok()?;
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
        // The same product is written in several ways.
        if name.is_some_and(|name| name.trim().eq_ignore_ascii_case(&product)) {
            spoken.push((segment, namespace));
        }
    }
    if spoken.is_empty() {
        return Ok(Known::Nothing);
    }
    let installed = installed(system);
    let lacks_updates = installed.is_empty() && system.packages.coverage != Coverage::Complete;
    let mut flaws: BTreeMap<String, Option<Vec<Hit<'d>>>> = BTreeMap::new();
    for (segment, namespace) in spoken {
        let known = HashMap::new();
        let mut mended = Mended { segment, installed: &installed, lacks_updates, known };
        of_product(segment, &namespace, system, &mut mended, &mut flaws)?;
    }
    let mut flaws: Vec<_> =
        flaws.into_iter().filter_map(|(flaw, hits)| Some((flaw, hits?))).collect();
    for (_, hits) in &mut flaws {
        // A patch without a restart brings to a lower build than the update that everybody gets.
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.row.upper.map(|upper| upper.key)));
    }
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

/// Adds the flaws of a product: nothing for one that something mends that is installed.
fn of_product<'d>(
    segment: &'d Segment,
    namespace: &Namespace<'d>,
    system: &System,
    mended: &mut Mended<'_, 'd>,
    flaws: &mut BTreeMap<String, Option<Vec<Hit<'d>>>>,
) -> Result<()> {
    let build = system.identity.build.value().cloned().unwrap_or_default();
    let own = Build::of(&build);
    for all in segment.all(namespace) {
        let (name, rows) = all?;
        let named = Rc::new(Named { name: name.to_owned(), version: build.clone() });
        for row in rows {
            let by_build = own.as_ref().zip(row.upper).and_then(|(own, upper)| own.has(upper));
            let update = row.qualifier.and_then(number).filter(|_| !mended.lacks_updates);
            // Neither what is installed nor the build says anything of it.
            if by_build.is_none() && update.is_none() {
                continue;
            }
            let is_mended =
                by_build == Some(true) || update.is_some_and(|update| mended.by(update));
            let advisory = segment.advisory(row.advisory)?;
            let hits = flaws.entry(advisory.name.to_owned()).or_insert_with(|| Some(Vec::new()));
            match hits {
                _ if is_mended => *hits = None,
                Some(hits) => hits.push(Hit {
                    segment,
                    namespace: namespace.name,
                    subject: namespace.subject,
                    role: Role::Own,
                    row,
                    named: Rc::clone(&named),
                }),
                None => {}
            }
        }
    }
    Ok(())
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

/// Which updates are installed, or replaced by one that is.
struct Mended<'i, 'd> {
    segment: &'d Segment,
    installed: &'i HashSet<u32>,
    /// Whether that could not be read.
    lacks_updates: bool,
    known: HashMap<u32, bool>,
}

impl Mended<'_, '_> {
    fn by(&mut self, update: u32) -> bool {
        if let Some(known) = self.known.get(&update) {
            return *known;
        }
        let mut seen = HashSet::from([update]);
        let mut next = vec![update];
        let mut is_mended = false;
        while let Some(update) = next.pop() {
            if self.installed.contains(&update) {
                is_mended = true;
                break;
            }
            for newer in self.segment.replacements(update) {
                if seen.len() < FOLLOWED && seen.insert(newer) {
                    next.push(newer);
                }
            }
        }
        self.known.insert(update, is_mended);
        is_mended
    }
}

/// The latest update that mends what this one does: the one with the highest number of those that
/// replace it and are not replaced themselves.
pub(crate) fn latest(segment: &Segment, update: &str) -> Option<String> {
    let first = number(update)?;
    let mut seen = HashSet::from([first]);
    let mut next = vec![first];
    let mut latest = None;
    while let Some(update) = next.pop() {
        let newer = segment.replacements(update);
        if newer.is_empty() {
            latest = latest.max(Some(update));
        }
        for update in newer {
            if seen.len() < FOLLOWED && seen.insert(update) {
                next.push(update);
            }
        }
    }
    // Where they replace each other in a ring, none is the last.
    latest.or_else(|| seen.into_iter().max()).map(|update| format!("KB{update}"))
}
