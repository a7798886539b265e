//! The one door: every volume on the disks of one machine.

use crate::key::Keys;
use crate::volume::{Content, Discovery, Disk, Layer, Volume, VolumeId};

/// Finds every volume on `disks`. `keys` are tried on what is encrypted.
pub fn discover(disks: &[Disk], _keys: &Keys) -> Discovery {
    let mut discovery = Discovery::default();
    for (index, disk) in disks.iter().enumerate() {
        discovery.volumes.push(Volume {
            id: VolumeId::new(format!("disk{index}")),
            parents: Vec::new(),
            layer: Layer::Disk {
                name: disk.name.clone(),
                sector_size: disk.sector_size.unwrap_or(512),
            },
            content: Content::Unknown,
            size: disk.reader.len(),
            reader: Some(disk.reader.clone()),
            problem: None,
        });
    }
    discovery
}
