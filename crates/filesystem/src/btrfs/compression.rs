//! The three ways in which extents are compressed. Each is at most 128 KiB when unpacked, so that
//! none can blow up; one that unpacks to less than the extent has is followed by zeros.

use fathom_block::{Error, Result};
use zstd::stream::raw::{DParameter, InBuffer, Operation as _, OutBuffer};

/// The most bytes of an extent, compressed or not (`BTRFS_MAX_COMPRESSED`,
/// `BTRFS_MAX_UNCOMPRESSED`).
pub(super) const MAX_LENGTH: u64 = 128 << 10;

/// The largest window of a Zstandard frame (`ZSTD_BTRFS_MAX_WINDOWLOG`).
const ZSTD_WINDOW_LOG: u32 = 17;

/// How an extent is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Codec {
    Zlib,
    Lzo,
    Zstd,
}

impl Codec {
    fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Lzo => "LZO",
            Self::Zstd => "Zstandard",
        }
    }

    /// Unpacks `packed`, which lies at `place`, to `length` bytes. What follows the packed bytes
    /// up to the end of the sector is ignored.
    pub(super) fn unpack(self, packed: &[u8], length: usize, place: u64) -> Result<Vec<u8>> {
        debug_assert!(length as u64 <= MAX_LENGTH);
        let mut bytes = vec![0; length];
        let outcome = match self {
            Self::Zlib => zlib(packed, &mut bytes),
            Self::Lzo => lzo(packed, &mut bytes),
            Self::Zstd => zstd(packed, &mut bytes),
        };
        match outcome {
            Ok(written) => {
                // Decoders copy in large steps and may have left something past the end.
                bytes[written..].fill(0);
                Ok(bytes)
            }
            Err(why) => Err(Error::corrupt(format!("{} extent", self.name()), place, why)),
        }
    }
}

/// Unpacks a zlib stream and says to how many bytes.
fn zlib(packed: &[u8], bytes: &mut [u8]) -> std::result::Result<usize, String> {
    let mut decoder = flate2::Decompress::new(true);
    loop {
        let (read, written) = (decoder.total_in() as usize, decoder.total_out() as usize);
        if written == bytes.len() {
            return Ok(written);
        }
        let rest = packed.get(read..).unwrap_or_default();
        let status = decoder
            .decompress(rest, &mut bytes[written..], flate2::FlushDecompress::None)
            .map_err(|error| error.to_string())?;
        let moved = decoder.total_in() as usize != read || decoder.total_out() as usize != written;
        match status {
            flate2::Status::StreamEnd => return Ok(decoder.total_out() as usize),
            _ if !moved => return Err("the stream ends early".into()),
            _ => {}
        }
    }
}

/// Unpacks a Zstandard frame and says to how many bytes.
fn zstd(packed: &[u8], bytes: &mut [u8]) -> std::result::Result<usize, String> {
    let mut decoder = zstd::stream::raw::Decoder::new().map_err(|error| error.to_string())?;
    decoder
        .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))
        .map_err(|error| error.to_string())?;
    let mut input = InBuffer::around(packed);
    let mut output = OutBuffer::around(bytes);
    loop {
        let before = (input.pos, output.pos());
        let left = decoder.run(&mut input, &mut output).map_err(|error| error.to_string())?;
        if left == 0 || output.pos() == output.capacity() {
            return Ok(output.pos());
        }
        if before == (input.pos, output.pos()) {
            return Err("the frame ends early".into());
        }
    }
}

/// Each sector is compressed for itself. The total length comes first, then for each sector its
/// length and its bytes; a length never crosses the border of a sector of packed bytes, but is
/// moved past it.
fn lzo(packed: &[u8], bytes: &mut [u8]) -> std::result::Result<usize, String> {
    const SECTOR: usize = 4096;
    const LENGTH: usize = 4;
    let number = |at: usize| {
        let field = packed.get(at..at + LENGTH)?;
        Some(u32::from_le_bytes(field.try_into().ok()?) as usize)
    };
    let total = number(0).ok_or("there is no length")?;
    let packed = packed.get(..total).ok_or_else(|| format!("it claims {total} bytes"))?;
    let mut at = LENGTH;
    let mut written = 0;
    for sector in bytes.chunks_mut(SECTOR) {
        if SECTOR - at % SECTOR < LENGTH {
            at = at.next_multiple_of(SECTOR);
        }
        if at >= packed.len() {
            return Ok(written);
        }
        let length = number(at).ok_or("a segment has no length")?;
        at += LENGTH;
        let segment = at
            .checked_add(length)
            .and_then(|end| packed.get(at..end))
            .ok_or_else(|| format!("a segment of {length} bytes does not fit"))?;
        at += length;
        match lzokay::decompress::decompress(segment, sector) {
            Ok(length) => {
                sector[length..].fill(0);
                written += sector.len();
            }
            Err(error) => return Err(format!("a segment cannot be unpacked: {error}")),
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a decoder writes beyond what it has unpacked must not be seen.
    #[test]
    fn zeros_follow_what_is_short() {
        for length in [1, 100, 3000, 7627, 8191] {
            let bytes: Vec<u8> = (0..length).map(|at| 1 + (at / 100) as u8).collect();
            let mut zlib = Vec::with_capacity(20_000);
            flate2::Compress::new(flate2::Compression::fast(), true)
                .compress_vec(&bytes, &mut zlib, flate2::FlushCompress::Finish)
                .unwrap();
            let zstd = zstd::bulk::compress(&bytes, 3).unwrap();
            for (codec, mut packed) in [(Codec::Zlib, zlib), (Codec::Zstd, zstd)] {
                packed.resize(packed.len().next_multiple_of(4096), 0xAA);
                let unpacked = codec.unpack(&packed, 8192, 0).unwrap();
                assert_eq!(unpacked[..length], bytes, "{codec:?} {length}");
                assert!(unpacked[length..].iter().all(|byte| *byte == 0), "{codec:?} {length}");
            }
        }
    }

    #[test]
    fn bombs_and_stumps() {
        let zeros = vec![0; 64 << 20];
        let bomb = zstd::bulk::compress(&zeros, 1).unwrap();
        // The frame asks for a window larger than any that Btrfs writes.
        assert!(Codec::Zstd.unpack(&bomb, 128 << 10, 0).is_err());
        for codec in [Codec::Zlib, Codec::Lzo, Codec::Zstd] {
            for packed in [&b""[..], b"\x78", b"\x28\xB5\x2F\xFD", &[0xFF; 40], &[0x08; 40]] {
                let _ = codec.unpack(packed, 4096, 0);
                let _ = codec.unpack(packed, 0, 0);
            }
            assert!(codec.unpack(b"", 4096, 0).is_err(), "{codec:?}");
        }
    }
}
