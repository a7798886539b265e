//! A value put together from its parts, and the reader of its bytes.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

use super::attribute::{Attribute, COMPRESSION, ENCRYPTED, Sizes, Value};
use super::boot::Geometry;
use super::compressed::CompressedFile;
use super::record::Record;
use super::run_list::{self, Run};
use crate::extent::{Extent, ExtentFile};

/// The only way of compression there is: LZNT1.
const LZNT1: u16 = 1;

/// The value of one attribute, all parts of it.
#[derive(Clone)]
pub(super) struct Stream {
    flags: u16,
    pub(super) sizes: Sizes,
    content: Content,
}

/// Where the value is.
#[derive(Clone)]
enum Content {
    Resident(Vec<u8>),
    /// Sorted, disjoint; what is between them is holes.
    Runs(Vec<Run>),
}

impl Stream {
    /// The value that this attribute begins, which the others have to continue with
    /// [`Stream::extend`]; with the cluster that has to come next.
    pub(super) fn begin(
        record: &Record,
        attribute: &Attribute<'_>,
        geometry: &Geometry,
    ) -> Result<(Self, u64)> {
        let (sizes, flags) = (attribute.sizes(), attribute.flags);
        match &attribute.value {
            Value::Resident(value) => {
                let content = Content::Resident(value.as_bytes().to_vec());
                Ok((Self { flags, sizes, content }, 0))
            }
            Value::NonResident(_) => {
                let mut stream = Self { flags, sizes, content: Content::Runs(Vec::new()) };
                let next = stream.extend(record, attribute, 0, geometry)?;
                Ok((stream, next))
            }
        }
    }

    /// Adds the part that goes on with cluster `next`, and returns the cluster after it.
    pub(super) fn extend(
        &mut self,
        record: &Record,
        attribute: &Attribute<'_>,
        next: u64,
        geometry: &Geometry,
    ) -> Result<u64> {
        let (Content::Runs(runs), Value::NonResident(part)) = (&mut self.content, &attribute.value)
        else {
            return Err(record.corrupt("a resident value is continued"));
        };
        if part.lowest_vcn != next {
            return Err(record.corrupt(format!(
                "a value goes on with cluster {}, but cluster {next} comes next",
                part.lowest_vcn
            )));
        }
        let end = run_list::decode(&part.mapping_pairs, next, geometry, runs)?;
        if end != part.end_vcn {
            return Err(record.corrupt(format!(
                "a run list ends before cluster {end}, its attribute before {}",
                part.end_vcn
            )));
        }
        Ok(end)
    }

    /// Checks that the parts, which end before cluster `end`, make a whole.
    pub(super) fn finish(self, record: &Record, end: u64, geometry: &Geometry) -> Result<Self> {
        let Content::Runs(runs) = &self.content else {
            return Ok(self);
        };
        // A cluster belongs to one value once, so together they cannot be more than there are.
        let claimed = runs.iter().fold(0u64, |sum, run| sum.saturating_add(run.clusters));
        if claimed > geometry.clusters {
            return Err(record.corrupt(format!(
                "a value claims {claimed} clusters, but the volume has {}",
                geometry.clusters
            )));
        }
        let mapped = end.checked_mul(geometry.cluster_size).filter(|bytes| *bytes < 1 << 63);
        if mapped.is_none_or(|mapped| mapped < self.sizes.data) {
            return Err(record.corrupt(format!(
                "a value of {} bytes has only {end} clusters of {}",
                self.sizes.data, geometry.cluster_size
            )));
        }
        Ok(self)
    }

    /// The reader of the bytes.
    pub(super) fn open(
        self,
        volume: &Arc<dyn ReadAt>,
        geometry: &Geometry,
    ) -> Result<Arc<dyn ReadAt>> {
        if self.flags & ENCRYPTED != 0 {
            return Err(Error::encrypted(
                "file",
                "it is encrypted by the Encrypting File System (EFS), whose keys are not asked for",
            ));
        }
        let (runs, sizes) = match self.content {
            // Even a compressed file's resident value is plain.
            Content::Resident(bytes) => return Ok(Arc::new(bytes)),
            Content::Runs(runs) => (runs, self.sizes),
        };
        match self.flags & COMPRESSION {
            0 => Ok(Arc::new(ExtentFile::new(
                volume.clone(),
                extents(&runs, sizes, geometry),
                sizes.data,
            )?)),
            LZNT1 => Ok(Arc::new(CompressedFile::new(volume.clone(), runs, sizes, *geometry)?)),
            other => Err(Error::unsupported("file", format!("compression method {other}"))),
        }
    }

    /// The plain reader of a value that is never compressed, such as the table's own.
    pub(super) fn extent_file(
        self,
        volume: &Arc<dyn ReadAt>,
        geometry: &Geometry,
    ) -> Result<ExtentFile> {
        match self.content {
            Content::Runs(runs) if self.flags & (COMPRESSION | ENCRYPTED) == 0 => ExtentFile::new(
                volume.clone(),
                extents(&runs, self.sizes, geometry),
                self.sizes.data,
            ),
            _ => Err(Error::corrupt(
                "master file table",
                geometry.mft,
                "it is resident, compressed or encrypted",
            )),
        }
    }

    /// `length` bytes at `offset` of a value that is still being put together, and where on the
    /// volume they start. All of them must be in clusters that are known by now.
    pub(super) fn early(
        &self,
        volume: &dyn ReadAt,
        geometry: &Geometry,
        offset: u64,
        length: usize,
    ) -> Result<(u64, Vec<u8>)> {
        let Content::Runs(runs) = &self.content else {
            return Err(Error::corrupt("master file table", geometry.mft, "it is resident"));
        };
        let place = |offset: u64| {
            let vcn = offset / geometry.cluster_size;
            let run = runs.get(runs.partition_point(|run| run.vcn + run.clusters <= vcn))?;
            let lcn = run.lcn + vcn.checked_sub(run.vcn)?;
            Some(geometry.place(lcn) + offset % geometry.cluster_size)
        };
        let lost = || {
            let why = format!("byte {offset} of it is needed to find where it goes on");
            Error::corrupt("master file table", geometry.mft, why)
        };
        let mut bytes = vec![0; length];
        let step = geometry.cluster_size.min(length as u64) as usize;
        for (index, part) in bytes.chunks_mut(step).enumerate() {
            let at = offset.checked_add((index * step) as u64).and_then(place).ok_or_else(lost)?;
            volume.read_at(at, part)?;
        }
        Ok((place(offset).ok_or_else(lost)?, bytes))
    }

    /// How much memory it takes.
    pub(super) fn weight(&self) -> usize {
        match &self.content {
            Content::Resident(bytes) => bytes.len(),
            Content::Runs(runs) => size_of_val(runs.as_slice()),
        }
    }
}

/// The runs as places on the volume. What was never written reads as zeros, whatever lies there.
fn extents(runs: &[Run], sizes: Sizes, geometry: &Geometry) -> Vec<Extent> {
    let mut extents = Vec::with_capacity(runs.len());
    for run in runs {
        let logical = run.vcn.saturating_mul(geometry.cluster_size);
        let written = sizes.initialized.saturating_sub(logical);
        let length = run.clusters.saturating_mul(geometry.cluster_size).min(written);
        if length > 0 {
            extents.push(Extent { logical, length, physical: Some(geometry.place(run.lcn)) });
        }
    }
    extents
}
