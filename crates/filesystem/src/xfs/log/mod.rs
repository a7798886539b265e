//! stub
use super::superblock::Superblock;
use crate::node::Health;
use fathom_block::{Problem, ReadAt};
use std::collections::HashSet;
use std::sync::Arc;
pub(super) struct Recovery {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) health: Health,
    pub(super) problems: Vec<Problem>,
    pub(super) swapped: HashSet<u64>,
}
pub(super) fn recover(volume: &Arc<dyn ReadAt>, _superblock: &Superblock) -> Recovery {
    Recovery {
        volume: volume.clone(),
        health: Health::Clean,
        problems: vec![],
        swapped: HashSet::new(),
    }
}
