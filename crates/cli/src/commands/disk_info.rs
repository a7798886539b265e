//! `fathom disk info`.

use fathom_block::{Disk, ErrorKind, Spent};
use fathom_filesystem::Health;
use fathom_volume::{Content, Layer, Volume};
use serde::Serialize;

use super::entry::Problem;
use crate::args::Info;
use crate::exit::{Failure, Verdict, warn};
use crate::machine::{Holds, Machine};
use crate::output::Out;
use crate::text;

/// The version of the JSON document; it changes only with its shape.
const SCHEMA: &str = "fathom.disk-info/v1";

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    disks: Vec<DiskView>,
    volumes: Vec<VolumeView>,
    problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    io: Option<SpentView>,
}

#[derive(Serialize)]
struct DiskView {
    id: String,
    name: String,
    virtual_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sector_size: Option<u32>,
    layers: Vec<LayerView>,
    snapshots: Vec<SnapshotView>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct LayerView {
    location: String,
    format: &'static str,
    detail: String,
    virtual_size: u64,
}

#[derive(Serialize)]
struct SnapshotView {
    id: String,
    name: String,
    taken: String,
    virtual_size: u64,
}

#[derive(Serialize)]
struct VolumeView {
    id: String,
    parents: Vec<String>,
    size: u64,
    layer: serde_json::Value,
    content: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    filesystem: Option<FilesystemView>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct FilesystemView {
    kind: &'static str,
    readable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'static str>,
    features: Vec<String>,
}

#[derive(Serialize)]
struct SpentView {
    bytes: u64,
    requests: u64,
    rounds: u64,
}

pub(crate) fn run(options: &Info) -> Result<Verdict, Failure> {
    let mut machine = Machine::open(&options.source)?;
    machine.silence();
    let contents: Vec<(&Volume, Holds)> = machine.contents();
    let volumes: Vec<VolumeView> = machine
        .discovery
        .volumes
        .iter()
        .map(|volume| {
            let holds = contents.iter().find(|(other, _)| other.id == volume.id);
            VolumeView::new(volume, holds.map(|(_, holds)| holds))
        })
        .collect();
    let document = Document {
        schema: SCHEMA,
        disks: machine.disks.iter().enumerate().map(DiskView::new).collect(),
        volumes,
        problems: machine.discovery.problems.iter().map(Problem::from).collect(),
        io: options.source.io.then(|| machine.spent().into()),
    };
    let mut out = Out::new();
    if options.output.is_json() {
        out.json(&document)?;
    } else {
        print(&machine, &document, &mut out)?;
    }
    out.finish()?;
    Ok(verdict(&machine, &contents))
}

/// Partial where something could not be looked at although this version knows how: encrypted and
/// unsupported volumes are answers, damage and failing reads are not.
fn verdict(machine: &Machine, contents: &[(&Volume, Holds)]) -> Verdict {
    let of_volumes = machine.discovery.volumes.iter().filter_map(|volume| volume.problem.as_ref());
    let of_contents = contents.iter().filter_map(|(_, holds)| match holds {
        Holds::Unreadable(_, error) | Holds::Unknown(error) => Some(error),
        _ => None,
    });
    let bad = |kind| !matches!(kind, ErrorKind::Encrypted | ErrorKind::Unsupported);
    if of_volumes.chain(of_contents).any(|error| bad(error.kind())) {
        Verdict::Partial
    } else {
        Verdict::Done
    }
}

impl DiskView {
    fn new((index, disk): (usize, &Disk)) -> Self {
        Self {
            id: format!("disk{index}"),
            name: disk.name.clone(),
            virtual_size: disk.reader.len(),
            sector_size: disk.sector_size,
            layers: disk
                .layers
                .iter()
                .map(|layer| LayerView {
                    location: layer.location.to_string(),
                    format: layer.format.name(),
                    detail: layer.detail.clone(),
                    virtual_size: layer.virtual_size,
                })
                .collect(),
            snapshots: disk
                .snapshots
                .iter()
                .map(|snapshot| SnapshotView {
                    id: snapshot.id.clone(),
                    name: snapshot.name.clone(),
                    taken: text::time(fathom_filesystem::Timestamp::new(snapshot.taken, 0)),
                    virtual_size: snapshot.virtual_size,
                })
                .collect(),
            problems: disk.problems.iter().map(Problem::from).collect(),
        }
    }
}

impl VolumeView {
    fn new(volume: &Volume, holds: Option<&Holds>) -> Self {
        let mut problems: Vec<Problem> = volume.problem.iter().map(Problem::from).collect();
        let filesystem = match holds {
            Some(Holds::Filesystem(filesystem)) => {
                problems.extend(filesystem.problems().iter().map(Problem::from));
                Some(FilesystemView::new(&filesystem.info()))
            }
            Some(Holds::Unreadable(kind, error)) => {
                problems.push(Problem::from(error));
                Some(FilesystemView::unreadable(kind.name()))
            }
            Some(Holds::Unknown(error)) if volume.problem.is_none() => {
                problems.push(Problem::from(error));
                None
            }
            _ => None,
        };
        Self {
            id: volume.id.to_string(),
            parents: volume.parents.iter().map(ToString::to_string).collect(),
            size: volume.size,
            layer: layer_json(&volume.layer),
            content: content_json(&volume.content),
            filesystem,
            problems,
        }
    }
}

impl FilesystemView {
    fn unreadable(kind: &'static str) -> Self {
        Self {
            kind,
            readable: false,
            variant: None,
            label: None,
            uuid: None,
            block_size: None,
            size: None,
            free: None,
            health: None,
            features: Vec::new(),
        }
    }

    fn new(info: &fathom_filesystem::Info) -> Self {
        Self {
            kind: info.kind.name(),
            readable: true,
            variant: Some(info.variant.clone()),
            label: info.label.clone(),
            uuid: info.uuid.clone(),
            block_size: Some(info.block_size),
            size: Some(info.size),
            free: info.free,
            health: Some(match info.health {
                Health::Clean => "clean",
                Health::Replayed => "replayed",
                Health::Dirty => "dirty",
                Health::Errors => "errors",
            }),
            features: info.features.clone(),
        }
    }
}

impl From<Spent> for SpentView {
    fn from(spent: Spent) -> Self {
        Self { bytes: spent.bytes, requests: spent.requests, rounds: spent.rounds }
    }
}

fn layer_json(layer: &Layer) -> serde_json::Value {
    use serde_json::json;
    match layer {
        Layer::Disk { name, sector_size } => {
            json!({ "kind": "disk", "name": name, "sector_size": sector_size })
        }
        Layer::Partition { table, number, start, kind, kind_name, name, uuid, bootable } => json!({
            "kind": "partition",
            "table": table.name(),
            "number": number,
            "start": start,
            "type": kind,
            "type_name": kind_name,
            "name": name,
            "uuid": uuid,
            "bootable": bootable,
        }),
        Layer::Luks { version, uuid, cipher } => {
            json!({ "kind": "luks", "version": version, "uuid": uuid, "cipher": cipher })
        }
        Layer::Logical { group, name, uuid, segments } => json!({
            "kind": "logical-volume",
            "group": group,
            "name": name,
            "uuid": uuid,
            "segments": segments,
        }),
        other => json!({ "kind": format!("{other:?}") }),
    }
}

fn content_json(content: &Content) -> serde_json::Value {
    use serde_json::json;
    match content {
        Content::Unknown => json!({ "kind": "unknown" }),
        Content::Table(table) => json!({ "kind": "partition-table", "table": table.name() }),
        Content::PhysicalVolume { uuid, group } => {
            json!({ "kind": "lvm-physical-volume", "uuid": uuid, "group": group })
        }
        Content::Luks { version, uuid, label, cipher } => json!({
            "kind": "luks",
            "version": version,
            "uuid": uuid,
            "label": label,
            "cipher": cipher,
        }),
        Content::Recognised { name, uuid } => {
            json!({ "kind": "recognised", "name": name, "uuid": uuid })
        }
        other => json!({ "kind": format!("{other:?}") }),
    }
}

fn print(machine: &Machine, document: &Document, out: &mut Out) -> Result<(), Failure> {
    for disk in &document.disks {
        for (depth, layer) in disk.layers.iter().enumerate() {
            let lead = if depth == 0 { disk.id.clone() } else { " ".repeat(disk.id.len()) };
            let rests = if depth == 0 { "" } else { "rests on " };
            let detail = if layer.detail.is_empty() {
                String::new()
            } else {
                format!(" ({})", layer.detail)
            };
            out.line(format!(
                "{lead}  {rests}{}: {}{detail}, {}",
                text::harmless(&layer.location),
                layer.format,
                text::size(layer.virtual_size),
            ))?;
        }
        for snapshot in &disk.snapshots {
            out.line(format!(
                "       snapshot {} {:?} of {}, {}",
                text::harmless(&snapshot.id),
                snapshot.name,
                snapshot.taken,
                text::size(snapshot.virtual_size),
            ))?;
        }
    }
    out.line("")?;
    let describe = |volume: &Volume| {
        let view = document.volumes.iter().find(|view| view.id == volume.id.as_str());
        describe(volume, view)
    };
    out.bytes(fathom_volume::render(&machine.discovery, &describe).as_bytes())?;
    if document.io.is_some() {
        out.line(format!("\n{}", machine.spent_line()))?;
    }
    machine.disks.iter().flat_map(|disk| &disk.problems).for_each(warn);
    machine.discovery.problems.iter().for_each(warn);
    for view in &document.volumes {
        for problem in &view.problems {
            crate::exit::say(&format!("warning: {}: {}", view.id, problem.message));
        }
    }
    Ok(())
}

/// What the tree says of a volume behind its id.
fn describe(volume: &Volume, view: Option<&VolumeView>) -> String {
    let mut parts = vec![text::size(volume.size)];
    match &volume.layer {
        Layer::Disk { .. } => {}
        Layer::Partition { kind, kind_name, name, bootable, .. } => {
            parts.push(kind_name.map_or_else(|| format!("type {kind}"), str::to_owned));
            if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
                parts.push(format!("{name:?}"));
            }
            if *bootable {
                parts.push("bootable".into());
            }
        }
        Layer::Luks { version, cipher, .. } => {
            parts.push(format!("LUKS{version} {cipher}, unlocked"))
        }
        Layer::Logical { segments, .. } => parts.push(segments.clone()),
        _ => {}
    }
    match &volume.content {
        Content::Unknown => {}
        Content::Table(table) => parts.push(format!("{} partition table", table.name())),
        Content::PhysicalVolume { group, .. } => parts.push(match group {
            Some(group) => format!("LVM physical volume of {group}"),
            None => "LVM physical volume".into(),
        }),
        Content::Luks { version, uuid, .. } => parts.push(format!("LUKS{version} {uuid}")),
        Content::Recognised { name, .. } => parts.push(format!("{name}, not read")),
        _ => {}
    }
    if let Some(filesystem) = view.and_then(|view| view.filesystem.as_ref()) {
        parts.push(describe_filesystem(filesystem));
    }
    text::harmless(&parts.join(", "))
}

fn describe_filesystem(filesystem: &FilesystemView) -> String {
    let Some(variant) = &filesystem.variant else {
        return format!("{}, not read", filesystem.kind);
    };
    let mut text = format!("[{variant}");
    if let Some(label) = filesystem.label.as_deref().filter(|label| !label.is_empty()) {
        text.push_str(&format!(" {label:?}"));
    }
    if let Some(uuid) = &filesystem.uuid {
        text.push_str(&format!(" {uuid}"));
    }
    if let (Some(size), Some(free)) = (filesystem.size, filesystem.free) {
        let used = size.saturating_sub(free);
        text.push_str(&format!(", {} used of {}", text::size(used), text::size(size)));
    }
    if let Some(health) = filesystem.health {
        text.push_str(&format!(", {health}"));
    }
    text.push(']');
    text
}
