//! containerd: one database of images and containers for all its namespaces, beside it a folder of
//! what the images are made of.
//!
//! Whether a container runs is known to its process alone, and so not on the disk.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use fathom_block::{Error, Fields, Result};
use fathom_report::{Container, ContainerImage, Containers, Listing};
use serde::de::DeserializeOwned;

use super::manifest::{self, Config, Manifest};
use super::settings::{Setting, setting};
use super::source::{MAX_ITEMS, Source};
use super::spec::Spec;
use super::{HIDES, Root, hide, moment, of_people, present};
use crate::bolt::{Bucket, Database, Entry, Found};
use crate::files::Read;
use crate::homes::Home;

/// Where it keeps its files: by itself, and within other products.
const ROOTS: [&str; 5] = [
    "/var/lib/containerd",
    "/var/lib/rancher/k3s/agent/containerd",
    "/var/lib/rancher/rke2/agent/containerd",
    "/var/lib/k0s/containerd",
    "/var/snap/microk8s/common/var/lib/containerd",
];

const CONFIGURATION: &str = "/etc/containerd/config.toml";
const DATABASE: &str = "io.containerd.metadata.v1.bolt/meta.db";
const CONTENT: &str = "io.containerd.content.v1.content/blobs/sha256";

/// How many of the images in an index are looked for.
const MAX_MANIFESTS: usize = 64;

/// The namespace that Docker uses. What it says of containers there it says better itself.
const DOCKER: &str = "moby";

pub(super) fn read(
    source: &Source<'_, '_>,
    homes: &[Home],
    of_docker: Vec<Root>,
    all: &mut Containers,
) {
    let mut candidates = Vec::new();
    match source.files.text(CONFIGURATION, HIDES) {
        Read::There(text) => match setting(&text, "", "root") {
            Setting::Set(places) => candidates.extend(places.into_iter().map(|it| (it, None))),
            Setting::Unset => {}
            Setting::Other => {
                let why = "root is not set in a way that is understood";
                let error = Error::unsupported("configuration", why);
                if let Read::Unread(why) = source.wrong::<()>(error, CONFIGURATION) {
                    hide(all, &why);
                }
            }
        },
        Read::Absent => {}
        Read::Unread(why) => hide(all, &why),
    }
    candidates.extend(ROOTS.map(|root| (root.to_owned(), None)));
    // Docker starts one of its own where the system has none.
    let of_docker = of_docker.into_iter();
    candidates.extend(of_docker.map(|it| (format!("{}/containerd/daemon", it.path), it.user)));
    candidates.extend(of_people(homes, ".local/share/containerd"));
    candidates.retain(|(path, _)| path.starts_with('/'));
    for root in present(source, all, candidates) {
        let path = format!("{}/{DATABASE}", root.path);
        let (mut images, mut containers) = (Vec::new(), Vec::new());
        let whole = source.files.listing(|| {
            if let Read::There(reader) = source.open(&path) {
                match Database::open(reader) {
                    Ok(database) => {
                        let metadata = Metadata { source, root: &root, path: &path, database };
                        (images, containers) = metadata.read();
                    }
                    Err(error) => tell(source, &path, error),
                }
            }
            Listing::<()>::complete(Vec::new(), vec![path.as_str().into()])
        });
        let known: HashSet<&str> = all.containers.items.iter().map(|it| it.id.as_str()).collect();
        containers.retain(|it| it.scope.as_deref() != Some(DOCKER) || !known.contains(&*it.id));
        // Both are in one file: what hides the one hides the other.
        let Listing { coverage, reason, evidence, items: _ } = whole;
        all.images.join(Listing {
            coverage,
            reason: reason.clone(),
            evidence: evidence.clone(),
            items: images,
        });
        all.containers.join(Listing { coverage, reason, evidence, items: containers });
    }
}

fn tell(source: &Source<'_, '_>, path: &str, error: Error) {
    let _: Read<()> = source.wrong(error, path);
}

/// One database.
struct Metadata<'a, 'b, 'c> {
    source: &'a Source<'b, 'c>,
    root: &'a Root,
    path: &'a str,
    database: Database,
}

impl Metadata<'_, '_, '_> {
    /// What all its namespaces hold.
    fn read(mut self) -> (Vec<ContainerImage>, Vec<Container>) {
        let (source, path) = (self.source, self.path);
        let tell = &mut |error| tell(source, path, error);
        let (mut images, mut containers) = (Vec::new(), Vec::new());
        let root = self.database.root();
        let [version] = self.database.get(&root, ["v1"], tell);
        let Some(version) = version.and_then(Found::bucket) else {
            return (images, containers);
        };
        for (name, namespace) in self.database.buckets(&version, MAX_ITEMS, tell) {
            let name = text(&name);
            let [of_images, of_containers] =
                self.database.get(&namespace, ["images", "containers"], tell);
            if let Some(bucket) = of_images.and_then(Found::bucket) {
                self.images(&name, &bucket, &mut images);
            }
            if let Some(bucket) = of_containers.and_then(Found::bucket) {
                for (id, bucket) in self.database.buckets(&bucket, MAX_ITEMS, tell) {
                    if containers.len() >= MAX_ITEMS {
                        source.too_many(path);
                        break;
                    }
                    containers.push(self.container(&name, &id, &bucket));
                }
            }
        }
        (images, containers)
    }

    /// The images of a namespace: what several names lead to is one.
    fn images(&mut self, namespace: &str, bucket: &Bucket, images: &mut Vec<ContainerImage>) {
        let (source, path) = (self.source, self.path);
        let tell = &mut |error| tell(source, path, error);
        let mut by_digest: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, bucket) in self.database.buckets(bucket, MAX_ITEMS, tell) {
            let [target] = self.database.get(&bucket, ["target"], tell);
            let Some(target) = target.and_then(Found::bucket) else { continue };
            let [digest] = self.database.get(&target, ["digest"], tell);
            let digest = digest.and_then(Found::value).unwrap_or_default();
            by_digest.entry(text(&digest)).or_default().push(text(&name));
        }
        for (id, names) in by_digest {
            if images.len() >= MAX_ITEMS {
                source.too_many(path);
                return;
            }
            let config = self.config(&id).unwrap_or_default();
            // Kubernetes gives an image its identifier for a further name.
            let names = names.into_iter().filter(|name| manifest::sha256(name).is_none());
            let (digests, names) = names.partition(|name| name.contains('@'));
            images.push(ContainerImage {
                engine: if namespace == DOCKER { "docker" } else { "containerd" }.to_owned(),
                scope: Some(self.scope(namespace)),
                id,
                names,
                digests,
                created: moment::text(config.created),
                architecture: config.architecture.filter(|it| !it.is_empty()),
                evidence: path.into(),
            });
        }
    }

    /// The namespace, and whose it is.
    fn scope(&self, namespace: &str) -> String {
        match &self.root.user {
            Some(user) => format!("{user}/{namespace}"),
            None => namespace.to_owned(),
        }
    }

    /// The configuration of the image that the digest leads to: straight, or through an index if but
    /// one of the images in it is here.
    fn config(&self, digest: &str) -> Option<Config> {
        let manifest: Manifest = self.blob(digest)?;
        let digest = match (manifest.config, manifest.manifests) {
            (Some(config), _) => config.digest,
            (None, Some(manifests)) => {
                let of_systems = manifests.into_iter().filter(|it| {
                    // Of no system are the proofs of where an image is from.
                    it.platform.as_ref().is_none_or(|platform| platform.os != "unknown")
                });
                let here: Vec<Manifest> =
                    of_systems.take(MAX_MANIFESTS).filter_map(|it| self.blob(&it.digest)).collect();
                let [Manifest { config: Some(config), .. }] = &here[..] else { return None };
                config.digest.clone()
            }
            (None, None) => return None,
        };
        self.blob(&digest)
    }

    fn blob<T: DeserializeOwned>(&self, digest: &str) -> Option<T> {
        let hex = manifest::sha256(digest)?;
        let path = format!("{}/{CONTENT}/{hex}", self.root.path);
        let bytes = self.source.bytes(&path).there()?;
        if !manifest::fits(&bytes, hex) {
            let why = "it does not have the digest that it is called by";
            tell(self.source, &path, Error::corrupt("image", 0, why));
            return None;
        }
        self.source.parsed(&path, &bytes).there()
    }

    fn container(&mut self, namespace: &str, id: &[u8], bucket: &Bucket) -> Container {
        let (source, path) = (self.source, self.path);
        let tell = &mut |error| tell(source, path, error);
        let [image, created, labels, spec] =
            self.database.get(bucket, ["image", "createdat", "labels", "spec"], tell);
        let mut named: BTreeMap<String, String> = BTreeMap::new();
        if let Some(labels) = labels.and_then(Found::bucket) {
            self.database.entries(&labels, &mut |entry| {
                match entry {
                    Ok((key, Entry::Value(value))) => {
                        named.insert(text(key), text(value));
                    }
                    Ok((_, Entry::Bucket(_))) => {}
                    Err(error) => tell(error),
                }
                ControlFlow::Continue(())
            });
        }
        let created = created.and_then(Found::value).and_then(|bytes| {
            moment::binary(&bytes).unwrap_or_else(|error| {
                tell(error);
                None
            })
        });
        let spec = spec.and_then(Found::value).unwrap_or_default();
        let mut spec = match source.spend(spec.len() as u64).and_then(|()| document(&spec)) {
            Ok(Some(document)) => source.parsed::<Spec>(path, document).there(),
            Ok(None) => None,
            Err(error) => {
                tell(error);
                None
            }
        }
        .unwrap_or_default();
        let image = image.and_then(Found::value).map(|image| text(&image));
        Container {
            engine: "containerd".to_owned(),
            scope: Some(self.scope(namespace)),
            id: text(id),
            name: name(&named),
            image: image.filter(|image| !image.is_empty()),
            image_id: None,
            created,
            state: None,
            command: spec.command(),
            restart: named.remove("containerd.io/restart.policy"),
            privileged: None,
            mounts: spec.mounts(),
            ports: Vec::new(),
            evidence: path.into(),
        }
    }
}

/// What a container goes by: Kubernetes and nerdctl say it in labels.
fn name(labels: &BTreeMap<String, String>) -> Option<String> {
    if let Some(name) = labels.get("nerdctl/name") {
        return Some(name.clone());
    }
    let parts = ["pod.namespace", "pod.name", "container.name"];
    let parts = parts.map(|part| labels.get(&format!("io.kubernetes.{part}")));
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The document in a message of protocol buffers, which says in field 1 of what type it is, and has
/// it in field 2.
fn document(message: &[u8]) -> Result<Option<&[u8]>> {
    let fields = Fields::new("spec", 0, message);
    let mut at = 0;
    while at < message.len() {
        let (tag, size) = varint(&fields, at)?;
        at += size;
        if tag & 7 != 2 {
            return Err(fields.corrupt(at, format!("a field of type {}", tag & 7)));
        }
        let (length, size) = varint(&fields, at)?;
        at += size;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let value = fields.bytes(at, length)?;
        if tag >> 3 == 2 {
            return Ok(Some(value));
        }
        at += length;
    }
    Ok(None)
}

/// A number in groups of seven bits, the lowest first, and in how many bytes.
fn varint(fields: &Fields<'_>, at: usize) -> Result<(u64, usize)> {
    let mut number = 0;
    for size in 0..9 {
        let byte = fields.u8(at.saturating_add(size))?;
        number |= u64::from(byte & 0x7F) << (7 * size);
        if byte & 0x80 == 0 {
            return Ok((number, size + 1));
        }
    }
    Err(fields.corrupt(at, "a number without end"))
}
