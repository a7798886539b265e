//! Texts that are kept once.

use std::collections::HashMap;

use super::layout::{self, NONE};

/// Texts and the keys of versions, one after the other.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) bytes: Vec<u8>,
    /// Where a text with this hash stands. Of several one is remembered: the others are kept more
    /// than once, which costs space and nothing else.
    known: HashMap<u64, u32>,
}

/// The text does not fit: it is too long, or the pool is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Pool {
    /// Where the text stands.
    pub(super) fn text(&mut self, text: &str) -> Result<u32, Full> {
        let hash = layout::hash(text);
        if let Some(&offset) = self.known.get(&hash)
            && at(&self.bytes, offset) == Some(text)
        {
            return Ok(offset);
        }
        let length = u16::try_from(text.len()).map_err(|_| Full)?;
        let offset = self.end(2 + text.len())?;
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(text.as_bytes());
        self.known.insert(hash, offset);
        Ok(offset)
    }

    /// Adds what is kept once by others, as it is.
    pub(super) fn raw(&mut self, parts: &[&[u8]]) -> Result<u32, Full> {
        let offset = self.end(parts.iter().map(|part| part.len()).sum())?;
        parts.iter().for_each(|part| self.bytes.extend(*part));
        Ok(offset)
    }

    /// Where the next bytes will stand, of which there are `length`.
    fn end(&self, length: usize) -> Result<u32, Full> {
        let end = u32::try_from(self.bytes.len() + length).map_err(|_| Full)?;
        if end == NONE { Err(Full) } else { Ok(end - length as u32) }
    }
}

/// The text at this offset of a pool.
pub(super) fn at(pool: &[u8], offset: u32) -> Option<&str> {
    let (length, rest) = pool.get(offset as usize..)?.split_first_chunk()?;
    std::str::from_utf8(rest.get(..u16::from_le_bytes(*length).into())?).ok()
}
