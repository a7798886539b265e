//! The index of an image or a machine, as Clair v4 makes it and StackRox's Scanner V4 does: what is
//! installed, found in which databases, and of which distribution and repositories.
//!
//! Clair writes names with underlines, and lists by the numbers of what is in them; Scanner V4 wraps
//! all of it in `contents`, writes names as protobuf does in JSON, and lists in either way.

use std::collections::HashMap;

use fathom_report::PackageKind;
use serde::{Deserialize, Deserializer};

use crate::Taken;
use crate::component::{Said, Source};
use crate::distribution::Distribution;
use crate::draft::{Declared, Draft};
use crate::error::{Error, Result};
use crate::kind::shortened;
use crate::lenient::{self, Each, Flag, One, Text, Texts};

/// The state of an index that is complete.
const FINISHED: &str = "IndexFinished";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Index {
    state: Text,
    success: Flag,
    err: Text,
    /// Of a whole node, beside what is in `contents`.
    distro: One<Distro>,
    contents: One<Contents>,
    packages: Each<Package>,
    distributions: Each<Distro>,
    repository: Each<Repository>,
    environments: lenient::Keyed<Environments>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Contents {
    packages: Each<Package>,
    distributions: Each<Distro>,
    repositories: Each<Repository>,
    environments: lenient::Keyed<Environments>,
    /// What older programs filled.
    #[serde(rename = "packagesDEPRECATED")]
    old_packages: Each<Package>,
    #[serde(rename = "distributionsDEPRECATED")]
    old_distributions: Each<Distro>,
    #[serde(rename = "repositoriesDEPRECATED")]
    old_repositories: Each<Repository>,
    #[serde(rename = "environmentsDEPRECATED")]
    old_environments: lenient::Keyed<Environments>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Package {
    id: Text,
    name: Text,
    version: Text,
    kind: Text,
    source: One<Built>,
    arch: Text,
    module: Text,
    #[serde(alias = "packageDb")]
    package_db: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Built {
    name: Text,
    version: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Distro {
    id: Text,
    did: Text,
    name: Text,
    version: Text,
    #[serde(alias = "versionCodeName")]
    version_code_name: Text,
    #[serde(alias = "versionId")]
    version_id: Text,
    arch: Text,
    #[serde(alias = "prettyName")]
    pretty_name: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    id: Text,
    name: Text,
    uri: Text,
    cpe: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Environment {
    #[serde(alias = "packageDb")]
    package_db: Text,
    #[serde(alias = "distributionId")]
    distribution_id: Text,
    #[serde(alias = "repositoryIds")]
    repository_ids: Texts,
}

/// Where a package was found: a list, or an object that has the list.
#[derive(Default)]
struct Environments(Vec<Environment>);

impl<'de> Deserialize<'de> for Environments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Wrapped {
            environments: Each<Environment>,
        }
        let either = lenient::Either::<Environment, Wrapped>::deserialize(deserializer)?;
        let list = match either {
            lenient::Either::List(list) => list,
            lenient::Either::Object(wrapped) => wrapped.environments,
            lenient::Either::Neither => Each::default(),
        };
        Ok(Self(list.into_items().collect()))
    }
}

/// Reads an index.
pub(crate) fn read(bytes: &[u8]) -> Result<Taken> {
    let index: Index = lenient::document(bytes)
        .map_err(|why| Error::malformed(format!("no index report that makes sense: {why}")))?;
    let mut draft = Draft::of("index report");
    let is_failed = index.success.0 == Some(false);
    let state = index.state.get();
    if is_failed || state.is_some_and(|state| state != FINISHED) || index.err.get().is_some() {
        let said = index.err.get().unwrap_or("it does not say why");
        let state = state.unwrap_or("an unknown state");
        draft.hide(format!("the index did not finish ({}): {}", shortened(state), shortened(said)));
    }
    let (packages, distributions, repositories, environments) = match index.contents.0 {
        None => (index.packages, index.distributions, index.repository, index.environments),
        Some(contents) => (
            match contents.packages.items.is_empty() {
                true => contents.old_packages,
                false => contents.packages,
            },
            match contents.distributions.items.is_empty() {
                true => contents.old_distributions,
                false => contents.distributions,
            },
            match contents.repositories.items.is_empty() {
                true => contents.old_repositories,
                false => contents.repositories,
            },
            match contents.environments.0.is_empty() {
                true => contents.old_environments,
                false => contents.environments,
            },
        ),
    };
    draft.pass_over_wrong(packages.wrong);
    let environments = environments.0;
    let repositories: HashMap<String, Repository> = repositories
        .items
        .into_iter()
        .map(|(key, it)| (it.id.owned().unwrap_or(key), it))
        .collect();
    let mut systems: HashMap<String, usize> = HashMap::new();
    let whole = index.distro.0.map(|it| (String::new(), it));
    for (key, distribution) in distributions.items.into_iter().chain(whole) {
        let id = distribution.id.owned().unwrap_or(key);
        if let Some(declared) = distribution.declared() {
            systems.insert(id, draft.system(declared));
        }
    }
    if systems.is_empty() {
        of_repositories(&repositories, &mut draft);
    }
    for (key, package) in packages.items {
        if package.kind.get() == Some("source") {
            continue;
        }
        let id = package.id.owned().unwrap_or(key);
        let found = environments.get(&id).map(|it| it.0.as_slice()).unwrap_or_default();
        let system = found.iter().find_map(|it| systems.get(it.distribution_id.get()?)).copied();
        let named = found.iter().flat_map(|it| &it.repository_ids.0);
        let named: Vec<&Repository> = named.filter_map(|id| repositories.get(id)).collect();
        let place = package
            .package_db
            .owned()
            .or_else(|| found.iter().find_map(|it| it.package_db.owned()))
            .unwrap_or_default();
        match kind_of(&place, &named) {
            Some(kind) => draft.component(package.said(kind, &place, &named), system)?,
            None => {
                let name = package.name.owned().unwrap_or_default();
                let place = place.split(['/', ':']).next().unwrap_or_default();
                let why = format!("of a kind that is not known, found in {:?}", shortened(place));
                draft.pass_over(&name, why);
            }
        }
    }
    Ok(draft.finish())
}

/// Red Hat's repositories name by CPE what their content is for: where nothing else does, that is the
/// distribution, if all agree.
fn of_repositories(repositories: &HashMap<String, Repository>, draft: &mut Draft) {
    let of_cpe = |it: &Repository| Distribution::of_cpe(it.cpe.get()?);
    let mut all = repositories.values().filter_map(of_cpe);
    let Some(first) = all.next() else { return };
    if all.all(|other| other == first) {
        draft.system(Declared { distribution: Some(first), ..Declared::default() });
    }
}

/// The kind of a package, by the database that it was found in and the repositories that it is of.
fn kind_of(place: &str, repositories: &[&Repository]) -> Option<PackageKind> {
    let (scheme, path) = place.split_once(':').unwrap_or(("", place));
    let of_scheme = match scheme {
        "sqlite" | "bdb" | "ndb" | "rpm" => Some(PackageKind::Rpm),
        "python" => Some(PackageKind::Python),
        "nodejs" => Some(PackageKind::Npm),
        "ruby" | "gem" => Some(PackageKind::Gem),
        "maven" | "jar" | "java" => Some(PackageKind::Maven),
        "go" | "gobin" => Some(PackageKind::Go),
        _ => None,
    };
    let of_path = || {
        let has = |part: &str| path.contains(part);
        Some(match () {
            () if has("lib/dpkg/status") => PackageKind::Deb,
            () if has("lib/apk/db") => PackageKind::Apk,
            () if has("lib/rpm") || has("sysimage/rpm") => PackageKind::Rpm,
            () => return None,
        })
    };
    let of_repository = || {
        repositories.iter().find_map(|it| {
            let uri = it.uri.get().or(it.name.get())?;
            Some(match () {
                () if uri.contains("pypi") => PackageKind::Python,
                () if uri.contains("npmjs") || uri == "npm" => PackageKind::Npm,
                () if uri.contains("rubygems") => PackageKind::Gem,
                () if uri.contains("maven") => PackageKind::Maven,
                () if uri.contains("pkg.go.dev") || uri == "go" => PackageKind::Go,
                () => return None,
            })
        })
    };
    of_scheme.or_else(of_path).or_else(of_repository)
}

impl Distro {
    /// The system; nothing where it names none.
    fn declared(self) -> Option<Declared> {
        let name = self.did.get().or(self.name.get())?;
        let version = self.version_id.get().or(self.version.get());
        Some(Declared {
            distribution: Some(Distribution::named(name, version)),
            name: self.pretty_name.owned(),
            codename: self.version_code_name.owned(),
            architecture: self.arch.owned(),
            ..Declared::default()
        })
    }
}

impl Package {
    fn said(self, kind: PackageKind, place: &str, repositories: &[&Repository]) -> Said {
        let path = place.split_once(':').map_or(place, |(_, path)| path);
        let source = self.source.0.and_then(|built| {
            Some(Source { name: built.name.owned()?, version: built.version.owned() })
        });
        Said {
            names: self.name.owned().into_iter().collect(),
            version: self.version.owned(),
            kind: Some(kind),
            architecture: self.arch.owned(),
            module: self.module.owned(),
            origin: repositories.iter().find_map(|it| it.name.owned()),
            location: Some(format!("/{}", path.trim_start_matches('/'))),
            source,
            ..Said::default()
        }
    }
}
