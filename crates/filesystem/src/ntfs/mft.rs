//! The master file table: every file is a record of it, and it is a file itself.
//!
//! Its own record is the first one, and says where the others are; when the table is in many pieces
//! that record does not suffice, and has a list of further records, each of which lies in the
//! pieces that were found before it. The first few records have a copy elsewhere ($MFTMirr).

use std::sync::{Arc, Mutex, PoisonError};

use fathom_block::cache::Decoded;
use fathom_block::{Error, Fields, Problem, ReadAt, Result, read_vec};

use super::attribute::{ATTRIBUTE_LIST, DATA, Value};
use super::attribute_list::{self, ListEntry};
use super::boot::Geometry;
use super::record::{Record, Reference};
use super::stream::Stream;
use crate::extent::ExtentFile;

/// How many bytes of records are kept.
const KEPT: usize = 8 << 20;

/// The most problems that are remembered.
const MAX_PROBLEMS: usize = 100;

/// How many records the copy has at least.
const MIRRORED: u64 = 4;

/// The table.
pub(super) struct Mft {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) geometry: Geometry,
    file: ExtentFile,
    records: Decoded<u64, Record>,
    problems: Mutex<Vec<Problem>>,
}

impl Mft {
    /// Finds all pieces of the table.
    pub(super) fn open(volume: Arc<dyn ReadAt>, geometry: Geometry) -> Result<Self> {
        let problems = Mutex::default();
        let bytes = read_vec(&*volume, "FILE record 0", geometry.mft, geometry.record_size as u64);
        let first = bytes.and_then(|bytes| Record::parse(0, geometry.mft, bytes));
        let first = match first {
            Ok(first) => first,
            Err(error) => mirrored(&*volume, &geometry, 0, error, &problems)?,
        };
        let (mut stream, mut next) = begin(&first, &geometry)?;
        for entry in own_list(&first, &volume, &geometry)? {
            if entry.kind != DATA || !entry.name.is_empty() || entry.lowest_vcn == 0 {
                continue;
            }
            // The record lies in what is known of the table so far.
            let number = entry.record.record;
            let offset = number.saturating_mul(geometry.record_size as u64);
            let (at, bytes) = stream.early(&*volume, &geometry, offset, geometry.record_size)?;
            let record = Record::parse(number, at, bytes)?;
            next = extend(&mut stream, &record, &entry, next, &geometry)?;
        }
        Ok(Self {
            file: stream.finish(&first, next, &geometry)?.extent_file(&volume, &geometry)?,
            volume,
            geometry,
            records: Decoded::new(KEPT),
            problems,
        })
    }

    /// How many records there are.
    pub(super) fn len(&self) -> u64 {
        self.file.len() / self.geometry.record_size as u64
    }

    /// The bytes of the table.
    pub(super) fn file(&self) -> &ExtentFile {
        &self.file
    }

    /// The record `number`, whatever it holds.
    pub(super) fn record(&self, number: u64) -> Result<Arc<Record>> {
        self.records.get_or(&number, Record::weight, || self.read(number))
    }

    /// The record that the reference means. One that was reused since is damage.
    pub(super) fn referenced(&self, reference: Reference) -> Result<Arc<Record>> {
        let record = self.record(reference.record)?;
        if reference.sequence != 0 && reference.sequence != record.sequence {
            return Err(record.corrupt(format!(
                "it has been reused: sequence number {} is wanted, {} is there",
                reference.sequence, record.sequence
            )));
        }
        if !record.in_use() {
            return Err(record.corrupt("it is not in use, but something refers to it"));
        }
        Ok(record)
    }

    fn read(&self, number: u64) -> Result<Record> {
        if number >= self.len() {
            return Err(Error::corrupt(
                format!("FILE record {number}"),
                self.geometry.mft,
                format!("the table has only {} records", self.len()),
            ));
        }
        let offset = number * self.geometry.record_size as u64;
        let at = self.place(offset);
        let record = read_vec(&self.file, "FILE record", offset, self.geometry.record_size as u64)
            .and_then(|bytes| Record::parse(number, at, bytes));
        match record {
            Err(error) if number < MIRRORED => {
                mirrored(&*self.volume, &self.geometry, number, error, &self.problems)
            }
            record => record,
        }
    }

    /// Where on the volume a byte of the table lies.
    pub(super) fn place(&self, offset: u64) -> u64 {
        let extents = self.file.extents();
        let after = extents.partition_point(|extent| extent.logical <= offset);
        match after.checked_sub(1).and_then(|index| extents.get(index)) {
            Some(extent) => extent.physical.unwrap_or(0).saturating_add(offset - extent.logical),
            None => self.geometry.mft,
        }
    }

    /// Hints that these records are about to be read.
    pub(super) fn prefetch(&self, mut numbers: Vec<u64>) {
        let size = self.geometry.record_size as u64;
        numbers.retain(|number| *number < self.len());
        numbers.sort_unstable();
        let mut ranges: Vec<std::ops::Range<u64>> = Vec::new();
        for start in numbers.into_iter().map(|number| number * size) {
            match ranges.last_mut() {
                Some(last) if last.end >= start => last.end = start + size,
                _ => ranges.push(start..start + size),
            }
        }
        self.file.prefetch(&ranges);
    }

    /// Remembers a problem.
    pub(super) fn report(&self, problem: Problem) {
        remember(&self.problems, problem);
    }

    /// What was remembered.
    pub(super) fn problems(&self) -> Vec<Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn remember(problems: &Mutex<Vec<Problem>>, problem: Problem) {
    let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
    let text = problem.to_string();
    if problems.len() < MAX_PROBLEMS && problems.iter().all(|known| known.to_string() != text) {
        problems.push(problem);
    }
}

/// The copy of record `number`, since the record itself gave `error`.
fn mirrored(
    volume: &dyn ReadAt,
    geometry: &Geometry,
    number: u64,
    error: Error,
    problems: &Mutex<Vec<Problem>>,
) -> Result<Record> {
    let size = geometry.record_size as u64;
    let at = geometry.mft_mirror.saturating_add(number * size);
    let copy = read_vec(volume, "$MFTMirr", at, size)
        .and_then(|bytes| Record::parse(number, at, bytes))
        .map_err(|_| error.clone())?;
    remember(problems, error.within("the copy in $MFTMirr is used instead"));
    Ok(copy)
}

/// What the table's own record says of its bytes.
fn begin(first: &Record, geometry: &Geometry) -> Result<(Stream, u64)> {
    for attribute in first.attributes() {
        let attribute = attribute?;
        if attribute.kind == DATA && attribute.name.is_empty() && attribute.begins() {
            return Stream::begin(first, &attribute, geometry);
        }
    }
    Err(first.corrupt("the master file table has no data"))
}

/// The attribute list of the table's own record; empty where it has none.
fn own_list(
    first: &Record,
    volume: &Arc<dyn ReadAt>,
    geometry: &Geometry,
) -> Result<Vec<ListEntry>> {
    for attribute in first.attributes() {
        let attribute = attribute?;
        if attribute.kind == ATTRIBUTE_LIST {
            return list(first, &attribute, volume, geometry);
        }
    }
    Ok(Vec::new())
}

/// The entries of the attribute list that this attribute of a base record is.
pub(super) fn list(
    record: &Record,
    attribute: &super::attribute::Attribute<'_>,
    volume: &Arc<dyn ReadAt>,
    geometry: &Geometry,
) -> Result<Vec<ListEntry>> {
    if attribute.sizes().data > attribute_list::MAX_LENGTH {
        return Err(record.corrupt(format!(
            "an attribute list of {} bytes; at most {} are allowed",
            attribute.sizes().data,
            attribute_list::MAX_LENGTH
        )));
    }
    if let Value::Resident(value) = &attribute.value {
        return attribute_list::parse(value);
    }
    let (stream, next) = Stream::begin(record, attribute, geometry)?;
    let reader = stream.finish(record, next, geometry)?.open(volume, geometry)?;
    let bytes = read_vec(&*reader, "attribute list", 0, reader.len())?;
    attribute_list::parse(&Fields::new("attribute list", 0, &bytes))
}

/// Continues the stream with the part that a list entry names.
pub(super) fn extend(
    stream: &mut Stream,
    record: &Record,
    entry: &ListEntry,
    next: u64,
    geometry: &Geometry,
) -> Result<u64> {
    for attribute in record.attributes() {
        let attribute = attribute?;
        let same = attribute.kind == entry.kind && attribute.name == entry.name;
        if same && attribute.instance == entry.instance {
            return stream.extend(record, &attribute, next, geometry);
        }
    }
    Err(record.corrupt(format!(
        "it lacks attribute {:#x}, instance {}, which an attribute list says it holds",
        entry.kind, entry.instance
    )))
}
