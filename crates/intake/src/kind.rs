//! What a document is, by its content.

use std::fmt;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::lenient::{Present, Text};

/// How much of a document that is no JSON is looked at.
const HEAD: usize = 4096;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A report of ours, or the difference of two, or any other document with our kind of name.
    Fathom,
    /// A bill of materials, CycloneDX in JSON.
    Cyclonedx,
    /// A bill of materials, SPDX 2 in JSON.
    Spdx,
    /// A bill of materials, SPDX 2 as lines of tags and values.
    SpdxTagValue,
    /// The index of an image or a machine that Clair, or the Scanner V4 of StackRox, makes.
    Index,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Fathom => "fathom",
            Self::Cyclonedx => "CycloneDX",
            Self::Spdx | Self::SpdxTagValue => "SPDX",
            Self::Index => "index report",
        })
    }
}

/// As much of a document in JSON as says what it is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    schema: Text,
    #[serde(rename = "bomFormat")]
    bom_format: Text,
    #[serde(rename = "spdxVersion")]
    spdx_version: Text,
    #[serde(rename = "@context")]
    context: Present,
    #[serde(rename = "@graph")]
    graph: Present,
    /// GitHub wraps what it gives out.
    sbom: Present,
    #[serde(rename = "predicateType")]
    predicate_type: Text,
    manifest_hash: Present,
    #[serde(rename = "hashId", alias = "hash_id")]
    hash_id: Present,
    contents: Present,
    packages: Present,
    environments: Present,
    artifacts: Present,
}

/// The text without the mark of its byte order.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// What the document is; an error where it is none that is known.
pub fn kind(bytes: &[u8]) -> Result<Kind> {
    let bytes = without_mark(bytes);
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(Error::foreign("it is empty")),
        Some(b'{') => {}
        Some(b'[') => return Err(Error::foreign("it is a list; a document is an object")),
        Some(b'<') => {
            let head = String::from_utf8_lossy(bytes.get(..HEAD).unwrap_or(bytes));
            return Err(match head.contains("cyclonedx.org/schema/bom") {
                true => Error::unsupported("it is CycloneDX in XML; only that in JSON is read"),
                false => Error::foreign("it is XML, and no document that is known"),
            });
        }
        Some(_) => {
            let head = String::from_utf8_lossy(bytes.get(..HEAD).unwrap_or(bytes));
            let is_tag_value = head.lines().any(|line| line.starts_with("SPDXVersion:"));
            return match is_tag_value {
                true => Ok(Kind::SpdxTagValue),
                false => Err(Error::foreign("it is no JSON, and no other document that is known")),
            };
        }
    }
    let head: Head =
        serde_json::from_slice(bytes).map_err(|why| Error::malformed(format!("no JSON: {why}")))?;
    let is = |text: &Text, wanted: &str| text.get().is_some_and(|it| it == wanted);
    if head.schema.get().is_some_and(|it| it.starts_with("fathom.")) {
        return Ok(Kind::Fathom);
    }
    if is(&head.bom_format, "CycloneDX") {
        return Ok(Kind::Cyclonedx);
    }
    if let Some(version) = head.spdx_version.get() {
        return match version.starts_with("SPDX-2.") {
            true => Ok(Kind::Spdx),
            false => Err(Error::unsupported(format!(
                "it is of the version {:?} of SPDX; 2.2 and 2.3 are read",
                shortened(version)
            ))),
        };
    }
    if head.context.0 && head.graph.0 {
        return Err(Error::unsupported("it is SPDX 3 in JSON-LD; SPDX 2.2 and 2.3 are read"));
    }
    if head.sbom.0 {
        return Ok(Kind::Spdx);
    }
    if head.predicate_type.get().is_some() {
        let why = "it is an attestation; the predicate within may be a bill of materials: \
                   jq .predicate takes it out";
        return Err(Error::unsupported(why));
    }
    let is_index =
        head.packages.0 && (head.manifest_hash.0 || head.environments.0) || head.contents.0;
    if is_index || head.hash_id.0 {
        return Ok(Kind::Index);
    }
    if head.artifacts.0 {
        let why =
            "it looks like syft's own format; CycloneDX and SPDX, which it writes too, are read";
        return Err(Error::unsupported(why));
    }
    Err(Error::foreign(
        "it is no report of ours, no CycloneDX, no SPDX and no index of Clair: nothing in it says \
         what it is",
    ))
}

/// As much of a text as fits into a message.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn the_content_says_what_it_is() {
        for (text, expected) in [
            (r#"{"bomFormat":"CycloneDX","specVersion":"1.5"}"#, Kind::Cyclonedx),
            ("\u{feff}{\"spdxVersion\":\"SPDX-2.3\"}", Kind::Spdx),
            (r#"{"sbom":{"spdxVersion":"SPDX-2.3"}}"#, Kind::Spdx),
            ("# made by hand\nSPDXVersion: SPDX-2.2\n", Kind::SpdxTagValue),
            (r#"{"manifest_hash":"sha256:1","packages":{}}"#, Kind::Index),
            (r#"{"contents":{"packages":[]},"success":true}"#, Kind::Index),
            (r#"{"schema":"fathom.report/v1"}"#, Kind::Fathom),
        ] {
            assert_eq!(kind(text.as_bytes()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        for (text, kinded, part) in [
            ("", ErrorKind::Foreign, "empty"),
            ("[]", ErrorKind::Foreign, "a list"),
            ("{}", ErrorKind::Foreign, "nothing in it says"),
            ("QFI", ErrorKind::Foreign, "no JSON"),
            ("{\"bomFormat\":", ErrorKind::Malformed, "no JSON: EOF"),
            (
                r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#,
                ErrorKind::Unsupported,
                "SPDX 3",
            ),
            (
                r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4"/>"#,
                ErrorKind::Unsupported,
                "XML",
            ),
            (r#"{"artifacts":[],"schema":{"version":"16"}}"#, ErrorKind::Unsupported, "syft"),
            (r#"{"predicateType":"https://cyclonedx.org/bom"}"#, ErrorKind::Unsupported, "jq"),
        ] {
            let error = kind(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), kinded, "{text}");
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}
