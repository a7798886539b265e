//! L2 entries: where one guest cluster is.

use super::header::{Header, incompatible};

/// Bit 63: the cluster's reference count is exactly one.
const COPIED: u64 = 1 << 63;

/// Bit 62: the rest is a descriptor of compressed data.
const COMPRESSED: u64 = 1 << 62;

/// Bit 0: reads as zeros. Version 3, and not with extended entries.
const ZERO: u64 = 1;

/// Bits 9 to 55: the host cluster.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;

/// Compressed data is counted in sectors, whatever the cluster size.
const SECTOR: u64 = 512;

/// Subclusters of a cluster, in images that have them.
const SUBCLUSTERS: u32 = 32;

/// Where guest bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere in this image: the backing file decides.
    Hole,
    /// Nowhere at all: they are zeros.
    Zero,
    /// At this offset of the data file.
    Data(u64),
    /// In a compressed cluster, from this byte of it on.
    Compressed { cluster: Compressed, within: u64 },
}

impl Place {
    /// Whether bytes at `next`, `length` guest bytes on, continue this run.
    pub(super) fn continues(&self, length: u64, next: &Self) -> bool {
        match (self, next) {
            (Self::Hole, Self::Hole) | (Self::Zero, Self::Zero) => true,
            (Self::Data(host), Self::Data(next)) => host.checked_add(length) == Some(*next),
            _ => false,
        }
    }
}

/// Where the data of a compressed cluster is: not aligned to anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Compressed {
    pub(super) offset: u64,
    /// At most this many bytes; what lies behind the data is somebody else's.
    pub(super) length: u64,
}

impl Compressed {
    fn parse(entry: u64, cluster_bits: u32) -> Self {
        // "Compressed Clusters Descriptor (x = 62 - (cluster_bits - 8))"
        let x = 62 - (cluster_bits - 8);
        let offset = entry & ((1 << x) - 1);
        let additional = (entry & (COMPRESSED - 1)) >> x;
        let length = (additional + 1) * SECTOR - offset % SECTOR;
        Self { offset, length }
    }
}

/// What of the header an L2 entry's meaning depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    version: u32,
    pub(super) cluster_bits: u32,
    pub(super) extended: bool,
    pub(super) data_file: bool,
}

/// One entry as it is stored; `bitmap` is the second half of an extended one.
#[derive(Clone, Copy, Debug)]
pub(super) struct L2Entry {
    pub(super) descriptor: u64,
    pub(super) bitmap: u64,
}

impl Layout {
    pub(super) fn new(header: &Header) -> Self {
        Self {
            version: header.version,
            cluster_bits: header.cluster_bits,
            extended: header.has(incompatible::EXTENDED_L2),
            data_file: header.has(incompatible::DATA_FILE),
        }
    }

    pub(super) fn cluster_size(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// How many bytes an entry has.
    pub(super) fn entry_size(&self) -> u64 {
        if self.extended { 16 } else { 8 }
    }

    /// What may be in a place of its own: a subcluster, or else a cluster.
    pub(super) fn unit(&self) -> u64 {
        if self.extended {
            self.cluster_size() / u64::from(SUBCLUSTERS)
        } else {
            self.cluster_size()
        }
    }

    /// Where the guest byte at `guest` is, by the entry of its cluster. What holds for it holds up
    /// to the end of its [unit](Layout::unit); the error says what is wrong with the entry.
    pub(super) fn place(&self, entry: L2Entry, guest: u64) -> Result<Place, String> {
        let L2Entry { descriptor, bitmap } = entry;
        let within = guest % self.cluster_size();
        if descriptor & COMPRESSED != 0 {
            return self.compressed(descriptor, within);
        }
        let host = descriptor & OFFSET;
        if descriptor & !(COPIED | OFFSET | ZERO) != 0 {
            return Err(format!("reserved bits are set in the L2 entry {descriptor:#018x}"));
        }
        if !host.is_multiple_of(self.cluster_size()) {
            return Err(format!("the host cluster {host:#x} is no cluster boundary"));
        }
        // Offset 0 means unallocated, but in a data file it is the guest's first cluster.
        let allocated = host != 0 || (self.data_file && descriptor & COPIED != 0);
        if allocated && self.data_file && host != guest - within {
            return Err(format!(
                "the host cluster {host:#x} of the data file is not the guest's {:#x}",
                guest - within
            ));
        }
        if self.extended {
            return self.subcluster(descriptor, bitmap, allocated.then_some(host), within);
        }
        if descriptor & ZERO != 0 {
            return match self.version {
                2 => Err("an L2 entry of version 2 has the zero bit of version 3".to_owned()),
                _ => Ok(Place::Zero),
            };
        }
        Ok(if allocated { Place::Data(host + within) } else { Place::Hole })
    }

    fn compressed(&self, descriptor: u64, within: u64) -> Result<Place, String> {
        if self.data_file {
            return Err("a compressed cluster in an image with an external data file".to_owned());
        }
        let cluster = Compressed::parse(descriptor, self.cluster_bits);
        // Where the field reaches beyond bit 55, those upper bits must be zero.
        if descriptor & COPIED != 0 || cluster.offset >> 56 != 0 {
            return Err(format!("reserved bits are set in the L2 entry {descriptor:#018x}"));
        }
        Ok(Place::Compressed { cluster, within })
    }

    fn subcluster(
        &self,
        descriptor: u64,
        bitmap: u64,
        host: Option<u64>,
        within: u64,
    ) -> Result<Place, String> {
        if descriptor & ZERO != 0 {
            return Err("an extended L2 entry has the zero bit of plain ones".to_owned());
        }
        let (allocated, zero) = (bitmap as u32, (bitmap >> 32) as u32);
        if allocated & zero != 0 {
            return Err(format!("subclusters are both allocated and zero: {bitmap:#018x}"));
        }
        let mask = 1 << (within / self.unit());
        match host {
            None if allocated != 0 => {
                Err("subclusters are allocated in an unallocated cluster".to_owned())
            }
            _ if zero & mask != 0 => Ok(Place::Zero),
            Some(host) if allocated & mask != 0 => Ok(Place::Data(host + within)),
            _ => Ok(Place::Hole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Layout =
        Layout { version: 3, cluster_bits: 16, extended: false, data_file: false };

    fn place(layout: Layout, descriptor: u64, bitmap: u64, guest: u64) -> Result<Place, String> {
        layout.place(L2Entry { descriptor, bitmap }, guest)
    }

    #[test]
    fn plain_entries() {
        assert_eq!(place(PLAIN, 0, 0, 5), Ok(Place::Hole));
        assert_eq!(place(PLAIN, ZERO, 0, 5), Ok(Place::Zero));
        assert_eq!(place(PLAIN, 0x30000 | ZERO, 0, 5), Ok(Place::Zero));
        assert_eq!(place(PLAIN, COPIED | 0x30000, 0, 0x10005), Ok(Place::Data(0x30005)));
        assert_eq!(place(PLAIN, 0x30000, 0, 0x10005), Ok(Place::Data(0x30005)));
        assert!(place(PLAIN, 0x30200, 0, 0).is_err());
        assert!(place(PLAIN, 0x30002, 0, 0).is_err());
        assert!(place(PLAIN, 1 << 56, 0, 0).is_err());
        assert!(place(Layout { version: 2, ..PLAIN }, ZERO, 0, 0).is_err());
    }

    #[test]
    fn the_data_file_maps_to_itself() {
        let layout = Layout { data_file: true, ..PLAIN };
        assert_eq!(place(layout, 0, 0, 5), Ok(Place::Hole));
        assert_eq!(place(layout, COPIED, 0, 5), Ok(Place::Data(5)));
        assert_eq!(place(layout, COPIED | 0x10000, 0, 0x10005), Ok(Place::Data(0x10005)));
        assert!(place(layout, COPIED | 0x20000, 0, 0x10005).is_err());
        assert!(place(layout, COPIED, 0, 0x10005).is_err());
        assert!(place(layout, COMPRESSED | 0x10000, 0, 0).is_err());
    }

    #[test]
    fn compressed_descriptors_split_where_the_cluster_size_says() {
        let check = |cluster_bits, entry, offset, length| {
            let cluster = Compressed { offset, length };
            let layout = Layout { cluster_bits, ..PLAIN };
            assert_eq!(
                place(layout, COMPRESSED | entry, 0, 3),
                Ok(Place::Compressed { cluster, within: 3 })
            );
        };
        check(16, 0x50000, 0x50000, 512);
        check(16, 0x50123 | 7 << 54, 0x50123, 8 * 512 - 0x123);
        check(9, 0x50001 | 1 << 61, 0x50001, 1023);
        check(21, 0x50001 | 8191 << 49, 0x50001, (4 << 20) - 1);
        assert!(place(Layout { cluster_bits: 9, ..PLAIN }, COMPRESSED | 1 << 56, 0, 0).is_err());
        assert!(place(PLAIN, COPIED | COMPRESSED | 0x50000, 0, 0).is_err());
    }

    #[test]
    fn subclusters() {
        let layout = Layout { extended: true, ..PLAIN };
        let at = |index: u64| index * 2048 + 7;
        let bitmap = 0b0101 | 0b1000 << 32;
        assert_eq!(place(layout, 0x30000, bitmap, at(0)), Ok(Place::Data(0x30007)));
        assert_eq!(place(layout, 0x30000, bitmap, at(1)), Ok(Place::Hole));
        assert_eq!(place(layout, 0x30000, bitmap, at(2)), Ok(Place::Data(0x30000 + at(2))));
        assert_eq!(place(layout, 0x30000, bitmap, at(3)), Ok(Place::Zero));
        assert_eq!(place(layout, 0x30000, 1 << 31, at(31)), Ok(Place::Data(0x30000 + at(31))));
        assert_eq!(place(layout, 0, 1 << 63, at(31)), Ok(Place::Zero));
        assert_eq!(place(layout, 0, 1 << 63, at(30)), Ok(Place::Hole));
        assert!(place(layout, 0, 1, 0).is_err());
        assert!(place(layout, 0x30000, 1 | 1 << 32, at(9)).is_err());
        assert!(place(layout, 0x30000 | ZERO, 1, 0).is_err());
    }

    #[test]
    fn runs_continue_only_where_the_bytes_do() {
        assert!(Place::Hole.continues(9, &Place::Hole));
        assert!(!Place::Hole.continues(9, &Place::Zero));
        assert!(Place::Data(512).continues(512, &Place::Data(1024)));
        assert!(!Place::Data(512).continues(512, &Place::Data(512)));
        assert!(!Place::Data(u64::MAX).continues(512, &Place::Data(511)));
    }
}
