//! A text file line by line, in bounded memory however long it and its lines are.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

/// How much is read at once.
const PORTION: usize = 256 << 10;

/// The longest line; of a longer one this much is seen.
const MAX_LINE: usize = 64 << 10;

/// The longest file that is read. No database of a real machine comes near.
const MAX_FILE: u64 = 256 << 20;

/// The lines of a file.
pub(crate) struct Lines {
    reader: Arc<dyn ReadAt>,
    /// Where the next portion begins.
    at: u64,
    buffer: Vec<u8>,
    /// The part of the buffer that has not been handed out.
    start: usize,
}

impl Lines {
    pub(crate) fn new(reader: Arc<dyn ReadAt>) -> Self {
        Self { reader, at: 0, buffer: Vec::new(), start: 0 }
    }

    /// The next line without its end, or nothing at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>> {
        let mut seen = 0;
        let length = loop {
            let rest = &self.buffer[self.start..];
            if let Some(length) = rest[seen..].iter().position(|byte| *byte == b'\n') {
                break seen + length;
            }
            seen = rest.len();
            if seen > MAX_LINE {
                return self.cut().map(Some);
            }
            if !self.fill()? {
                if seen == 0 {
                    return Ok(None);
                }
                let line = self.start..self.start + seen;
                self.start = line.end;
                return Ok(Some(trimmed(&self.buffer[line])));
            }
        };
        let line = self.start..self.start + length;
        self.start = line.end + 1;
        Ok(Some(trimmed(&self.buffer[line])))
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
    fn cut(&mut self) -> Result<&[u8]> {
        let mut line = self.buffer[self.start..self.start + MAX_LINE].to_vec();
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                self.start += length + 1;
                break;
            }
            self.start = self.buffer.len();
            if !self.fill()? {
                break;
            }
        }
        // The line takes the place of what was passed over.
        let rest = self.buffer.split_off(self.start);
        self.start = line.len();
        line.extend_from_slice(&rest);
        self.buffer = line;
        Ok(&self.buffer[..self.start])
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
