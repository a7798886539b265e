//! The log.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fathom_block::Problem;

use super::btree::Patch;
use super::root::Roots;
use super::store::Store;
use crate::node::Health;

pub(super) struct Replayed {
    pub(super) health: Health,
    pub(super) problems: Vec<Problem>,
    pub(super) patches: HashMap<u64, Arc<Patch>>,
    pub(super) sums: BTreeMap<u64, Vec<u8>>,
}

pub(super) fn replay(_store: &Arc<Store>, _roots: &Roots) -> Replayed {
    Replayed { health: if _store.superblock.log_root.is_some() { Health::Dirty } else { Health::Clean }, problems: Vec::new(), patches: HashMap::new(), sums: BTreeMap::new() }
}
