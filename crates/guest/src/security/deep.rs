//! What is found by looking at every file: the walk shows each once, and what has to be read is read
//! afterwards.

use fathom_report::{Certificate, Listing};

use super::certificates::{Certificates, is_candidate, is_text, read_text};
use super::open_files::{OpenFiles, is_program};
use crate::files::{Files, led};
use crate::walk::{Collector, Entry, Kept, Walked, in_parallel};

const OF_PROGRAMS: &str = "programs that are given capabilities";
const OF_CERTIFICATES: &str = "certificates";

/// What the walk came to that says how the system is guarded.
pub(crate) struct Candidates {
    open: OpenFiles,
    /// Programs, whose attributes are to be read.
    programs: Kept,
    certificates: Kept,
    /// Texts that may hold certificates.
    texts: Kept,
}

impl Default for Candidates {
    fn default() -> Self {
        Self {
            open: OpenFiles::at(vec!["/".into()]),
            programs: Kept::default(),
            certificates: Kept::default(),
            texts: Kept::default(),
        }
    }
}

impl Collector for Candidates {
    fn see(&mut self, entry: &Entry) {
        let path = String::from_utf8_lossy(&entry.path);
        self.open.see(&path, &entry.metadata);
        if is_program(&entry.metadata) {
            self.programs.keep(entry);
        }
        if is_candidate(&path, &entry.metadata) {
            self.certificates.keep(entry);
        } else if is_text(&path, &entry.metadata) {
            self.texts.keep(entry);
        }
    }
}

/// Both lists of files, and the certificates.
pub(super) fn everything(
    files: &Files<'_>,
    candidates: Candidates,
    walked: &Walked,
) -> (OpenFiles, Listing<Certificate>) {
    let Candidates { mut open, programs, certificates, texts } = candidates;
    // The walk does not show where it begins.
    if let Some(metadata) = files.found("/", OF_PROGRAMS).there().and_then(|it| it.metadata().ok())
    {
        open.see("/", &metadata);
    }
    let mut writable = std::mem::replace(&mut open.world_writable, Listing::unknown(""));
    let set_id = files.listing(|| {
        let entries = programs.into_entries(files, OF_PROGRAMS);
        let attributes = in_parallel(&entries, |_, entry| entry.xattrs());
        let mut failed = None;
        for (entry, attributes) in entries.iter().zip(attributes) {
            match attributes {
                Ok(attributes) => open.attributes(&entry.shown(), &entry.metadata, &attributes),
                Err(error) => {
                    files.note(&error, &entry.shown(), OF_PROGRAMS);
                    failed.get_or_insert(led(&error, &entry.shown()).to_string());
                }
            }
        }
        // The walk has a reason of its own to tell.
        failed.into_iter().for_each(|why| open.set_id.hide(why));
        let mut set_id = std::mem::replace(&mut open.set_id, Listing::unknown(""));
        walked.tell(&mut set_id);
        set_id
    });
    walked.tell(&mut writable);
    let mut open = OpenFiles { set_id, world_writable: writable };
    open.sort();
    let certificates = files.listing(|| {
        let mut found = Certificates::new();
        for entry in certificates.into_entries(files, OF_CERTIFICATES) {
            let path = entry.shown();
            if let Err(error) = found.file(&path, &entry.metadata, || entry.open()) {
                files.note(&error, &path, OF_CERTIFICATES);
            }
        }
        let texts = texts.into_entries(files, OF_CERTIFICATES);
        let read = in_parallel(&texts, |_, entry| read_text(&*entry.open()?));
        for (entry, text) in texts.iter().zip(read) {
            match text {
                Ok(Some(text)) => found.text(&entry.shown(), &text),
                Ok(None) => {}
                Err(error) => files.note(&error, &entry.shown(), OF_CERTIFICATES),
            }
        }
        let mut listing = found.listing(true);
        walked.tell(&mut listing);
        listing
    });
    (open, certificates)
}
