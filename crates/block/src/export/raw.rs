//! The bytes as they are.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::{ExportError, for_each_stretch, runs_of_data};
use crate::read::ReadAt;

pub(super) fn write(
    source: &dyn ReadAt,
    out: &File,
    advance: &(dyn Fn(u64) -> bool + Sync),
) -> Result<(), ExportError> {
    out.set_len(source.len())?;
    for_each_stretch(source, advance, &|offset, bytes| {
        for run in runs_of_data(bytes) {
            out.write_all_at(&bytes[run.clone()], offset + run.start as u64)?;
        }
        Ok(())
    })
}
