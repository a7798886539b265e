//! Damaged vdi.

use super::Target;

pub(super) fn targets() -> Vec<Target> {
    Vec::new()
}
