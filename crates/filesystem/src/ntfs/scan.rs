//! All files of a volume at once, in the order of the master file table: for those who want to know
//! of every file and not to walk there. The table is read once, from its start to its end.

use std::ops::Range;

use fathom_block::{Error, ReadAt, Result, read_vec};

use super::Ntfs;
use super::attribute::{DATA, FILE_NAME, Value};
use super::file_name::FileName;
use super::inode::Inode;
use super::record::Record;
use crate::node::{NodeId, Stream};
use crate::timestamp::Timestamp;
use crate::utf16;

/// How much of the table is read at a time.
const STEP: u64 = 1 << 20;

/// One file as the table describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedFile {
    /// The file, as [`Filesystem`](crate::Filesystem) calls it.
    pub node: NodeId,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Its names. System files, hard links and names that are only there for DOS are all here.
    pub names: Vec<ScannedName>,
    /// Its length in bytes.
    pub size: u64,
    /// The bytes that are allocated to it.
    pub allocated: u64,
    /// The DOS attributes, such as hidden, system and reparse point.
    pub attributes: u32,
    /// Its named streams.
    pub streams: Vec<Stream>,
    /// When it was made.
    pub created: Timestamp,
    /// When its bytes last changed.
    pub modified: Timestamp,
    /// When its metadata last changed.
    pub changed: Timestamp,
    /// When it was last read, as far as Windows records it.
    pub accessed: Timestamp,
}

/// One name of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedName {
    /// The directory that holds it.
    pub parent: NodeId,
    /// The name in WTF-8, exactly as it is on the disk.
    pub name: Vec<u8>,
    /// Whether it is only there for DOS; then there is a longer one beside it.
    pub is_dos: bool,
}

/// The scan that [`Ntfs::scan`] starts.
pub struct Scan<'a> {
    ntfs: &'a Ntfs,
    /// The bytes read last, and which of the table they are.
    chunk: Vec<u8>,
    range: Range<u64>,
    /// Where the next record is.
    at: u64,
}

impl<'a> Scan<'a> {
    pub(super) fn new(ntfs: &'a Ntfs) -> Self {
        Self { ntfs, chunk: Vec::new(), range: 0..0, at: 0 }
    }

    /// Reads on. A part that cannot be read is left out, and reported.
    fn refill(&mut self) -> Option<Result<()>> {
        let file = self.ntfs.mft.file();
        let size = self.ntfs.mft.geometry.record_size as u64;
        let end = self.ntfs.mft.len() * size;
        let data = file.next_data(self.at)?;
        // A record that a hole cuts off is read all the same: its zeros say so.
        let start = (data.start - data.start % size).max(self.at);
        let length = (data.end.next_multiple_of(size).min(end)).checked_sub(start)?.min(STEP);
        if length == 0 {
            return None;
        }
        self.at = start;
        self.range = start..start + length;
        match read_vec(file, "master file table", start, length) {
            Ok(chunk) => {
                self.chunk = chunk;
                Some(Ok(()))
            }
            Err(error) => {
                self.at = self.range.end;
                self.range = self.at..self.at;
                Some(Err(error))
            }
        }
    }

    /// The file of the record at hand; `None` where it has none of its own.
    fn file(&self, number: u64, bytes: Vec<u8>) -> Result<Option<ScannedFile>> {
        // Records that were never used are not even marked.
        if bytes.starts_with(&[0; 4]) {
            return Ok(None);
        }
        let at = self.ntfs.mft.place(number * bytes.len() as u64);
        let record = match Record::parse(number, at, bytes) {
            Ok(record) => record.into(),
            // The first ones have a copy.
            Err(error) => self.ntfs.mft.record(number).map_err(|_| error)?,
        };
        if !record.in_use() || record.is_extension() {
            return Ok(None);
        }
        let inode = Inode::of(&self.ntfs.mft, record)?;
        let standard = self.ntfs.standard(&inode)?;
        let mut names = Vec::new();
        inode.each(FILE_NAME, &mut |record, attribute| {
            let Value::Resident(value) = &attribute.value else {
                return Err(record.corrupt("its name is not resident"));
            };
            let name = FileName::parse(value)?;
            names.push(ScannedName {
                parent: super::node_id(name.parent),
                name: utf16::decode(utf16::units(name.name)),
                is_dos: name.is_dos(),
            });
            Ok(true)
        })?;
        let sizes = self.ntfs.sizes(&inode)?;
        Ok(Some(ScannedFile {
            node: NodeId { tree: u64::from(inode.base.sequence), inode: number },
            is_directory: inode.base.is_directory(),
            names,
            size: sizes.data,
            allocated: sizes.total_allocated,
            attributes: standard.file_attributes,
            streams: streams(&inode)?,
            created: standard.created,
            modified: standard.modified,
            changed: standard.changed,
            accessed: standard.accessed,
        }))
    }
}

/// The named streams of the file.
pub(super) fn streams(inode: &Inode<'_>) -> Result<Vec<Stream>> {
    let mut streams = Vec::new();
    inode.each(DATA, &mut |_, attribute| {
        if !attribute.name.is_empty() && attribute.begins() {
            let name = utf16::decode(utf16::units(attribute.name));
            streams.push(Stream { name, size: attribute.sizes().data });
        }
        Ok(true)
    })?;
    streams.sort_unstable();
    Ok(streams)
}

impl Iterator for Scan<'_> {
    type Item = Result<ScannedFile>;

    fn next(&mut self) -> Option<Self::Item> {
        let size = self.ntfs.mft.geometry.record_size;
        loop {
            if self.at >= self.range.end {
                match self.refill()? {
                    Ok(()) => {}
                    Err(error) => return Some(Err(error)),
                }
            }
            let start = (self.at - self.range.start) as usize;
            let number = self.at / size as u64;
            self.at += size as u64;
            let bytes = match self.chunk.get(start..start + size) {
                Some(bytes) => bytes.to_vec(),
                None => return Some(Err(Error::past_end(self.at, size as u64, self.range.end))),
            };
            match self.file(number, bytes) {
                Ok(None) => {}
                Ok(Some(file)) => return Some(Ok(file)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
