//! A disk whose errors say which image of a chain or an archive they are about.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::location::Location;
use crate::read::ReadAt;

/// A disk whose errors are led by where its image is, unless they name one already: of several
/// images, the one at fault is the one to name.
pub(crate) struct Named {
    pub(crate) disk: Arc<dyn ReadAt>,
    pub(crate) location: Location,
}

impl ReadAt for Named {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.disk.read_at(offset, buf).map_err(|error| error.of_image(&self.location))
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        self.disk.read_many(reads).map_err(|error| error.of_image(&self.location))
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        self.disk.prefetch(ranges);
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        self.disk.next_data(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    struct Broken(Error);

    impl ReadAt for Broken {
        fn len(&self) -> u64 {
            1
        }

        fn read_at(&self, _: u64, _: &mut [u8]) -> Result<()> {
            Err(self.0.clone())
        }
    }

    #[test]
    fn the_image_at_fault_is_named_once() {
        let broken = Error::corrupt("table", 7, "it is wrong");
        let chain = ["base", "middle", "top"]
            .into_iter()
            .fold(Arc::new(Broken(broken)) as Arc<dyn ReadAt>, |disk, name| {
                Arc::new(Named { disk, location: Location::parse(name) })
            });
        let error = chain.read_at(0, &mut [0]).unwrap_err();
        assert_eq!(error.to_string(), "corrupt: base: table at byte 7: it is wrong");
    }
}
