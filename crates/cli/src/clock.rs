//! The moment that answers are given at. `SOURCE_DATE_EPOCH` sets it, so that what is the same can be
//! shown to be the same at any time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fathom_filesystem::Timestamp;

use crate::exit::Failure;

/// Now, or what the environment says.
pub(crate) fn now() -> Result<SystemTime, Failure> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => match text.parse::<u32>() {
            Ok(seconds) => Ok(UNIX_EPOCH + Duration::from_secs(seconds.into())),
            Err(_) => {
                let why = format!("SOURCE_DATE_EPOCH={text:?} is no number of seconds");
                Err(Failure::Usage(why))
            }
        },
        Err(_) => Ok(SystemTime::now()),
    }
}

/// The seconds of a moment since 1970.
pub(crate) fn seconds(moment: SystemTime) -> u64 {
    moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A moment as documents write it, to the second.
pub(crate) fn rfc3339(moment: SystemTime) -> String {
    Timestamp::new(seconds(moment).try_into().unwrap_or(0), 0).to_string()
}
