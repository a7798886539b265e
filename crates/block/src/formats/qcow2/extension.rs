//! Header extensions: optional sections between the header and the backing file's name.

use super::header::{Header, incompatible};
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_array, read_vec};

const END: u32 = 0;
const BACKING_FORMAT: u32 = 0xe279_2aca;
const FEATURE_NAMES: u32 = 0x6803_f857;
const DATA_FILE: u32 = 0x4441_5441;

/// One entry of the feature name table.
const FEATURE_NAME: usize = 48;

/// As many as there are bits in the three bitmaps.
const MAX_NAMES: u64 = 3 * 64 * FEATURE_NAME as u64;

/// No path is longer, and qemu stops at 1023.
const MAX_TEXT: u64 = 4096;

const WHAT: &str = "qcow2 header extension";

/// A type of the feature name table: an incompatible feature.
const INCOMPATIBLE: u8 = 0;

/// What the extensions say that a reader needs to know.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    pub(super) backing_format: Option<String>,
    pub(super) data_file: Option<String>,
    /// Incompatible features by bit, as the image itself calls them.
    feature_names: Vec<(u8, String)>,
}

impl Extensions {
    /// Reads the extensions that follow `header` at the start of `file`.
    pub(super) fn read(file: &dyn ReadAt, header: &Header) -> Result<Self> {
        // The backing file's name comes after them, within the first cluster.
        let name_at = header.backing_name.map_or(u64::MAX, |(offset, _)| offset);
        let end = name_at.min(header.cluster_size()).min(file.len());
        let mut extensions = Self::default();
        let mut at = u64::from(header.length);
        // Without an end marker they end where the next one would not fit.
        while at + 8 <= end {
            let bytes = read_array::<8>(file, WHAT, at)?;
            let fields = Fields::new(WHAT, at, &bytes);
            let (kind, length) = (fields.be_u32(0)?, u64::from(fields.be_u32(4)?));
            if kind == END {
                break;
            }
            let left = end - at - 8;
            if length > left {
                let why = format!("extension {kind:#010x} claims {length} bytes; {left} are left");
                return Err(fields.corrupt(4, why));
            }
            match kind {
                BACKING_FORMAT => extensions.backing_format = Some(text(file, at + 8, length)?),
                DATA_FILE => extensions.data_file = Some(text(file, at + 8, length)?),
                FEATURE_NAMES => {
                    extensions.feature_names =
                        feature_names(&read_vec(file, WHAT, at + 8, length.min(MAX_NAMES))?);
                }
                // Bitmaps tell a backup what changed, the encryption header is needed for a key:
                // neither changes what the guest reads here.
                _ => {}
            }
            at += 8 + length.next_multiple_of(8);
        }
        Ok(extensions)
    }

    /// The error that an unknown incompatible feature is in use, if one is.
    pub(super) fn refuse_unknown(&self, header: &Header) -> Result<()> {
        let unknown = header.incompatible & !incompatible::KNOWN;
        if unknown == 0 {
            return Ok(());
        }
        let names: Vec<String> = (0..64)
            .filter(|bit| unknown & (1 << bit) != 0)
            .map(|bit| match self.feature_names.iter().find(|(named, _)| *named == bit) {
                Some((_, name)) => format!("{name:?} (bit {bit})"),
                None => format!("bit {bit}, which the image does not name"),
            })
            .collect();
        Err(Error::unsupported(
            format!("qcow2 feature {}", names.join(", ")),
            "the image may not be read without knowing it",
        ))
    }
}

/// The name of a file or format.
pub(super) fn text(file: &dyn ReadAt, at: u64, length: u64) -> Result<String> {
    if length > MAX_TEXT {
        let why = format!("a name of {length} bytes; at most {MAX_TEXT} are allowed");
        return Err(Error::corrupt("qcow2 header", at, why));
    }
    match String::from_utf8(read_vec(file, "qcow2 header", at, length)?) {
        Ok(text) => Ok(text.trim_end_matches('\0').to_owned()),
        Err(_) => {
            Err(Error::unsupported("a file name in the qcow2 header", "it is not UTF-8").at(at))
        }
    }
}

fn feature_names(table: &[u8]) -> Vec<(u8, String)> {
    table
        .chunks_exact(FEATURE_NAME)
        .filter(|entry| entry[0] == INCOMPATIBLE)
        .map(|entry| {
            let name = String::from_utf8_lossy(&entry[2..]);
            (entry[1], name.trim_end_matches('\0').to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::header;
    use super::*;
    use crate::error::ErrorKind;

    fn header(incompatible: u64) -> Header {
        let mut header = Header::parse(&header::tests::sample()).unwrap();
        header.incompatible = incompatible;
        header
    }

    fn image(extensions: &[(u32, &[u8])]) -> Vec<u8> {
        let mut bytes = header::tests::sample();
        for (kind, data) in extensions {
            bytes.extend(kind.to_be_bytes());
            bytes.extend((data.len() as u32).to_be_bytes());
            bytes.extend(*data);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        bytes
    }

    #[test]
    fn reads_the_strings_and_skips_the_rest() {
        let bytes = image(&[
            (BACKING_FORMAT, b"raw"),
            (0x1234, b"whatever"),
            (DATA_FILE, b"data.raw"),
            (END, b""),
            (DATA_FILE, b"after the end"),
        ]);
        let extensions = Extensions::read(&bytes, &header(0)).unwrap();
        assert_eq!(extensions.backing_format.as_deref(), Some("raw"));
        assert_eq!(extensions.data_file.as_deref(), Some("data.raw"));
    }

    #[test]
    fn names_unknown_features_as_the_image_does() {
        let mut table = vec![0; 2 * FEATURE_NAME];
        table[1] = 5;
        table[2..9].copy_from_slice(b"sharded");
        table[FEATURE_NAME] = 1;
        table[FEATURE_NAME + 1] = 6;
        table[FEATURE_NAME + 2] = b'x';
        let bytes = image(&[(FEATURE_NAMES, &table)]);
        let header = header(incompatible::DIRTY | 1 << 5 | 1 << 6);
        let extensions = Extensions::read(&bytes, &header).unwrap();
        let error = extensions.refuse_unknown(&header).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = error.to_string();
        assert!(text.contains("\"sharded\" (bit 5)"), "{text}");
        assert!(text.contains("bit 6, which the image does not name"), "{text}");
    }

    #[test]
    fn an_extension_must_fit() {
        let mut bytes = image(&[(DATA_FILE, b"data.raw")]);
        bytes[119] = 9;
        let error = Extensions::read(&bytes, &header(0)).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(116)));
        let bytes = image(&[(BACKING_FORMAT, b"\xff\xfe")]);
        assert!(Extensions::read(&bytes, &header(0)).is_err());
    }
}
