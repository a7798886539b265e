//! Moments as engines written in Go keep them.

use fathom_block::{Fields, Result};
use fathom_filesystem::Timestamp;

/// The seconds from the first year to 1970.
const TO_1970: i64 = 62_135_596_800;

/// The last second that the report can write.
const LAST: i64 = 253_402_300_799;

/// A moment in text, unless it stands for none: Go writes the beginning of the first year then.
pub(super) fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty() && !text.starts_with("0001-01-01T00:00:00"))
}

/// A moment in bytes: a version, seconds since the first year, nanoseconds, and the minutes of a time
/// zone, which say nothing of when it was.
pub(super) fn binary(bytes: &[u8]) -> Result<Option<String>> {
    let moment = Fields::new("moment", 0, bytes);
    if !matches!(moment.u8(0)?, 1 | 2) {
        return Err(moment.corrupt(0, format!("version {}", moment.u8(0)?)));
    }
    let seconds = i64::from_be_bytes(moment.array(1)?).checked_sub(TO_1970);
    let nanoseconds = moment.be_u32(9)?;
    match seconds {
        Some(seconds) if seconds == -TO_1970 => Ok(None),
        Some(seconds) if (0..=LAST).contains(&seconds) && nanoseconds < 1_000_000_000 => {
            Ok(Some(Timestamp::new(seconds, nanoseconds).to_string()))
        }
        _ => Err(moment.corrupt(1, "it is outside of the years that can be written")),
    }
}
