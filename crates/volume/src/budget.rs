//! What one search may read of metadata.

use fathom_block::{Error, Result};

/// How many bytes of metadata one search reads: a thousand times what a machine usually has. A disk
/// that lists ten thousand volumes over the same few megabytes must not be read ten thousand times.
const BYTES: u64 = 256 << 20;

/// What is left of it.
pub(crate) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(BYTES)
    }
}

impl Budget {
    /// Takes `bytes` for reading `what`, if that many are left.
    pub(crate) fn spend(&mut self, bytes: u64, what: &str) -> Result<()> {
        match self.0.checked_sub(bytes) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(Error::unsupported(
                what,
                format!("more than {BYTES} bytes of metadata on the disks of one machine"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends() {
        let mut budget = Budget::default();
        assert!(budget.spend(BYTES, "metadata").is_ok());
        assert!(budget.spend(1, "metadata").is_err());
        assert!(budget.spend(0, "metadata").is_ok());
    }
}
