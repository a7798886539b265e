//! The numbers that everybody knows vulnerabilities by.

use std::fmt;
use std::str::FromStr;

/// The year that the numbers begin in.
const FIRST_YEAR: u32 = 1999;

/// How many bits the number within a year takes; the year has the others.
const NUMBER_BITS: u32 = 26;

/// A number of the CVE list, in four bytes; their order is that of year and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cve(pub(crate) u32);

impl Cve {
    /// One number for year and number: smaller for an earlier one, and no other's.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for Cve {
    type Err = NoCve;

    fn from_str(text: &str) -> Result<Self, NoCve> {
        let (year, number) =
            text.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).ok_or(NoCve)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || !(4..=9).contains(&number.len()) || !digits(year) || !digits(number) {
            return Err(NoCve);
        }
        let year: u32 = year.parse().map_err(|_| NoCve)?;
        let number: u32 = number.parse().map_err(|_| NoCve)?;
        let year = year.checked_sub(FIRST_YEAR).ok_or(NoCve)?;
        if year >> (u32::BITS - NUMBER_BITS) != 0 || number >> NUMBER_BITS != 0 {
            return Err(NoCve);
        }
        Ok(Self(year << NUMBER_BITS | number))
    }
}

impl fmt::Display for Cve {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0 & ((1 << NUMBER_BITS) - 1);
        write!(out, "CVE-{}-{number:04}", (self.0 >> NUMBER_BITS) + FIRST_YEAR)
    }
}

/// A text that is no number of the CVE list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCve;

impl fmt::Display for NoCve {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("no number of the CVE list")
    }
}

impl std::error::Error for NoCve {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_it_was() {
        for text in ["CVE-1999-0001", "CVE-2021-44228", "CVE-2024-1000001", "CVE-2062-67108863"] {
            assert_eq!(text.parse::<Cve>().map(|cve| cve.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn keeps_the_order() {
        let cves = ["CVE-1999-0001", "CVE-2014-9999", "CVE-2014-10000", "CVE-2015-0001"];
        let cves = cves.map(|text| text.parse::<Cve>());
        assert!(cves.is_sorted_by_key(|cve| cve.ok()), "{cves:?}");
    }

    #[test]
    fn knows_what_is_none() {
        for text in [
            "",
            "CVE-",
            "CVE-2021",
            "CVE-1998-0001",
            "CVE-2063-0001",
            "CVE-2021-1",
            "CVE-2021-67108864",
            "CVE-2021-+123",
            "cve-2021-44228",
            "GHSA-jfh8-c2jp-5v3q",
            "CVE-2021-44228 ",
        ] {
            assert_eq!(text.parse::<Cve>(), Err(NoCve), "{text}");
        }
    }
}
