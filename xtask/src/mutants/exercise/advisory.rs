//! Files of a database of advisories, and the feeds that they are made of.

use std::path::Path;
use std::sync::Arc;

use fathom_advisory::segment::Segment;
use fathom_block::{Error, ReadAt};
use fathom_feed::provider::PROVIDERS;

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
    let opened = Segment::of_bytes(Path::new("mutant"), bytes);
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
        looked += u64::from(segment.likelihood(known).is_some());
        looked += u64::from(segment.exploited(known).is_some());
    }
    for namespace in segment.namespaces()?.iter().take(64) {
        for named in segment.all(namespace).take(PATHS) {
            let (name, rows) = named?;
            looked += segment.rows(namespace, name)?.len() as u64;
            for row in rows.iter().take(8) {
                looked += u64::from(row.is_about(b"key"));
                looked += segment.texts(row.advisory)?.details.len() as u64;
                for cve in segment.advisory(row.advisory)?.cves.iter().take(8) {
                    looked += segment.mentions(*cve).len() as u64;
                    looked += u64::from(segment.likelihood(*cve).is_some());
                    looked += u64::from(segment.exploited(*cve).is_some());
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
