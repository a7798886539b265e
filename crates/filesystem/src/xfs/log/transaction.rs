//! Putting transactions together from the operations of records.
//!
//! An operation carries a piece of a transaction: its start, its commit, or a *region* of one of
//! its items. A region that did not fit into a record goes on in the next. Pieces of several
//! transactions may be mixed, and only what has its commit counts.

use std::collections::HashMap;

use fathom_block::{Error, Fields, Result};

/// Flags of an operation.
const START: u8 = 0x01;
const COMMIT: u8 = 0x02;
const CONTINUE: u8 = 0x04;
const WAS_CONTINUED: u8 = 0x08;
const END: u8 = 0x10;
const UNMOUNT: u8 = 0x20;

/// Who wrote an operation: a transaction, or the log itself.
const CLIENTS: [u8; 2] = [0x69, 0xAA];

/// The size of an operation's header, and of a transaction's.
const OPERATION: usize = 12;
const TRANSACTION: usize = 16;

/// `XFS_TRANS_HEADER_MAGIC`.
const MAGIC: &[u8] = b"NART";

/// The most regions an item has (`XLOG_MAX_REGIONS_IN_ITEM`).
const MAX_REGIONS: usize = 257;

/// The most bytes of transactions without a commit that are held in memory.
const MAX_OPEN: usize = 96 << 20;

/// What a region costs beside its bytes.
const OVERHEAD: usize = 64;

/// One item of a transaction: something that was changed.
#[derive(Default)]
pub(super) struct Item {
    /// How many regions it says it has.
    expected: usize,
    /// The first says what the item is.
    pub(super) regions: Vec<Vec<u8>>,
}

impl Item {
    /// `XFS_LI_*`.
    pub(super) fn kind(&self) -> u16 {
        self.fields().le_u16(0).unwrap_or(0)
    }

    /// The first region.
    pub(super) fn fields(&self) -> Fields<'_> {
        Fields::new("XFS log item", 0, self.regions.first().map_or(&[], Vec::as_slice))
    }

    /// The region `index`, which must be there.
    pub(super) fn region(&self, index: usize) -> Result<&[u8]> {
        self.regions.get(index).map(Vec::as_slice).ok_or_else(|| {
            let why = format!("region {index} of item {:#06x} is missing", self.kind());
            Error::corrupt("XFS log item", 0, why)
        })
    }
}

/// A transaction.
#[derive(Default)]
pub(super) struct Transaction {
    /// The place in the log's history where it starts.
    pub(super) lsn: u64,
    pub(super) items: Vec<Item>,
    header: Vec<u8>,
    bytes: usize,
}

/// The transactions that have not met their commit yet.
#[derive(Default)]
pub(super) struct Assembly {
    open: HashMap<u32, Transaction>,
    bytes: usize,
}

impl Assembly {
    /// Takes the operations of a record whose bytes start at the byte `place` of the volume; hands
    /// every transaction that is complete to `commit`.
    pub(super) fn take(
        &mut self,
        place: u64,
        lsn: u64,
        operations: u32,
        body: &[u8],
        commit: &mut dyn FnMut(Transaction) -> Result<()>,
    ) -> Result<()> {
        let fields = Fields::new("XFS log record", place, body);
        let mut at = 0;
        for _ in 0..operations {
            if at >= body.len() {
                break;
            }
            let (tid, length) = (fields.be_u32(at)?, fields.be_u32(at + 4)? as usize);
            let (client, flags) = (fields.u8(at + 8)?, fields.u8(at + 9)?);
            if !CLIENTS.contains(&client) {
                return Err(fields.corrupt(at + 8, format!("the client {client:#04x}")));
            }
            let data = fields.bytes(at + OPERATION, length)?;
            let error = |why: &str| fields.corrupt(at, why);
            self.operation(tid, lsn, flags, data, commit, &error)?;
            at += OPERATION + length;
        }
        Ok(())
    }

    fn operation(
        &mut self,
        tid: u32,
        lsn: u64,
        flags: u8,
        data: &[u8],
        commit: &mut dyn FnMut(Transaction) -> Result<()>,
        error: &dyn Fn(&str) -> Error,
    ) -> Result<()> {
        if flags & START != 0 {
            let started = Transaction { lsn, ..Transaction::default() };
            self.bytes += OVERHEAD;
            if let Some(before) = self.open.insert(tid, started) {
                self.bytes = self.bytes.saturating_sub(before.bytes);
            }
            return Ok(());
        }
        // The end of a transaction that started before the tail: all of it is on the disk.
        let Some(transaction) = self.open.get_mut(&tid) else {
            return Ok(());
        };
        let before = transaction.bytes;
        match flags & !END {
            0 | CONTINUE => transaction.region(data, error)?,
            flags if flags & WAS_CONTINUED != 0 && flags & !(CONTINUE | WAS_CONTINUED) == 0 => {
                transaction.rest(data, error)?;
            }
            COMMIT => {
                if let Some(transaction) = self.open.remove(&tid) {
                    self.bytes = self.bytes.saturating_sub(transaction.bytes + OVERHEAD);
                    commit(transaction)?;
                }
                return Ok(());
            }
            UNMOUNT => {
                self.open.remove(&tid);
                return Ok(());
            }
            _ => return Err(error("the flags of an operation contradict each other")),
        }
        self.bytes += transaction.bytes - before;
        if self.bytes > MAX_OPEN {
            let why = format!("more than {MAX_OPEN} bytes of transactions without a commit");
            return Err(Error::unsupported("XFS log", why));
        }
        Ok(())
    }
}

impl Transaction {
    /// Adds a region.
    fn region(&mut self, data: &[u8], error: &dyn Fn(&str) -> Error) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        if self.header.is_empty() {
            if data.get(..4) != Some(MAGIC) || data.len() > TRANSACTION {
                return Err(error("a transaction does not start with its header"));
            }
            self.header.extend_from_slice(data);
            return Ok(());
        }
        self.bytes += data.len() + OVERHEAD;
        let full = |item: &Item| item.expected != 0 && item.expected == item.regions.len();
        if self.items.last().is_none_or(full) {
            self.items.push(Item::default());
        }
        let Some(item) = self.items.last_mut() else {
            return Ok(());
        };
        if item.expected == 0 {
            item.expected = usize::from(Fields::new("XFS log item", 0, data).le_u16(2)?);
            if item.expected == 0 || item.expected > MAX_REGIONS {
                return Err(error("an item has no regions, or too many"));
            }
        }
        item.regions.push(data.to_vec());
        Ok(())
    }

    /// Adds the rest of a region that did not fit into the record before.
    fn rest(&mut self, data: &[u8], error: &dyn Fn(&str) -> Error) -> Result<()> {
        self.bytes += data.len();
        match self.items.last_mut().and_then(|item| item.regions.last_mut()) {
            Some(region) => region.extend_from_slice(data),
            // It is the header of the transaction that was split.
            None if self.header.len() + data.len() <= TRANSACTION => {
                self.header.extend_from_slice(data);
            }
            None => return Err(error("the rest of a region comes before its start")),
        }
        Ok(())
    }
}
