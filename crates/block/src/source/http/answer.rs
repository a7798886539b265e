//! What a server answered to a request for a range, and whether that is what was asked for.

use ureq::http::HeaderMap;

/// Which bytes an image consists of, as far as its server tells versions apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) length: u64,
    pub(super) etag: Option<String>,
    pub(super) modified: Option<String>,
}

impl Version {
    /// The version that an answer with these headers belongs to.
    pub(super) fn of(headers: &HeaderMap, length: u64) -> Self {
        Self {
            length,
            etag: text(headers, "etag").map(str::to_owned),
            modified: text(headers, "last-modified").map(str::to_owned),
        }
    }

    /// What to send as `If-Range`. A weak tag is not allowed there: it may stand for other bytes.
    pub(super) fn if_range(&self) -> Option<&str> {
        self.if_match().or(self.modified.as_deref())
    }

    /// What to send as `If-Match`, which takes no weak tag either, and no time.
    pub(super) fn if_match(&self) -> Option<&str> {
        self.etag.as_deref().filter(|tag| tag.starts_with('"'))
    }

    /// What tells `other` from this version, if anything does.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let differs = |mine: &Option<String>, theirs: &Option<String>| match (mine, theirs) {
            (Some(mine), Some(theirs)) => mine != theirs,
            _ => false,
        };
        if self.length != other.length {
            return Some(format!("its length was {} and is {}", self.length, other.length));
        }
        if differs(&self.etag, &other.etag) {
            return Some("its ETag is another".to_owned());
        }
        differs(&self.modified, &other.modified)
            .then(|| "its modification time is another".to_owned())
    }
}

/// The part of `Content-Range: bytes FIRST-LAST/TOTAL`, whose total may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) total: Option<u64>,
}

impl ContentRange {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.trim().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (start, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let length = last.checked_sub(start)?.checked_add(1)?;
        let total = match total.trim() {
            "*" => None,
            total => Some(total.parse().ok().filter(|total| last < *total)?),
        };
        Some(Self { start, length, total })
    }
}

/// The total of `Content-Range: bytes */TOTAL`, which comes with status 416.
pub(super) fn unsatisfied_total(text: &str) -> Option<u64> {
    text.trim().strip_prefix("bytes ")?.trim().strip_prefix("*/")?.parse().ok()
}

/// The header called `name`, if it is there once and is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        let check = |text, expected: Option<(u64, u64, Option<u64>)>| {
            let expected =
                expected.map(|(start, length, total)| ContentRange { start, length, total });
            assert_eq!(ContentRange::parse(text), expected, "{text}");
        };
        check("bytes 0-0/1", Some((0, 1, Some(1))));
        check("bytes 5-9/100", Some((5, 5, Some(100))));
        check("bytes 5-9/*", Some((5, 5, None)));
        check("bytes 9-5/100", None);
        check("bytes 0-100/100", None);
        check("bytes 0-18446744073709551615/*", None);
        check("bytes */100", None);
        check("pages 0-1/2", None);
        check("bytes", None);
        assert_eq!(unsatisfied_total("bytes */0"), Some(0));
        assert_eq!(unsatisfied_total("bytes 0-1/2"), None);
    }

    #[test]
    fn versions() {
        let version = |length, etag: &str, modified: &str| Version {
            length,
            etag: (!etag.is_empty()).then(|| etag.to_owned()),
            modified: (!modified.is_empty()).then(|| modified.to_owned()),
        };
        assert_eq!(version(1, "\"a\"", "then").if_range(), Some("\"a\""));
        assert_eq!(version(1, "W/\"a\"", "then").if_range(), Some("then"));
        assert_eq!(version(1, "", "").if_range(), None);
        let first = version(1, "\"a\"", "then");
        assert_eq!(first.difference(&first), None);
        assert_eq!(first.difference(&version(1, "", "")), None);
        assert!(first.difference(&version(2, "\"a\"", "then")).is_some());
        assert!(first.difference(&version(1, "\"b\"", "then")).is_some());
        assert!(first.difference(&version(1, "\"a\"", "now")).is_some());
    }
}
