//! LZNT1, the compression of NTFS: [MS-XCA] section 2.5.
//!
//! A compressed value is a row of chunks, each of which gives up to 4096 bytes and says how long it
//! is. In a chunk, every eighth item is preceded by a byte whose bits say which of the eight are
//! literal bytes and which are pairs of a length and a distance back into the same chunk. How the
//! pair's sixteen bits are shared depends on how far into the chunk they stand.

use fathom_block::{Error, Result};

/// The bytes that a chunk gives.
pub(super) const CHUNK: usize = 4096;

/// The bits that every chunk's header has in the middle.
const SIGNATURE: u16 = 3;

/// Fills `output`, which must be zeros, with what `input` gives. What it does not give stays zero.
/// `at` is where `input` lies, for the error.
pub(super) fn decompress(input: &[u8], at: u64, output: &mut [u8]) -> Result<()> {
    let corrupt =
        |place: usize, why: &str| Error::corrupt("compressed data", at + place as u64, why);
    let mut place = 0;
    for target in output.chunks_mut(CHUNK) {
        let header = match input.get(place..) {
            Some([low, high, ..]) => u16::from_le_bytes([*low, *high]),
            _ => break,
        };
        if header == 0 {
            break;
        }
        if header >> 12 & 7 != SIGNATURE {
            return Err(corrupt(place, "a chunk's header lacks its signature"));
        }
        let length = usize::from(header & 0xFFF) + 1;
        let chunk = input
            .get(place + 2..place + 2 + length)
            .ok_or_else(|| corrupt(place, "a chunk passes the end of its unit"))?;
        let fits = if header & 0x8000 == 0 {
            target.get_mut(..length).map(|target| target.copy_from_slice(chunk)).is_some()
        } else {
            expand(chunk, target).is_some()
        };
        if !fits {
            return Err(corrupt(place, "a chunk holds more than 4096 bytes or points before them"));
        }
        place += 2 + length;
    }
    Ok(())
}

/// Expands one chunk; `None` where it points before its start or holds too much.
fn expand(chunk: &[u8], target: &mut [u8]) -> Option<()> {
    let mut filled = 0;
    let mut input = chunk.iter().copied();
    while let Some(kinds) = input.next() {
        for bit in 0..8 {
            let Some(first) = input.next() else {
                return Some(());
            };
            if kinds >> bit & 1 == 0 {
                *target.get_mut(filled)? = first;
                filled += 1;
                continue;
            }
            let pair = u16::from_le_bytes([first, input.next()?]);
            // The further the chunk is filled, the more bits the distance needs: at least four.
            let distance_bits = usize::BITS - (filled.checked_sub(1)?).leading_zeros();
            let length_bits = 16 - distance_bits.max(4);
            let distance = usize::from(pair >> length_bits) + 1;
            let length = usize::from(pair & ((1 << length_bits) - 1)) + 3;
            let from = filled.checked_sub(distance)?;
            if length > target.len() - filled {
                return None;
            }
            if distance >= length {
                target.copy_within(from..from + length, filled);
            } else {
                for step in 0..length {
                    target[filled + step] = target[from + step];
                }
            }
            filled += length;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // [MS-XCA] section 3.3.
        let input = [
            0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2,
            0x47, 0x01, 0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0,
            0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58,
            0x02, 0x8c, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01,
            0x18, 0x90, 0x00,
        ];
        let mut output = vec![0; CHUNK];
        decompress(&input, 0, &mut output).unwrap();
        let text = b"F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# \
                     D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        assert_eq!(&output[..text.len()], text);
    }

    #[test]
    fn plain_chunks_and_runs() {
        let mut input = vec![0xFF, 0x3F];
        input.extend([7; CHUNK]);
        // One literal and a pair that repeats it: distance 1, the longest length 4095 + 3 cut to
        // what makes 4096 together.
        input.extend([0x03, 0xB0, 0x02, b'x', 0xFC, 0x0F]);
        let mut output = vec![0; 3 * CHUNK];
        decompress(&input, 0, &mut output).unwrap();
        assert!(output[..CHUNK].iter().all(|byte| *byte == 7));
        assert!(output[CHUNK..2 * CHUNK].iter().all(|byte| *byte == b'x'));
        assert!(output[2 * CHUNK..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn nonsense_is_corrupt() {
        for input in [
            &[0x03, 0xB0, 0x01, 0x00, 0x00, 0x00][..], // a pair before any byte
            &[0x03, 0xB0, 0x02, b'x', 0xFE, 0x0F],     // one byte too much
            &[0x03, 0xB0, 0x02, b'x', 0x00, 0x10],     // too far back
            &[0xFF, 0xBF, 0x00],                       // cut short
            &[0x02, 0x80, 0x00, b'x', b'y'],           // no signature
            &[0x02, 0xB0, 0x02, b'x', 0xFE],           // half a pair
        ] {
            assert!(decompress(input, 0, &mut vec![0; CHUNK]).is_err(), "{input:x?}");
        }
    }
}
