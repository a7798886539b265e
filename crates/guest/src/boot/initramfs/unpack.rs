//! What an archive may be packed with, as the kernel unpacks it.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use lzma_rust2::{LzmaReader, XzReader};

/// The memory that xz and lzma may take, in KiB: `xz -9` has a window of 64 MiB.
const MAX_LZMA: u32 = 72 << 10;

/// The window that zstd may take, in powers of two: 64 MiB.
const MAX_ZSTD_WINDOW: u32 = 26;

/// How much a block of lz4 unpacks to, at most.
const LZ4_BLOCK: usize = 8 << 20;

/// How much a block of lzop unpacks to, at most, as the kernel takes it; lzop itself writes 256 KiB.
const LZO_BLOCK: usize = 256 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Xz,
    Lzma,
    Zstd,
    Lz4,
    Lzo,
}

impl Codec {
    /// By the first bytes.
    pub(super) fn of(magic: &[u8]) -> Option<Self> {
        Some(match magic {
            [0x1F, 0x8B | 0x9E, ..] => Self::Gzip,
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x5D, 0, 0, ..] => Self::Lzma,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Self::Zstd,
            // The format of old; the kernel takes no other.
            [0x02, 0x21, 0x4C, 0x18, ..] => Self::Lz4,
            [0x89, b'L', b'Z', b'O', ..] => Self::Lzo,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Lzo => "lzop",
        }
    }

    /// Whether unpacking takes seconds for what distributions make.
    pub(super) fn is_slow(self) -> bool {
        matches!(self, Self::Xz | Self::Lzma)
    }

    /// What is packed, unpacked as it is read. Behind its end the source stands at what follows.
    pub(super) fn unpack<'a>(self, mut source: &'a mut dyn BufRead) -> Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::GzDecoder::new(source)),
            Self::Xz => Box::new(XzReader::new_mem_limit(source, false, MAX_LZMA)),
            Self::Lzma => Box::new(LzmaReader::new_mem_limit(source, MAX_LZMA, None)?),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?.single_frame();
                decoder.window_log_max(MAX_ZSTD_WINDOW)?;
                Box::new(decoder)
            }
            Self::Lz4 => {
                source.read_exact(&mut [0; 4])?;
                Box::new(Blocks::new(source, lz4))
            }
            Self::Lzo => {
                let checksums = lzo_header(&mut source)?;
                let next = move |source: &mut dyn BufRead, block: &mut Vec<u8>| {
                    lzo(source, block, checksums)
                };
                Box::new(Blocks::new(source, next))
            }
        })
    }
}

/// What is packed in blocks that stand alone.
struct Blocks<'a, F> {
    source: &'a mut dyn BufRead,
    next: F,
    block: Vec<u8>,
    start: usize,
}

impl<'a, F: FnMut(&mut dyn BufRead, &mut Vec<u8>) -> Result<bool>> Blocks<'a, F> {
    fn new(source: &'a mut dyn BufRead, next: F) -> Self {
        Self { source, next, block: Vec::new(), start: 0 }
    }
}

impl<F: FnMut(&mut dyn BufRead, &mut Vec<u8>) -> Result<bool>> Read for Blocks<'_, F> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        while self.start == self.block.len() {
            self.start = 0;
            self.block.clear();
            if !(self.next)(self.source, &mut self.block)? {
                return Ok(0);
            }
        }
        let length = buf.len().min(self.block.len() - self.start);
        buf[..length].copy_from_slice(&self.block[self.start..self.start + length]);
        self.start += length;
        Ok(length)
    }
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

/// The next block of lz4; `false` at the end, which nothing marks but the end of the file or a
/// length that can be none.
fn lz4(source: &mut dyn BufRead, block: &mut Vec<u8>) -> Result<bool> {
    const MAGIC: u32 = 0x184C_2102;
    loop {
        if source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut size = [0; 4];
        source.read_exact(&mut size)?;
        let size = u32::from_le_bytes(size);
        // Behind one stream may stand another.
        if size == MAGIC {
            continue;
        }
        if size == 0 {
            return Ok(false);
        }
        if size as usize > LZ4_BLOCK + LZ4_BLOCK / 255 + 16 {
            return Err(invalid("a block of lz4 is longer than any is"));
        }
        let mut packed = vec![0; size as usize];
        source.read_exact(&mut packed)?;
        block.resize(LZ4_BLOCK, 0);
        let length = lz4_flex::block::decompress_into(&packed, block)
            .map_err(|error| invalid(&error.to_string()))?;
        block.truncate(length);
        return Ok(true);
    }
}

/// Reads the header of lzop; how many bytes of checksums stand before each block, of what is
/// unpacked and of what is packed.
fn lzo_header(source: &mut dyn BufRead) -> Result<(u64, u64)> {
    const ADLER32_D: u32 = 1;
    const ADLER32_C: u32 = 2;
    const EXTRA_FIELD: u32 = 0x40;
    const CRC32_D: u32 = 0x100;
    const CRC32_C: u32 = 0x200;
    const FILTER: u32 = 0x800;
    let mut head = [0; 9 + 2 + 2 + 2 + 1 + 1 + 4];
    source.read_exact(&mut head)?;
    if head[..9] != [0x89, b'L', b'Z', b'O', 0, b'\r', b'\n', 0x1A, b'\n'] {
        return Err(invalid("the header of lzop is not whole"));
    }
    let version = u16::from_be_bytes([head[9], head[10]]);
    if version < 0x0940 {
        return Err(invalid("it was written by a version of lzop that is too old"));
    }
    let flags = u32::from_be_bytes([head[17], head[18], head[19], head[20]]);
    if flags & (FILTER | EXTRA_FIELD) != 0 {
        return Err(invalid("lzop wrote a filter or another field"));
    }
    // Mode, two halves of a time, and the length of the name.
    let mut rest = [0; 13];
    source.read_exact(&mut rest)?;
    skip(source, u64::from(rest[12]) + 4)?;
    let has = |mask: u32| if flags & mask == 0 { 0 } else { 4 };
    Ok((has(ADLER32_D) + has(CRC32_D), has(ADLER32_C) + has(CRC32_C)))
}

fn skip(source: &mut dyn BufRead, length: u64) -> Result<()> {
    let skipped = std::io::copy(&mut source.take(length), &mut std::io::sink())?;
    if skipped == length { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

/// The next block of lzop; `false` behind the last.
fn lzo(source: &mut dyn BufRead, block: &mut Vec<u8>, checksums: (u64, u64)) -> Result<bool> {
    let mut word = [0; 4];
    source.read_exact(&mut word)?;
    let unpacked = u32::from_be_bytes(word) as usize;
    if unpacked == 0 {
        return Ok(false);
    }
    source.read_exact(&mut word)?;
    let packed = u32::from_be_bytes(word) as usize;
    if unpacked > LZO_BLOCK || packed == 0 || packed > unpacked {
        return Err(invalid("a block of lzop has a length that none has"));
    }
    // What did not become shorter stands as it is, and has no checksum of its own.
    let is_stored = packed == unpacked;
    skip(source, checksums.0 + if is_stored { 0 } else { checksums.1 })?;
    let mut bytes = vec![0; packed];
    source.read_exact(&mut bytes)?;
    if is_stored {
        *block = bytes;
        return Ok(true);
    }
    block.resize(unpacked, 0);
    let length = lzokay::decompress::decompress(&bytes, block)
        .map_err(|error| invalid(&format!("{error:?}")))?;
    if length != unpacked {
        return Err(invalid("a block of lzop is shorter than it says"));
    }
    Ok(true)
}
