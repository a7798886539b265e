//! Checksums: what is one, and readers whose bytes are those that were compared.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fathom_block::{Error, ReadAt, check_range};
use sha2::{Digest as _, Sha256};

use super::failure::{Code, Refusal};

/// The least stretch of a file that has a checksum of its own.
const STRETCH: u64 = 256 << 10;

/// The most stretches: of a long file each is longer.
const MAX_STRETCHES: u64 = 1 << 20;

/// How many bytes are read at once.
const CHUNK: u64 = 1 << 20;

/// How many stretches are kept that were compared.
const KEPT: usize = 32;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// `sha256:HEX` or `HEX`, 64 digits. Nothing else is a checksum: no other algorithm, and no
    /// empty text.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let invalid = || {
            let why = "a checksum is sha256: and 64 hexadecimal digits";
            let shown: String = text.chars().take(80).collect();
            Refusal::new(Code::ChecksumInvalid, format!("{shown:?} is no checksum: {why}"))
        };
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The checksum of all bytes. `each` is told how many came, and may end it.
pub fn digest<E: From<Error>>(
    reader: &dyn ReadAt,
    each: &mut dyn FnMut(u64) -> Result<(), E>,
) -> Result<Checksum, E> {
    let mut whole = Sha256::new();
    for_each_chunk(reader, CHUNK, &mut |bytes| {
        whole.update(bytes);
        each(bytes.len() as u64)
    })?;
    Ok(Checksum(whole.finalize().into()))
}

fn for_each_chunk<E: From<Error>>(
    reader: &dyn ReadAt,
    chunk: u64,
    take: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = vec![0; chunk.min(reader.len()) as usize];
    let mut offset = 0;
    while offset < reader.len() {
        let length = chunk.min(reader.len() - offset) as usize;
        reader.read_at(offset, &mut buffer[..length])?;
        take(&buffer[..length])?;
        offset += length as u64;
    }
    Ok(())
}

/// A reader whose bytes had a checksum once, and are held to it ever after.
///
/// While the whole is read for the first time, the checksum of each stretch of it is kept. Whatever is
/// read later is read by whole stretches, and handed on only where they still have theirs: it is then
/// among the bytes that the whole was computed of. So it does not matter who writes to the file
/// meanwhile, or what a server sends the second time.
pub struct Verified {
    source: Arc<dyn ReadAt>,
    name: String,
    stretch: u64,
    checksums: Vec<[u8; 32]>,
    kept: Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>,
    changed: Arc<AtomicBool>,
}

impl Verified {
    /// Reads all of `source`, called `name` in messages, and says its checksum as well. `changed`
    /// becomes true when it has changed later on.
    pub fn read<E: From<Error>>(
        source: Arc<dyn ReadAt>,
        name: String,
        changed: Arc<AtomicBool>,
        each: &mut dyn FnMut(u64) -> Result<(), E>,
    ) -> Result<(Self, Checksum), E> {
        let stretch = STRETCH.max(source.len().div_ceil(MAX_STRETCHES).next_power_of_two());
        let mut whole = Sha256::new();
        let mut checksums = Vec::new();
        for_each_chunk(&*source, stretch, &mut |bytes| {
            whole.update(bytes);
            checksums.push(Sha256::digest(bytes).into());
            each(bytes.len() as u64)
        })?;
        let kept = Mutex::default();
        let checksum = Checksum(whole.finalize().into());
        Ok((Self { source, name, stretch, checksums, kept, changed }, checksum))
    }

    /// The bytes of a stretch, held to its checksum.
    fn stretch(&self, index: u64) -> Result<Arc<Vec<u8>>, Error> {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = lock().iter().find(|(kept, _)| *kept == index) {
            return Ok(Arc::clone(bytes));
        }
        let start = index * self.stretch;
        let mut bytes = vec![0; self.stretch.min(self.len().saturating_sub(start)) as usize];
        self.source.read_at(start, &mut bytes)?;
        let found: [u8; 32] = Sha256::digest(&bytes).into();
        if self.checksums.get(index as usize) != Some(&found) {
            self.changed.store(true, Ordering::SeqCst);
            let why = "it has changed since its checksum was compared";
            return Err(Error::refused(&*self.name, why).at(start));
        }
        let bytes = Arc::new(bytes);
        let mut kept = lock();
        kept.push_back((index, Arc::clone(&bytes)));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        Ok(bytes)
    }
}

impl ReadAt for Verified {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Error> {
        check_range(offset, buf.len(), self.len())?;
        let (mut at, mut rest) = (offset, buf);
        while !rest.is_empty() {
            let bytes = self.stretch(at / self.stretch)?;
            let within = (at % self.stretch) as usize;
            let count = rest.len().min(Vec::len(&bytes).saturating_sub(within));
            if count == 0 {
                return Err(Error::past_end(at, rest.len() as u64, self.len()));
            }
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(&bytes[within..within + count]);
            at += count as u64;
            rest = later;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_checksum() {
        let hex = "0123456789abcdefABCDEF0123456789".repeat(2);
        let checksum = Checksum::parse(&hex).unwrap();
        assert_eq!(checksum, Checksum::parse(&format!("sha256:{}", hex.to_lowercase())).unwrap());
        assert_eq!(checksum.to_string(), format!("sha256:{}", hex.to_lowercase()));
        let short = &hex[1..];
        for text in [
            "",
            " ",
            "sha256:",
            "sha256",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "d41d8cd98f00b204e9800998ecf8427e",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            &format!("md5:{hex}"),
            &format!("sha512:{hex}{hex}"),
            &format!("{hex}{hex}"),
            &format!("sha256:sha256:{hex}"),
            &format!("SHA256:{hex}"),
            &format!("sha256: {hex}"),
            &format!(" {hex}"),
            &format!("{hex}\n"),
            &format!("0x{}", &hex[2..]),
            &format!("{short}g"),
            &format!("{short}\u{0660}"),
            &format!("+{short}"),
            short,
            &format!("{hex}0"),
            "none",
            "null",
            "*",
        ] {
            let refusal = Checksum::parse(text).unwrap_err();
            assert_eq!(refusal.code, Code::ChecksumInvalid, "{text:?}");
        }
    }

    /// Bytes that somebody writes to.
    struct Shared(Mutex<Vec<u8>>);

    impl ReadAt for Shared {
        fn len(&self) -> u64 {
            self.0.lock().unwrap().len() as u64
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Error> {
            self.0.lock().unwrap().read_at(offset, buf)
        }
    }

    #[test]
    fn what_changes_afterwards_is_never_handed_on() {
        let length = 3 * STRETCH as usize + 100;
        let bytes: Vec<u8> = (0..length).map(|at| (at / 5) as u8).collect();
        let shared = Arc::new(Shared(Mutex::new(bytes.clone())));
        let changed = Arc::new(AtomicBool::new(false));
        let mut came = 0;
        let (verified, checksum) = Verified::read::<Error>(
            shared.clone(),
            "file".to_owned(),
            Arc::clone(&changed),
            &mut |count| {
                came += count;
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(came, length as u64);
        assert_eq!(checksum, digest::<Error>(&bytes, &mut |_| Ok(())).unwrap());
        let mut buf = vec![0; STRETCH as usize + 7];
        for offset in [0, 1, STRETCH as usize - 3, length - buf.len()] {
            verified.read_at(offset as u64, &mut buf).unwrap();
            assert!(buf == bytes[offset..offset + buf.len()], "{offset}");
        }
        assert!(verified.read_at(length as u64 - 1, &mut [0; 2]).is_err());
        // One bit, and the stretch is gone; those beside it are as they were.
        verified.kept.lock().unwrap().clear();
        shared.0.lock().unwrap()[STRETCH as usize + 5] ^= 1;
        verified.read_at(0, &mut buf[..100]).unwrap();
        assert!(!changed.load(Ordering::SeqCst));
        let error = verified.read_at(STRETCH + 90_000, &mut [0]).unwrap_err();
        assert!(error.to_string().contains("has changed"), "{error}");
        assert!(changed.load(Ordering::SeqCst));
        verified.read_at(2 * STRETCH, &mut buf[..100]).unwrap();
    }
}
