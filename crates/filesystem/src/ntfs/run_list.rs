//! The run list (*mapping pairs*): which clusters of the volume a value lies in.
//!
//! Each pair is a byte whose halves say how long the two numbers after it are: a count of clusters,
//! and how far their first one is from the first one of the pair before. A pair without the second
//! number is a hole.

use fathom_block::{Fields, Result};

use super::boot::Geometry;

/// The most runs one value may have. Windows stops at about 1.5 million, where the attribute list
/// is full; each takes memory here.
pub(super) const MAX_RUNS: usize = 2 << 20;

/// Neighbouring clusters of a value that are neighbours on the volume too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Which cluster of the value comes first.
    pub(super) vcn: u64,
    /// Which cluster of the volume that is.
    pub(super) lcn: u64,
    /// How many there are.
    pub(super) clusters: u64,
}

/// Adds the runs of one list, which starts at cluster `vcn` of the value, and returns the cluster
/// it ends before. Holes are what is between runs.
pub(super) fn decode(
    pairs: &Fields<'_>,
    mut vcn: u64,
    geometry: &Geometry,
    runs: &mut Vec<Run>,
) -> Result<u64> {
    let mut at = 0;
    let mut lcn: i64 = 0;
    // A list that fills its attribute to the last byte has no room for the zero that ends it.
    while at < pairs.len() {
        let header = pairs.u8(at)?;
        if header == 0 {
            break;
        }
        let (count_length, delta_length) = (usize::from(header & 15), usize::from(header >> 4));
        if count_length == 0 || count_length > 8 || delta_length > 8 {
            return Err(pairs.corrupt(at, format!("a pair of lengths {header:#04x}")));
        }
        let count = signed(pairs.bytes(at + 1, count_length)?);
        let delta = signed(pairs.bytes(at + 1 + count_length, delta_length)?);
        let end = u64::try_from(count).ok().filter(|count| *count > 0);
        let end = end.and_then(|count| vcn.checked_add(count)).filter(|end| *end < 1 << 63);
        let Some(end) = end else {
            return Err(pairs.corrupt(at, format!("{count} clusters from cluster {vcn} on")));
        };
        if delta_length > 0 {
            let place = lcn.checked_add(delta).and_then(|lcn| u64::try_from(lcn).ok());
            let stop = place.and_then(|place| place.checked_add(end - vcn));
            let (Some(place), Some(..)) = (place, stop.filter(|stop| *stop <= geometry.clusters))
            else {
                return Err(pairs.corrupt(
                    at,
                    format!(
                        "{count} clusters {delta} after cluster {lcn}, but the volume has {}",
                        geometry.clusters
                    ),
                ));
            };
            lcn = place as i64;
            let follows = |last: &&mut Run| {
                last.vcn + last.clusters == vcn && last.lcn + last.clusters == place
            };
            if let Some(last) = runs.last_mut().filter(follows) {
                last.clusters += end - vcn;
            } else if runs.len() < MAX_RUNS {
                runs.push(Run { vcn, lcn: place, clusters: end - vcn });
            } else {
                return Err(pairs.corrupt(at, format!("it has more than {MAX_RUNS} runs")));
            }
        }
        vcn = end;
        at += 1 + count_length + delta_length;
    }
    Ok(vcn)
}

/// Up to eight little-endian bytes as a signed number.
fn signed(bytes: &[u8]) -> i64 {
    let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xFF } else { 0 };
    let mut wide = [fill; 8];
    wide.iter_mut().zip(bytes).for_each(|(wide, byte)| *wide = *byte);
    i64::from_le_bytes(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Decoded = (Vec<(u64, u64, u64)>, u64);

    fn list(pairs: &[u8], vcn: u64) -> Result<Decoded> {
        let geometry = Geometry::at(&crate::ntfs::boot::tests::sector(), 0)?;
        let mut runs = Vec::new();
        let end = decode(&Fields::new("run list", 0, pairs), vcn, &geometry, &mut runs)?;
        Ok((runs.iter().map(|run| (run.vcn, run.lcn, run.clusters)).collect(), end))
    }

    #[test]
    fn deltas_go_both_ways_and_holes_are_left_out() {
        let pairs = [0x11, 10, 100, 0x01, 5, 0x11, 3, 0xF6, 0x21, 2, 0x00, 0x02, 0];
        let (runs, end) = list(&pairs, 0).unwrap();
        assert_eq!(runs, [(0, 100, 10), (15, 90, 3), (18, 602, 2)]);
        assert_eq!(end, 20);
        assert_eq!(list(&[0x11, 4, 9], 7).unwrap(), (vec![(7, 9, 4)], 11));
    }

    #[test]
    fn neighbours_are_joined() {
        let (runs, _) = list(&[0x11, 10, 100, 0x11, 5, 10, 0], 0).unwrap();
        assert_eq!(runs, [(0, 100, 15)]);
    }

    #[test]
    fn nonsense_is_corrupt() {
        for pairs in [
            &[0x10, 5][..],
            &[0x91, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            &[0x11, 0, 5],
            &[0x11, 0xFF, 5],
            &[0x11, 1],
            &[0x11, 1, 0xFF],
            &[0x22, 1, 0, 0xE8, 0x03],
            &[0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x01, 1],
        ] {
            assert!(list(pairs, 0).is_err(), "{pairs:x?}");
        }
    }
}
