//! Podman, CRI-O and Buildah: they share their storage, and each keeps more of its containers
//! elsewhere.
//!
//! The storage knows which images and containers there are; what a container runs, and how, is in
//! Podman's own database.

mod libpod;
mod place;

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fathom_report::{Container, ContainerImage, Containers, Listing};
use serde::Deserialize;

use self::libpod::Libpod;
use super::manifest::{self, Config};
use super::source::{MAX_ITEMS, Source};
use super::{Root, add, hide, moment};
use crate::homes::Home;

pub(super) fn read(source: &Source<'_, '_>, homes: &[Home], all: &mut Containers) {
    for root in place::roots(source, homes, all) {
        let drivers = source.files.listing(|| {
            let is_list = |name: &str| name.ends_with("-images") || name.ends_with("-containers");
            Listing::complete(source.names(&root.path, is_list), Vec::new())
        });
        if let Some(why) = drivers.reason {
            hide(all, &why);
        }
        for folder in drivers.items.iter().filter(|name| name.ends_with("-images")) {
            images(source, &root, &format!("{}/{folder}", root.path), &mut all.images);
        }
        let folders = drivers.items.iter().filter(|name| name.ends_with("-containers"));
        let folders: Vec<String> = folders.map(|name| format!("{}/{name}", root.path)).collect();
        containers(source, &root, &folders, &mut all.containers);
    }
}

#[derive(Deserialize)]
struct StoredImage {
    id: String,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    created: Option<String>,
}

fn images(source: &Source<'_, '_>, root: &Root, folder: &str, list: &mut Listing<ContainerImage>) {
    let path = format!("{folder}/images.json");
    add(source, list, path.as_str(), |items| {
        let stored: Vec<StoredImage> = source.list(&path).there().unwrap_or_default();
        if stored.len() > MAX_ITEMS {
            source.too_many(&path);
        }
        for image in stored.into_iter().take(MAX_ITEMS) {
            let config = config(source, folder, &image.id).unwrap_or_default();
            let names = image.names.unwrap_or_default();
            items.push(ContainerImage {
                engine: "podman".to_owned(),
                scope: root.user.clone(),
                digests: image.digest.filter(|digest| !digest.is_empty()).into_iter().collect(),
                names,
                created: moment::text(config.created.or(image.created)),
                architecture: config.architecture.filter(|it| !it.is_empty()),
                id: image.id,
                evidence: path.as_str().into(),
            });
        }
    });
}

/// The configuration of an image, which is kept under its digest. What has no name that can be a
/// file's is kept under that name in base 64.
fn config(source: &Source<'_, '_>, folder: &str, id: &str) -> Option<Config> {
    if !manifest::is_id(id) {
        return None;
    }
    let name = STANDARD.encode(format!("sha256:{id}"));
    source.json(&format!("{folder}/{id}/={name}")).there()
}

#[derive(Deserialize)]
struct StoredContainer {
    id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    created: Option<String>,
    /// A document of the engine that made it.
    #[serde(default)]
    metadata: Option<String>,
}

/// What engines say of a container when they make it.
#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "image-name")]
    image_name: Option<String>,
    /// CRI-O's containers each belong to a pod.
    #[serde(default, rename = "pod-id")]
    pod: Option<String>,
}

fn containers(
    source: &Source<'_, '_>,
    root: &Root,
    folders: &[String],
    list: &mut Listing<Container>,
) {
    let mut known: HashMap<String, Container> = HashMap::new();
    for database in Libpod::of(&root.path) {
        add(source, list, database.path().to_owned(), |_| {
            for container in database.read(source, root) {
                known.entry(container.id.clone()).or_insert(container);
            }
        });
    }
    let mut found = BTreeMap::new();
    for folder in folders {
        let path = format!("{folder}/containers.json");
        add(source, list, path.as_str(), |_| {
            let stored: Vec<StoredContainer> = source.list(&path).there().unwrap_or_default();
            if stored.len() > MAX_ITEMS {
                source.too_many(&path);
            }
            for container in stored.into_iter().take(MAX_ITEMS) {
                if !known.contains_key(&container.id) {
                    let state = (folder.as_str(), path.as_str());
                    let container = of_storage(source, root, state, container);
                    found.insert(container.id.clone(), container);
                }
            }
        });
    }
    // Those of Podman's that use no image are not in the storage.
    found.extend(known);
    list.items.extend(found.into_values());
}

/// What CRI-O notes when the state of a container changes.
#[derive(Deserialize)]
struct CrioState {
    #[serde(default)]
    status: Option<String>,
}

/// A container that Podman does not know.
fn of_storage(
    source: &Source<'_, '_>,
    root: &Root,
    (folder, path): (&str, &str),
    stored: StoredContainer,
) -> Container {
    let metadata = stored.metadata.filter(|metadata| !metadata.is_empty());
    let metadata: Metadata = metadata
        .and_then(|metadata| source.parsed(path, metadata.as_bytes()).there())
        .unwrap_or_default();
    let is_crio = metadata.pod.is_some_and(|pod| !pod.is_empty());
    let state = (is_crio && manifest::is_id(&stored.id))
        .then(|| format!("{folder}/{}/userdata/state.json", stored.id))
        .and_then(|path| source.json::<CrioState>(&path).there()?.status);
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    Container {
        // Buildah, and whoever else uses the storage by itself.
        engine: if is_crio { "cri-o" } else { "containers-storage" }.to_owned(),
        scope: root.user.clone(),
        name: stored.names.and_then(|names| names.into_iter().next()),
        image: given(metadata.image_name),
        image_id: given(stored.image),
        created: moment::text(stored.created),
        state: given(state),
        command: Vec::new(),
        restart: None,
        privileged: None,
        mounts: Vec::new(),
        ports: Vec::new(),
        evidence: path.into(),
        id: stored.id,
    }
}
