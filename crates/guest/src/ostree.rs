//! Deployments of ostree: the root that a system starts from is a folder deep in its filesystem, one of
//! several.
//!
//! Which one it is is said to the kernel, as `ostree=` in the entry of the menu; what is beside it, such
//! as `/var` and `/boot`, is mounted from the same filesystem.

use std::sync::Arc;

use fathom_block::{Error, ErrorKind, Result};
use fathom_filesystem::{Filesystem, Found, NodeId, Tree};

use crate::boot;
use crate::device::Places;

/// Where deployments lie, by the name of the operating system.
const DEPLOYMENTS: &str = "/ostree/deploy";

/// The most deployments that are looked at. A system keeps two or three.
const MAX_DEPLOYMENTS: usize = 100;

/// The deployment that a system starts from.
pub(crate) struct Deployed {
    pub(crate) tree: Tree,
    /// Its path in the filesystem.
    pub(crate) path: String,
    /// What is not sure.
    pub(crate) problems: Vec<Error>,
}

struct Deployment {
    /// The name of the operating system.
    name: String,
    path: String,
    found: Found,
}

/// The deployment on the tree that is started, if there are any.
pub(crate) fn deployed(tree: &Tree, places: &Places<'_>) -> Result<Option<Deployed>> {
    if !tree.exists(DEPLOYMENTS.as_bytes())? {
        return Ok(None);
    }
    let mut all = deployments(tree)?;
    let mut problems = Vec::new();
    let menu = Menu::find(tree, places);
    let started = menu.as_ref().and_then(|menu| {
        let argument = menu.argument.as_deref()?;
        let found = tree.resolve(argument.as_bytes(), true).ok()?;
        all.iter().position(|one| one.found.node == found.node)
    });
    let index = match (started, all.len()) {
        (_, 0) => return Ok(None),
        (Some(index), _) => index,
        (None, 1) => 0,
        (None, count) => {
            let last = count - 1;
            let path = &all[last].path;
            let why = format!(
                "there are {count} of them, and no entry of a menu says which is started; \
                 this is {path}"
            );
            problems.push(Error::not_found("deployment of ostree", why));
            last
        }
    };
    let deployment = all.swap_remove(index);
    let filesystem = &deployment.found.filesystem;
    let mut root = Tree::within(Arc::clone(filesystem), deployment.found.node);
    let mut parts: Vec<(&str, Arc<dyn Filesystem>, NodeId)> = Vec::new();
    parts.push(("/sysroot", Arc::clone(filesystem), filesystem.root()));
    let variable = format!("{DEPLOYMENTS}/{}/var", deployment.name);
    match tree.resolve(variable.as_bytes(), true) {
        Ok(found) => parts.push(("/var", found.filesystem, found.node)),
        Err(error) => problems.push(error),
    }
    match menu.and_then(|menu| menu.partition) {
        // A partition of its own, which fstab need not name.
        Some(partition) => {
            let top = partition.root();
            parts.push(("/boot", partition, top));
        }
        None => {
            if let Ok(found) = tree.resolve(b"/boot", true) {
                parts.push(("/boot", found.filesystem, found.node));
            }
        }
    }
    for (path, filesystem, node) in parts {
        match root.mount_part(path.as_bytes(), filesystem, node) {
            Err(error) if error.kind() != ErrorKind::NotFound => problems.push(error),
            _ => {}
        }
    }
    Ok(Some(Deployed { tree: root, path: deployment.path, problems }))
}

/// Every deployment, in the order of their names.
fn deployments(tree: &Tree) -> Result<Vec<Deployment>> {
    let mut all = Vec::new();
    let (systems, problem) = tree.children(DEPLOYMENTS.as_bytes())?;
    problem.map_or(Ok(()), Err)?;
    for (name, _) in systems {
        let name = String::from_utf8_lossy(&name).into_owned();
        let folder = format!("{DEPLOYMENTS}/{name}/deploy");
        let (children, problem) = match tree.children(folder.as_bytes()) {
            Ok(children) => children,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        problem.map_or(Ok(()), Err)?;
        for (checksum, found) in children {
            let checksum = String::from_utf8_lossy(&checksum).into_owned();
            if checksum.ends_with(".origin") || all.len() >= MAX_DEPLOYMENTS {
                continue;
            }
            let path = format!("{folder}/{checksum}");
            if tree.exists(format!("{path}/usr").as_bytes())? {
                all.push(Deployment { name: name.clone(), path, found });
            }
        }
    }
    Ok(all)
}

/// The menu that starts one of the deployments.
struct Menu {
    /// The partition that it lies on, where it is not that of the deployments.
    partition: Option<Arc<dyn Filesystem>>,
    /// What `ostree=` is in the entry that is started.
    argument: Option<String>,
}

impl Menu {
    fn find(tree: &Tree, places: &Places<'_>) -> Option<Self> {
        if let Some(argument) = boot::ostree_argument(tree, "/boot/loader/entries") {
            return Some(Self { partition: None, argument: Some(argument) });
        }
        let readable = places.all.iter().filter_map(|place| place.holds.as_ref().ok());
        let mut menus = readable.filter_map(|filesystem| {
            let partition = Tree::new(Arc::clone(filesystem));
            let argument = boot::ostree_argument(&partition, "/loader/entries")?;
            Some(Self { partition: Some(Arc::clone(filesystem)), argument: Some(argument) })
        });
        let first = menus.next()?;
        // Of several it is not known which is the one of this system.
        let is_ours = |menu: &Self| {
            let argument = menu.argument.as_deref().unwrap_or_default();
            matches!(tree.exists(argument.as_bytes()), Ok(true))
        };
        if is_ours(&first) { Some(first) } else { menus.find(is_ours) }
    }
}
