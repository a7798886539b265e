//! Makes small hives for tests.

use crate::base_block::checksum;

/// Writes a 32-bit number.
pub(crate) fn set(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// The start of a hive or a log.
pub(crate) fn base_block(primary: u32, secondary: u32, bins_size: u32) -> Vec<u8> {
    let mut block = vec![0; 4096];
    block[..4].copy_from_slice(b"regf");
    for (at, value) in [
        (4, primary),
        (8, secondary),
        (20, 1),
        (24, 5),
        (32, 1),
        (36, 32),
        (40, bins_size),
        (44, 1),
    ] {
        set(&mut block, at, value);
    }
    seal(&mut block);
    block
}

/// Makes the checksum right.
pub(crate) fn seal(block: &mut [u8]) {
    let sum = checksum(block[..512].try_into().unwrap());
    set(block, 508, sum);
}

/// The record of a key without subkeys or values.
pub(crate) fn key(name: &[u8], parent: u32) -> Vec<u8> {
    let mut record = vec![0; 76];
    record[..2].copy_from_slice(b"nk");
    record[2] = 0x20;
    set(&mut record, 16, parent);
    for at in [28, 32, 40, 44, 48] {
        set(&mut record, at, u32::MAX);
    }
    record[72] = name.len() as u8;
    record.extend(name);
    record
}

/// The record of a value.
pub(crate) fn value(name: &[u8], kind: u32, size: u32, place: u32) -> Vec<u8> {
    let mut record = vec![0; 20];
    record[..2].copy_from_slice(b"vk");
    record[2] = name.len() as u8;
    set(&mut record, 4, size);
    set(&mut record, 8, place);
    set(&mut record, 12, kind);
    record[16] = 1;
    record.extend(name);
    record
}

/// The record of a list; the elements of some take two words each.
pub(crate) fn list(signature: &[u8; 2], words: &[u32]) -> Vec<u8> {
    let each = if matches!(signature, b"lf" | b"lh") { 2 } else { 1 };
    let mut record = signature.to_vec();
    record.extend(((words.len() / each) as u16).to_le_bytes());
    record.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    record
}

/// A hive of one bin.
pub(crate) struct Builder {
    minor: u32,
    bin: Vec<u8>,
}

impl Builder {
    pub(crate) fn new(minor: u32) -> Self {
        let mut bin = vec![0; 32];
        bin[..4].copy_from_slice(b"hbin");
        Self { minor, bin }
    }

    /// The offset of the cell that is added next.
    pub(crate) fn next(&self) -> u32 {
        self.bin.len() as u32
    }

    /// Adds a cell and says where.
    pub(crate) fn cell(&mut self, content: &[u8]) -> u32 {
        let offset = self.next();
        let size = (content.len() + 4).next_multiple_of(8);
        self.bin.extend((-(size as i32)).to_le_bytes());
        self.bin.extend(content);
        self.bin.resize(offset as usize + size, 0);
        offset
    }

    /// Changes what the cell at `offset` holds.
    pub(crate) fn change(&mut self, offset: u32, change: impl FnOnce(&mut [u8])) {
        change(&mut self.bin[offset as usize + 4..]);
    }

    /// The file.
    pub(crate) fn image(&self, root: u32) -> Vec<u8> {
        let mut bin = self.bin.clone();
        let used = bin.len();
        bin.resize((used + 8).next_multiple_of(4096), 0);
        let size = bin.len() as u32;
        set(&mut bin, 8, size);
        set(&mut bin, used, size - used as u32);
        let mut image = base_block(7, 7, size);
        set(&mut image, 24, self.minor);
        set(&mut image, 36, root);
        seal(&mut image);
        image.extend(bin);
        image
    }
}
