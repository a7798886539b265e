//! Documents that others wrote of what is installed.

use std::sync::Arc;

use fathom_block::{Error, ReadAt};

use super::Outcome;

/// The most bytes that are read.
const MOST: u64 = 1 << 20;

/// Reads the bytes as a bill of materials or an index.
pub(crate) fn document(image: Vec<u8>) -> Outcome {
    document_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn document_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut bytes = vec![0; image.len().min(MOST) as usize];
    outcome.take(image.read_at(0, &mut bytes));
    match fathom_intake::read(&bytes) {
        Ok(taken) => {
            for system in &taken.report.systems {
                for package in &system.packages.items {
                    outcome.bytes += package.full_version().len() as u64 + 1;
                }
            }
            // What is no package of any kind that is known is passed over in healthy ones too.
            outcome.bytes += taken.passed_over.iter().map(|it| it.count as u64).sum::<u64>();
        }
        Err(error) => outcome.wrong([Error::corrupt("document", 0, error.to_string())]),
    }
    outcome
}
