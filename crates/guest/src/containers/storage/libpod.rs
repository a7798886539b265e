//! Podman's own database: of each container a document that says what it runs and how, and one of
//! the state that it was in. Until version 5 it was a database of bbolt, since then it is one of
//! SQLite; where both are there, Podman goes on with the older one.

use std::collections::HashMap;
use std::ops::ControlFlow;

use fathom_block::{Error, Result};
use fathom_report::Container;
use serde::Deserialize;

use super::super::source::{MAX_ITEMS, Source};
use super::super::spec::{Spec, port, shared};
use super::super::{Root, moment};
use crate::bolt;
use crate::files::Read;
use crate::sqlite::{self, Record, Value};

/// A database that Podman may have.
pub(super) enum Libpod {
    Bolt(String),
    Sqlite(String),
}

/// What is kept of one container: how it was made, and its state.
#[derive(Default)]
struct Kept {
    config: Option<Vec<u8>>,
    state: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct Config {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    spec: Option<Spec>,
    #[serde(default, rename = "rootfsImageName")]
    image: Option<String>,
    #[serde(default, rename = "rootfsImageID")]
    image_id: Option<String>,
    #[serde(default, rename = "createdTime")]
    created: Option<String>,
    #[serde(default)]
    privileged: Option<bool>,
    #[serde(default)]
    restart_policy: Option<String>,
    #[serde(default, rename = "namedVolumes")]
    volumes: Option<Vec<Volume>>,
    #[serde(default, rename = "newPortMappings")]
    ports: Option<Vec<Port>>,
}

#[derive(Deserialize)]
struct Volume {
    #[serde(default, rename = "volumeName")]
    name: String,
    #[serde(default, rename = "dest")]
    destination: String,
    #[serde(default)]
    options: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Port {
    #[serde(default)]
    host_ip: String,
    #[serde(default)]
    container_port: u16,
    #[serde(default)]
    host_port: u16,
    /// How many ports there are from these on.
    #[serde(default)]
    range: u16,
    #[serde(default)]
    protocol: String,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    state: u32,
}

impl Libpod {
    /// Where they would be in a storage, the one that counts first.
    pub(super) fn of(root: &str) -> [Self; 3] {
        [
            Self::Bolt(format!("{root}/libpod/bolt_state.db")),
            Self::Sqlite(format!("{root}/db.sql")),
            Self::Sqlite(format!("{root}/libpod/db.sql")),
        ]
    }

    pub(super) fn path(&self) -> &str {
        match self {
            Self::Bolt(path) | Self::Sqlite(path) => path,
        }
    }

    /// The containers in it.
    pub(super) fn read(&self, source: &Source<'_, '_>, root: &Root) -> Vec<Container> {
        let path = self.path();
        let mut kept = HashMap::new();
        let read = match (source.open(path), self) {
            (Read::There(reader), Self::Bolt(_)) => {
                bolt::Database::open(reader).map(|it| of_bolt(source, path, it, &mut kept))
            }
            (Read::There(main), Self::Sqlite(_)) => {
                let beside = |suffix: &str| source.open(&format!("{path}{suffix}")).there();
                let (wal, journal) = (beside("-wal"), beside("-journal"));
                let files = sqlite::Source { main, wal, journal };
                sqlite::Database::open(files).and_then(|(database, problems)| {
                    problems.into_iter().for_each(|it| tell(source, path, it));
                    of_sqlite(source, path, &database, &mut kept)
                })
            }
            (Read::Absent | Read::Unread(_), _) => Ok(()),
        };
        if let Err(error) = read {
            tell(source, path, error);
        }
        let mut containers: Vec<Container> =
            kept.into_values().filter_map(|kept| container(source, root, path, kept)).collect();
        containers.sort_by(|one, other| one.id.cmp(&other.id));
        containers
    }
}

fn tell(source: &Source<'_, '_>, path: &str, error: Error) {
    let _: Read<()> = source.wrong(error, path);
}

/// Takes one document of a container, unless there are too many.
fn keep(
    source: &Source<'_, '_>,
    path: &str,
    kept: &mut HashMap<Vec<u8>, Kept>,
    id: &[u8],
    is_config: bool,
    document: &[u8],
) -> ControlFlow<()> {
    if kept.len() >= MAX_ITEMS && !kept.contains_key(id) {
        source.too_many(path);
        return ControlFlow::Break(());
    }
    if let Err(error) = source.spend(document.len() as u64) {
        tell(source, path, error);
        return ControlFlow::Break(());
    }
    let of_id = kept.entry(id.to_vec()).or_default();
    let place = if is_config { &mut of_id.config } else { &mut of_id.state };
    *place = Some(document.to_vec());
    ControlFlow::Continue(())
}

/// The bucket `ctr` holds one for each container, with the documents as `config` and `state`.
fn of_bolt(
    source: &Source<'_, '_>,
    path: &str,
    mut database: bolt::Database,
    kept: &mut HashMap<Vec<u8>, Kept>,
) {
    let tell = &mut |error| tell(source, path, error);
    let root = database.root();
    let [all] = database.get(&root, ["ctr"], tell);
    let Some(all) = all.and_then(bolt::Found::bucket) else { return };
    for (id, bucket) in database.buckets(&all, MAX_ITEMS, tell) {
        let [config, state] = database.get(&bucket, ["config", "state"], tell);
        for (found, is_config) in [(config, true), (state, false)] {
            if let Some(document) = found.and_then(bolt::Found::value)
                && keep(source, path, kept, &id, is_config, &document).is_break()
            {
                return;
            }
        }
    }
}

/// The tables begin with the identifier; the documents are in the columns after the others.
fn of_sqlite(
    source: &Source<'_, '_>,
    path: &str,
    database: &sqlite::Database,
    kept: &mut HashMap<Vec<u8>, Kept>,
) -> Result<()> {
    for (table, is_config) in [("ContainerConfig", true), ("ContainerState", false)] {
        database.rows(table, &mut |row| {
            let parts = row.and_then(|row| documents(&row));
            match parts {
                Ok((id, document)) => keep(source, path, kept, &id, is_config, &document),
                Err(error) => {
                    tell(source, path, error);
                    ControlFlow::Continue(())
                }
            }
        })?;
    }
    Ok(())
}

/// The identifier and the document of a row.
fn documents(row: &Record<'_>) -> Result<(Vec<u8>, Vec<u8>)> {
    match (row.value(0)?, row.value(3)?) {
        (Value::Text(id), Value::Text(document) | Value::Blob(document)) => {
            Ok((id.to_vec(), document.to_vec()))
        }
        _ => {
            let why = "it has no identifier or no document";
            Err(Error::corrupt(format!("container {}", row.id), 0, why))
        }
    }
}

fn container(source: &Source<'_, '_>, root: &Root, path: &str, kept: Kept) -> Option<Container> {
    let config = kept.config?;
    let config: Config = source.parsed(path, &config).there()?;
    let state = kept.state.and_then(|state| source.parsed::<State>(path, &state).there());
    let mut spec = config.spec.unwrap_or_default();
    let command = spec.command();
    let mut mounts = spec.mounts();
    mounts.extend(config.volumes.unwrap_or_default().iter().map(|volume| {
        let read_only = volume.options.iter().flatten().any(|option| option == "ro");
        shared(&volume.name, &volume.destination, !read_only)
    }));
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    Some(Container {
        engine: "podman".to_owned(),
        scope: root.user.clone(),
        id: config.id,
        name: given(config.name),
        image: given(config.image),
        image_id: given(config.image_id),
        created: moment::text(config.created),
        state: state.and_then(|state| state.name()).map(str::to_owned),
        command,
        restart: Some(given(config.restart_policy).unwrap_or_else(|| "no".to_owned())),
        privileged: Some(config.privileged.unwrap_or(false)),
        mounts,
        ports: config.ports.unwrap_or_default().iter().map(Port::shown).collect(),
        evidence: path.into(),
    })
}

impl Port {
    fn shown(&self) -> String {
        let from = |first: u16| match self.range {
            0 | 1 => first.to_string(),
            range => format!("{first}-{}", first.saturating_add(range - 1)),
        };
        port(&self.host_ip, &from(self.host_port), &from(self.container_port), &self.protocol)
    }
}

impl State {
    /// The state in Podman's own word; it numbers them.
    fn name(&self) -> Option<&'static str> {
        Some(match self.state {
            1 => "created",
            2 => "initialized",
            3 => "running",
            4 => "stopped",
            5 => "paused",
            6 => "exited",
            7 => "removing",
            8 => "stopping",
            _ => return None,
        })
    }
}
