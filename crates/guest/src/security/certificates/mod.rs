//! Certificates of services and of local authorities, and when they end.
//!
//! They are looked for where servers keep them. The authorities that a distribution ships are not
//! listed: they are the same on all of its systems. Keys are never read for themselves, and nothing of
//! one that stands in the same file leaves this module.

mod certificate;
mod name;
mod pem;
mod pkcs7;
mod places;

use std::collections::HashSet;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};
use fathom_filesystem::{FileType, Metadata};
use fathom_report::{Certificate, Listing};

use self::places::{PLACES, is_bundle, is_shipped};
use crate::files::{Files, Read};

const HIDES: &str = "certificates";

/// The longest file that is read; certificates have some kilobytes.
const MAX_FILE: u64 = 1 << 20;

/// A file with more certificates than this is a collection of authorities, not a chain.
const MAX_CHAIN: usize = 32;

/// How many names of folders and files are looked at, how many files are read, and how many
/// certificates are listed.
const MAX_NAMES: usize = 20_000;
const MAX_FILES: usize = 5_000;
const MAX_FOUND: usize = 5_000;

/// Endings of files that hold certificates.
const ENDINGS: [&str; 7] = ["pem", "crt", "cer", "cert", "der", "p7b", "p7c"];

/// Endings of texts that may hold certificates among other things; none is one of them.
const TEXTS: [&str; 9] = ["", "conf", "cfg", "txt", "ovpn", "ca", "ca-bundle", "chain", "bundle"];

/// The longest text that is looked at for certificates.
const MAX_TEXT: u64 = 64 << 10;

/// What was found so far.
pub(crate) struct Certificates {
    listing: Listing<Certificate>,
    /// Those that are in the list: most lie in several files, as alone and in a chain.
    seen: HashSet<String>,
    names: usize,
    files: usize,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let listing = Listing::complete(Vec::new(), Vec::new());
        Self { listing, seen: HashSet::new(), names: 0, files: 0 }
    }

    /// Looks at one file, whose name is that of a certificate. What cannot be read is the caller's to
    /// note.
    pub(crate) fn file(
        &mut self,
        path: &str,
        metadata: &Metadata,
        open: impl FnOnce() -> Result<Arc<dyn ReadAt>>,
    ) -> Result<()> {
        if metadata.size > MAX_FILE {
            self.listing.hide(format!("{path} is longer than any certificate; it is not read"));
            return Ok(());
        }
        if self.files >= MAX_FILES {
            self.full(&format!("there are more than {MAX_FILES} files of certificates"));
            return Ok(());
        }
        self.files += 1;
        let reader = open()?;
        let mut bytes = vec![0; reader.len().min(MAX_FILE) as usize];
        reader.read_at(0, &mut bytes)?;
        self.bytes(path, &bytes)
    }

    /// Takes in what a file holds: DER, or any number of blocks of PEM.
    fn bytes(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let blocks = if bytes.first() == Some(&0x30) {
            vec![bytes.to_vec()]
        } else {
            pem::certificates(bytes, MAX_CHAIN + 1).map_err(|why| Error::corrupt(path, 0, why))?
        };
        let mut found = Vec::new();
        for der in blocks {
            match pkcs7::certificates(&der, MAX_CHAIN + 1) {
                Some(inside) => found.extend(inside),
                None if bytes.first() == Some(&0x30) && certificate::is_other(&der) => {}
                None => found.push(der),
            }
        }
        if found.len() > MAX_CHAIN {
            let why = format!("{path} holds more than {MAX_CHAIN} certificates; it is not listed");
            self.listing.hide(why);
            return Ok(());
        }
        let mut outcome = Ok(());
        for der in &found {
            match certificate::read(der, path) {
                Ok(certificate) if self.seen.insert(certificate.fingerprint.clone()) => {
                    if self.listing.items.len() >= MAX_FOUND {
                        self.full(&format!("there are more than {MAX_FOUND} certificates"));
                        return outcome;
                    }
                    self.listing.items.push(certificate);
                }
                Ok(_) => {}
                // The others of the file are read all the same.
                Err(why) => outcome = Err(Error::corrupt(path, 0, why)),
            }
        }
        outcome
    }

    /// Takes in a text that holds certificates among other things. What only looks like one there, as in
    /// instructions, is none.
    pub(crate) fn text(&mut self, path: &str, bytes: &[u8]) {
        drop(self.bytes(path, bytes));
    }

    fn full(&mut self, why: &str) {
        if self.listing.reason.as_deref().is_none_or(|reason| !reason.contains(why)) {
            self.listing.hide(format!("{why}; the rest is left out"));
        }
    }

    /// The list, of what lies at `/` if everything was looked at.
    pub(crate) fn listing(mut self, everything: bool) -> Listing<Certificate> {
        if everything {
            self.listing.evidence.push("/".into());
            self.listing.hide(fathom_report::NAMED_FILES_ALONE);
        } else {
            self.listing.hide(fathom_report::USUAL_FOLDERS_ALONE);
        }
        self.listing
    }

    /// A folder and those in it, so many levels down.
    fn folder(&mut self, files: &Files<'_>, folder: &str, levels: usize) {
        let children = match files.children(folder, HIDES) {
            Read::There(children) => children,
            Read::Absent => return,
            Read::Unread(why) => return self.listing.hide(why),
        };
        for (name, found) in children {
            self.names += 1;
            if self.names > MAX_NAMES {
                return self.full(&format!("there are more than {MAX_NAMES} names"));
            }
            let path = format!("{folder}/{name}");
            let found = match found.metadata() {
                // A link to a certificate, as of Let's Encrypt, is read where it leads to.
                Ok(metadata) if metadata.file_type == FileType::Symlink => {
                    if !places::is_worth_following(&path) {
                        continue;
                    }
                    match files.found(&path, HIDES) {
                        Read::There(found) => found,
                        Read::Absent => continue,
                        Read::Unread(why) => {
                            self.listing.hide(why);
                            continue;
                        }
                    }
                }
                _ => found,
            };
            let outcome = found.metadata().and_then(|metadata| {
                if is_candidate(&path, &metadata) {
                    return self.file(&path, &metadata, || found.open());
                }
                if metadata.file_type != FileType::Directory {
                    return Ok(());
                }
                if levels > 1 && name != "private" && !is_shipped(&path) {
                    self.folder(files, &path, levels - 1);
                }
                Ok(())
            });
            if let Err(error) = outcome {
                files.note(&error, &path, HIDES);
                self.listing.hide(error.to_string());
            }
        }
    }
}

/// Whether the file may be a certificate that is listed, by its name and place.
pub(crate) fn is_candidate(path: &str, metadata: &Metadata) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_key = name.contains("privkey") || name.contains("-key.") || name.contains("private");
    metadata.file_type == FileType::File
        && ENDINGS.iter().any(|its| its.eq_ignore_ascii_case(ending))
        && !is_key
        && !is_bundle(name)
        && !is_shipped(path)
        && metadata.size > 0
}

/// Whether the file may be a short text with certificates in it. What is beneath `/usr` and is not the
/// administrator's comes from packages, and are thousands.
pub(crate) fn is_text(path: &str, metadata: &Metadata) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    metadata.file_type == FileType::File
        && (1..=MAX_TEXT).contains(&metadata.size)
        && TEXTS.iter().any(|its| its.eq_ignore_ascii_case(ending))
        && (!path.starts_with("/usr/") || path.starts_with("/usr/local/"))
        && !is_bundle(name)
        && !is_shipped(path)
}

/// The text, if certificates stand in it.
pub(crate) fn read_text(reader: &dyn ReadAt) -> Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; reader.len().min(MAX_TEXT) as usize];
    reader.read_at(0, &mut bytes)?;
    Ok(pem::has_certificates(&bytes).then_some(bytes))
}

/// What lies in the usual places.
pub(super) fn usual(files: &Files<'_>) -> Listing<Certificate> {
    let mut certificates = Certificates::new();
    for (folder, levels) in PLACES {
        match files.found(folder, HIDES) {
            Read::There(_) => certificates.listing.evidence.push(folder.into()),
            Read::Absent => continue,
            Read::Unread(why) => {
                certificates.listing.hide(why);
                continue;
            }
        }
        // What is a link as a whole leads to the shipped authorities, or to another of the places.
        if !matches!(files.link(folder, HIDES), Read::There(_)) {
            certificates.folder(files, folder, levels);
        }
    }
    certificates.listing(false)
}

#[cfg(test)]
mod tests;
