//! Extents: the parts that a disk is made of, each a file, a part of a file, or nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::Arc;

use super::descriptor::{Access, Descriptor, ExtentLine};
use super::grains::{GrainTables, Grains, TABLES_CEILING};
use super::header::{Header, MAGIC, SECTOR};
use super::packed::{InflatedGrains, Packer};
use crate::error::{Error, Problem, Result};
use crate::formats::mapped::Mapped;
use crate::open::Chain;
use crate::read::{ReadAt, Window, Zeros, check_range, read_array};

/// How many bytes of inflated grains the top image of a chain remembers. Those beneath share as
/// much again between them, roughly: the deeper, the less.
const INFLATED_CEILING: usize = 16 << 20;
const SMALLEST_CEILING: usize = 1 << 20;

/// Opens the extents of one disk.
pub(super) struct Extents<'a> {
    chain: &'a Chain<'a>,
    parent: Option<Arc<dyn ReadAt>>,
    tables: Arc<GrainTables>,
    inflated: Arc<InflatedGrains>,
    /// How many sparse extents were opened.
    sparse: usize,
    /// Where in the guest's disk the next extent begins.
    start: u64,
    /// Files that several extents lie in are opened once.
    files: HashMap<String, Arc<dyn ReadAt>>,
    pub(super) problems: Vec<Problem>,
    /// The size of the grains of the last sparse extent, and whether they are compressed.
    pub(super) grains: Option<(u64, bool)>,
}

impl<'a> Extents<'a> {
    pub(super) fn new(chain: &'a Chain<'a>, parent: Option<Arc<dyn ReadAt>>) -> Self {
        let share = (INFLATED_CEILING / (chain.depth() + 1)).max(SMALLEST_CEILING);
        Self {
            chain,
            parent,
            tables: Arc::new(GrainTables::new(TABLES_CEILING)),
            inflated: Arc::new(InflatedGrains::new(share)),
            sparse: 0,
            start: 0,
            files: HashMap::new(),
            problems: Vec::new(),
            grains: None,
        }
    }

    /// Opens the extent that a line of the descriptor describes.
    pub(super) fn open(
        &mut self,
        line: &ExtentLine,
        descriptor: &Descriptor,
    ) -> Result<Arc<dyn ReadAt>> {
        let length = line.sectors.checked_mul(SECTOR).ok_or_else(|| {
            Error::corrupt("extent", self.start, format!("{} sectors are too many", line.sectors))
        })?;
        let reader: Arc<dyn ReadAt> = match (line.kind.as_str(), line.access) {
            ("ZERO", _) => Arc::new(Zeros(length)),
            (_, Access::None) => {
                self.problems.push(Error::unsupported(
                    format!("extent at byte {} of the disk", self.start),
                    "the descriptor says NOACCESS; what lies there cannot be read",
                ));
                Arc::new(Barred(length))
            }
            ("FLAT" | "VMFS", _) => {
                let (name, file) = self.file(line, descriptor)?;
                let start = line.offset.saturating_mul(SECTOR);
                let window = Window::new(file, start, length);
                Arc::new(window.map_err(|error| error.within(format!("extent {name:?}")))?)
            }
            ("SPARSE", _) => {
                let (name, file) = self.file(line, descriptor)?;
                let sparse = self.sparse(file, length);
                sparse.map_err(|error| error.within(format!("extent {name:?}")))?
            }
            (kind, _) => {
                return Err(Error::unsupported(
                    format!("extent at byte {} of the disk", self.start),
                    match kind {
                        "VMFSSPARSE" => "vmfsSparse (COWD) snapshots are not read yet".to_owned(),
                        "SESPARSE" => "seSparse snapshots are not read yet".to_owned(),
                        "VMFSRDM" | "VMFSRAW" => format!("{kind}: it is a device, not a file"),
                        other => format!("the extent type {other} is unknown"),
                    },
                ));
            }
        };
        self.start = self.start.checked_add(length).ok_or_else(|| {
            Error::corrupt("extents", self.start, "together they are longer than 2^64 bytes")
        })?;
        Ok(reader)
    }

    /// The file that an extent lies in, through the gate.
    fn file<'l>(
        &mut self,
        line: &'l ExtentLine,
        descriptor: &Descriptor,
    ) -> Result<(&'l str, Arc<dyn ReadAt>)> {
        let Some(name) = &line.name else {
            return Err(Error::corrupt(
                "extent",
                self.start,
                format!("the {} extent has no file name", line.kind),
            ));
        };
        let asked = descriptor.file_name(name)?;
        let file = match self.files.entry(asked.to_owned()) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                place.insert(self.chain.source(asked, "extent")?.reader).clone()
            }
        };
        Ok((name, file))
    }

    /// A sparse extent of which the descriptor says that it holds `length` bytes of the guest.
    fn sparse(&mut self, file: Arc<dyn ReadAt>, length: u64) -> Result<Arc<dyn ReadAt>> {
        let magic: [u8; 4] = read_array(&*file, "VMDK header", 0)?;
        if magic != MAGIC {
            refuse_esx(&magic)?;
        }
        let header = Header::read(&*file)?;
        if header.capacity < length {
            let held = header.capacity;
            let why = format!("it holds {held} bytes, but the descriptor wants {length}");
            return Err(Error::corrupt("VMDK header", 12, why));
        }
        let reader = self.sparse_whole(file, header)?;
        Ok(Arc::new(Window::clipped(reader, 0, length)))
    }

    /// A sparse extent, as long as its header says.
    pub(super) fn sparse_whole(
        &mut self,
        file: Arc<dyn ReadAt>,
        header: Header,
    ) -> Result<Arc<dyn ReadAt>> {
        let extent = self.sparse;
        self.sparse += 1;
        self.grains = Some((header.grain_size, header.compressed));
        if header.unclean {
            self.problems.push(Error::corrupt(
                "VMDK header",
                72,
                "uncleanShutdown is set: the extent was in use or its writer crashed, and the last \
                 writes may be missing",
            ));
        }
        let packer = header.compressed.then(|| Packer {
            extent,
            capacity: header.capacity,
            grain_size: header.grain_size,
            inflated: self.inflated.clone(),
        });
        let beneath = self.parent.clone().map(|parent| -> Arc<dyn ReadAt> {
            Arc::new(Window::clipped(parent, self.start, header.capacity))
        });
        let (grains, problems) =
            Grains::open(extent, file.clone(), header, self.tables.clone(), packer)?;
        self.problems.extend(problems);
        Ok(Arc::new(Mapped::over(grains, file, beneath)))
    }
}

/// Refuses the sparse formats of ESX by name.
pub(super) fn refuse_esx(head: &[u8]) -> Result<()> {
    let name = match head {
        [b'C', b'O', b'W', b'D', ..] => "vmfsSparse (COWD)",
        [0xBE, 0xBA, 0xFE, 0xCA, ..] => "seSparse",
        _ => return Ok(()),
    };
    Err(Error::unsupported(format!("VMDK {name} extent"), "this snapshot format is not read yet"))
}

/// An extent that the descriptor bars: it has a length, but no bytes.
struct Barred(u64);

impl ReadAt for Barred {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let Range { start, end } = check_range(offset, buf.len(), self.0)?;
        if start == end {
            return Ok(());
        }
        Err(Error::unsupported("NOACCESS extent", "the descriptor gives no access to it"))
    }
}
