//! What the disks are made of, as the report tells it.

use fathom_filesystem::{Health, Kind};
use fathom_report::{Storage, Volume};
use fathom_volume::{Content, Discovery, Layer};

use crate::device::{Place, Places};

/// Every volume, each after what it lies on.
pub(crate) fn of(discovery: &Discovery, places: &Places<'_>) -> Storage {
    let one = |volume: &fathom_volume::Volume| {
        let place = places.all.iter().find(|place| place.volume.id == volume.id);
        let info = place.and_then(|place| Some(place.holds.as_ref().ok()?.info()));
        Volume {
            id: volume.id.to_string(),
            parents: volume.parents.iter().map(ToString::to_string).collect(),
            size: volume.size,
            layer: layer(&volume.layer).to_owned(),
            content: content(volume, place),
            encrypted: is_encrypted(&volume.content),
            label: info.as_ref().and_then(|info| info.label.clone()),
            uuid: info.as_ref().and_then(|info| info.uuid.clone()),
            used: info.as_ref().and_then(|info| Some(info.size.saturating_sub(info.free?))),
            health: info.as_ref().map(|info| health(info.health).to_owned()),
        }
    };
    Storage { volumes: discovery.volumes.iter().map(one).collect() }
}

fn layer(layer: &Layer) -> &'static str {
    match layer {
        Layer::Disk { .. } => "disk",
        Layer::Partition { .. } => "partition",
        Layer::Luks { .. } => "luks",
        Layer::Array { .. } => "array",
        Layer::Logical { .. } => "logical-volume",
        _ => "other",
    }
}

/// What lies on the volume, in words.
fn content(volume: &fathom_volume::Volume, place: Option<&Place<'_>>) -> String {
    match (&volume.content, place.map(|place| &place.holds)) {
        (Content::Unknown, Some(Ok(filesystem))) => filesystem.info().variant,
        (Content::Unknown, Some(Err((Some(Kind::Swap), _)))) => Kind::Swap.name().to_owned(),
        (Content::Unknown, Some(Err((Some(kind), _)))) => format!("{}, not read", kind.name()),
        (Content::Unknown, Some(Err((None, _)))) => "could not be looked at".to_owned(),
        (Content::Unknown, None) => "nothing recognised".to_owned(),
        (Content::Table(table), _) => format!("{} partition table", table.name()),
        (Content::PhysicalVolume { group: Some(group), .. }, _) => {
            format!("LVM physical volume of {group}")
        }
        (Content::PhysicalVolume { .. }, _) => "LVM physical volume".to_owned(),
        (Content::ArrayMember { array: Some(array), .. }, _) => {
            format!("Linux RAID member of {array}")
        }
        (Content::ArrayMember { .. }, _) => "Linux RAID member".to_owned(),
        (Content::Luks { version, cipher, .. }, _) => format!("LUKS{version} {cipher}"),
        (Content::Recognised { name, .. }, _) => format!("{name}, not read"),
        _ => "other".to_owned(),
    }
}

fn is_encrypted(content: &Content) -> bool {
    match content {
        Content::Luks { .. } => true,
        Content::Recognised { name, .. } => name.contains("BitLocker"),
        _ => false,
    }
}

fn health(health: Health) -> &'static str {
    match health {
        Health::Clean => "clean",
        Health::Replayed => "replayed",
        Health::Dirty => "dirty",
        Health::Errors => "errors",
    }
}
