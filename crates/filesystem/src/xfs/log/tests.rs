//! Hand-made logs.

use super::*;
use crate::node::{Filesystem, NodeId};
use crate::xfs::blocks::DIR3;
use crate::xfs::testing::{BLOCK, INODE, Image, LOG, LOG_BLOCKS, Node, ROOT, UUID, extent, short};

const SECTOR: usize = 512;
const SECTORS: usize = LOG_BLOCKS * BLOCK / SECTOR;
const INODES: usize = 65;

/// An operation: flags and data.
type Operation = (u8, Vec<u8>);

/// A log in the making.
struct Writer {
    image: Image,
    at: usize,
    cycle: u32,
    tail: u64,
    /// Whether records carry a checksum.
    sealed: bool,
    format: u32,
}

impl Writer {
    fn new(v5: bool) -> Self {
        let mut image = Image::new(v5);
        image.inode(INODES as u64, &Node { size: 7, ..Node::default() });
        let data = short(&[(b"file", INODES as u32)]);
        let root =
            Node { mode: 0o040755, format: 1, size: data.len() as u64, data, ..Node::default() };
        image.inode(ROOT, &root);
        Self { image, at: 0, cycle: 1, tail: 1 << 32, sealed: v5, format: 1 }
    }

    fn place(&self, sector: usize) -> usize {
        LOG * BLOCK + sector % SECTORS * SECTOR
    }

    /// Writes a record of these operations; `size` is that of the machine's log buffers.
    fn record(&mut self, tid: u32, operations: &[Operation], size: u32) {
        let mut body = Vec::new();
        for (flags, data) in operations {
            body.extend(tid.to_be_bytes());
            body.extend((data.len() as u32).to_be_bytes());
            body.extend([0x69, *flags, 0, 0]);
            body.extend_from_slice(data);
        }
        let length = body.len();
        body.resize(length.next_multiple_of(SECTOR), 0);
        let headers = size.div_ceil(32768).max(1) as usize;
        let mut record = vec![0; headers * SECTOR];
        let lsn = u64::from(self.cycle) << 32 | self.at as u64;
        let mut put = |at: usize, bytes: &[u8]| record[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &[0xFE, 0xED, 0xBA, 0xBE]);
        put(4, &self.cycle.to_be_bytes());
        put(8, &2u32.to_be_bytes());
        put(12, &(length as u32).to_be_bytes());
        put(16, &lsn.to_be_bytes());
        put(24, &self.tail.to_be_bytes());
        put(40, &(operations.len() as u32).to_be_bytes());
        put(300, &self.format.to_be_bytes());
        put(304, &UUID);
        put(320, &size.to_be_bytes());
        // Each block has the cycle of its own round.
        let cycle =
            |index: usize| self.cycle + u32::from(self.at % SECTORS + headers + index >= SECTORS);
        for (index, block) in body.chunks_mut(SECTOR).enumerate() {
            let word = match index / 64 {
                0 => 44 + index * 4,
                header => header * SECTOR + 4 + index % 64 * 4,
            };
            put(word, &block[..4]);
            block[..4].copy_from_slice(&cycle(index).to_be_bytes());
        }
        for header in 1..headers {
            put(header * SECTOR, &self.cycle.to_be_bytes());
        }
        if self.sealed {
            let mut crc = crc32c::crc32c(&record[..328]);
            for header in 1..length.div_ceil(32768) {
                crc = crc32c::crc32c_append(crc, &record[header * SECTOR..header * SECTOR + 260]);
            }
            let crc = crc32c::crc32c_append(crc, &body[..length]);
            record[32..36].copy_from_slice(&crc.to_le_bytes());
        }
        record.extend(body);
        for block in record.chunks(SECTOR) {
            let place = self.place(self.at);
            self.image.put(place, block);
            self.at += 1;
            if self.at == SECTORS {
                self.at = 0;
                self.cycle += 1;
            }
        }
    }

    /// Writes a whole transaction as one record.
    fn commit(&mut self, items: &[Vec<Vec<u8>>]) {
        self.record(9, &operations(items), 32768);
    }

    fn unmount(&mut self) {
        self.tail = u64::from(self.cycle) << 32 | self.at as u64;
        self.record(1, &[(0x20, b"nU\0\0\0\0\0\0".to_vec())], 32768);
    }

    fn open(&self) -> Arc<dyn Filesystem> {
        self.image.open().unwrap()
    }

    /// The size of the file, and the health.
    fn seen(&self) -> (u64, Health) {
        let filesystem = self.open();
        let size = filesystem.metadata(NodeId::new(INODES as u64)).unwrap().size;
        (size, filesystem.info().health)
    }
}

/// The operations of a transaction with these items.
fn operations(items: &[Vec<Vec<u8>>]) -> Vec<Operation> {
    let mut header = b"NART".to_vec();
    header.extend([40, 0, 0, 0, 0, 0, 0, 0]);
    header.extend((items.len() as u32).to_le_bytes());
    let mut operations = vec![(1, Vec::new()), (0, header)];
    operations.extend(items.iter().flatten().map(|region| (0, region.clone())));
    operations.push((2, Vec::new()));
    operations
}

/// The first region of an inode item for the inode `number`.
fn inode_format(number: usize, fields: u32, regions: u16, gap: bool) -> Vec<u8> {
    let mut format = 0x123Bu16.to_le_bytes().to_vec();
    format.extend(regions.to_le_bytes());
    format.extend(fields.to_le_bytes());
    format.extend([0; 4]);
    if gap {
        format.extend([0; 4]);
    }
    format.extend((number as u64).to_le_bytes());
    format.extend((5u32 << 18 | 6).to_le_bytes());
    format.extend([0; 12]);
    let at = number * INODE;
    let cluster = at / 16384 * 16384;
    format.extend(((cluster / SECTOR) as u64).to_le_bytes());
    format.extend(32u32.to_le_bytes());
    format.extend(((at - cluster) as u32).to_le_bytes());
    format
}

/// A logged core of a file of `size` bytes.
fn core(v5: bool, number: usize, size: u64) -> Vec<u8> {
    let mut core = vec![0; if v5 { 176 } else { 96 }];
    let mut put = |at: usize, bytes: &[u8]| core[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"NI");
    put(2, &0o100644u16.to_le_bytes());
    put(4, &[if v5 { 3 } else { 2 }, 2]);
    put(16, &1u32.to_le_bytes());
    put(40, &1234u32.to_le_bytes());
    put(44, &56u32.to_le_bytes());
    put(56, &size.to_le_bytes());
    put(83, &[2]);
    put(92, &99u32.to_le_bytes());
    if v5 {
        put(152, &(number as u64).to_le_bytes());
        put(160, &UUID);
    }
    core
}

/// An item that gives the file another size.
fn resize(v5: bool, size: u64) -> Vec<Vec<u8>> {
    vec![inode_format(INODES, 1, 2, true), core(v5, INODES, size)]
}

/// An item about the buffer of `sectors` at `block`: chunks by their number.
fn buffer(block: usize, sectors: u16, flags: u16, chunks: &[(usize, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut format = 0x123Cu16.to_le_bytes().to_vec();
    format.extend((1 + chunks.len() as u16).to_le_bytes());
    format.extend(flags.to_le_bytes());
    format.extend(sectors.to_le_bytes());
    format.extend(((block * BLOCK / SECTOR) as u64).to_le_bytes());
    let bitmap = chunks.iter().fold(0u32, |bitmap, (chunk, bytes)| {
        (0..bytes.len() / 128).fold(bitmap, |bitmap, more| bitmap | 1 << (chunk + more))
    });
    format.extend(1u32.to_le_bytes());
    format.extend(bitmap.to_le_bytes());
    [format].into_iter().chain(chunks.iter().map(|(_, bytes)| bytes.clone())).collect()
}

#[test]
fn an_unmounted_filesystem_is_clean() {
    for v5 in [false, true] {
        let mut writer = Writer::new(v5);
        assert_eq!(writer.seen(), (7, Health::Clean), "a log that was never written");
        writer.commit(&[resize(v5, 8)]);
        writer.unmount();
        assert_eq!(writer.seen(), (7, Health::Clean));
    }
}

#[test]
fn committed_inodes_are_replayed_and_others_not() {
    for v5 in [false, true] {
        let mut writer = Writer::new(v5);
        writer.commit(&[resize(v5, 8)]);
        writer.commit(&[resize(v5, 9)]);
        let mut open = operations(&[resize(v5, 10)]);
        open.pop();
        writer.record(11, &open, 32768);
        assert_eq!(writer.seen(), (9, Health::Replayed));
        let metadata = writer.open().metadata(NodeId::new(INODES as u64)).unwrap();
        assert_eq!((metadata.modified.seconds, metadata.modified.nanos), (1234, 56));
        assert_eq!(metadata.links, 1);
    }
}

#[test]
fn the_layout_of_narrow_machines_is_read() {
    let mut writer = Writer::new(true);
    writer.commit(&[vec![inode_format(INODES, 1, 2, false), core(true, INODES, 8)]]);
    assert_eq!(writer.seen(), (8, Health::Replayed));
}

#[test]
fn regions_go_on_in_the_next_record() {
    for size in [32768, 65536] {
        let mut writer = Writer::new(true);
        let mut all = operations(&[resize(true, 8)]);
        let commit = all.pop().unwrap();
        let (_, last) = all.pop().unwrap();
        all.push((4, last[..100].to_vec()));
        writer.record(9, &all, size);
        writer.record(9, &[(0x0C, last[100..150].to_vec())], size);
        writer.record(9, &[(0x18, last[150..].to_vec()), commit], size);
        assert_eq!(writer.seen(), (8, Health::Replayed));
        // So may the transaction's header.
        let mut all = operations(&[resize(true, 12)]);
        let (_, header) = all.remove(1);
        all.splice(1..1, [(4, header[..6].to_vec()), (0x18, header[6..].to_vec())]);
        writer.record(10, &all, size);
        assert_eq!(writer.seen(), (12, Health::Replayed));
    }
}

#[test]
fn long_records_keep_their_words_in_several_headers() {
    let mut writer = Writer::new(true);
    let filler: Vec<Vec<u8>> =
        std::iter::once(vec![0x37, 0x12, 201, 0]).chain((0..200).map(|at| vec![at; 300])).collect();
    writer.record(9, &operations(&[filler, resize(true, 8)]), 65536);
    assert_eq!(writer.seen(), (8, Health::Replayed));
}

#[test]
fn the_log_goes_round() {
    for v5 in [false, true] {
        for filled in [SECTORS - 1, SECTORS, SECTORS + 1, SECTORS * 2 + 5] {
            let mut writer = Writer::new(v5);
            // Records of two sectors each: the first of an odd count of three.
            let mut left = filled;
            if left % 2 == 1 {
                let filler = vec![vec![0x37, 0x12, 2, 0], vec![0; 600]];
                writer.record(9, &operations(&[filler]), 32768);
                left -= 3;
            }
            for _ in 0..left / 2 {
                let from = u64::from(writer.cycle) << 32 | writer.at as u64;
                writer.tail = from;
                writer.commit(&[resize(v5, 8)]);
            }
            writer.commit(&[resize(v5, 9)]);
            assert_eq!(writer.seen(), (9, Health::Replayed), "{filled}");
        }
    }
}

#[test]
fn writes_that_were_under_way_are_left_out() {
    let mut writer = Writer::new(true);
    writer.commit(&[resize(true, 8)]);
    writer.commit(&[resize(true, 9)]);
    let place = writer.place(3);
    writer.image.put(place + 200, b"torn");
    assert_eq!(writer.seen(), (8, Health::Replayed), "its checksum fails");
    writer.image.put(place, &[0; SECTOR]);
    assert_eq!(writer.seen(), (8, Health::Replayed), "it ends too soon");
    // Too far back to have been under way.
    let mut writer = Writer::new(true);
    for size in 8..40 {
        writer.commit(&[resize(true, size)]);
    }
    let place = writer.place(31);
    writer.image.put(place + 200, b"damaged");
    let filesystem = writer.open();
    assert_eq!(writer.seen(), (7, Health::Dirty));
    assert!(filesystem.problems()[0].to_string().contains("not replayed"));
    assert!(filesystem.problems()[0].to_string().contains("checksum"));
}

/// A directory block with one entry, in chunks of a buffer item.
fn directory_block(name: &[u8; 4]) -> Vec<u8> {
    let mut image = Image::new(true);
    let mut block = b"XDB3".to_vec();
    block.resize(64, 0);
    block.extend((INODES as u64).to_be_bytes());
    block.push(4);
    block.extend(name);
    block.extend([1, 0, 64]);
    block.resize(80, 0);
    let free = BLOCK - 8 - 8 - 80;
    block.extend([0xFF, 0xFF, (free >> 8) as u8, free as u8]);
    block.resize(BLOCK - 16, 0);
    block[BLOCK - 18..].copy_from_slice(&[0, 80]);
    block.extend([0; 8]);
    block.extend([0, 0, 0, 1, 0, 0, 0, 0]);
    image.block(40, &block, DIR3, ROOT);
    image.bytes[40 * BLOCK..41 * BLOCK].to_vec()
}

/// A log over a root directory of one block, number 40.
fn with_directory(name: &[u8; 4]) -> Writer {
    let mut writer = Writer::new(true);
    writer.image.put(40 * BLOCK, &directory_block(name));
    let data = extent(0, 40, 1, false).to_vec();
    let root = Node { mode: 0o040755, size: BLOCK as u64, extents: 1, data, ..Node::default() };
    writer.image.inode(ROOT, &root);
    writer
}

fn listed(writer: &Writer) -> Vec<Vec<u8>> {
    let filesystem = writer.open();
    let mut names = Vec::new();
    let visit = &mut |entry: crate::node::DirEntry| {
        names.push(entry.name);
        std::ops::ControlFlow::Continue(())
    };
    filesystem.read_dir(filesystem.root(), visit).unwrap();
    names
}

/// The change of the name, which lies in the first chunk.
fn rename(name: &[u8; 4]) -> Vec<Vec<u8>> {
    buffer(40, 8, 10 << 11, &[(0, directory_block(name)[..128].to_vec())])
}

#[test]
fn buffers_are_replayed_and_sealed() {
    let mut writer = with_directory(b"old1");
    writer.commit(&[rename(b"new1")]);
    assert_eq!(listed(&writer), [b"new1"]);
    assert_eq!(writer.open().info().health, Health::Replayed);
    // Unlinked lists and quotas are not a reader's affair.
    writer
        .commit(&[buffer(40, 8, 1, &[(0, vec![9; 128])]), buffer(40, 8, 4, &[(0, vec![9; 128])])]);
    assert_eq!(listed(&writer), [b"new1"]);
}

#[test]
fn newer_buffers_stay() {
    let mut writer = with_directory(b"disk");
    writer.commit(&[rename(b"new1")]);
    writer.image.be64(40 * BLOCK + 16, 1 << 32);
    writer.image.seal(40 * BLOCK, BLOCK, 4);
    assert_eq!(listed(&writer), [b"disk"], "written back after the change");
    writer.commit(&[rename(b"new2")]);
    assert_eq!(listed(&writer), [b"new2"], "but before the next");
    writer.image.put(40 * BLOCK + 24, &[1; 16]);
    writer.image.seal(40 * BLOCK, BLOCK, 4);
    assert_eq!(listed(&writer), [b"new2"], "what is not ours is not newer");
}

#[test]
fn cancelled_buffers_stay_until_they_are_used_again() {
    let mut writer = with_directory(b"data");
    writer.commit(&[rename(b"new1")]);
    writer.commit(&[buffer(40, 8, 2, &[])]);
    assert_eq!(listed(&writer), [b"data"]);
    writer.commit(&[rename(b"new2")]);
    assert_eq!(listed(&writer), [b"new2"]);
}

#[test]
fn fresh_inodes_are_made_and_then_filled() {
    let mut writer = Writer::new(true);
    let mut create = vec![0x3F, 0x12, 1, 0];
    for word in [0u32, 16, 64, 512, 8, 5] {
        create.extend(word.to_be_bytes());
    }
    let filled = vec![inode_format(130, 1, 2, true), core(true, 130, 77)];
    writer.commit(&[vec![create.clone()], filled]);
    let filesystem = writer.open();
    assert_eq!(filesystem.metadata(NodeId::new(130)).unwrap().size, 77);
    let free = filesystem.metadata(NodeId::new(131)).unwrap_err();
    assert!(free.to_string().contains("free"), "{free}");
    // Not where a buffer in them is going to be cancelled.
    writer.commit(&[buffer(18, 8, 2, &[])]);
    assert_eq!(writer.open().info().health, Health::Dirty, "the inode lies in nothing");
    create[12..16].copy_from_slice(&63u32.to_be_bytes());
    let mut writer = Writer::new(true);
    writer.commit(&[vec![create]]);
    assert_eq!(writer.seen().1, Health::Dirty);
}

#[test]
fn forks_are_replayed_in_every_form() {
    for v5 in [false, true] {
        let mut writer = Writer::new(v5);
        let mut with_forks = core(v5, INODES, 10);
        with_forks[82] = 20;
        with_forks[83] = 1;
        with_forks[76] = 1;
        let attributes = vec![0, 9, 1, 0, 1, 1, 0, b'n', b'v', 0, 0, 0];
        let data = extent(0, 50, 1, false).to_vec();
        writer.commit(&[vec![
            inode_format(INODES, 0x45, 4, true),
            with_forks.clone(),
            data,
            attributes,
        ]]);
        writer.image.bytes[50 * BLOCK..51 * BLOCK].fill(b'x');
        let filesystem = writer.open();
        let node = NodeId::new(INODES as u64);
        let mut bytes = [0; 10];
        filesystem.open(node).unwrap().read_at(0, &mut bytes).unwrap();
        assert_eq!(bytes, [b'x'; 10]);
        assert_eq!(filesystem.xattrs(node).unwrap()[0].name, b"user.n");

        // The root of a tree: keys and pointers move.
        let header = if v5 { 72 } else { 24 };
        let mut root = vec![0; header + 16 * 3];
        root[5] = 1;
        root[7] = 1;
        root[header + 24..header + 32].copy_from_slice(&60u64.to_be_bytes());
        with_forks[5] = 3;
        writer.commit(&[vec![inode_format(INODES, 0x9, 3, true), with_forks.clone(), root]]);
        let error = writer.open().open(node).err().unwrap().to_string();
        assert!(error.contains("magic"), "block 60 is looked at: {error}");

        let mut device = core(v5, INODES, 0);
        device[2..4].copy_from_slice(&0o020600u16.to_le_bytes());
        device[5] = 0;
        writer.commit(&[vec![inode_format(INODES, 0x11, 2, true), device]]);
        assert_eq!(writer.open().metadata(node).unwrap().device, Some((5, 6)));

        with_forks[82] = 60;
        with_forks[5] = 2;
        let fork = vec![inode_format(INODES, 0x5, 3, true), with_forks, vec![0; 480]];
        writer.commit(&[fork]);
        assert_eq!(writer.open().info().health, Health::Dirty, "a fork that does not fit");
    }
}

#[test]
fn newer_inodes_stay() {
    let mut writer = Writer::new(true);
    writer.commit(&[resize(true, 8)]);
    writer.image.be64(INODES * INODE + 112, 2 << 32);
    writer.image.seal(INODES * INODE, INODE, 100);
    assert_eq!(writer.seen(), (7, Health::Replayed));
    let mut writer = Writer::new(false);
    writer.commit(&[resize(false, 8)]);
    writer.image.be16(INODES * INODE + 30, 5);
    assert_eq!(writer.seen(), (7, Health::Replayed), "flushed five times since");
    writer.image.be16(INODES * INODE + 30, u16::MAX);
    assert_eq!(writer.seen(), (8, Health::Replayed), "the count went round");
}

#[test]
fn big_times_and_counts_are_converted() {
    let mut writer = Writer::new(true);
    let mut big = core(true, INODES, 8);
    big[120..128].copy_from_slice(&0x18u64.to_le_bytes());
    big[40..48].copy_from_slice(&(((1u64 << 31) + 5) * 1_000_000_000 + 6).to_le_bytes());
    big[24..32].copy_from_slice(&3u64.to_le_bytes());
    big[76..80].copy_from_slice(&[0; 4]);
    writer.commit(&[vec![inode_format(INODES, 1, 2, true), big]]);
    let filesystem = writer.open();
    let metadata = filesystem.metadata(NodeId::new(INODES as u64)).unwrap();
    assert_eq!((metadata.modified.seconds, metadata.modified.nanos), (5, 6));
    let error = filesystem.open(NodeId::new(INODES as u64)).err().unwrap().to_string();
    assert!(error.contains("empty"), "three extents of zeros: {error}");
}

#[test]
fn unfinished_intents_are_reported() {
    let intent = |kind: u16, extents: u32, operation: u32| {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend([1, 0]);
        bytes.extend(extents.to_le_bytes());
        bytes.extend(77u64.to_le_bytes());
        bytes.extend((INODES as u64).to_le_bytes());
        bytes.extend(operation.to_le_bytes());
        bytes.resize(56, 0);
        vec![bytes]
    };
    for (kind, name) in [(0x1244, "BUI"), (0x1246, "ATTRI"), (0x1248, "XMI")] {
        let mut writer = Writer::new(true);
        writer.commit(&[intent(kind, 1, 1), resize(true, 8)]);
        assert_eq!(writer.seen(), (8, Health::Dirty));
        assert!(writer.open().problems()[0].to_string().contains(name));
        writer.commit(&[intent(kind + 1, 0, 0)]);
        assert_eq!(writer.seen(), (8, Health::Replayed));
        assert!(writer.open().problems().is_empty());
    }
    let mut writer = Writer::new(true);
    // A parent pointer, and intents that no reader sees.
    writer.commit(&[intent(0x1246, 0, 4), intent(0x1236, 1, 1), intent(0x1242, 1, 1)]);
    assert_eq!(writer.seen(), (7, Health::Replayed));
}

#[test]
fn changes_of_extents_that_are_not_done_are_finished() {
    let inode = INODES as u64;
    let intent = |id: u64, block: u64, start: u64, flags: u32| {
        let mut bytes = vec![0x44, 0x12, 1, 0, 1, 0, 0, 0];
        [id, inode, block, start].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.extend(2u32.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        vec![bytes]
    };
    let done = |id: u64| {
        let mut bytes = vec![0x45, 0x12, 1, 0, 0, 0, 0, 0];
        bytes.extend(id.to_le_bytes());
        vec![bytes]
    };
    let mut writer = Writer::new(true);
    let size = 8 * BLOCK as u64;
    writer.commit(&[vec![inode_format(INODES, 1, 2, true), core(true, INODES, size)]]);
    // In the order of the log, not of the numbers.
    writer.commit(&[intent(9, 30, 1, 1), intent(5, 30, 2, 2), intent(7, 40, 4, 1)]);
    writer.commit(&[done(7)]);
    writer.image.put(30 * BLOCK, &[b'x'; 2 * BLOCK]);
    let filesystem = writer.open();
    assert!(filesystem.problems().is_empty(), "{:?}", filesystem.problems());
    assert_eq!(filesystem.info().health, Health::Replayed);
    let node = NodeId::new(inode);
    let file = filesystem.open(node).unwrap();
    let data = file.next_data(0).unwrap();
    assert_eq!((data.start, data.end), (BLOCK as u64, 2 * BLOCK as u64), "one of two is left");
    assert_eq!(file.next_data(data.end), None);
    // Where something is mapped already the file is damaged, and nothing else.
    writer.commit(&[intent(11, 50, 0, 1)]);
    let filesystem = writer.open();
    assert!(filesystem.open(node).err().unwrap().to_string().contains("there are some already"));
    assert!(filesystem.metadata(NodeId::new(64)).is_ok());
}

#[test]
fn blocks_that_change_their_owner_are_noted() {
    let mut writer = Writer::new(true);
    writer.commit(&[vec![inode_format(INODES, 0x201, 2, true), core(true, INODES, 8)]]);
    let volume: Arc<dyn ReadAt> = Arc::new(writer.image.bytes.clone());
    let superblock = Superblock::read(&*volume, 0).unwrap();
    let recovery = recover(&volume, &superblock);
    assert!(recovery.swapped.contains(&(INODES as u64)));
}

#[test]
fn what_cannot_be_replayed_is_said() {
    let dirty = |change: &dyn Fn(&mut Writer), wanted: &str| {
        let mut writer = Writer::new(true);
        change(&mut writer);
        let filesystem = writer.open();
        assert_eq!(writer.seen(), (7, Health::Dirty), "{wanted}");
        let problem = filesystem.problems()[0].to_string();
        assert!(problem.contains(wanted), "{problem}");
    };
    dirty(&|writer| writer.image.superblock(48, &[0; 8]), "another device");
    dirty(&|writer| writer.image.superblock(48, &[0xFF; 8]), "cannot be the log");
    dirty(
        &|writer| {
            writer.commit(&[resize(true, 8)]);
            writer.image.superblock(220, &[0, 0, 0, 2]);
        },
        "features 0x2",
    );
    dirty(
        &|writer| {
            writer.unmount();
            writer.tail = u64::from(writer.cycle) << 32 | writer.at as u64;
            writer.format = 2;
            writer.commit(&[resize(true, 8)]);
        },
        "big-endian",
    );
    dirty(&|writer| writer.commit(&[vec![vec![0x99, 0x12, 1, 0]]]), "0x1299");
    dirty(&|writer| writer.commit(&[vec![vec![0x3B, 0x12, 1, 0]]]), "inode item");
    dirty(&|writer| writer.commit(&[vec![vec![0x3B, 0x12, 0, 0]]]), "regions");
    dirty(&|writer| writer.commit(&[buffer(40, 0, 0, &[])]), "a buffer of 0 bytes");
    dirty(&|writer| writer.commit(&[buffer(40, 1, 0, &[(8, vec![0; 128])])]), "chunk 8");
    dirty(&|writer| writer.commit(&[buffer(2000, 8, 0, &[(0, vec![0; 128])])]), "ends");
    let elsewhere = || vec![inode_format(1 << 20, 1, 2, true), core(true, 65, 8)];
    dirty(&|writer| writer.commit(&[elsewhere()]), "cannot");
    let nothing = || vec![inode_format(300, 1, 2, true), core(true, 300, 8)];
    dirty(&|writer| writer.commit(&[nothing()]), "no inode");
    dirty(
        &|writer| writer.commit(&[vec![inode_format(INODES, 1, 2, true), vec![0; 176]]]),
        "its core",
    );
    dirty(&|writer| writer.record(9, &[(1, vec![]), (0, vec![0; 16])], 32768), "header");
    dirty(&|writer| writer.record(9, &[(1, vec![]), (0x40, vec![0; 16])], 32768), "contradict");
}
