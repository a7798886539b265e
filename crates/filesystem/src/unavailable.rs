//! A filesystem that should be there but cannot be read.
//!
//! Mounted in its place, it turns "could not look" into an error of everything beneath it, where an
//! empty mount point would read as "nothing there".

use std::sync::Arc;

use fathom_block::{Error, Problem, ReadAt, Result};

use crate::detect::Kind;
use crate::node::{Filesystem, Health, Info, Metadata, NodeId, Visit, Xattr};

/// A filesystem of which nothing is known but why it cannot be read.
pub struct Unavailable {
    kind: Option<Kind>,
    why: Error,
}

impl Unavailable {
    /// A filesystem, of this kind if it is known, that `why` keeps from being read.
    pub fn new(kind: Option<Kind>, why: Error) -> Self {
        Self { kind, why: why.for_all_beneath() }
    }

    fn refuse<T>(&self) -> Result<T> {
        Err(self.why.clone())
    }
}

impl Filesystem for Unavailable {
    fn info(&self) -> Info {
        Info {
            kind: self.kind.unwrap_or(Kind::Unknown),
            variant: String::new(),
            label: None,
            uuid: None,
            block_size: 0,
            size: 0,
            free: None,
            health: Health::Errors,
            features: Vec::new(),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        vec![self.why.clone()]
    }

    fn root(&self) -> NodeId {
        NodeId::new(0)
    }

    fn lookup(&self, _: NodeId, _: &[u8]) -> Result<Option<NodeId>> {
        self.refuse()
    }

    fn read_dir(&self, _: NodeId, _: Visit<'_>) -> Result<()> {
        self.refuse()
    }

    fn metadata(&self, _: NodeId) -> Result<Metadata> {
        self.refuse()
    }

    fn read_link(&self, _: NodeId) -> Result<Vec<u8>> {
        self.refuse()
    }

    fn xattrs(&self, _: NodeId) -> Result<Vec<Xattr>> {
        self.refuse()
    }

    fn open(&self, _: NodeId) -> Result<Arc<dyn ReadAt>> {
        self.refuse()
    }
}
