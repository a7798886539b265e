//! What ntfs must read.

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
