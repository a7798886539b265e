//! How many bytes something has.

use std::fmt;
use std::str::FromStr;

use super::{parts, text_value};

const UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A number of bytes: `512MiB`, `2GB`. A number without a unit is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

text_value!(
    Size,
    "size",
    "A number of bytes: one with the unit B, kB, MB, GB, TB, KiB, MiB, GiB or TiB.",
    "512MiB",
    "2GB"
);

impl Size {
    /// So many bytes.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many times 2^20 bytes.
    pub const fn mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes << 20)
    }

    /// So many times 2^30 bytes.
    pub const fn gibibytes(gibibytes: u64) -> Self {
        Self(gibibytes << 30)
    }

    /// How many bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no size; write it as 512MiB or 2GB");
        let parts = parts(text).ok_or_else(wrong)?;
        let [(number, unit)] = parts.as_slice() else { return Err(wrong()) };
        if unit.is_empty() {
            return Err(format!("{text} of what? Write {text}MiB, or {text}B for bytes"));
        }
        let (_, weight) = UNITS.iter().find(|(name, _)| name == unit).ok_or_else(wrong)?;
        let bytes = number.checked_mul(*weight);
        bytes.map(Self).ok_or_else(|| format!("{text:?} is more than can be told"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The unit that leaves the smallest whole number.
        let fits = |(_, weight): &&(&str, u64)| self.0.is_multiple_of(*weight) && self.0 >= *weight;
        match UNITS.iter().filter(fits).max_by_key(|(_, weight)| weight) {
            Some((unit, weight)) => write!(f, "{}{unit}", self.0 / weight),
            None => write!(f, "{}B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written() {
        for (text, shown, bytes) in [
            ("512MiB", "512MiB", 512 << 20),
            ("2GB", "2GB", 2_000_000_000),
            ("2048KiB", "2MiB", 2 << 20),
            ("16 MiB", "16MiB", 16 << 20),
            ("0B", "0B", 0),
            ("1025B", "1025B", 1025),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.to_string().as_str(), size.get()), (shown, bytes));
            assert_eq!(shown.parse::<Size>().unwrap(), size);
        }
    }

    #[test]
    fn refused() {
        for (text, why) in [
            ("512", "512 of what? Write 512MiB, or 512B for bytes"),
            ("512M", "is no size"),
            ("1GiB1MiB", "is no size"),
            ("1.5GiB", "is no size"),
            ("", "is no size"),
            ("99999999999TiB", "more than can be told"),
        ] {
            let error = text.parse::<Size>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
