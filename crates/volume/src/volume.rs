//! What discovery finds.

use std::fmt;
use std::sync::Arc;

use fathom_block::{Error, Problem, ReadAt};

/// One disk of the machine.
#[derive(Clone)]
pub struct Disk {
    /// What to call it in messages: usually the image's file name.
    pub name: String,
    /// The guest's bytes.
    pub reader: Arc<dyn ReadAt>,
    /// The logical sector size where the container states one.
    pub sector_size: Option<u32>,
}

/// The name that a volume goes by: `disk0`, `disk0/p1`, `disk0/p5/luks`, `vg0/root`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VolumeId(String);

impl VolumeId {
    /// The volume called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The volume called `name` within this one.
    #[must_use]
    pub fn child(&self, name: impl fmt::Display) -> Self {
        Self(format!("{}/{name}", self.0))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VolumeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A stretch of bytes that the machine knows as one thing.
#[derive(Clone)]
pub struct Volume {
    /// What it goes by.
    pub id: VolumeId,
    /// What it lies on. A disk lies on nothing, a logical volume may lie on several.
    pub parents: Vec<VolumeId>,
    /// How it came to be.
    pub layer: Layer,
    /// What it holds, as far as this crate knows.
    pub content: Content,
    /// How many bytes it has.
    pub size: u64,
    /// Its bytes, where they can be read: the encrypted ones of what is encrypted.
    pub reader: Option<Arc<dyn ReadAt>>,
    /// What is wrong with it. Where there is no reader, why there is none; otherwise why what it
    /// holds cannot be read, or not all of it: it is locked, not supported, truncated.
    pub problem: Option<Error>,
}

/// How a volume came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layer {
    /// A disk of the machine.
    Disk {
        /// The image it came from.
        name: String,
        /// The logical sector size: as the container or the partition table states it, 512 else.
        sector_size: u32,
    },
    /// An entry of a partition table.
    Partition {
        /// Which kind of table.
        table: Table,
        /// Its number, as Linux counts: logical partitions of an MBR start at 5.
        number: u32,
        /// Where it starts on its parent, in bytes.
        start: u64,
        /// The type: an MBR byte as `0x83`, a GPT type as a UUID.
        kind: String,
        /// What that type is commonly called, where it is known.
        kind_name: Option<&'static str>,
        /// The partition's own name (GPT).
        name: Option<String>,
        /// `PARTUUID`, as Linux spells it.
        uuid: Option<String>,
        /// Marked as bootable.
        bootable: bool,
    },
    /// The clear side of an unlocked LUKS volume.
    Luks {
        /// 1 or 2.
        version: u8,
        /// The volume's UUID.
        uuid: String,
        /// Cipher and mode, as cryptsetup spells them: `aes-xts-plain64`.
        cipher: String,
    },
    /// An array of Linux's software RAID.
    Array {
        /// Its level, as mdadm spells it: `raid1`, `linear`.
        level: String,
        /// Its UUID, as mdadm spells it.
        uuid: String,
        /// Its name, usually led by the name of the host that made it: `web1:data`.
        name: Option<String>,
        /// The number of its device, where the metadata says one (0.90).
        minor: Option<u32>,
        /// The version of its metadata: `1.2`.
        metadata: &'static str,
        /// How many members it has.
        devices: u32,
        /// How many of them are missing, or out of date.
        missing: u32,
    },
    /// A logical volume.
    Logical {
        /// The volume group's name.
        group: String,
        /// The volume's name.
        name: String,
        /// Its UUID.
        uuid: String,
        /// The kinds of its segments, such as `linear` or `striped`.
        segments: String,
    },
}

/// What a volume holds, as far as this crate knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Nothing this crate knows: perhaps a filesystem, perhaps nothing.
    Unknown,
    /// A partition table; its partitions are listed as volumes of their own.
    Table(Table),
    /// A physical volume of LVM.
    PhysicalVolume {
        /// Its UUID.
        uuid: String,
        /// The group it belongs to, where it belongs to one.
        group: Option<String>,
    },
    /// A member of an array of Linux's software RAID.
    ArrayMember {
        /// The array's UUID, as mdadm spells it.
        uuid: String,
        /// The volume that the array is.
        array: Option<VolumeId>,
        /// What it says that it is there: `device 0`, `spare`.
        role: String,
    },
    /// A LUKS header.
    Luks {
        /// 1 or 2.
        version: u8,
        /// The volume's UUID.
        uuid: String,
        /// The volume's label.
        label: Option<String>,
        /// Cipher and mode.
        cipher: String,
    },
    /// Recognised by name, but not read: `DRBD`, `BitLocker`.
    Recognised {
        /// What it is.
        name: &'static str,
        /// Its UUID, where it is easily had.
        uuid: Option<String>,
    },
}

/// A kind of partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Table {
    /// The PC's master boot record.
    Mbr,
    /// The GUID partition table.
    Gpt,
}

impl Table {
    /// `mbr` or `gpt`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mbr => "mbr",
            Self::Gpt => "gpt",
        }
    }
}

/// All that was found on the disks of one machine.
#[derive(Clone, Default)]
pub struct Discovery {
    /// Every volume; parents come before what lies on them.
    pub volumes: Vec<Volume>,
    /// What was wrong without stopping the search.
    pub problems: Vec<Problem>,
}

impl Discovery {
    /// The volume called `name`: by its id, its `PARTUUID`, its LUKS, LVM or array's UUID, or as Linux
    /// would name it (`/dev/vg0/root`, `/dev/mapper/vg0-root`, `/dev/md0`).
    pub fn find(&self, name: &str) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.goes_by(name))
    }
}

impl Volume {
    /// Whether this is what [`Discovery::find`] would find by the name.
    pub fn goes_by(&self, wanted: &str) -> bool {
        if self.id.as_str() == wanted {
            return true;
        }
        match &self.layer {
            Layer::Disk { .. } => false,
            Layer::Partition { uuid, .. } => {
                uuid.as_deref().is_some_and(|uuid| uuid.eq_ignore_ascii_case(wanted))
            }
            Layer::Luks { uuid, .. } => uuid.eq_ignore_ascii_case(wanted),
            Layer::Array { uuid, .. } => {
                uuid.eq_ignore_ascii_case(wanted)
                    || wanted.strip_prefix("/dev/").is_some_and(|rest| rest == self.id.as_str())
            }
            Layer::Logical { group, name, uuid, .. } => {
                let doubled = |text: &str| text.replace('-', "--");
                uuid == wanted
                    || wanted.strip_prefix("/dev/").is_some_and(|rest| {
                        rest == format!("{group}/{name}")
                            || rest == format!("mapper/{}-{}", doubled(group), doubled(name))
                    })
            }
        }
    }
}
