//! Is the image file the one that was meant? Asked before anything in it is looked at.

use std::ffi::OsString;

use fathom_block::{Error, Location};

use crate::args::{Algorithm, Reading};
use crate::exit::Failure;
use crate::hash;
use crate::machine;
use crate::progress::Progress;

/// The checksum that a file must have.
#[derive(Debug)]
pub(super) struct Expected {
    algorithm: Algorithm,
    digits: String,
}

impl Expected {
    /// `sha256:HEX` or `sha512:HEX`.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let usage = |why: &str| Failure::Usage(format!("--checksum {text:?}: {why}"));
        let (name, digits) =
            text.split_once(':').ok_or_else(|| usage("it must be sha256:HEX or sha512:HEX"))?;
        let (algorithm, length) = match name.to_ascii_lowercase().as_str() {
            "sha256" => (Algorithm::Sha256, 64),
            "sha512" => (Algorithm::Sha512, 128),
            _ => return Err(usage("only sha256 and sha512 are known")),
        };
        if digits.len() != length || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(usage(&format!("{name} has {length} hexadecimal digits")));
        }
        Ok(Self { algorithm, digits: digits.to_ascii_lowercase() })
    }

    /// Reads the whole file of `image` as it lies there, and fails unless this is its checksum. Says
    /// the checksum as the report has it.
    pub(super) fn verify(&self, image: &OsString, reading: &Reading) -> Result<String, Failure> {
        let bytes = machine::bytes(image, reading)?;
        let name = Location::parse(image).to_string();
        let progress = Progress::new(&name, Some(bytes.len()));
        let digits = hash::digest(&*bytes, self.algorithm, &progress)?;
        let kind = match self.algorithm {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        };
        if digits != self.digits {
            let why = format!(
                "its checksum is {kind}:{digits}, not {kind}:{}; nothing in it was looked at",
                self.digits
            );
            return Err(Error::refused(name, why).into());
        }
        Ok(format!("{kind}:{digits}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_checksum() {
        let sha256 = "0123456789abcdefABCDEF0123456789".repeat(2);
        assert_eq!(
            Expected::parse(&format!("SHA256:{sha256}")).unwrap().digits,
            sha256.to_lowercase()
        );
        for text in ["", "sha256", "sha256:12", "md5:0123", &format!("sha256:{}x", &sha256[1..])] {
            assert!(Expected::parse(text).is_err(), "{text}");
        }
        assert!(Expected::parse(&format!("sha512:{sha256}{sha256}")).is_ok());
    }
}
