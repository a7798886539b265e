//! What is found by looking at every file, in one walk.

use fathom_report::{Certificate, Listing};

use super::certificates::Certificates;
use super::open_files::OpenFiles;
use crate::files::Files;

const HIDES: &str =
    "programs that run as their owner, files that everybody may write, certificates";

/// Both lists of files, and the certificates.
pub(super) fn everything(files: &Files<'_>) -> (OpenFiles, Listing<Certificate>) {
    let mut open = OpenFiles::at(vec!["/".into()]);
    let mut certificates = Certificates::new();
    let walk = match files.tree().walk(b"/") {
        Ok(walk) => walk,
        Err(error) => {
            files.note(&error, "/", HIDES);
            open.hide(&error.to_string());
            certificates.hide(&error.to_string());
            return (open, certificates.listing(true));
        }
    };
    for step in walk {
        let path = String::from_utf8_lossy(&step.path);
        if let Some(problem) = step.problem {
            files.note(&problem, &path, HIDES);
            open.hide(&problem.to_string());
            certificates.hide(&problem.to_string());
        }
        let metadata = match step.metadata {
            Ok(metadata) => metadata,
            Err(error) => {
                files.note(&error, &path, HIDES);
                open.hide(&error.to_string());
                certificates.hide(&error.to_string());
                continue;
            }
        };
        if let Err(error) = open.file(&path, &step.found, &metadata) {
            files.note(&error, &path, HIDES);
            open.hide(&error.to_string());
        }
        if let Err(error) = certificates.file(&path, &step.found, &metadata) {
            files.note(&error, &path, HIDES);
            certificates.hide(&error.to_string());
        }
    }
    (open, certificates.listing(true))
}
