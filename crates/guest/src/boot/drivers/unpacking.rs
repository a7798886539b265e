//! The modules in an initial filesystem, from its bytes or from memory.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{ReadAt, Result};

use super::learned::Learned;
use crate::boot::initramfs;

/// How initial filesystems are unpacked.
#[derive(Clone, Copy, Default)]
pub(crate) struct Unpacking<'a> {
    /// Whether what takes seconds is unpacked too.
    pub(crate) patient: bool,
    /// What is known from other machines.
    pub(crate) learned: Option<&'a Learned>,
}

impl Unpacking<'_> {
    /// Hands the paths of modules in an initial filesystem to `visit`, of those in the table all;
    /// `visit` may break off.
    pub(super) fn modules(
        &self,
        reader: &Arc<dyn ReadAt>,
        visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<()> {
        let read = |visit: &mut dyn FnMut(&str) -> ControlFlow<()>| {
            initramfs::names(reader, self.patient, &mut |name| {
                let name = String::from_utf8_lossy(name);
                if name.contains("lib/modules/") { visit(&name) } else { ControlFlow::Continue(()) }
            })
        };
        let all = || {
            let mut all = Vec::new();
            read(&mut |path| {
                if super::known(path).is_some() {
                    all.push(path.to_owned());
                }
                ControlFlow::Continue(())
            })?;
            Ok(all)
        };
        match self.learned.and_then(|learned| learned.recall(&**reader, all)) {
            Some(paths) => {
                let _ = paths.iter().try_for_each(|path| visit(path));
                Ok(())
            }
            None => read(visit),
        }
    }
}
