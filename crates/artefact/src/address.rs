//! `s3://BUCKET/…`, as settings and jobs write it.

use crate::error::{Error, Kind, Result};

/// The bucket of an address, and what is behind it, without a `/` at its end.
pub fn bucket_and_rest(text: &str) -> Result<(&str, &str)> {
    let rest = text.strip_prefix("s3://").unwrap_or_default();
    let (bucket, rest) = rest.split_once('/').unwrap_or((rest, ""));
    match bucket.is_empty() {
        true => {
            let shown: String = text.chars().take(200).collect();
            let why = "it names no bucket; write s3://BUCKET/PREFIX";
            Err(Error::new(Kind::Invalid, format!("{shown:?}"), why))
        }
        false => Ok((bucket, rest.strip_suffix('/').unwrap_or(rest))),
    }
}

/// What of a path is behind another, by whole parts; nothing where it does not lie beneath it.
pub fn beneath<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    let rest = match base {
        "" => path,
        base => {
            let rest = path.strip_prefix(base)?;
            if rest.is_empty() { rest } else { rest.strip_prefix('/')? }
        }
    };
    Some(rest.strip_suffix('/').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, expected) in [
            ("s3://b", ("b", "")),
            ("s3://b/", ("b", "")),
            ("s3://b/a/c", ("b", "a/c")),
            ("s3://b/a/c/", ("b", "a/c")),
            ("s3://b//a", ("b", "/a")),
        ] {
            assert_eq!(bucket_and_rest(text).unwrap(), expected);
        }
        for text in ["", "s3:", "s3://", "s3:///a", "b/a", "S3://b/a", "https://b/a"] {
            assert!(bucket_and_rest(text).is_err(), "{text}");
        }
        for (path, base, expected) in [
            ("a/b", "", Some("a/b")),
            ("a/b", "a", Some("b")),
            ("a", "a", Some("")),
            ("a/", "a", Some("")),
            ("ab", "a", None),
            ("b", "a", None),
        ] {
            assert_eq!(beneath(path, base), expected, "{path} {base}");
        }
    }
}
