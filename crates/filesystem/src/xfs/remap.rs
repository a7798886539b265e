//! Extents that were about to be mapped to a file, or taken from it, when the log ended.
//!
//! A reflink, the end of a copy on write or an exchange of extents first says in the log what it
//! will do (`BUI`), and in a later transaction that it is done (`BUD`). A mount carries out what is
//! not done yet, in the order of the log. Here the extents of the file are changed after they were
//! read, and nothing else: the free space and the counts of references and owners that go with it
//! are seen by no reader.

use std::collections::{BTreeMap, HashMap};

use fathom_block::{Error, Fields, Result};

use super::bmap::Mapping;

/// `XFS_BMAP_MAP` and `XFS_BMAP_UNMAP`, in the low bits of the flags.
const MAP: u32 = 1;
const UNMAP: u32 = 2;
/// The extent was never written.
const UNWRITTEN: u32 = 1 << 30;

/// What is yet to be done to files, by inode, in order.
pub(super) type Remaps = HashMap<u64, Vec<Remap>>;

/// One extent to map or to take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remap {
    extent: Mapping,
    map: bool,
}

impl Remap {
    /// Reads the one extent that an intent has (`xfs_map_extent`), and the inode that it is about;
    /// none where it asks for something else than is done here.
    pub(super) fn parse(intent: &Fields<'_>) -> Result<Option<(u64, Self)>> {
        if intent.le_u32(4)? != 1 {
            return Ok(None);
        }
        let flags = intent.le_u32(44)?;
        let extent = Mapping {
            start: intent.le_u64(32)?,
            count: intent.le_u32(40)?.into(),
            block: intent.le_u64(24)?,
            unwritten: flags & UNWRITTEN != 0,
        };
        let map = match flags & !UNWRITTEN {
            MAP => true,
            UNMAP => false,
            _ => return Ok(None),
        };
        // As many bits as an extent on the disk has for them.
        if extent.count == 0 || extent.start.saturating_add(extent.count) > 1 << 54 {
            return Ok(None);
        }
        Ok(Some((intent.le_u64(16)?, Self { extent, map })))
    }
}

/// The extents as they are when all of `remaps` is done.
pub(super) fn apply(what: &str, stored: Vec<Mapping>, remaps: &[Remap]) -> Result<Vec<Mapping>> {
    let mut map: BTreeMap<u64, Mapping> =
        stored.into_iter().map(|extent| (extent.start, extent)).collect();
    for Remap { extent, map: add } in remaps {
        if !add {
            unmap(&mut map, extent.start, extent.end());
            continue;
        }
        let before = map.range(..extent.end()).next_back();
        if before.is_some_and(|(_, other)| other.end() > extent.start) {
            let why = format!(
                "the log maps {} blocks at block {} of the file, where there are some already",
                extent.count, extent.start
            );
            return Err(Error::corrupt(what, 0, why));
        }
        map.insert(extent.start, *extent);
    }
    Ok(map.into_values().collect())
}

/// Takes away whatever lies from block `start` to block `end` of the file.
fn unmap(map: &mut BTreeMap<u64, Mapping>, start: u64, end: u64) {
    let before = map.range(..start).next_back().map(|(_, extent)| *extent);
    let first = before.filter(|extent| extent.end() > start).map_or(start, |extent| extent.start);
    let touched: Vec<Mapping> = map.range(first..end).map(|(_, extent)| *extent).collect();
    for extent in touched {
        map.remove(&extent.start);
        if extent.start < start {
            map.insert(extent.start, Mapping { count: start - extent.start, ..extent });
        }
        if extent.end() > end {
            let skipped = end - extent.start;
            let (count, block) = (extent.count - skipped, extent.block.saturating_add(skipped));
            map.insert(end, Mapping { start: end, count, block, ..extent });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(start: u64, count: u64, block: u64) -> Mapping {
        Mapping { start, count, block, unwritten: false }
    }

    fn applied(remaps: &[(bool, Mapping)]) -> Result<Vec<Mapping>> {
        let stored = vec![extent(0, 4, 100), extent(10, 10, 200), extent(20, 2, 50)];
        let remaps: Vec<_> =
            remaps.iter().map(|(map, extent)| Remap { extent: *extent, map: *map }).collect();
        apply("extents", stored, &remaps)
    }

    #[test]
    fn extents_are_taken_away_and_put_in_their_order() {
        let map = applied(&[
            (false, extent(12, 9, 0)),
            (true, extent(13, 5, 900)),
            (true, extent(4, 6, 700)),
            (false, extent(2, 4, 0)),
            (false, extent(40, 4, 0)),
        ]);
        let wanted = [
            extent(0, 2, 100),
            extent(6, 4, 702),
            extent(10, 2, 200),
            extent(13, 5, 900),
            extent(21, 1, 51),
        ];
        assert_eq!(map.unwrap(), wanted);
        let within = applied(&[(false, extent(12, 3, 0))]).unwrap();
        assert_eq!(within[1..3], [extent(10, 2, 200), extent(15, 5, 205)]);
        assert_eq!(applied(&[(false, extent(0, 100, 0))]).unwrap(), []);
    }

    #[test]
    fn what_is_mapped_already_is_not_mapped_over() {
        for over in [extent(3, 1, 9), extent(4, 7, 9), extent(19, 1, 9), extent(0, 100, 9)] {
            assert!(applied(&[(true, over)]).is_err(), "{over:?}");
        }
        assert!(applied(&[(false, extent(3, 1, 0)), (true, extent(3, 7, 9))]).is_ok());
    }

    #[test]
    fn only_whole_and_plain_intents_are_understood() {
        let intent = |extents: u32, start: u64, count: u32, flags: u32| {
            let mut bytes = vec![0x44, 0x12, 1, 0];
            bytes.extend(extents.to_le_bytes());
            [77, 131, 500, start].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
            bytes.extend(count.to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            Remap::parse(&Fields::new("intent", 0, &bytes)).unwrap()
        };
        let unwritten = Mapping { unwritten: true, ..extent(7, 3, 500) };
        assert_eq!(
            intent(1, 7, 3, MAP | UNWRITTEN),
            Some((131, Remap { extent: unwritten, map: true }))
        );
        assert_eq!(
            intent(1, 7, 3, UNMAP),
            Some((131, Remap { extent: extent(7, 3, 500), map: false }))
        );
        // None, several, an empty one, one too far out, and one of attributes.
        assert_eq!(intent(0, 7, 3, MAP), None);
        assert_eq!(intent(2, 7, 3, MAP), None);
        assert_eq!(intent(1, 7, 0, MAP), None);
        assert_eq!(intent(1, u64::MAX, 3, MAP), None);
        assert_eq!(intent(1, 7, 3, 3), None);
        assert_eq!(intent(1, 7, 3, MAP | 1 << 31), None);
        assert!(Remap::parse(&Fields::new("intent", 0, &[1; 4])).is_err());
    }
}
