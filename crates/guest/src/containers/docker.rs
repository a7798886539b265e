//! Docker: images by driver, and a folder for each container.
//!
//! Newer versions may leave images to containerd, whose reader finds them there.

use std::collections::BTreeMap;

use fathom_block::Error;
use fathom_report::{Container, ContainerImage, Containers, Listing};
use serde::Deserialize;

use super::manifest::{self, Config};
use super::source::Source;
use super::spec::{port, shared};
use super::{Root, add, hide, moment, of_people, present};
use crate::files::Read;
use crate::homes::Home;

/// Where it keeps its files: as packaged by others, and as a snap.
const ROOTS: [&str; 2] = ["/var/lib/docker", "/var/snap/docker/common/var-lib-docker"];

/// Its configuration.
const DAEMON: [&str; 2] =
    ["/etc/docker/daemon.json", "/var/snap/docker/current/config/daemon.json"];

#[derive(Deserialize)]
struct Daemon {
    #[serde(default, rename = "data-root")]
    data_root: Option<String>,
    /// The same in old versions.
    #[serde(default)]
    graph: Option<String>,
}

/// Adds what it has; gives the folders that it keeps its files in.
pub(super) fn read(source: &Source<'_, '_>, homes: &[Home], all: &mut Containers) -> Vec<Root> {
    let roots = roots(source, homes, all);
    for root in &roots {
        images(source, root, &mut all.images);
        containers(source, root, &mut all.containers);
    }
    roots
}

/// The folders that it may keep its files in. One that it was moved from may still hold some.
fn roots(source: &Source<'_, '_>, homes: &[Home], all: &mut Containers) -> Vec<Root> {
    let mut candidates = Vec::new();
    for path in DAEMON {
        match source.json::<Daemon>(path) {
            Read::There(daemon) => {
                let root = daemon.data_root.or(daemon.graph).filter(|root| root.starts_with('/'));
                candidates.extend(root.map(|root| (root, None)));
            }
            Read::Absent => {}
            Read::Unread(why) => {
                hide(all, &why);
            }
        }
    }
    candidates.extend(ROOTS.map(|root| (root.to_owned(), None)));
    candidates.extend(of_people(homes, ".local/share/docker"));
    present(source, all, candidates)
}

/// What goes by which names.
#[derive(Deserialize)]
struct Repositories {
    /// By repository, by name, the identifier.
    #[serde(default, rename = "Repositories")]
    repositories: Option<BTreeMap<String, BTreeMap<String, String>>>,
}

fn images(source: &Source<'_, '_>, root: &Root, list: &mut Listing<ContainerImage>) {
    let folder = format!("{}/image", root.path);
    let drivers =
        source.files.listing(|| Listing::complete(source.names(&folder, |_| true), Vec::new()));
    if let Some(why) = drivers.reason {
        list.hide(why);
    }
    for driver in drivers.items {
        let place = format!("{folder}/{driver}");
        add(source, list, place.as_str(), |items| of_driver(source, root, &place, items));
    }
}

fn of_driver(source: &Source<'_, '_>, root: &Root, place: &str, items: &mut Vec<ContainerImage>) {
    let mut names: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    let path = format!("{place}/repositories.json");
    if let Read::There(Repositories { repositories: Some(repositories) }) = source.json(&path) {
        for (name, id) in repositories.into_values().flatten() {
            let (plain, digests) = names.entry(id).or_default();
            if name.contains('@') { digests.push(name) } else { plain.push(name) }
        }
    }
    let folder = format!("{place}/imagedb/content/sha256");
    for hex in source.names(&folder, manifest::is_id) {
        let path = format!("{folder}/{hex}");
        let Read::There(bytes) = source.bytes(&path) else { continue };
        if !manifest::fits(&bytes, &hex) {
            let why = "it does not have the digest that it is called by";
            let _: Read<()> = source.wrong(Error::corrupt("image", 0, why), &path);
            continue;
        }
        let Read::There(config) = source.parsed::<Config>(&path, &bytes) else { continue };
        let id = format!("sha256:{hex}");
        let (plain, digests) = names.remove(&id).unwrap_or_default();
        items.push(ContainerImage {
            engine: "docker".to_owned(),
            scope: root.user.clone(),
            id,
            names: plain,
            digests,
            created: moment::text(config.created),
            architecture: config.architecture.filter(|it| !it.is_empty()),
            evidence: path.into(),
        });
    }
    // A name of what is not there leads nowhere for the engine too, but was not meant to.
    if let Some((id, _)) = names.first_key_value() {
        let why = format!("it names {id}, of which there is no configuration");
        let _: Read<()> = source.wrong(Error::corrupt("names", 0, why), &path);
    }
}

/// What Docker keeps of a container.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stored {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    config: Option<Asked>,
    #[serde(default)]
    state: Option<State>,
    #[serde(default)]
    mount_points: Option<BTreeMap<String, MountPoint>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    #[serde(default)]
    image: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct State {
    running: bool,
    paused: bool,
    restarting: bool,
    removal_in_progress: bool,
    dead: bool,
    started_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct MountPoint {
    source: String,
    destination: String,
    #[serde(rename = "RW")]
    writable: bool,
}

/// What Docker keeps of how a container is run on this host.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    #[serde(default)]
    port_bindings: Option<BTreeMap<String, Option<Vec<Binding>>>>,
    #[serde(default)]
    restart_policy: Option<Restart>,
    #[serde(default)]
    privileged: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Binding {
    host_ip: String,
    host_port: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Restart {
    name: String,
}

fn containers(source: &Source<'_, '_>, root: &Root, list: &mut Listing<Container>) {
    let folder = format!("{}/containers", root.path);
    if let Read::Absent = source.files.found(&folder, super::HIDES) {
        return;
    }
    add(source, list, folder.as_str(), |items| {
        for id in source.names(&folder, manifest::is_id) {
            items.extend(container(source, root, &format!("{folder}/{id}")));
        }
    });
}

fn container(source: &Source<'_, '_>, root: &Root, folder: &str) -> Option<Container> {
    let path = format!("{folder}/config.v2.json");
    let stored = match source.json::<Stored>(&path) {
        Read::There(stored) => stored,
        // One that is just being made or removed has none yet or no more; Docker does not list it.
        Read::Absent | Read::Unread(_) => return None,
    };
    let host = source.json::<HostConfig>(&format!("{folder}/hostconfig.json")).there();
    let mounts = stored.mount_points.unwrap_or_default().into_values();
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let mut found = Container {
        engine: "docker".to_owned(),
        scope: root.user.clone(),
        id: stored.id,
        name: given(stored.name).map(|name| name.trim_start_matches('/').to_owned()),
        image: given(stored.config.and_then(|config| config.image)),
        image_id: given(stored.image),
        created: moment::text(stored.created),
        state: stored.state.map(|state| state.name().to_owned()),
        command: given(stored.path).into_iter().chain(stored.args.unwrap_or_default()).collect(),
        restart: None,
        privileged: None,
        mounts: mounts.map(|it| shared(&it.source, &it.destination, it.writable)).collect(),
        ports: Vec::new(),
        evidence: path.into(),
    };
    if let Some(host) = host {
        let restart = host.restart_policy.unwrap_or_default().name;
        found.restart = Some(if restart.is_empty() { "no".to_owned() } else { restart });
        found.privileged = Some(host.privileged.unwrap_or(false));
        for (inside, bindings) in host.port_bindings.unwrap_or_default() {
            let (to, protocol) = inside.split_once('/').unwrap_or((&inside, ""));
            let bindings = bindings.unwrap_or_default().into_iter();
            found.ports.extend(bindings.map(|it| port(&it.host_ip, &it.host_port, to, protocol)));
        }
    }
    Some(found)
}

impl State {
    /// The state in the engine's own word.
    fn name(&self) -> &'static str {
        let started = moment::text(self.started_at.clone());
        match self {
            Self { running: true, paused: true, .. } => "paused",
            Self { running: true, restarting: true, .. } => "restarting",
            Self { running: true, .. } => "running",
            Self { removal_in_progress: true, .. } => "removing",
            Self { dead: true, .. } => "dead",
            _ if started.is_none() => "created",
            _ => "exited",
        }
    }
}
