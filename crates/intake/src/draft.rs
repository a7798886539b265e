//! What was read of a document, on its way to a report.

use std::collections::{BTreeMap, HashMap, HashSet};

use fathom_report::finding::Unscanned;
use fathom_report::{
    Architecture, Coverage, Evidence, Fact, Family, Identity, Listing, Package, Report, System,
};

use crate::component::{Component, Said, Unusable};
use crate::distribution::Distribution;
use crate::error::{Error, Result};
use crate::{MAX_PACKAGES, Taken};

/// How many of what was passed over is named.
const NAMED: usize = 10;

/// How many reasons are told apart: they hold what the document calls things.
const REASONS: usize = 50;

/// How many of what was passed over is named in one sentence.
const SHOWN: usize = 3;

/// How many distributions are named.
const DISTRIBUTIONS: usize = 4;

/// Why nothing else is known of a machine.
const WHY: &str = "a list of components does not say it";

/// An operating system that a list names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) distribution: Option<Distribution>,
    /// Its full name.
    pub(crate) name: Option<String>,
    pub(crate) codename: Option<String>,
    pub(crate) architecture: Option<String>,
    pub(crate) hostname: Option<String>,
    pub(crate) build: Option<String>,
    pub(crate) installation: Option<String>,
    pub(crate) root: Option<String>,
    /// What the list of its packages hides, where the document says so.
    pub(crate) hidden: Option<(Coverage, String)>,
}

/// Why flaws are missed where nothing is said of sources.
const NO_SOURCES: &str = "the list does not say what its packages were built from, so that flaws of \
                          sources with other names are not told";

/// What was read of a document.
pub(crate) struct Draft {
    /// What kind of document it is; everything rests on it.
    document: &'static str,
    systems: Vec<Declared>,
    components: Vec<(Option<usize>, Component)>,
    /// What tells components apart.
    known: HashSet<String>,
    passed_over: BTreeMap<String, Unscanned>,
    hidden: Vec<String>,
    noted: Vec<String>,
    /// Whether it names no system at all.
    is_undeclared: bool,
}

impl Draft {
    pub(crate) fn of(document: &'static str) -> Self {
        Self {
            document,
            systems: Vec::new(),
            components: Vec::new(),
            known: HashSet::new(),
            passed_over: BTreeMap::new(),
            hidden: Vec::new(),
            noted: Vec::new(),
            is_undeclared: false,
        }
    }

    /// Adds an operating system; one that says nothing more than another is the same.
    pub(crate) fn system(&mut self, system: Declared) -> usize {
        let same = self.systems.iter().position(|known| {
            let agree = match (&known.distribution, &system.distribution) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            };
            agree && known.root == system.root
        });
        same.unwrap_or_else(|| {
            self.systems.push(system);
            self.systems.len() - 1
        })
    }

    /// Adds a component, of which the document may say on which system it is. One that is listed twice
    /// is one.
    pub(crate) fn component(&mut self, said: Said, system: Option<usize>) -> Result<()> {
        let name = said.names.first().or(said.purl.as_ref()).cloned().unwrap_or_default();
        match said.component(self.document) {
            Ok(component) => {
                let of = &component.package;
                let key = (
                    (system, of.kind, &of.name, of.full_version(), &of.architecture, &of.location),
                    (&of.source, &of.source_version, &of.module, &of.owner, &of.state),
                    &component.distribution,
                );
                if !self.known.insert(format!("{key:?}")) {
                    return Ok(());
                }
                if self.components.len() >= MAX_PACKAGES {
                    let why = format!(
                        "it lists more than {MAX_PACKAGES} packages, which is the most that is read"
                    );
                    return Err(Error::unsupported(why));
                }
                self.components.push((system, component));
            }
            Err(Unusable::Source) => self.note_source(),
            Err(why) => self.pass_over(&name, why.to_string()),
        }
        Ok(())
    }

    fn note_source(&mut self) {
        let note =
            format!("sources, which are not installed, are listed too in this {}", self.document);
        if !self.noted.contains(&note) {
            self.noted.push(note);
        }
    }

    /// Counts what cannot be used.
    pub(crate) fn pass_over(&mut self, name: &str, reason: String) {
        let is_new = !self.passed_over.contains_key(&reason);
        let reason = match is_new && self.passed_over.len() >= REASONS {
            true => "for reasons of many other kinds".to_owned(),
            false => reason,
        };
        let entry = self.passed_over.entry(reason.clone()).or_insert_with(|| Unscanned {
            reason: format!("listed {reason}"),
            count: 0,
            examples: Vec::new(),
        });
        entry.count += 1;
        let name: String = name.chars().take(200).collect();
        if entry.examples.len() < NAMED && !name.is_empty() && !entry.examples.contains(&name) {
            entry.examples.push(name);
        }
    }

    /// Counts elements that are not what they should be.
    pub(crate) fn pass_over_wrong(&mut self, count: usize) {
        for _ in 0..count {
            self.pass_over("", "as what is no component at all".to_owned());
        }
    }

    /// Says that there may be more than is listed, and why.
    pub(crate) fn hide(&mut self, why: impl Into<String>) {
        self.hidden.push(why.into());
    }

    /// The report that comes of it.
    pub(crate) fn finish(mut self) -> Taken {
        self.is_undeclared = self.systems.is_empty();
        // Our own lists say it wherever it is another.
        let is_ours = self.systems.iter().any(|it| it.root.is_some());
        let mut of_sources = self.components.iter().map(|(_, it)| it).filter(|it| it.has_source());
        let is_told = of_sources.clone().any(|it| it.is_source_said);
        if !is_ours && !is_told && of_sources.next().is_some() {
            self.hidden.push(NO_SOURCES.to_owned());
        }
        let mut systems = match self.systems.len() {
            0 => vec![self.undeclared()],
            1 => vec![self.declared()],
            _ => self.several(),
        };
        let reasons = self.passed_over.iter().map(|(reason, it)| {
            let named = it.examples.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let named = if named.is_empty() { named } else { format!(" ({named})") };
            format!("{} {reason}{named}", it.count)
        });
        let mut hidden = std::mem::take(&mut self.hidden);
        let reasons: Vec<String> = reasons.collect();
        if !reasons.is_empty() {
            hidden.push(format!("components could not be used: {}", reasons.join("; ")));
        }
        for system in &mut systems {
            hidden.iter().for_each(|why| system.packages.hide(why.clone()));
            self.noted.iter().for_each(|note| system.packages.note(note.clone()));
        }
        let mut report = Report::of(systems, WHY);
        report.generator = format!("a {} of another's", self.document);
        Taken { report, passed_over: self.passed_over.into_values().collect() }
    }

    /// What the package URLs say of the distribution: one, where they agree.
    fn told(&self) -> Vec<Distribution> {
        let mut told: Vec<Distribution> = Vec::new();
        for distribution in self.components.iter().filter_map(|(_, it)| it.distribution.as_ref()) {
            if let Some(known) = told.iter_mut().find(|known| known.agrees(distribution)) {
                known.refine(distribution);
            } else if told.len() < DISTRIBUTIONS {
                told.push(distribution.clone());
            }
        }
        told
    }

    /// The one system of a list that names none: that which its packages agree on.
    fn undeclared(&mut self) -> System {
        let agreed = self.told();
        let is_of_languages =
            self.components.iter().all(|(_, it)| it.package.kind.is_of_language());
        let mut declared = Declared::default();
        let mut unknown = None;
        match agreed.as_slice() {
            [] if is_of_languages => {}
            [] => unknown = Some("nothing in the list says of which distribution it is".to_owned()),
            [one] => declared.distribution = Some(one.clone()),
            several => {
                let named: Vec<_> = several.iter().map(ToString::to_string).collect();
                let several = named.join(", ");
                unknown = Some(format!("the list is of several distributions: {several}"));
            }
        }
        let packages = std::mem::take(&mut self.components);
        let packages: Vec<Package> = packages.into_iter().map(|(_, it)| it.package).collect();
        let mut system = self.made(&declared, packages);
        if let Some(why) = unknown {
            system.identity.distribution = Fact::unknown(why);
        }
        system
    }

    /// The one system that a list names.
    fn declared(&mut self) -> System {
        let mut declared = self.systems.pop().unwrap_or_default();
        // Packages may say more precisely what the system is, never that it is another one.
        match (&mut declared.distribution, self.told().as_slice()) {
            (Some(own), [one])
                if one.agrees(own) && (own.version.is_none() || own.is_kin(&one.id)) =>
            {
                own.refine(one)
            }
            (own @ None, [one]) => *own = Some(one.clone()),
            _ => {}
        }
        let mut packages = Vec::new();
        for (_, component) in std::mem::take(&mut self.components) {
            let foreign = match (&declared.distribution, &component.distribution) {
                (Some(own), Some(other)) if !own.agrees(other) => {
                    Some(format!("as of {other}, while the system is {own}"))
                }
                _ => None,
            };
            match foreign {
                Some(why) => self.pass_over(&component.package.name, why),
                None => packages.push(component.package),
            }
        }
        self.made(&declared, packages)
    }

    /// Several systems: a package is on that which the document says it is on, or whose distribution it
    /// says it is of, if that is one, and on no other.
    fn several(&mut self) -> Vec<System> {
        let declared = std::mem::take(&mut self.systems);
        let mut packages: Vec<Vec<Package>> = declared.iter().map(|_| Vec::new()).collect();
        let mut elsewhere = Vec::new();
        for (system, component) in std::mem::take(&mut self.components) {
            let of_distribution = component.distribution.as_ref().and_then(|distribution| {
                let mut agreeing = declared.iter().enumerate().filter(|(_, it)| {
                    it.distribution.as_ref().is_some_and(|own| own.agrees(distribution))
                });
                agreeing.next().filter(|_| agreeing.next().is_none()).map(|(at, _)| at)
            });
            let system = system.or(of_distribution);
            let package = component.package;
            match system.and_then(|system| packages.get_mut(system)) {
                Some(packages) => packages.push(package),
                None if package.kind.is_of_language() => elsewhere.push(package),
                None => {
                    let why = "without saying on which of the systems".to_owned();
                    self.pass_over(&package.name, why);
                }
            }
        }
        let mut systems: Vec<System> = declared
            .iter()
            .zip(packages)
            .map(|(declared, packages)| self.made(declared, packages))
            .collect();
        // By which findings tell on which of them they are.
        let mut roots: HashMap<String, usize> = HashMap::new();
        for (declared, system) in declared.iter().zip(&mut systems) {
            if let (None, Some(distribution)) = (&declared.root, &declared.distribution) {
                system.root = format!("{}, {distribution}", system.root);
            }
            let count = roots.entry(system.root.clone()).or_default();
            *count += 1;
            if *count > 1 {
                system.root = format!("{} ({count})", system.root);
            }
        }
        if !elsewhere.is_empty() {
            self.is_undeclared = true;
            systems.push(self.made(&Declared::default(), elsewhere));
        }
        systems
    }

    fn made(&self, declared: &Declared, packages: Vec<Package>) -> System {
        let evidence = || vec![Evidence::from(self.document)];
        let id = declared.distribution.as_ref().map(|it| it.id.as_str());
        let family = match id {
            Some("windows") => Family::Windows,
            Some("freebsd" | "openbsd" | "netbsd") => Family::Bsd,
            Some(_) => Family::Linux,
            None if packages.iter().all(|it| it.kind.is_of_language()) => Family::Other,
            None => Family::Linux,
        };
        let root = declared.root.clone().unwrap_or_else(|| "the list".to_owned());
        let mut system = System::unknown(root, family, WHY);
        let fact = |value: &Option<String>| match value {
            Some(value) => Fact::Known { value: value.clone(), evidence: evidence() },
            None => Fact::unknown(WHY),
        };
        let is_bare = declared.root.is_none() && self.is_undeclared;
        let named = declared
            .name
            .clone()
            .or_else(|| declared.distribution.as_ref().map(ToString::to_string));
        system.identity = Identity {
            distribution: match id {
                Some(id) => Fact::Known { value: id.to_owned(), evidence: evidence() },
                None if is_bare => Fact::absent([self.document]),
                None => Fact::unknown("the list names a system, and not which it is"),
            },
            version: fact(&declared.distribution.as_ref().and_then(|it| it.version.clone())),
            name: fact(&named),
            codename: fact(&declared.codename),
            hostname: fact(&declared.hostname),
            build: fact(&declared.build),
            architecture: fact(&declared.architecture).map(Architecture),
            installation: declared.installation.clone(),
            ..system.identity
        };
        system.packages = match (&declared.hidden, packages.is_empty()) {
            (Some((coverage, reason)), _) => Listing {
                coverage: *coverage,
                reason: Some(reason.clone()),
                evidence: evidence(),
                items: packages,
            },
            // Only we say of a system that nothing is installed on it.
            (None, true) if declared.root.is_none() => {
                Listing::unknown("nothing that is installed is listed")
            }
            (None, _) => Listing::complete(packages, evidence()),
        };
        system
    }
}
