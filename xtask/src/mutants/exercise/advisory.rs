//! Files of a database of advisories, the feeds that they are made of, and documents that decide about
//! what was found by them.

use std::path::Path;
use std::sync::Arc;

use fathom_advisory::segment::Segment;
use fathom_advisory::vex::{self, Document};
use fathom_advisory::{Day, exception};
use fathom_block::{Error, ReadAt};
use fathom_feed::provider::PROVIDERS;
use fathom_guest::report::PackageKind;
use fathom_guest::report::finding::{Finding, Findings, Scanned};

use super::{Outcome, PATHS};

/// The most bytes that are read.
const MOST: u64 = 1 << 20;

/// Reads the bytes as a file of a database.
pub(crate) fn segment(image: Vec<u8>) -> Outcome {
    segment_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn segment_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut outcome = Outcome::default();
    let bytes = all(&*image, &mut outcome);
    let opened = Segment::of_unchecked_bytes(Path::new("mutant"), bytes);
    match opened.and_then(|segment| look_at(&segment)) {
        Ok(looked) => outcome.bytes += looked,
        Err(error) => outcome.wrong([Error::corrupt("segment", 0, error.to_string())]),
    }
    outcome
}

fn all(image: &dyn ReadAt, outcome: &mut Outcome) -> Vec<u8> {
    let mut bytes = vec![0; image.len().min(MOST) as usize];
    outcome.take(image.read_at(0, &mut bytes));
    bytes
}

fn look_at(segment: &Segment) -> fathom_advisory::Result<u64> {
    let mut looked = 0;
    if let Ok(known) = "CVE-2021-44228".parse() {
        looked += u64::from(segment.likelihood(known)?.is_some());
        looked += u64::from(segment.exploited(known)?.is_some());
        for advisory in segment.mentions(known)?.into_iter().take(8) {
            looked += segment.advisory(advisory)?.vectors.len() as u64;
            looked += segment.texts(advisory)?.references.len() as u64;
        }
    }
    looked += u64::from(segment.end_of("debian", "9")?.is_some());
    for namespace in segment.namespaces()?.iter().take(64) {
        for named in segment.all(namespace).take(PATHS) {
            let (name, rows) = named?;
            looked += segment.rows(namespace, name)?.len() as u64;
            for row in rows.iter().take(8) {
                looked += u64::from(row.is_about(b"key"));
                looked += segment.texts(row.advisory)?.details.len() as u64;
                for cve in segment.advisory(row.advisory)?.cves.iter().take(8) {
                    looked += segment.mentions(*cve)?.len() as u64;
                    looked += u64::from(segment.likelihood(*cve)?.is_some());
                    looked += u64::from(segment.exploited(*cve)?.is_some());
                }
            }
        }
    }
    Ok(looked + segment.qualifiers()?.len() as u64)
}

/// Reads the bytes behind the first line as the feed that this line names.
pub(crate) fn feed(image: Vec<u8>) -> Outcome {
    feed_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn feed_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut outcome = Outcome::default();
    let bytes = all(&*image, &mut outcome);
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (name, content) = bytes.split_at(end);
    let Some(provider) = PROVIDERS.iter().find(|it| it.feed.as_bytes() == name) else {
        return outcome;
    };
    let folder = std::env::temp_dir().join(format!("fathom-feed-{}", std::process::id()));
    let path = folder.join("feed");
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&path, content.get(1..).unwrap_or_default()));
    let read = written.map(|()| provider.check(&path, &folder));
    match read {
        Ok(Ok(about)) => {
            outcome.bytes += end as u64;
            let wrong = about.examples.into_iter();
            outcome.wrong(wrong.map(|why| Error::corrupt(provider.name, 0, why)));
        }
        Ok(Err(error)) => outcome.wrong([Error::corrupt(provider.name, 0, error.to_string())]),
        Err(error) => outcome.wrong([Error::io("a folder for feeds", error)]),
    }
    drop(std::fs::remove_dir_all(&folder));
    outcome
}

/// Reads the bytes as a VEX document, or else as a list of exceptions, and applies them.
pub(crate) fn vex(image: Vec<u8>) -> Outcome {
    vex_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn vex_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut outcome = Outcome::default();
    let bytes = all(&*image, &mut outcome);
    let text = String::from_utf8_lossy(&bytes);
    let mut found = findings();
    let read = match text.starts_with('{') {
        true => Document::parse(&text, "mutant").map_err(|why| why.to_string()).map(|document| {
            vex::apply(&mut found, &[document]);
        }),
        false => exception::parse(&text).map_err(|why| why.to_string()).map(|mut exceptions| {
            exception::apply(&mut found, &mut exceptions, Day::of("2026-01-01"));
        }),
    };
    match read {
        Ok(()) => outcome.bytes += (found.excepted.len() + text.len()) as u64,
        Err(why) => outcome.wrong([Error::corrupt("decisions", 0, why)]),
    }
    outcome
}

/// A machine with a flaw in two packages.
fn findings() -> Findings {
    let package = |kind, package: &str, purl: &str| Finding {
        purl: Some(purl.to_owned()),
        ..Finding::bare("CVE-2021-3711", kind, package, "1")
    };
    Findings {
        vulnerabilities: vec![
            package(PackageKind::Deb, "openssl", "pkg:deb/debian/openssl@1?arch=amd64"),
            package(PackageKind::Npm, "a", "pkg:npm/%40a/b@1"),
        ],
        ..Findings::none("machine", "mutants", vec![Scanned::bare("/", "debian", "11")])
    }
}
