//! Which product and which package is meant by a name.

use std::collections::HashMap;

use super::document::{Branch, Product, Tree};
use super::purl::{self, Named};
use crate::redhat::of_module;

/// How many relationships lie upon each other: a package in a module in a product.
const DEPTH: usize = 8;

/// The products and packages of a document.
pub(super) struct Products<'t> {
    /// CPE and package URL, by name.
    products: HashMap<&'t str, (Option<&'t str>, Option<&'t str>)>,
    /// What is in what, by the name of both together.
    relationships: HashMap<&'t str, (&'t str, &'t str)>,
}

/// A package in a product.
pub(super) struct Stands<'t> {
    /// The product.
    pub(super) cpe: &'t str,
    /// The package; nothing where it is none of a system, but an image or a library.
    pub(super) component: Option<Component>,
}

/// A package of a system.
pub(super) struct Component {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) stream: Option<String>,
    /// Whether it is what packages are built from.
    pub(super) is_source: bool,
}

impl<'t> Products<'t> {
    /// What stands in the tree, or why it makes no sense.
    pub(super) fn of(tree: &'t Tree<'_>) -> Result<Self, String> {
        let mut products = HashMap::new();
        let mut add = |product: &'t Product<'_>| {
            let helper = &product.product_identification_helper;
            let helps = (helper.cpe.as_deref(), helper.purl.as_deref());
            products.insert(&*product.product_id, helps);
        };
        tree.full_product_names.into_iter().for_each(&mut add);
        let mut branches: Vec<&'t Branch<'_>> = tree.branches.into_iter().collect();
        while let Some(branch) = branches.pop() {
            branch.product.iter().for_each(&mut add);
            branches.extend(&branch.branches);
        }
        let mut relationships = HashMap::new();
        for relationship in &tree.relationships {
            let parts =
                (&*relationship.product_reference, &*relationship.relates_to_product_reference);
            let name = &*relationship.full_product_name.product_id;
            match relationships.insert(name, parts) {
                Some(other) if other != parts => return Err(format!("{name} is two things")),
                _ => {}
            }
        }
        Ok(Self { products, relationships })
    }

    /// What the name means; nothing where the tree does not say.
    pub(super) fn stands(&self, name: &str) -> Option<Stands<'t>> {
        let Some((component, of)) = self.relationships.get(name) else {
            // A product by itself, not something in it.
            let (cpe, _) = self.products.get(name)?;
            return cpe.map(|cpe| Stands { cpe, component: None });
        };
        let mut product = *of;
        let mut stream = None;
        for _ in 0..DEPTH {
            let Some((between, of)) = self.relationships.get(product) else { break };
            stream = stream.or_else(|| self.module(between));
            product = of;
        }
        let (cpe, _) = self.products.get(product)?;
        Some(Stands { cpe: (*cpe)?, component: self.component(component, stream) })
    }

    /// The module of this name, with its stream.
    fn module(&self, name: &str) -> Option<String> {
        let purl = self.products.get(name).and_then(|(_, purl)| *purl);
        match purl.and_then(purl::read) {
            Some(Named::Module(stream)) => Some(stream),
            _ => {
                // nodejs:16:8050020211206113934:c5368500
                let parts: Vec<_> = name.split(':').collect();
                match *parts {
                    [module, stream, _, _] => Some(format!("{module}:{stream}")),
                    _ => None,
                }
            }
        }
    }

    fn component(&self, name: &str, stream: Option<String>) -> Option<Component> {
        let purl = self.products.get(name).and_then(|(_, purl)| *purl);
        match purl.map(purl::read) {
            Some(Some(Named::Package(purl))) => Some(Component {
                is_source: purl.architecture.is_none_or(|it| it == "src"),
                name: purl.name,
                version: purl.version,
                // What is no stream of a module is how an image was made: `rhel10`.
                stream: purl.stream.filter(|it| it.contains(':')).or(stream),
            }),
            Some(Some(Named::Module(_) | Named::Other)) => None,
            // Documents of before 2024 name what is not mended by its name alone.
            Some(None) | None => of_name(name, stream),
        }
    }
}

/// The package that a name is of: `kernel`, `nodejs:16/nodejs`, `samba-0:4.15.5-111.el9_0.src`.
fn of_name(name: &str, stream: Option<String>) -> Option<Component> {
    let (of_name, name) = of_module(name);
    let stream = of_name.map(str::to_owned).or(stream);
    let component = |name: &str, version: Option<&str>, is_source| {
        let is_image = name.contains('/') || name.contains(':');
        let (name, version) = (name.to_owned(), version.map(str::to_owned));
        (!is_image).then_some(Component { name, version, stream, is_source })
    };
    let Some((build, architecture)) = name.rsplit_once('.').filter(|_| name.contains(':')) else {
        return component(name, None, true);
    };
    let (rest, _) = build.rsplit_once('-')?;
    let (name, _) = rest.rsplit_once('-')?;
    let version = build.get(name.len() + 1..)?;
    component(name, Some(version), architecture == "src")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_without_an_address_have_names() {
        let of = |name: &str| {
            let it = of_name(name, None)?;
            Some((
                it.name,
                it.version.unwrap_or_default(),
                it.stream.unwrap_or_default(),
                it.is_source,
            ))
        };
        let found = |name: &str, version: &str, stream: &str, is_source| {
            Some((name.to_owned(), version.to_owned(), stream.to_owned(), is_source))
        };
        assert_eq!(of("kernel-rt"), found("kernel-rt", "", "", true));
        assert_eq!(of("nodejs:16/nodejs"), found("nodejs", "", "nodejs:16", true));
        assert_eq!(
            of("samba-0:4.15.5-111.el9_0.src"),
            found("samba", "0:4.15.5-111.el9_0", "", true)
        );
        assert_eq!(of("samba-0:4.15.5-111.el9_0.x86_64").map(|it| it.3), Some(false));
        assert_eq!(of("quay/quay-rhel8"), None);
        assert_eq!(of("a:b.c"), None);
    }
}
