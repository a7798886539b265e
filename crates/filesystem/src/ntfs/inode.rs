//! A file: its base record, and the records that its attribute list leads to.

use std::sync::Arc;

use fathom_block::Result;

use super::attribute::{ATTRIBUTE_LIST, Attribute};
use super::attribute_list::ListEntry;
use super::mft::{self, Mft};
use super::record::{Record, Reference};
use super::stream::Stream;

/// A file, its attributes found wherever they lie.
pub(super) struct Inode<'m> {
    mft: &'m Mft,
    pub(super) base: Arc<Record>,
    list: Option<Vec<ListEntry>>,
}

impl<'m> Inode<'m> {
    /// The file whose base record the reference means.
    pub(super) fn open(mft: &'m Mft, reference: Reference) -> Result<Self> {
        Self::of(mft, mft.referenced(reference)?)
    }

    /// The file of this base record.
    pub(super) fn of(mft: &'m Mft, base: Arc<Record>) -> Result<Self> {
        if base.is_extension() {
            return Err(
                base.corrupt(format!("it is no file but extends record {}", base.base.record))
            );
        }
        let mut list = None;
        for attribute in base.attributes() {
            let attribute = attribute?;
            if attribute.kind == ATTRIBUTE_LIST {
                list = Some(mft::list(&base, &attribute, &mft.volume, &mft.geometry)?);
            }
        }
        Ok(Self { mft, base, list })
    }

    /// Whether the file has an attribute list, and so is dear to look at.
    pub(super) fn is_large(&self) -> bool {
        self.list.is_some()
    }

    /// The record that an entry of the list names, which must be one of this file's.
    fn record(&self, reference: Reference) -> Result<Arc<Record>> {
        if reference.record == self.base.number {
            return Ok(self.base.clone());
        }
        let record = self.mft.referenced(reference)?;
        if !record.is_extension() || record.base.record != self.base.number {
            return Err(record.corrupt(format!(
                "record {} lists it as its own, but it extends record {}",
                self.base.number, record.base.record
            )));
        }
        Ok(record)
    }

    /// Hands every attribute that begins a value to `visit`, which says whether to go on. With an
    /// attribute list that is what the list names and nothing else.
    pub(super) fn each(
        &self,
        kind: u32,
        visit: &mut dyn FnMut(&Record, &Attribute<'_>) -> Result<bool>,
    ) -> Result<()> {
        let Some(list) = &self.list else {
            for attribute in self.base.attributes() {
                let attribute = attribute?;
                if attribute.kind == kind && !visit(&self.base, &attribute)? {
                    return Ok(());
                }
            }
            return Ok(());
        };
        for entry in list.iter().filter(|entry| entry.kind == kind && entry.lowest_vcn == 0) {
            let record = self.record(entry.record)?;
            let mut found = false;
            for attribute in record.attributes() {
                let attribute = attribute?;
                if attribute.kind == kind
                    && attribute.instance == entry.instance
                    && attribute.name == entry.name
                {
                    found = true;
                    if !visit(&record, &attribute)? {
                        return Ok(());
                    }
                    break;
                }
            }
            if !found {
                return Err(record.corrupt(format!(
                    "it lacks attribute {kind:#x}, instance {}, which the attribute list of \
                     record {} says it holds",
                    entry.instance, self.base.number
                )));
            }
        }
        Ok(())
    }

    /// What `take` makes of the attribute that begins the value of this type and name (UTF-16LE).
    pub(super) fn first<T>(
        &self,
        kind: u32,
        name: &[u8],
        take: impl FnOnce(&Record, &Attribute<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut take = Some(take);
        let mut taken = None;
        self.each(kind, &mut |record, attribute| {
            if attribute.name != name || !attribute.begins() {
                return Ok(true);
            }
            if let Some(take) = take.take() {
                taken = Some(take(record, attribute)?);
            }
            Ok(false)
        })?;
        Ok(taken)
    }

    /// The whole value of this type and name (UTF-16LE).
    pub(super) fn stream(&self, kind: u32, name: &[u8]) -> Result<Option<Stream>> {
        let geometry = &self.mft.geometry;
        let begun =
            self.first(kind, name, |record, attribute| Stream::begin(record, attribute, geometry))?;
        let Some((mut stream, mut next)) = begun else {
            return Ok(None);
        };
        let parts = self
            .list
            .iter()
            .flatten()
            .filter(|entry| entry.kind == kind && entry.lowest_vcn != 0 && entry.name == name);
        for entry in parts {
            let record = self.record(entry.record)?;
            next = mft::extend(&mut stream, &record, entry, next, geometry)?;
        }
        stream.finish(&self.base, next, geometry).map(Some)
    }
}
