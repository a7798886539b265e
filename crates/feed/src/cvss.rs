//! How bad, computed.

use fathom_advisory::segment::NewVector;
use polycvss::{Vector, Version};

/// The longest vector there can be, with room: one of version 4 with every metric has some 200 bytes.
const LONGEST: usize = 400;

/// The vector that the text is, with its score; nothing where it is none.
pub(crate) fn vector(text: &str, is_own: bool) -> Option<NewVector> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let vector: Vector = text.parse().ok()?;
    let version = match Version::from(vector) {
        Version::V20 => 2,
        Version::V30 | Version::V31 => 3,
        Version::V40 => 4,
    };
    let score = (f64::from(vector.base_score()) * 10.0).round() as u8;
    Some(NewVector { text: text.to_owned(), is_own, version, score })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_that_their_makers_publish() {
        // From the examples of FIRST for versions 2, 3.1 and 4.
        for (text, version, score) in [
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 2, 78),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 2, 100),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 3, 75),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 3, 100),
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 3, 78),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 4, 93),
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 4, 73),
        ] {
            let found = vector(text, true).map(|it| (it.version, it.score));
            assert_eq!(found, Some((version, score)), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_none() {
        for text in ["", "7.5", "CVSS:3.1", "CVSS:5.0/AV:N", "CVSS:3.1/AV:N/AV:N", "AV:N/AC:L"] {
            assert_eq!(vector(text, true), None, "{text}");
        }
    }
}
