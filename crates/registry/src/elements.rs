//! The elements of a list, read as they are asked for: the first of them cost no more where many are
//! claimed.

use fathom_block::{ReadAt, Result, read_vec};

/// How many bytes are read at once.
const STEP: u64 = 4096;

/// Elements of the same length, one behind the other.
pub(crate) struct Elements {
    at: u64,
    end: u64,
    stride: usize,
    read: Vec<u8>,
    used: usize,
}

impl Elements {
    /// `count` elements of `stride` bytes from byte `at` of the file.
    pub(crate) fn new(at: u64, stride: usize, count: u64) -> Self {
        Self { at, end: at + count * stride as u64, stride, read: Vec::new(), used: 0 }
    }

    /// The next element and where it lies. Nothing follows an error.
    pub(crate) fn next(&mut self, hive: &impl ReadAt, what: &str) -> Option<Result<(u64, &[u8])>> {
        if self.used >= self.read.len() {
            let length = (self.end - self.at).min(STEP);
            if length == 0 {
                return None;
            }
            match read_vec(hive, what, self.at, length) {
                Ok(read) => self.read = read,
                Err(error) => {
                    self.at = self.end;
                    return Some(Err(error));
                }
            }
            self.used = 0;
            self.at += length;
        }
        let place = self.at - (self.read.len() - self.used) as u64;
        let element = self.read.get(self.used..self.used + self.stride)?;
        self.used += self.stride;
        Some(Ok((place, element)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_one_by_one() {
        let hive: Vec<u8> = (0..2000_u32).flat_map(u32::to_le_bytes).collect();
        for stride in [4, 8] {
            let mut elements = Elements::new(8, stride, 1998 / (stride as u64 / 4));
            let mut number = 2_u32;
            while let Some(element) = elements.next(&hive, "list") {
                let (at, element) = element.unwrap();
                assert_eq!((at, &element[..4]), (u64::from(number) * 4, &number.to_le_bytes()[..]));
                number += stride as u32 / 4;
            }
            assert_eq!(number, 2000);
        }
        let mut elements = Elements::new(4096, 4, 2000);
        let read = std::iter::from_fn(|| Some(elements.next(&hive, "list")?.is_ok()));
        assert_eq!(read.collect::<Vec<_>>(), [false]);
    }
}
