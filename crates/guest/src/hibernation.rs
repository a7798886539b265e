//! Whether Windows was hibernated rather than shut down. Fast startup hibernates too: filesystems are
//! then left as they were in use, and Windows goes on with the hardware that it remembers.

use fathom_block::Error;
use fathom_report::{Listing, Setting};

use crate::files::{Files, Read};

const FILE: &str = "/hiberfil.sys";

/// What the report loses if the file cannot be read.
const HIDES: &str = "whether Windows was hibernated";

/// The setting `hibernated`: `yes` or `no`.
pub(crate) fn of(files: &Files<'_>) -> Listing<Setting> {
    let hibernated = match files.open(FILE, HIDES) {
        Read::Absent => false,
        Read::Unread(why) => return Listing::unknown(why),
        Read::There(file) => {
            let mut head = [0; 4];
            if file.len() >= 4
                && let Err(error) = file.read_at(0, &mut head)
            {
                files.note(&error, FILE, HIDES);
                return Listing::unknown(error.to_string());
            }
            match &head.to_ascii_lowercase()[..] {
                // Written, or being read back in.
                b"hibr" | b"rstr" | b"link" => true,
                // Read back in, or never written.
                b"wake" | b"\0\0\0\0" => false,
                _ => {
                    let why = "its first bytes are none that Windows writes there";
                    let error = Error::corrupt(FILE, 0, why);
                    files.note(&error, FILE, HIDES);
                    return Listing::unknown(error.to_string());
                }
            }
        }
    };
    let value = if hibernated { "yes" } else { "no" };
    let setting =
        Setting { name: "hibernated".into(), value: value.into(), evidence: Some(FILE.into()) };
    Listing::complete(vec![setting], vec![FILE.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    fn said(files: &[(&str, &[u8])]) -> Option<String> {
        let tree = memory::tree(files);
        let listing = of(&Files::new(&tree));
        listing.items.first().map(|setting| setting.value.clone())
    }

    #[test]
    fn the_first_bytes_tell() {
        for (bytes, wanted) in [
            (&b"HIBR\0\0"[..], Some("yes")),
            (b"hibr\0\0", Some("yes")),
            (b"RSTR\0\0", Some("yes")),
            (b"wake\0\0", Some("no")),
            (b"\0\0\0\0\0", Some("no")),
            (b"", Some("no")),
            (b"nonsense", None),
        ] {
            assert_eq!(said(&[(FILE, bytes)]).as_deref(), wanted, "{bytes:?}");
        }
        assert_eq!(said(&[("/Windows/x", b"")]).as_deref(), Some("no"));
    }
}
