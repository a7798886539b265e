//! What is scanned: a disk, or a document that says what is installed, or what was found.
//!
//! The name decides whether it is a document, since the first bytes of an image were written by its
//! guest; what kind of document it is, its content says.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use fathom_diff::{Unfit, saved_report};
use fathom_intake::{ErrorKind, Kind, MAX_DOCUMENT};
use fathom_report::Report;
use fathom_report::finding::{Findings, SCHEMA, Unscanned};

use crate::exit::Failure;

/// The endings of names of documents.
pub(super) const DOCUMENTS: [&str; 4] = ["json", "spdx", "cdx", "xml"];

/// How much of a file is looked at to tell whether it holds findings.
const HEAD: u64 = 512;

/// What a document holds.
pub(super) enum Document {
    /// What is installed, and what of it could not be used.
    Report(Report, Vec<Unscanned>),
    /// What was found before.
    Findings(Box<Findings>),
}

/// Whether the name is that of a document.
pub(super) fn is_document(name: &OsStr) -> bool {
    let ending = Path::new(name).extension().and_then(OsStr::to_str);
    let is_one = ending.is_some_and(|it| DOCUMENTS.iter().any(|one| it.eq_ignore_ascii_case(one)));
    name == "-" || is_one && !name.to_string_lossy().contains("://")
}

/// Whether the file looks like findings that were saved, which need no database. What it is in the end
/// is told when it is read.
pub(super) fn looks_like_findings(name: &OsString) -> bool {
    let head = || -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        File::open(name)?.take(HEAD).read_to_end(&mut head)?;
        Ok(head)
    };
    let is_named = |head: Vec<u8>| String::from_utf8_lossy(&head).contains(SCHEMA);
    is_document(name) && (name == "-" || head().is_ok_and(is_named))
}

/// The findings of several machines that were saved as one document, where the file is that.
pub(super) fn list(name: &OsStr) -> Result<Option<Vec<Findings>>, Failure> {
    let mut first = [0; 64];
    let begins = |mut file: File| -> io::Result<bool> {
        let count = file.read(&mut first)?;
        Ok(first[..count].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'['))
    };
    // What cannot be opened is told when it is read.
    let is_list =
        is_document(name) && name != "-" && File::open(name).and_then(begins).is_ok_and(|it| it);
    if !is_list || !looks_like_findings(&name.to_owned()) {
        return Ok(None);
    }
    let shown = Path::new(name).display().to_string();
    let bytes = bytes(name, &shown)?;
    let all: Vec<Findings> = serde_json::from_slice(&bytes).map_err(|why| newer(&shown, &why))?;
    for findings in &all {
        check(findings, &shown)?;
    }
    Ok(Some(all))
}

fn bytes(name: &OsStr, shown: &str) -> Result<Vec<u8>, Failure> {
    let bytes = match name == "-" {
        true => taken(io::stdin().lock()),
        false => File::open(name).and_then(taken),
    };
    let bytes = bytes.map_err(Failure::reading(shown))?;
    if bytes.len() > MAX_DOCUMENT {
        let why = format!("it has more than {MAX_DOCUMENT} bytes, which is the most that is read");
        return Err(fathom_block::Error::unsupported(shown, why).into());
    }
    Ok(bytes)
}

fn newer(shown: &str, why: &serde_json::Error) -> Failure {
    let what = "these findings cannot be understood; were they written by a newer version?";
    Failure::Usage(format!("{shown}: {what} {why}"))
}

/// Refuses findings of another version, and numbers that are none.
fn check(findings: &Findings, shown: &str) -> Result<(), Failure> {
    if findings.schema != SCHEMA {
        let other: String = findings.schema.chars().take(100).collect();
        let why = format!("{shown}: it is a document of the kind {other:?}, not {SCHEMA:?}");
        return Err(Failure::Usage(why));
    }
    match findings.fault() {
        Some(fault) => Err(fathom_block::Error::corrupt(shown, 0, fault).into()),
        None => Ok(()),
    }
}

/// Reads a document.
pub(super) fn read(name: &OsStr) -> Result<Document, Failure> {
    let shown = Path::new(name).display().to_string();
    let bytes = bytes(name, &shown)?;
    let refused = |error: fathom_intake::Error| match error.kind() {
        ErrorKind::Foreign => Failure::Usage(format!("{shown}: {error}")),
        ErrorKind::Unsupported => {
            fathom_block::Error::unsupported(&shown, error.to_string()).into()
        }
        ErrorKind::Malformed => fathom_block::Error::corrupt(&shown, 0, error.to_string()).into(),
    };
    if head(&bytes).is_none() && fathom_intake::kind(&bytes).map_err(refused)? != Kind::Fathom {
        let taken = fathom_intake::read(&bytes).map_err(refused)?;
        return Ok(Document::Report(taken.report, taken.passed_over));
    }
    // What it says it is at its beginning holds for the whole of it, or else it is refused below.
    let is_findings = match head(&bytes) {
        Some(name) => name.starts_with(SCHEMA),
        None => schema(&bytes).as_deref() == Some(SCHEMA),
    };
    if is_findings {
        let findings: Findings =
            serde_json::from_slice(&bytes).map_err(|why| newer(&shown, &why))?;
        check(&findings, &shown)?;
        return Ok(Document::Findings(Box::new(findings)));
    }
    let report = saved_report(bytes.as_slice()).map_err(|error| match error {
        Unfit::Io(error) => Failure::Host(shown.clone(), error),
        Unfit::Other(why) => Failure::Usage(format!("{shown}: {why}")),
    })?;
    Ok(Document::Report(report, Vec::new()))
}

fn taken(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_DOCUMENT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a document that begins as ours do says first, which is what kind it is.
fn head(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..HEAD as usize).unwrap_or(bytes)).into_owned();
    let rest = head.trim_start().strip_prefix('{')?.trim_start().strip_prefix("\"schema\"")?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    value.starts_with("fathom.").then(|| value.to_owned())
}

/// What kind of document of ours it says it is.
fn schema(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        schema: String,
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    serde_json::from_slice::<Named>(bytes).ok().map(|it| it.schema)
}
