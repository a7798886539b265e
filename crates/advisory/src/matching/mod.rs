//! Which statements hold for what is installed.
//!
//! Packages are looked up by the names that each ecosystem knows them by, those built from one source
//! together. What is said about a flaw by several is then put together: what the distribution says
//! counts before what the one says that it is rebuilt from, and who has mended it before who will not.

mod distribution;
mod installed;
mod kernel;
mod module;
mod resolve;
mod windows;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use fathom_report::finding::State;
use fathom_report::{Identity, Package, PackageKind, System};
use fathom_version::Scheme;

pub(crate) use self::distribution::{Distribution, Role};
pub use self::installed::normalised;
pub(crate) use self::kernel::Part;
use self::module::Streams;
pub(crate) use self::resolve::Hit;
use self::windows::Known;
pub(crate) use self::windows::{PREFIX as WINDOWS, latest};
use crate::cve::Cve;
use crate::database::Database;
use crate::error::Result;
use crate::segment::{Namespace, Row, Segment, Subject};

/// A flaw in a package.
#[derive(Clone, Debug)]
pub(crate) struct Match<'d> {
    /// Which of the packages; none for a Windows itself.
    pub(crate) package: Option<usize>,
    /// The name of the flaw: a CVE where it has one.
    pub(crate) flaw: String,
    /// What it rests on; the first is what counts. Packages of one source share it.
    pub(crate) hits: Rc<[Hit<'d>]>,
    /// What the package has to do with kernels.
    pub(crate) part: Part,
}

/// What came of comparing.
#[derive(Debug, Default)]
pub(crate) struct Matches<'d> {
    pub(crate) found: Vec<Match<'d>>,
    /// Packages that belong to no ecosystem of the database, or whose version is none.
    pub(crate) unscanned: Vec<Unscanned>,
    /// Whether any ecosystem is that of the distribution.
    pub(crate) knows_distribution: bool,
    /// Whether anything is said of flaws of the distribution that nothing mends.
    pub(crate) knows_unfixed: bool,
    /// Whether it is not known which updates of a Windows are installed.
    pub(crate) lacks_updates: bool,
}

/// A package that was not compared with anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unscanned {
    pub(crate) package: usize,
    pub(crate) why: Why,
}

/// Why a package was not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// Nobody whom the database knows speaks of such packages.
    NoEcosystem,
    /// Its version is none by the rules of its ecosystem.
    NoVersion,
    /// It is not from the distribution.
    Foreign,
    /// It was built from a kernel's sources, and nothing of it runs.
    KernelAid,
    /// The distribution's own package of the same software was.
    Owned,
}

/// The order of versions of packages of a kind.
pub(crate) fn scheme(kind: PackageKind) -> Option<Scheme> {
    Some(match kind {
        PackageKind::Deb => Scheme::Debian,
        PackageKind::Rpm => Scheme::Rpm,
        PackageKind::Apk => Scheme::Apk,
        PackageKind::Pacman => Scheme::Pacman,
        PackageKind::Python => Scheme::Pep440,
        PackageKind::Npm | PackageKind::Cargo => Scheme::Semver,
        PackageKind::Gem => Scheme::Gem,
        PackageKind::Maven => Scheme::Maven,
        PackageKind::Go => Scheme::Go,
        PackageKind::Composer => Scheme::Packagist,
        PackageKind::Nuget => Scheme::Nuget,
        _ => return None,
    })
}

/// Compares everything that is installed with everything that is known.
pub(crate) fn find<'d>(database: &'d Database, system: &System) -> Result<Matches<'d>> {
    let distribution = Distribution::of(&system.identity);
    let namespaces = database.namespaces()?;
    let mut scopes = Vec::new();
    for (segment, namespace) in &namespaces {
        if let Some(role) = distribution.as_ref().and_then(|it| it.role(namespace.name)) {
            scopes.push(Scope { segment, namespace: namespace.clone(), role, language: false });
        } else if LANGUAGES.contains(&namespace.name) {
            let role = Role::Own;
            scopes.push(Scope { segment, namespace: namespace.clone(), role, language: true });
        }
    }
    let mut matches = Matches {
        knows_distribution: scopes.iter().any(|scope| !scope.language),
        knows_unfixed: scopes.iter().any(|scope| !scope.language && scope.namespace.has_unfixed),
        ..Matches::default()
    };
    if windows::is_one(system) {
        of_windows(database, system, &mut matches)?;
    }
    let streams = Streams::of(database, system)?;
    let mut groups: HashMap<Key<'_>, Vec<(usize, Part)>> = HashMap::new();
    let installed = system.packages.items.iter().enumerate();
    for (index, package) in installed.filter(|(_, package)| package.is_installed()) {
        if windows::is_one(system) && package.kind == PackageKind::Hotfix {
            continue;
        }
        let part = Part::of(package, system);
        match unscanned(package, part, distribution.as_ref(), &scopes) {
            Some(why) => matches.unscanned.push(Unscanned { package: index, why }),
            None => groups.entry(Key::of(package)).or_default().push((index, part)),
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|(_, packages)| packages[0].0);
    for (key, packages) in groups {
        let Some(rows) = key.rows(&scopes, &streams)? else {
            let why = Why::NoVersion;
            let all = packages.iter().map(|(package, _)| Unscanned { package: *package, why });
            matches.unscanned.extend(all);
            continue;
        };
        for (flaw, hits) in resolve::resolve(rows, language(key.package))? {
            let hits: Rc<[_]> = hits.into();
            for (package, part) in &packages {
                matches.found.push(Match {
                    package: Some(*package),
                    flaw: flaw.clone(),
                    hits: Rc::clone(&hits),
                    part: *part,
                });
            }
        }
    }
    matches.found.sort_by_key(|it| it.package);
    matches.unscanned.sort_by_key(|it| it.package);
    Ok(matches)
}

/// Adds the flaws of a Windows itself.
fn of_windows<'d>(
    database: &'d Database,
    system: &System,
    matches: &mut Matches<'d>,
) -> Result<()> {
    match windows::find(database, system)? {
        Known::Nothing => matches.knows_distribution = false,
        Known::NoUpdates => {
            matches.knows_distribution = true;
            matches.knows_unfixed = true;
            matches.lacks_updates = true;
        }
        Known::Flaws(flaws) => {
            matches.knows_distribution = true;
            // What no update mends is not published this way.
            matches.knows_unfixed = false;
            matches.found.extend(flaws.into_iter().map(|(flaw, hits)| Match {
                package: None,
                flaw,
                hits: hits.into(),
                part: Part::None,
            }));
        }
    }
    Ok(())
}

/// Every flaw that anything is said of in the ecosystems of a distribution.
pub fn flaws_of(database: &Database, identity: &Identity) -> Result<BTreeSet<Cve>> {
    let distribution = Distribution::of(identity);
    let mut flaws = BTreeSet::new();
    for (segment, namespace) in database.namespaces()? {
        if distribution.as_ref().and_then(|it| it.role(namespace.name)).is_none() {
            continue;
        }
        for named in segment.all(&namespace) {
            for row in named?.1 {
                flaws.extend(segment.advisory(row.advisory)?.cves);
            }
        }
    }
    Ok(flaws)
}

/// Ecosystems that belong to no distribution.
const LANGUAGES: [&str; 8] =
    ["PyPI", "npm", "RubyGems", "Maven", "Go", "crates.io", "Packagist", "NuGet"];

fn language(package: &Package) -> Option<&'static str> {
    installed::language(package.kind)
}

/// An ecosystem that holds for the system.
struct Scope<'s, 'd> {
    segment: &'s &'d Segment,
    namespace: Namespace<'d>,
    role: Role,
    language: bool,
}

impl Scope<'_, '_> {
    /// Whether the version was built by another than whose advisories these are: CentOS, and those who
    /// rebuild for themselves, number their builds of modules in their own ways.
    fn is_of_other_builder(&self, version: &str) -> bool {
        self.role == Role::Upstream || version.contains(".module_el")
    }

    fn is_of(&self, package: &Package) -> bool {
        match language(package) {
            Some(language) => self.language && self.namespace.name == language,
            None => !self.language && scheme(package.kind) == Some(self.namespace.scheme),
        }
    }
}

fn unscanned(
    package: &Package,
    part: Part,
    distribution: Option<&Distribution>,
    scopes: &[Scope<'_, '_>],
) -> Option<Why> {
    let is_language = language(package).is_some();
    if is_language && package.owner.is_some() {
        return Some(Why::Owned);
    }
    if part == Part::Aid {
        return Some(Why::KernelAid);
    }
    let is_foreign = || distribution.is_some_and(|it| !it.is_vendor(package.vendor.as_deref()));
    if !is_language && is_foreign() {
        return Some(Why::Foreign);
    }
    (!scopes.iter().any(|scope| scope.is_of(package))).then_some(Why::NoEcosystem)
}

/// A name that advisories know a package by, and the version that they compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Packages that the same is said of: by their names as advisories know them, and their versions.
struct Key<'p> {
    package: &'p Package,
    source: Rc<Named>,
    /// Where each package has a name of its own in some ecosystem.
    installed: Option<Rc<Named>>,
}

impl<'p> Key<'p> {
    fn of(package: &'p Package) -> Self {
        let owned = |subject| {
            let (name, version) = installed::named(package, subject);
            Rc::new(Named { name: name.into_owned(), version: version.into_owned() })
        };
        let has_own = !matches!(package.kind, PackageKind::Deb | PackageKind::Apk);
        Self {
            package,
            source: owned(Subject::Source),
            installed: has_own.then(|| owned(Subject::Installed)),
        }
    }

    fn parts(&self) -> (&Named, Option<&Named>, Option<&str>) {
        (&self.source, self.installed.as_deref(), self.package.module.as_deref())
    }

    /// All statements about the packages, with whether each holds; nothing where their version is none.
    fn rows<'d>(
        &self,
        scopes: &[Scope<'_, 'd>],
        streams: &Streams<'_>,
    ) -> Result<Option<Vec<(Hit<'d>, bool)>>> {
        let Some(scheme) = scheme(self.package.kind) else { return Ok(None) };
        let (Some(source), Some(installed)) = (
            scheme.key(&self.source.version),
            self.installed.as_ref().map_or(Some(Vec::new()), |it| scheme.key(&it.version)),
        ) else {
            return Ok(None);
        };
        let stream = streams.get(self.package);
        let other_build = self.installed.as_ref().and_then(|named| {
            let key = scheme.key(&module::without_build(&named.version)?)?;
            Some((named.version.as_str(), key))
        });
        let mut rows = Vec::new();
        for scope in scopes.iter().filter(|scope| scope.is_of(self.package)) {
            let (named, key) = match (scope.namespace.subject, &self.installed) {
                (Subject::Installed, Some(named)) => (named, &installed),
                _ => (&self.source, &source),
            };
            for row in scope.segment.rows(&scope.namespace, &named.name)? {
                if !stream.fits(row.qualifier, row.upper.map(|upper| upper.text)) {
                    continue;
                }
                let is_about = match (&other_build, row.upper) {
                    (Some(ours), Some(upper)) if scope.is_of_other_builder(ours.0) => {
                        let theirs = module::without_build(upper.text);
                        let theirs = theirs.and_then(|version| scheme.key(&version));
                        theirs.map_or_else(|| row.is_about(key), |theirs| ours.1 < theirs)
                    }
                    _ => row.is_about(key),
                };
                let holds = is_about && row.state != State::NotAffected;
                rows.push((scope.hit(row, named), holds));
            }
        }
        Ok(Some(rows))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.package.kind == other.package.kind && self.parts() == other.parts()
    }
}

impl Eq for Key<'_> {}

impl std::hash::Hash for Key<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.package.kind.hash(state);
        self.parts().hash(state);
    }
}

impl<'d> Scope<'_, 'd> {
    fn hit(&self, row: Row<'d>, named: &Rc<Named>) -> Hit<'d> {
        Hit {
            segment: self.segment,
            namespace: self.namespace.name,
            subject: self.namespace.subject,
            role: self.role,
            row,
            named: Rc::clone(named),
        }
    }
}
