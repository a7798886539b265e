//! Bytes of a file as text. No text holds a zero byte: where one stands, the filesystem lost what was
//! written there, as XFS and ext4 do when a machine stops without warning.

use fathom_block::{Error, Result};

/// A text whose lines each stand by themselves, without those that are damaged.
pub(crate) struct Records {
    /// The lines that can be read. A line that cannot is empty.
    pub(crate) text: String,
    /// Why there were more of them.
    pub(crate) damage: Option<Error>,
}

/// The text of the file at `path`; bytes that are not UTF-8 are replaced. Where something of it was
/// lost, no line says what the whole would have said, so that none is given.
pub(crate) fn whole(path: &str, bytes: Vec<u8>) -> Result<String> {
    match zeros(path, &bytes) {
        Some(error) => Err(error),
        None => Ok(lossy(bytes)),
    }
}

/// The lines of the file at `path` that were not lost; an error where nothing is left.
pub(crate) fn records(path: &str, bytes: Vec<u8>) -> Result<Records> {
    let Some(error) = zeros(path, &bytes) else {
        return Ok(Records { text: lossy(bytes), damage: None });
    };
    let mut left = Vec::with_capacity(bytes.len());
    for line in bytes.split(|byte| *byte == b'\n') {
        if !line.contains(&0) {
            left.extend_from_slice(line);
        }
        left.push(b'\n');
    }
    if left.iter().all(u8::is_ascii_whitespace) {
        return Err(error);
    }
    Ok(Records { text: lossy(left), damage: Some(error) })
}

/// What is wrong with a text that holds zero bytes.
fn zeros(path: &str, bytes: &[u8]) -> Option<Error> {
    let first = bytes.iter().position(|byte| *byte == 0)?;
    let count = bytes.iter().filter(|byte| **byte == 0).count();
    Some(lost(path, first as u64, count as u64))
}

/// The error of a text that holds so many zero bytes, the first of them at the offset `first`.
pub(crate) fn lost(what: &str, first: u64, count: u64) -> Error {
    let noun = if count == 1 { "zero byte" } else { "zero bytes" };
    let why = format!("{count} {noun} at offset {first}, where there should be text");
    Error::corrupt(what, first, why)
}

fn lossy(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_told_and_the_rest_is_given() {
        assert_eq!(whole("/f", b"a\xff\n".to_vec()).unwrap(), "a\u{fffd}\n");
        let error = whole("/f", b"a\n\0\0b\nc\0\n".to_vec()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "corrupt: /f at byte 2: 3 zero bytes at offset 2, where there should be text"
        );
        let left = records("/f", b"a\n\0\0b\nc\0\nd".to_vec()).unwrap();
        assert_eq!((left.text.as_str(), left.damage.is_some()), ("a\n\n\nd\n", true));
        let whole = records("/f", b"a\nb".to_vec()).unwrap();
        assert_eq!((whole.text.as_str(), whole.damage.is_some()), ("a\nb", false));
        assert!(records("/f", vec![0; 100]).is_err());
        assert!(records("/f", b"\0\n\n\0".to_vec()).is_err());
        assert!(records("/f", Vec::new()).is_ok());
    }
}
