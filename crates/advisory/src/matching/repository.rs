//! From which repositories a system of Red Hat has its packages, and which products these are.
//!
//! What is said of a product holds for who has a repository of it. The main streams hold for everybody:
//! what nothing mends is only said of them. Streams of one minor release that are cared for longer (EUS,
//! E4S, AUS, TUS) hold for a system of that release, if any of its packages is from a repository of
//! theirs, or it would get them from there. Other products are put on top, and are numbered by
//! themselves: what is said of them holds for packages from their own repositories alone.

use std::collections::{HashMap, HashSet};

use fathom_report::{Package, PackageKind, System};

use super::Distribution;
use crate::database::Database;
use crate::error::Result;

/// Where the map of repositories stands among ecosystems: their names, and for what each holds.
pub const REPOSITORIES: &str = "Red Hat repositories";

/// The products that are streams of a minor release, cared for longer than it is the latest.
const LONGER: [&str; 6] =
    ["rhel_eus", "rhel_e4s", "rhel_aus", "rhel_tus", "rhel_els", "enterprise_linux_eus"];

/// The products of a system's repositories.
#[derive(Debug, Default)]
pub(crate) struct Repositories<'d> {
    /// By the names of repositories.
    products: HashMap<String, Vec<&'d str>>,
    /// Those of the release itself that is cared for longer.
    longer: HashSet<&'d str>,
}

impl<'d> Repositories<'d> {
    /// Those of the system; none where it is not Red Hat's own, or nothing is known of them.
    pub(crate) fn of(
        database: &'d Database,
        system: &System,
        distribution: Option<&Distribution>,
    ) -> Result<Self> {
        let mut found = Self::default();
        let Some(distribution) = distribution.filter(|it| it.is_red_hat()) else {
            return Ok(found);
        };
        let origins = system.packages.items.iter().filter_map(origin);
        // `ID ADDRESS`, of those that are not turned off.
        let sources = system.security.updates.value().into_iter().flat_map(|it| &it.sources);
        let sources = sources.filter_map(|source| source.split_whitespace().next());
        let names: HashSet<&str> = origins.chain(sources).collect();
        for (segment, namespace) in database.namespaces()? {
            if namespace.name != REPOSITORIES {
                continue;
            }
            for name in &names {
                let rows = segment.rows(&namespace, name)?;
                let products = rows.iter().filter_map(|row| row.qualifier);
                for product in products {
                    found.products.entry((*name).to_owned()).or_default().push(product);
                    if is_longer(product) && distribution.is_version(version(product)) {
                        found.longer.insert(product);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Whether the system is cared for longer than its minor release is the latest, and so does not go to
    /// the next. Extended Life-cycle Support goes on from the last of all, which has the main stream whole.
    pub(crate) fn is_longer(&self) -> bool {
        self.longer.iter().any(|product| id(product) != "rhel_els")
    }

    /// How what is said of the product holds for the system, if it does.
    pub(crate) fn holds(&self, product: &str) -> Option<For> {
        if self.longer.contains(product) {
            return Some(For::All);
        }
        let has_it = || self.products.values().any(|it| it.contains(&product));
        (is_on_top(product) && has_it()).then_some(For::Own)
    }

    /// Whether the package is from a repository of the product.
    pub(crate) fn has(&self, package: &Package, product: &str) -> bool {
        let products = origin(package).and_then(|name| self.products.get(name));
        products.is_some_and(|it| it.contains(&product))
    }
}

/// Variants of the main stream whose packages are numbered by themselves.
const ON_TOP: [&str; 3] = ["fastdatapath", "hypervisor", "hypervisor_power"];

/// Whether a product is put on top of the main stream: one of another name, or a variant of it as
/// `enterprise_linux:9::fastdatapath`.
pub(crate) fn is_on_top(product: &str) -> bool {
    let is_variant =
        || product.split_once("::").is_some_and(|(_, variant)| ON_TOP.contains(&variant));
    !is_longer(product) && (id(product) != "enterprise_linux" || is_variant())
}

/// For what of a system something holds that is said of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// All of its packages.
    All,
    /// Those from the product's own repositories.
    Own,
}

/// From which repository a package is.
fn origin(package: &Package) -> Option<&str> {
    package.origin.as_deref().filter(|_| package.kind == PackageKind::Rpm)
}

/// `rhel_eus` of `rhel_eus:8.6::baseos`.
fn id(product: &str) -> &str {
    product.split(':').next().unwrap_or_default()
}

/// `8.6` of `rhel_eus:8.6::baseos`.
fn version(product: &str) -> &str {
    product.split(':').nth(1).unwrap_or_default()
}

fn is_longer(product: &str) -> bool {
    LONGER.contains(&id(product))
}

/// Where a fix comes from that stands in the main stream, for a system of this minor release that does
/// not go to the next; nothing where it can be had there. The release of a package tells for which it was
/// built first: `477.21.1.el8_8`.
pub(crate) fn beyond(fixed: &str, release: &str) -> Option<String> {
    let (major, minor) = release.split_once('.')?;
    let minor: u32 = minor.split('.').next()?.parse().ok()?;
    let tag = fixed.rsplit(".el").next().filter(|_| fixed.contains(".el"))?;
    let rest = tag.strip_prefix(major)?;
    let digits = rest.strip_prefix('_').map(|rest| {
        let end = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
        &rest[..end]
    });
    match digits.and_then(|digits| digits.parse::<u32>().ok()) {
        Some(built) if built <= minor => None,
        Some(built) => Some(format!("Red Hat {major}.{built} or later")),
        None => Some(format!("Red Hat {major}, perhaps not in {major}.{minor}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_tell_from_where_on_there_is_a_fix() {
        for (fixed, release, expected) in [
            ("4.18.0-477.21.1.el8_8", "8.6", Some("Red Hat 8.8 or later")),
            ("4.18.0-372.9.1.el8_6", "8.6", None),
            ("4.18.0-348.el8_5.1", "8.6", None),
            ("1:2.0-3.el8_10", "8.8", Some("Red Hat 8.10 or later")),
            ("4.18.0-425.3.1.el8", "8.6", Some("Red Hat 8, perhaps not in 8.6")),
            ("1.0-1.el9_2", "8.6", None),
            ("1.0-1", "8.6", None),
            ("1.0-1.el8_8", "8", None),
        ] {
            assert_eq!(beyond(fixed, release).as_deref(), expected, "{fixed} on {release}");
        }
    }
}
