//! Which statements hold for what is installed.
//!
//! Packages are looked up by the names that each ecosystem knows them by, those built from one source
//! together. What is said about a flaw by several is then put together: what the distribution says
//! counts before what the one says that it is rebuilt from, and who has mended it before who will not.

mod alias;
mod distribution;
mod ended;
mod extras;
mod foreign;
mod installed;
mod kernel;
mod module;
mod repository;
mod resolve;
mod variant;
mod windows;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;

use fathom_report::finding::State;
use fathom_report::{Package, PackageKind, System};
use fathom_version::Scheme;

pub(crate) use self::distribution::{Distribution, Role};
pub use self::installed::normalised;
pub(crate) use self::kernel::Part;
use self::module::{Fit, Stream, Streams};
pub use self::module::{STREAMS, is_module_build};
pub use self::repository::REPOSITORIES;
pub(crate) use self::repository::beyond;
use self::repository::{For, Repositories};
pub(crate) use self::resolve::Hit;
use self::variant::Variant;
use self::windows::Known;
pub(crate) use self::windows::PREFIX as WINDOWS;
use crate::cve::Cve;
use crate::database::Database;
use crate::day::Day;
use crate::error::Result;
use crate::segment::{Namespace, Row, Segment, Subject};

/// A flaw in a package.
#[derive(Clone, Debug)]
pub(crate) struct Match<'d> {
    /// Which of the packages; none for a Windows itself.
    pub(crate) package: Option<usize>,
    /// The name of the flaw: a CVE where it has one.
    pub(crate) flaw: Rc<str>,
    /// What it rests on; the first is what counts. Packages of one source share it.
    pub(crate) hits: Rc<[Hit<'d>]>,
    /// What the package has to do with kernels.
    pub(crate) part: Part,
}

/// The most findings of one system that are told: several times those of a machine that keeps all of its
/// kernels, for years.
const MOST: usize = 200_000;

/// How many packages may have been too many before no other is compared.
const PASSED_OVER: usize = 10_000;

/// What came of comparing.
#[derive(Debug, Default)]
pub(crate) struct Matches<'d> {
    pub(crate) found: Vec<Match<'d>>,
    /// Packages that belong to no ecosystem of the database, or whose version is none.
    pub(crate) unscanned: Vec<Unscanned>,
    /// Whether any ecosystem is that of the distribution.
    pub(crate) knows_distribution: bool,
    /// Whether any of these is its own, and not that of the one that it is rebuilt from.
    pub(crate) knows_own: bool,
    /// Whether anything is said of flaws of the distribution that nothing mends.
    pub(crate) knows_unfixed: bool,
    /// Since when it is not mended any more, if it is not: `since 2022-06-30`.
    pub(crate) ended: Option<String>,
    /// The later release by which it was told what remains, where nobody looks into this one.
    pub(crate) compared_with: Option<&'d str>,
    /// Whether it is not known which updates of a Windows are installed.
    pub(crate) lacks_updates: bool,
    /// Who speaks of anything that is installed.
    pub(crate) providers: BTreeSet<&'d str>,
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
    /// Its name does not tell which package of its kind it is.
    NoName,
    /// Its version is none by the rules of its ecosystem.
    NoVersion,
    /// It is not from the distribution.
    Foreign,
    /// It was built from a kernel's sources, and nothing of it runs.
    KernelAid,
    /// The distribution's own package of the same software was.
    Owned,
    /// It is a build for a purpose of its own, of which nobody speaks.
    Variant,
    /// It is of a module, and it is not known of which of its streams.
    NoStream,
    /// There are more findings of the others than are told.
    TooMany,
}

/// The order of versions of packages of a kind.
pub fn scheme(kind: PackageKind) -> Option<Scheme> {
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

/// What decides which ecosystems hold for a system.
struct Ground<'d> {
    distribution: Option<Distribution>,
    namespaces: Vec<(&'d Segment, Namespace<'d>)>,
    repositories: Repositories<'d>,
    /// Since when it is not mended any more, if it is not.
    ended: Option<String>,
}

impl<'d> Ground<'d> {
    fn of(database: &'d Database, system: &System, today: Day) -> Result<Self> {
        let distribution = Distribution::of(&system.identity);
        Ok(Self {
            namespaces: database.namespaces()?,
            repositories: Repositories::of(database, system, distribution.as_ref())?,
            ended: ended::ended(database, system, today)?,
            distribution,
        })
    }
}

/// The ecosystems that hold for a system, and what is known of these.
fn scopes<'s, 'd>(ground: &'s Ground<'d>) -> (Vec<Scope<'s, 'd>>, Matches<'d>) {
    let Ground { distribution, namespaces, repositories, ended } = ground;
    let distribution = distribution.as_ref();
    let scope =
        |(segment, namespace): &'s (&'d Segment, Namespace<'d>), role, language, product| {
            let namespace = namespace.clone();
            Scope { segment, namespace, role, language, product, repositories }
        };
    let mut scopes = Vec::new();
    for place in namespaces {
        let namespace = &place.1;
        let product = namespace.name.strip_prefix("Red Hat:");
        let holds = product.and_then(|it| repositories.holds(it));
        let role = distribution.and_then(|it| it.role(namespace.name));
        // Whoever has the repositories of longer care is one of those who pay for it.
        if let Some(role) = role.filter(|_| holds != Some(For::All)) {
            // Who stays with a minor release gets what mends a flaw there; the main stream goes on.
            let goes_on = product.is_some() && repositories.is_longer();
            scopes.push(scope(place, if goes_on { Role::Beyond } else { role }, false, None));
        } else if let Some(holds) = holds {
            scopes.push(scope(place, Role::Own, false, product.filter(|_| holds == For::Own)));
        } else if LANGUAGES.contains(&without_repository(namespace.name)) {
            scopes.push(scope(place, Role::Own, true, None));
        }
    }
    let mut matches = Matches {
        knows_distribution: scopes.iter().any(|scope| !scope.language),
        knows_own: scopes.iter().any(|scope| !scope.language && scope.role != Role::Upstream),
        knows_unfixed: scopes.iter().any(|scope| !scope.language && scope.namespace.has_unfixed),
        ..Matches::default()
    };
    if matches.knows_distribution && !matches.knows_unfixed && ended.is_some() {
        matches.compared_with = distribution.and_then(|it| later(it, namespaces));
        let later = namespaces.iter().filter(|it| Some(it.1.name) == matches.compared_with);
        scopes.extend(later.map(|place| scope(place, Role::Successor, false, None)));
    }
    matches.ended.clone_from(ended);
    (scopes, matches)
}

/// Compares everything that is installed with everything that is known, as of a day.
pub(crate) fn find<'d>(database: &'d Database, system: &System, today: Day) -> Result<Matches<'d>> {
    let ground = Ground::of(database, system, today)?;
    let (scopes, mut matches) = scopes(&ground);
    let speaks = |scope: &&Scope<'_, '_>| {
        !scope.language || system.packages.items.iter().any(|it| scope.is_of(it))
    };
    let provider = |segment: &'d Segment| segment.about().provider.as_str();
    matches.providers = scopes.iter().filter(speaks).map(|it| provider(it.segment)).collect();
    if ground.distribution.as_ref().is_some_and(Distribution::is_of_red_hat) {
        let maps =
            ground.namespaces.iter().filter(|it| [REPOSITORIES, STREAMS].contains(&it.1.name));
        matches.providers.extend(maps.map(|(segment, _)| provider(segment)));
    }
    if windows::is_one(system) {
        let of_windows = ground.namespaces.iter().filter(|it| it.1.name.starts_with(WINDOWS));
        matches.providers.extend(of_windows.map(|(segment, _)| provider(segment)));
        self::of_windows(database, system, &mut matches)?;
    }
    let streams = Streams::of(database, system)?;
    let mut owners = Owners::of(system, ground.distribution.as_ref(), &scopes);
    let mut groups: HashMap<Key<'_>, Vec<(usize, Part)>> = HashMap::new();
    let installed = system.packages.items.iter().enumerate();
    for (index, package) in installed.filter(|(_, package)| package.is_installed()) {
        if windows::is_one(system) && package.kind == PackageKind::Hotfix {
            continue;
        }
        let part = Part::of(package, system);
        let is_owned = match (language(package), package.owner.as_deref()) {
            (Some(_), Some(owner)) => owners.is_compared(owner)?,
            _ => false,
        };
        let why = match is_owned {
            true => Some(Why::Owned),
            false => unscanned(package, part, ground.distribution.as_ref(), &scopes),
        };
        match why {
            Some(why) => matches.unscanned.push(Unscanned { package: index, why }),
            None => groups.entry(Key::of(package)).or_default().push((index, part)),
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|(_, packages)| packages[0].0);
    let mut too_many = 0;
    for (key, packages) in groups {
        if too_many > PASSED_OVER {
            let all = packages.into_iter().map(|it| Unscanned { package: it.0, why: Why::TooMany });
            matches.unscanned.extend(all);
            continue;
        }
        let rows = match key.rows(&scopes, &streams)? {
            Ok(rows) => rows,
            Err(why) => {
                let all = packages.iter().map(|(package, _)| Unscanned { package: *package, why });
                matches.unscanned.extend(all);
                continue;
            }
        };
        let flaws = resolve::resolve(rows, language(key.package))?;
        let flaws: Vec<(Rc<str>, Rc<[_]>)> =
            flaws.into_iter().map(|(flaw, hits)| (flaw.into(), hits.into())).collect();
        for (package, part) in packages {
            // What has fewer may still be told.
            if matches.found.len() + flaws.len() > MOST {
                too_many += 1;
                matches.unscanned.push(Unscanned { package, why: Why::TooMany });
                continue;
            }
            matches.found.extend(flaws.iter().map(|(flaw, hits)| Match {
                package: Some(package),
                flaw: Rc::clone(flaw),
                hits: Rc::clone(hits),
                part,
            }));
        }
    }
    matches.found.sort_by_key(|it| it.package);
    matches.unscanned.sort_by_key(|it| it.package);
    Ok(matches)
}

/// By which later release it is told what remains of one that is over: the nearest of which that is
/// known; or the newest, where nobody says it of any.
fn later<'d>(
    distribution: &Distribution,
    namespaces: &[(&'d Segment, Namespace<'d>)],
) -> Option<&'d str> {
    let releases =
        || namespaces.iter().filter_map(|(_, it)| Some((distribution.later(it.name)?, it)));
    let nearest = releases().filter(|(_, it)| it.has_unfixed).min_by_key(|(release, _)| *release);
    let newest = || releases().max_by_key(|(release, _)| *release);
    Some(nearest.or_else(newest)?.1.name)
}

/// Adds the flaws of a Windows itself.
fn of_windows<'d>(
    database: &'d Database,
    system: &System,
    matches: &mut Matches<'d>,
) -> Result<()> {
    matches.knows_own = true;
    match windows::find(database, system)? {
        Known::Nothing => matches.knows_distribution = false,
        Known::Flaws { flaws, lacks_updates } => {
            matches.knows_distribution = true;
            matches.lacks_updates = lacks_updates;
            // What no update mends is not published this way; where it is not known what is installed,
            // that is the lesser matter.
            matches.knows_unfixed = lacks_updates;
            matches.found.extend(flaws.into_iter().map(|(flaw, hits)| Match {
                package: None,
                flaw: flaw.into(),
                hits: hits.into(),
                part: Part::None,
            }));
        }
    }
    Ok(())
}

/// Every flaw of which anything is said in the ecosystems that hold for a system, as of a day.
pub fn flaws_of(database: &Database, system: &System, today: Day) -> Result<BTreeSet<Cve>> {
    let ground = Ground::of(database, system, today)?;
    let (scopes, _) = scopes(&ground);
    let mut flaws = BTreeSet::new();
    for scope in scopes.iter().filter(|scope| !scope.language) {
        for named in scope.segment.all(&scope.namespace) {
            for row in named?.1 {
                flaws.extend(scope.segment.flaws(row.advisory)?.cves);
            }
        }
    }
    Ok(flaws)
}

/// What is said of a package, whether it holds for the version that is installed or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Which of the packages of the system.
    pub package: usize,
    /// The ecosystem that it is said of.
    pub ecosystem: String,
    /// What is said.
    pub state: State,
    /// The version that ends it, where one does.
    pub upper: Option<String>,
    /// Whether it is about the version that is installed, and not that it is not affected.
    pub holds: bool,
}

/// Everything that is said of some of the packages of a system, of this flaw or of any, as of a day.
pub fn opinions(
    database: &Database,
    system: &System,
    packages: Range<usize>,
    flaw: Option<Cve>,
    today: Day,
) -> Result<Vec<Opinion>> {
    let ground = Ground::of(database, system, today)?;
    let (scopes, _) = scopes(&ground);
    let streams = Streams::of(database, system)?;
    let mut opinions = Vec::new();
    for index in packages {
        let Some(package) = system.packages.items.get(index) else { break };
        for (hit, holds) in Key::of(package).rows(&scopes, &streams)?.unwrap_or_default() {
            let said = hit.segment.flaws(hit.row.advisory)?;
            if flaw.is_none_or(|flaw| said.cves.contains(&flaw)) {
                opinions.push(Opinion {
                    package: index,
                    ecosystem: hit.namespace.to_owned(),
                    state: hit.row.state,
                    upper: hit.row.upper.map(|upper| upper.text.to_owned()),
                    holds,
                });
            }
        }
    }
    Ok(opinions)
}

/// Ecosystems that belong to no distribution.
const LANGUAGES: [&str; 8] =
    ["PyPI", "npm", "RubyGems", "Maven", "Go", "crates.io", "Packagist", "NuGet"];

/// The ecosystem without which repository of it is meant, which `Packagist:https://…` says.
fn without_repository(namespace: &str) -> &str {
    namespace.split(':').next().unwrap_or_default()
}

fn language(package: &Package) -> Option<&'static str> {
    installed::language(package.kind)
}

/// An ecosystem that holds for the system.
struct Scope<'s, 'd> {
    segment: &'s &'d Segment,
    namespace: Namespace<'d>,
    role: Role,
    language: bool,
    /// The product from whose repositories a package must be for it to hold.
    product: Option<&'d str>,
    repositories: &'s Repositories<'d>,
}

impl Scope<'_, '_> {
    fn is_of(&self, package: &Package) -> bool {
        match language(package) {
            Some(language) => self.language && without_repository(self.namespace.name) == language,
            None => {
                let is_from = |product| self.repositories.has(package, product);
                let is_kind = scheme(package.kind) == Some(self.namespace.scheme);
                !self.language && is_kind && self.product.is_none_or(is_from)
            }
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
    if part == Part::Aid {
        return Some(Why::KernelAid);
    }
    let is_foreign = || distribution.is_some_and(|it| !foreign::is_own(package, it.id()));
    if !is_language && is_foreign() {
        return Some(Why::Foreign);
    }
    if !scopes.iter().any(|scope| scope.is_of(package)) {
        return Some(Why::NoEcosystem);
    }
    (!installed::is_told(package)).then_some(Why::NoName)
}

/// Packages that others belong to: whether they were compared, so that what belongs to them need not be.
struct Owners<'s, 'd> {
    system: &'s System,
    distribution: Option<&'s Distribution>,
    scopes: &'s [Scope<'s, 'd>],
    known: HashMap<&'s str, bool>,
}

impl<'s, 'd> Owners<'s, 'd> {
    fn of(
        system: &'s System,
        distribution: Option<&'s Distribution>,
        scopes: &'s [Scope<'s, 'd>],
    ) -> Self {
        Self { system, distribution, scopes, known: HashMap::new() }
    }

    /// Whether the package of this name is the distribution's own, of which somebody speaks. Packages of
    /// others often hold whole programs with their libraries.
    fn is_compared(&mut self, name: &'s str) -> Result<bool> {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        let mut is_compared = false;
        let items = &self.system.packages.items;
        for package in items.iter().filter(|it| it.name == name && language(it).is_none()) {
            if package.is_installed()
                && unscanned(package, Part::None, self.distribution, self.scopes).is_none()
                && self.is_named(package)?
            {
                is_compared = true;
            }
        }
        self.known.insert(name, is_compared);
        Ok(is_compared)
    }

    /// Whether anything is said of the package. Who made it, dpkg and apk do not tell for sure, but a
    /// distribution speaks of what it has.
    fn is_named(&self, package: &Package) -> Result<bool> {
        if !matches!(package.kind, PackageKind::Deb | PackageKind::Apk) {
            return Ok(true);
        }
        let (name, _) = installed::named(package, Subject::Source);
        for scope in self.scopes.iter().filter(|scope| scope.is_of(package)) {
            if !scope.segment.rows(&scope.namespace, &name)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
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

    fn parts(&self) -> (&Named, Option<&Named>, Option<&str>, Option<&str>) {
        // Something may be said of what is from one repository alone.
        let origin =
            self.package.origin.as_deref().filter(|_| self.package.kind == PackageKind::Rpm);
        (&self.source, self.installed.as_deref(), self.package.module.as_deref(), origin)
    }

    /// All statements about the packages, with whether each holds; or why they cannot be compared.
    fn rows<'d>(
        &self,
        scopes: &[Scope<'_, 'd>],
        streams: &Streams<'_>,
    ) -> Result<std::result::Result<Vec<(Hit<'d>, bool)>, Why>> {
        let no_version = Ok(Err(Why::NoVersion));
        let Some(scheme) = scheme(self.package.kind) else { return no_version };
        if !installed::has_version(self.package) {
            return no_version;
        }
        let (Some(source), Some(installed)) = (
            scheme.key(&self.source.version),
            self.installed.as_ref().map_or(Some(Vec::new()), |it| scheme.key(&it.version)),
        ) else {
            return no_version;
        };
        let stream = Stream::of(self.package);
        let mut rows = Vec::new();
        let mut passed_over = false;
        let mut is_of_variant = false;
        let mut is_of_some_stream = false;
        for scope in scopes.iter().filter(|scope| scope.is_of(self.package)) {
            let (named, key) = match (scope.namespace.subject, &self.installed) {
                (Subject::Installed, Some(named)) => (named, &installed),
                _ => (&self.source, &source),
            };
            if !variant::is_of_pocket(scope.namespace.name, &named.name, &named.version) {
                continue;
            }
            // Much of what is wrong with a kernel came with newer ones.
            if scope.role == Role::Successor && kernel::is_kernel(self.package) {
                continue;
            }
            let variant = Variant::of(scheme, &named.version);
            let compared = Compared {
                scheme,
                key,
                // Of what a package was built from, no epoch is known but its own.
                epoch: (scheme == Scheme::Rpm && named.name != self.package.name)
                    .then(|| epoch(&named.version)),
                build: match scheme {
                    Scheme::Rpm => module::without_build(&named.version),
                    _ => None,
                },
                version: &named.version,
            };
            for row in scope.segment.rows(&scope.namespace, &named.name)? {
                let upper = row.upper.map(|upper| upper.text);
                let fits = match scheme {
                    Scheme::Rpm => match extras::fits(row.qualifier, &named.version, upper) {
                        Some(fits) => fits,
                        None => {
                            let fit = streams.fit(self.package, stream, scope.segment, &row)?;
                            is_of_some_stream |= fit == Fit::Unknown;
                            fit == Fit::Yes
                        }
                    },
                    // Nobody else has several versions of some software side by side.
                    _ => row.qualifier.is_none(),
                };
                if !fits {
                    continue;
                }
                if !variant.fits(scheme, upper) {
                    passed_over = true;
                    continue;
                }
                is_of_variant |= upper.is_some();
                let holds = compared.is_within(&row) && row.state != State::NotAffected;
                rows.push((scope.hit(row, named), holds));
            }
        }
        if is_of_some_stream && rows.is_empty() {
            return Ok(Err(Why::NoStream));
        }
        // Of a build for a purpose of its own nothing is known, if only others are spoken of.
        let version = &self.source.version;
        if passed_over && !is_of_variant && !Variant::of(scheme, version).is_plain() {
            return Ok(Err(Why::Variant));
        }
        Ok(Ok(rows))
    }
}

/// What an installed version is compared by.
struct Compared<'k> {
    scheme: Scheme,
    key: &'k [u8],
    version: &'k str,
    /// The epoch, where that of the versions that are compared with may be another one for the same
    /// thing: packages that were built from one source have epochs of their own.
    epoch: Option<&'k str>,
    /// The version without what tells builds of its module apart.
    build: Option<String>,
}

impl Compared<'_> {
    /// Whether it is one of the versions that the row is about.
    fn is_within(&self, row: &Row<'_>) -> bool {
        let Some(upper) = row.upper else { return row.is_about(self.key) };
        // An advisory lists every package of a module. One that was only built again, or by another
        // builder in another way, is what it was.
        if let (Some(ours), Some(theirs)) = (&self.build, module::without_build(upper.text)) {
            return self.is_before(ours, &theirs);
        }
        match self.epoch {
            Some(ours) if ours != epoch(upper.text) => self.is_before(self.version, upper.text),
            _ => row.is_about(self.key),
        }
    }

    fn is_before(&self, ours: &str, theirs: &str) -> bool {
        let key = |version: &str| match self.epoch {
            Some(_) => self.scheme.key(without_epoch(version)),
            None => self.scheme.key(version),
        };
        matches!((key(ours), key(theirs)), (Some(ours), Some(theirs)) if ours < theirs)
    }
}

/// The epoch of a version of rpm; nought is none.
fn epoch(version: &str) -> &str {
    version.split_once(':').map_or("0", |(epoch, _)| epoch)
}

fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
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
        let state = match self.role {
            Role::Successor if row.state != State::NotAffected => State::EndOfLife,
            _ => row.state,
        };
        let row = Row { state, ..row };
        Hit {
            segment: self.segment,
            namespace: self.namespace.name,
            subject: self.namespace.subject,
            role: self.role,
            row,
            named: Rc::clone(named),
            remedy: None,
        }
    }
}
