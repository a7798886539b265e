//! `fathom disk info`.

use fathom_block::{Disk, Error, ErrorKind, Spent};
use fathom_filesystem::{Filesystem, Health, Kind};
use fathom_guest::{Holds, of_volume};
use fathom_volume::{Content, Layer, Volume};
use serde::Serialize;

use super::entry::{Problem, json_path};
use crate::args::Info;
use crate::exit::{Failure, Verdict, say, warn};
use crate::machine::Machine;
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
    subvolumes: Vec<SubvolumeView>,
}

#[derive(Serialize)]
struct SubvolumeView {
    id: u64,
    /// None for one that is linked nowhere any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_of: Option<String>,
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
        io: options.source.reading.io.then(|| machine.spent().into()),
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

/// Partial where something on the way to the files is damaged or could not be read, so that there
/// may be more than is shown. Encrypted and unsupported volumes are answers; what a filesystem says
/// of its own state is one too, as long as its root can be read.
fn verdict(machine: &Machine, contents: &[(&Volume, Holds)]) -> Verdict {
    let discovery = &machine.discovery;
    let of_disks = machine.disks.iter().flat_map(|disk| &disk.problems);
    let of_volumes = discovery.volumes.iter().filter_map(|volume| volume.problem.as_ref());
    let of_contents = contents.iter().filter_map(|(_, holds)| match holds {
        Holds::Unreadable(_, error) | Holds::Unknown(error) => Some(error.kind()),
        Holds::Filesystem(filesystem) => {
            filesystem.metadata(filesystem.root()).err().map(|error| error.kind())
        }
        Holds::Nothing => None,
    });
    // A filesystem that is larger than what it lies on has lost its end.
    let cut = contents.iter().any(|(volume, holds)| {
        matches!(holds, Holds::Filesystem(filesystem) if filesystem.info().size > volume.size)
    });
    let bad = |kind| !matches!(kind, ErrorKind::Encrypted | ErrorKind::Unsupported);
    let on_the_way = of_disks.chain(&discovery.problems).chain(of_volumes).map(Error::kind);
    if cut || on_the_way.chain(of_contents).any(bad) { Verdict::Partial } else { Verdict::Done }
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
                    taken: fathom_filesystem::Timestamp::new(snapshot.taken, 0).to_string(),
                    virtual_size: snapshot.virtual_size,
                })
                .collect(),
            problems: disk.problems.iter().map(Problem::from).collect(),
        }
    }
}

impl VolumeView {
    fn new(volume: &Volume, holds: Option<&Holds>) -> Self {
        let located = |error: &Error| Problem::from(&of_volume(error, &volume.id));
        let mut problems: Vec<Problem> = volume.problem.iter().map(located).collect();
        let filesystem = match holds {
            Some(Holds::Filesystem(filesystem)) => {
                // A superblock alone says little: where the root cannot be read, nothing can.
                let root = filesystem.metadata(filesystem.root());
                problems.extend(root.err().iter().map(located));
                problems.extend(filesystem.problems().iter().map(located));
                let (view, problem) = FilesystemView::new(&**filesystem);
                problems.extend(problem.iter().map(located));
                Some(view)
            }
            Some(Holds::Unreadable(kind, error)) => {
                // Swap holds no files; that nobody reads them is no problem.
                if *kind != Kind::Swap {
                    problems.push(located(error));
                }
                Some(FilesystemView::unreadable(kind.name()))
            }
            Some(Holds::Unknown(error)) if volume.problem.is_none() => {
                problems.push(located(error));
                None
            }
            _ => None,
        };
        Self {
            id: volume.id.to_string(),
            parents: volume.parents.iter().map(ToString::to_string).collect(),
            size: volume.size,
            layer: layer_json(&volume.layer),
            content: content_json(&volume.content, holds),
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
            subvolumes: Vec::new(),
        }
    }

    /// What is known of the filesystem, and why its subvolumes could not be listed.
    fn new(filesystem: &dyn Filesystem) -> (Self, Option<Error>) {
        let info = filesystem.info();
        let (subvolumes, problem) = match filesystem.subvolumes() {
            Ok(subvolumes) => (subvolumes, None),
            Err(error) => (Vec::new(), Some(error.within("subvolumes"))),
        };
        let view = Self {
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
            subvolumes: subvolumes.iter().map(SubvolumeView::new).collect(),
        };
        (view, problem)
    }
}

impl SubvolumeView {
    fn new(subvolume: &fathom_filesystem::Subvolume) -> Self {
        let (path, path_hex) = subvolume.path.as_deref().map(json_path).unzip();
        Self {
            id: subvolume.id,
            path,
            path_hex: path_hex.flatten(),
            uuid: subvolume.uuid.clone(),
            snapshot_of: subvolume.snapshot_of.clone(),
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
        Layer::Array { level, uuid, name, minor, metadata, devices, missing } => json!({
            "kind": "array",
            "level": level,
            "uuid": uuid,
            "name": name,
            "minor": minor,
            "metadata": metadata,
            "devices": devices,
            "missing": missing,
        }),
        Layer::Logical { group, name, uuid, segments } => json!({
            "kind": "logical-volume",
            "group": group,
            "name": name,
            "uuid": uuid,
            "segments": segments,
        }),
        _ => json!({ "kind": "other" }),
    }
}

fn content_json(content: &Content, holds: Option<&Holds>) -> serde_json::Value {
    use serde_json::json;
    match content {
        Content::Unknown => json!({ "kind": match holds {
            Some(Holds::Filesystem(_) | Holds::Unreadable(..)) => "filesystem",
            // It was looked, and nothing is recognised; anything else is not known.
            Some(Holds::Nothing) => "nothing",
            Some(Holds::Unknown(_)) | None => "unknown",
        } }),
        Content::Table(table) => json!({ "kind": "partition-table", "table": table.name() }),
        Content::PhysicalVolume { uuid, group } => {
            json!({ "kind": "lvm-physical-volume", "uuid": uuid, "group": group })
        }
        Content::ArrayMember { uuid, array, role } => json!({
            "kind": "array-member",
            "uuid": uuid,
            "array": array.as_ref().map(ToString::to_string),
            "role": role,
        }),
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
        _ => json!({ "kind": "other" }),
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
    out.flush()?;
    machine.disks.iter().flat_map(|disk| &disk.problems).for_each(warn);
    machine.discovery.problems.iter().for_each(warn);
    for view in &document.volumes {
        for problem in &view.problems {
            say(&format!("warning: {}", problem.message));
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
        Layer::Array { level, name, devices, missing, .. } => {
            parts.push(describe_array(level, *devices, *missing));
            parts.extend(name.as_ref().map(|name| format!("{name:?}")));
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
        Content::ArrayMember { array, role, .. } => parts.push(match array {
            Some(array) => format!("Linux RAID member of {array}, {role}"),
            None => format!("Linux RAID member, {role}"),
        }),
        Content::Luks { version, uuid, .. } => parts.push(format!("LUKS{version} {uuid}")),
        Content::Recognised { name, .. } => parts.push(format!("{name}, not read")),
        _ => {}
    }
    if let Some(filesystem) = view.and_then(|view| view.filesystem.as_ref()) {
        parts.push(describe_filesystem(filesystem));
        parts.extend(describe_subvolumes(&filesystem.subvolumes));
    }
    if view.is_some_and(|view| view.content["kind"] == "nothing") {
        parts.push("nothing recognised".into());
    }
    text::harmless(&parts.join(", "))
}

fn describe_array(level: &str, devices: u32, missing: u32) -> String {
    match missing {
        0 => format!("{level} of {devices}"),
        missing => format!("{level} of {devices}, {missing} missing"),
    }
}

/// How many subvolumes are named on one line.
const SUBVOLUMES_SHOWN: usize = 8;

fn describe_subvolumes(subvolumes: &[SubvolumeView]) -> Option<String> {
    let paths = subvolumes.iter().filter_map(|subvolume| subvolume.path.as_deref());
    let paths: Vec<_> = paths.filter(|path| !path.is_empty()).collect();
    let more = match paths.len().saturating_sub(SUBVOLUMES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = &paths[..paths.len().min(SUBVOLUMES_SHOWN)];
    (!paths.is_empty()).then(|| format!("subvolumes {}{more}", named.join(" ")))
}

fn describe_filesystem(filesystem: &FilesystemView) -> String {
    let Some(variant) = &filesystem.variant else {
        if filesystem.kind == Kind::Swap.name() {
            return filesystem.kind.to_owned();
        }
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
