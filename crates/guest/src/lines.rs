//! A text file line by line, in bounded memory however long it and its lines are.
//!
//! Lines that hold zero bytes were lost and are passed over; the end of the file is then an error that
//! says so.

use std::ops::Range;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

use crate::text::lost;

/// How much is read at once.
const PORTION: usize = 256 << 10;

/// The longest line; of a longer one this much is seen.
const MAX_LINE: usize = 64 << 10;

/// The longest file that is read. No database of a real machine comes near.
const MAX_FILE: u64 = 256 << 20;

/// The first of the items; where there are more than `most`, `more` is told. What was made to hide
/// something behind filler is so never passed over in silence.
pub(crate) fn at_most<T>(
    items: impl IntoIterator<Item = T>,
    most: usize,
    more: impl FnOnce(String),
) -> Vec<T> {
    let mut items = items.into_iter();
    let taken = items.by_ref().take(most).collect();
    if items.next().is_some() {
        more(format!("there are more than {most}; the rest is left out"));
    }
    taken
}

/// The lines of a file.
pub(crate) struct Lines {
    reader: Arc<dyn ReadAt>,
    /// Where the next portion begins.
    at: u64,
    buffer: Vec<u8>,
    /// The part of the buffer that has not been handed out.
    start: usize,
    /// How many zero bytes were passed over, and where the first of them stands.
    zeros: Option<(u64, u64)>,
    /// Whether there were some in the last line.
    is_lost: bool,
    /// Whether lines before the last one were passed over.
    is_torn: bool,
    /// Whether of the last line only the beginning was seen.
    is_cut: bool,
    /// Whether the last line had an end.
    is_ended: bool,
}

impl Lines {
    pub(crate) fn new(reader: Arc<dyn ReadAt>) -> Self {
        Self {
            reader,
            at: 0,
            buffer: Vec::new(),
            start: 0,
            zeros: None,
            is_lost: false,
            is_torn: false,
            is_cut: false,
            is_ended: true,
        }
    }

    /// Where in the file the next line begins.
    pub(crate) fn at(&self) -> u64 {
        self.at.saturating_sub((self.buffer.len() - self.start) as u64)
    }

    /// Whether something was lost between the last line and the one before.
    pub(crate) fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// Whether the last line was longer than lines are read.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether there was an end behind the last line.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// The next line without its end, or nothing at the end of the file. A line of which something was
    /// lost is passed over, and at the end that is told once.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>> {
        self.is_torn = false;
        loop {
            self.is_lost = false;
            let Some(line) = self.advance()? else {
                let zeros = self.zeros.take();
                return zeros.map_or(Ok(None), |(first, count)| Err(lost("text", first, count)));
            };
            if !self.is_lost {
                return Ok(Some(trimmed(&self.buffer[line])));
            }
            self.is_torn = true;
        }
    }

    /// Counts the zero bytes of a part of the buffer that belongs to the line.
    fn count_zeros(&mut self, part: Range<usize>) {
        let bytes = &self.buffer[part.clone()];
        let Some(first) = bytes.iter().position(|byte| *byte == 0) else { return };
        let count = bytes.iter().filter(|byte| **byte == 0).count() as u64;
        let behind = (self.buffer.len() - part.start - first) as u64;
        let (_, counted) = self.zeros.get_or_insert((self.at.saturating_sub(behind), 0));
        *counted = counted.saturating_add(count);
        self.is_lost = true;
    }

    /// Where in the buffer the next line is.
    fn advance(&mut self) -> Result<Option<Range<usize>>> {
        self.is_cut = false;
        let mut seen = 0;
        let length = loop {
            let rest = &self.buffer[self.start..];
            if let Some(length) = rest[seen..].iter().position(|byte| *byte == b'\n') {
                break seen + length;
            }
            seen = rest.len();
            if seen > MAX_LINE {
                self.is_cut = true;
                return self.cut().map(Some);
            }
            if !self.fill()? {
                if seen == 0 {
                    return Ok(None);
                }
                self.is_ended = false;
                let line = self.start..self.start + seen;
                self.count_zeros(line.clone());
                self.start = line.end;
                return Ok(Some(line));
            }
        };
        let line = self.start..self.start + length;
        self.count_zeros(line.clone());
        self.start = line.end + 1;
        self.is_ended = true;
        Ok(Some(line))
    }

    /// Reads on; `false` at the end of the file.
    fn fill(&mut self) -> Result<bool> {
        let left = self.reader.len().saturating_sub(self.at);
        if left == 0 {
            return Ok(false);
        }
        if self.at >= MAX_FILE {
            let why = format!("it is longer than {} MiB; the rest is not read", MAX_FILE >> 20);
            return Err(Error::unsupported("text", why).at(self.at));
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let old = self.buffer.len();
        let portion = left.min(PORTION as u64) as usize;
        self.buffer.resize(old + portion, 0);
        if let Err(error) = self.reader.read_at(self.at, &mut self.buffer[old..]) {
            self.buffer.truncate(old);
            return Err(error);
        }
        self.at += portion as u64;
        Ok(true)
    }

    /// The beginning of a line that is too long; the rest of it is passed over.
    fn cut(&mut self) -> Result<Range<usize>> {
        let mut line = self.buffer[self.start..self.start + MAX_LINE].to_vec();
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                self.count_zeros(self.start..self.start + length);
                self.start += length + 1;
                self.is_ended = true;
                break;
            }
            self.count_zeros(self.start..self.buffer.len());
            self.start = self.buffer.len();
            if !self.fill()? {
                self.is_ended = false;
                break;
            }
        }
        // The line takes the place of what was passed over.
        let rest = self.buffer.split_off(self.start);
        self.start = line.len();
        line.extend_from_slice(&rest);
        self.buffer = line;
        Ok(0..self.start)
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(Arc::new(text.to_vec()));
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(line.to_vec());
        }
        found
    }

    #[test]
    fn lines_across_portions() {
        assert!(all(b"").is_empty());
        assert_eq!(all(b"one\r\n\ntwo"), [&b"one"[..], b"", b"two"]);
        assert_eq!(all(b"\n"), [b""]);
        let text: Vec<u8> = (0..100_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        assert!(text.len() > 3 * PORTION);
        let lines = all(&text);
        assert_eq!(lines.len(), 100_000);
        assert!(lines.iter().enumerate().all(|(n, line)| *line == format!("line {n}").as_bytes()));
    }

    #[test]
    fn lines_that_were_lost_are_told_at_the_end() {
        let mut text = b"one\ntwo\nth\0\0ree\nfour\n".to_vec();
        text.extend([&b"x\n".repeat(PORTION)[..], &[0; 100], b"\nlast"].concat());
        let mut lines = Lines::new(Arc::new(text));
        let mut found = Vec::new();
        let error = loop {
            match lines.next() {
                Ok(Some(line)) if line == b"x" => {}
                Ok(line) => found.push(line.unwrap().to_vec()),
                Err(error) => break error,
            }
        };
        assert_eq!(found, [&b"one"[..], b"two", b"four", b"last"]);
        assert!(error.to_string().contains("102 zero bytes at offset 10"), "{error}");
        assert!(lines.next().unwrap().is_none());
        let mut zeros = Lines::new(Arc::new([b"a\n", &vec![0; 3 * PORTION][..]].concat()));
        assert_eq!(zeros.next().unwrap(), Some(&b"a"[..]));
        let error = zeros.next().unwrap_err().to_string();
        assert!(error.contains(&format!("{} zero bytes at offset 2,", 3 * PORTION)), "{error}");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut() {
        let long = vec![b'x'; 3 * PORTION];
        let text = [b"before\n", &long[..], b"\nafter\n", &long[..]].concat();
        let lines = all(&text);
        assert_eq!(lines.len(), 4);
        assert_eq!((lines[0].as_slice(), lines[2].as_slice()), (&b"before"[..], &b"after"[..]));
        assert!([1, 3].iter().all(|at| lines[*at] == long[..MAX_LINE]));
    }

    #[test]
    fn a_file_without_end_is_given_up() {
        struct Endless;
        impl ReadAt for Endless {
            fn len(&self) -> u64 {
                1 << 40
            }
            fn read_at(&self, _: u64, buf: &mut [u8]) -> Result<()> {
                buf.fill(b'\n');
                Ok(())
            }
        }
        let mut lines = Lines::new(Arc::new(Endless));
        let error = loop {
            match lines.next() {
                Ok(line) => assert_eq!(line, Some(&b""[..])),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("256 MiB"), "{error}");
    }
}
