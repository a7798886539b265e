//! Whole images, made by hand: what qemu-img would never write, and chains longer than it is
//! patient for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{ErrorKind, Result};
use crate::formats::Format;
use crate::location::Location;
use crate::open::{Disk, MAX_CHAIN, Opener};
use crate::read::{ReadAt, check_range};

const CLUSTER: u64 = 4096;

/// Guest bytes beneath one L2 table.
const COVERED: u64 = CLUSTER / 8 * CLUSTER;

/// An image of version 3 with clusters of 4 KiB: header, L1 table, then whatever is added.
struct Image {
    bytes: Vec<u8>,
}

impl Image {
    fn new(size: u64) -> Self {
        let mut image = Self { bytes: vec![0; 2 * CLUSTER as usize] };
        image.put(0, b"QFI\xfb\0\0\0\x03");
        image.put(20, &12_u32.to_be_bytes());
        image.put(24, &size.to_be_bytes());
        image.put(36, &(size.div_ceil(COVERED) as u32).to_be_bytes());
        image.put(40, &CLUSTER.to_be_bytes());
        image.put(96, &4_u32.to_be_bytes());
        image.put(100, &104_u32.to_be_bytes());
        image
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Appends one cluster, and says where it is.
    fn cluster(&mut self, bytes: &[u8]) -> u64 {
        let at = self.bytes.len();
        self.bytes.resize(at + CLUSTER as usize, 0);
        self.put(at, bytes);
        at as u64
    }

    /// Maps the guest's cluster to this L2 entry; its table is made when it is missing.
    fn map(&mut self, guest: u64, entry: u64) {
        let l1_at = (CLUSTER + guest / (CLUSTER / 8) * 8) as usize;
        let l1 = u64::from_be_bytes(self.bytes[l1_at..l1_at + 8].try_into().unwrap());
        let mut table = l1 & !(1 << 63);
        if table == 0 {
            table = self.cluster(&[]);
            self.put(l1_at, &(table | 1 << 63).to_be_bytes());
        }
        self.put((table + guest % (CLUSTER / 8) * 8) as usize, &entry.to_be_bytes());
    }

    fn data(&mut self, guest: u64, byte: u8) {
        let host = self.cluster(&[byte; CLUSTER as usize]);
        self.map(guest, host | 1 << 63);
    }

    fn compressed(&mut self, guest: u64, cluster: &[u8]) {
        let mut packed = Vec::with_capacity(2 * CLUSTER as usize);
        flate2::Compress::new(flate2::Compression::fast(), false)
            .compress_vec(cluster, &mut packed, flate2::FlushCompress::Finish)
            .unwrap();
        let host = self.bytes.len() as u64 + 5;
        self.bytes.extend([0; 5]);
        self.bytes.extend(&packed);
        let sectors = (host + packed.len() as u64 - 1) / 512 - host / 512;
        self.bytes.resize(self.bytes.len().next_multiple_of(CLUSTER as usize), 0);
        self.map(guest, 1 << 62 | sectors << 58 | host);
    }

    fn backing(&mut self, name: &str, format: &str) {
        let mut extension = 0xe279_2aca_u32.to_be_bytes().to_vec();
        extension.extend((format.len() as u32).to_be_bytes());
        extension.extend(format.as_bytes());
        self.put(104, &extension);
        self.put(8, &512_u64.to_be_bytes());
        self.put(16, &(name.len() as u32).to_be_bytes());
        self.put(512, name.as_bytes());
    }

    fn open(self) -> Result<Disk> {
        let location = Location::Path("image.qcow2".into());
        Ok(Opener::new().open_reader(Arc::new(self.bytes), &location)?.remove(0))
    }
}

fn read(disk: &Disk, offset: u64, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0xa5; length];
    disk.reader.read_at(offset, &mut bytes)?;
    Ok(bytes)
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.err().map(|error| error.kind()).unwrap()
}

/// A chain of `length` images in `directory`; each has one cluster of its own.
fn chain(directory: &Path, length: usize) -> PathBuf {
    for index in 0..length {
        let mut image = Image::new(4 << 20);
        image.data(index as u64 % 1000, index as u8);
        if index > 0 {
            image.backing(&format!("{}.qcow2", index - 1), "qcow2");
        }
        std::fs::write(directory.join(format!("{index}.qcow2")), image.bytes).unwrap();
    }
    directory.join(format!("{}.qcow2", length - 1))
}

#[test]
fn every_kind_of_cluster() {
    let mut image = Image::new(10 * COVERED + 100);
    image.data(1, 0x11);
    image.data(2, 0x22);
    image.map(3, 1);
    let text: Vec<u8> = (0..CLUSTER).map(|at| (at / 64) as u8).collect();
    image.compressed(4, &text);
    image.data(10 * 512, 0x33);
    let disk = image.open().unwrap();
    assert_eq!(disk.reader.len(), 10 * COVERED + 100);
    let all = read(&disk, 0, 6 * CLUSTER as usize).unwrap();
    for (cluster, expected) in
        [vec![0; 4096], vec![0x11; 4096], vec![0x22; 4096], vec![0; 4096], text, vec![0; 4096]]
            .iter()
            .enumerate()
    {
        assert!(all.chunks(4096).nth(cluster).unwrap() == expected, "cluster {cluster}");
    }
    assert_eq!(read(&disk, 4 * CLUSTER + 63, 2).unwrap(), [0, 1]);
    assert_eq!(read(&disk, 4 * CLUSTER + 127, 2).unwrap(), [1, 2], "from the cache now");
    assert_eq!(read(&disk, 10 * COVERED + 99, 1).unwrap(), [0x33]);
    assert_eq!(kind(read(&disk, 10 * COVERED + 99, 2)), ErrorKind::Corrupt);
    let mut at = 0;
    let mut data = Vec::new();
    while let Some(range) = disk.reader.next_data(at) {
        at = range.end;
        data.push(range);
    }
    let last = 10 * COVERED..10 * COVERED + 100;
    assert_eq!(data, [CLUSTER..3 * CLUSTER, 4 * CLUSTER..5 * CLUSTER, last]);
    disk.reader.prefetch(&[0..u64::MAX, 5..5]);
}

#[test]
fn many_compressed_clusters_are_read_side_by_side() {
    let mut image = Image::new(1 << 20);
    let cluster =
        |index: u64| -> Vec<u8> { (0..CLUSTER).map(|at| ((at * index) >> 7) as u8).collect() };
    for index in (0..200).rev() {
        image.compressed(index, &cluster(index));
    }
    let disk = image.open().unwrap();
    let all = read(&disk, 0, 200 * CLUSTER as usize).unwrap();
    for index in 0..200 {
        assert!(all[index as usize * 4096..][..4096] == cluster(index), "cluster {index}");
    }
    let part = read(&disk, 50 * CLUSTER + 7, 20 * CLUSTER as usize).unwrap();
    assert!(part == all[50 * 4096 + 7..][..20 * 4096]);
}

#[test]
fn one_bad_compressed_cluster_among_many_is_found() {
    let mut image = Image::new(1 << 20);
    for index in 0..100 {
        image.compressed(index, &[index as u8; CLUSTER as usize]);
    }
    let nonsense = image.cluster(&[0xff; 600]);
    image.map(60, 1 << 62 | 1 << 58 | nonsense);
    let disk = image.open().unwrap();
    let error = read(&disk, 0, 100 * CLUSTER as usize).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(nonsense)));
    assert!(error.to_string().contains("image.qcow2: compressed cluster"), "{error}");
    assert!(read(&disk, 0, 60 * CLUSTER as usize).is_ok());
}

#[test]
fn compressed_data_beyond_the_file_is_an_error() {
    let mut image = Image::new(1 << 20);
    image.map(0, 1 << 62 | 1 << 40);
    image.map(1, 1 << 62 | 0xf << 58 | (1 << 55));
    let disk = image.open().unwrap();
    assert_eq!(kind(read(&disk, 0, 10)), ErrorKind::Corrupt);
    assert_eq!(kind(read(&disk, CLUSTER, CLUSTER as usize)), ErrorKind::Corrupt);
}

#[test]
fn what_lies_before_damage_is_read() {
    let mut image = Image::new(2 * COVERED);
    image.data(0, 7);
    image.map(1, 0x200);
    image.map(2, 1 << 40);
    image.put(CLUSTER as usize + 8, &(1_u64 << 50).to_be_bytes());
    let l2 = image.bytes.len() as u64 - CLUSTER;
    let disk = image.open().unwrap();
    assert!(read(&disk, 0, 4096).unwrap() == [7; 4096]);
    let error = read(&disk, 0, 4097).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(l2 + 8)), "{error}");
    let beyond = read(&disk, 2 * CLUSTER, 1).unwrap_err();
    assert!(beyond.to_string().contains("truncated"), "{beyond}");
    let table = read(&disk, COVERED, 1).unwrap_err();
    assert!(table.to_string().contains("L2 table"), "{table}");
    // What cannot be looked at is not called a hole.
    assert_eq!(disk.reader.next_data(CLUSTER), Some(CLUSTER..2 * COVERED));
    let cut = disk.reader.next_data(0).unwrap();
    assert_eq!(cut, 0..CLUSTER);
}

#[test]
fn reserved_bits_in_the_l1_table_are_an_error() {
    for entry in [1_u64, 0x200, 1 << 56, 0x2200] {
        let mut image = Image::new(COVERED);
        image.put(CLUSTER as usize, &entry.to_be_bytes());
        let error = read(&image.open().unwrap(), 0, 1).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(CLUSTER)));
    }
}

#[test]
fn a_truncated_table_is_a_problem_and_what_is_there_is_read() {
    let mut image = Image::new(600 * COVERED);
    image.bytes.truncate(CLUSTER as usize + 100);
    let disk = image.open().unwrap();
    assert_eq!(disk.problems.len(), 1);
    assert_eq!(kind(read(&disk, 0, 1)), ErrorKind::Corrupt);
}

#[test]
fn flags_and_snapshots_are_problems_or_errors() {
    let mut image = Image::new(COVERED);
    image.put(79, &[3]);
    image.put(60, &1_u32.to_be_bytes());
    image.put(64, &(1_u64 << 40).to_be_bytes());
    let bytes = image.bytes.clone();
    let disk = image.open().unwrap();
    assert_eq!(disk.problems.len(), 3, "{:?}", disk.problems);
    assert!(disk.layers[0].detail.contains("4 KiB clusters"), "{:?}", disk.layers);
    let location = Location::Path("image.qcow2".into());
    let opener = Opener::new().snapshot(Some("x".to_owned()));
    let error = opener.open_reader(Arc::new(bytes), &location).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "it may be where we cannot look: {error}");
    let raw = opener.format(Some(Format::Raw));
    let error = raw.open_reader(Arc::new(vec![0; 512]), &location).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn encryption_and_missing_names_are_refused() {
    for (method, expected) in [(1, ErrorKind::Encrypted), (2, ErrorKind::Encrypted)] {
        let mut image = Image::new(COVERED);
        image.put(35, &[method]);
        assert_eq!(kind(image.open()), expected);
    }
    let mut image = Image::new(COVERED);
    image.put(79, &[4]);
    assert_eq!(kind(image.open()), ErrorKind::NotFound);
    let mut image = Image::new(COVERED);
    image.backing("base.raw", "raw");
    image.put(8, &50_u64.to_be_bytes());
    assert_eq!(kind(image.open()), ErrorKind::Corrupt);
}

#[test]
fn a_chain_of_as_many_images_as_are_allowed_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let top = chain(directory.path(), MAX_CHAIN);
    let disk = Opener::new().open(&Location::Path(top)).unwrap().remove(0);
    assert_eq!(disk.layers.len(), MAX_CHAIN);
    let all = read(&disk, 0, 4 << 20).unwrap();
    for index in 0..MAX_CHAIN {
        assert_eq!(all[index * CLUSTER as usize], index as u8);
    }
    assert_eq!(disk.reader.next_data(0), Some(0..MAX_CHAIN as u64 * CLUSTER));
    assert_eq!(disk.reader.next_data(MAX_CHAIN as u64 * CLUSTER), None);
}

#[test]
fn a_chain_of_a_thousand_gives_one_clear_error() {
    let directory = tempfile::tempdir().unwrap();
    let top = chain(directory.path(), 1000);
    let error = Opener::new().open(&Location::Path(top)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(text.contains("longer than 128 images") && text.len() < 400, "{text}");
}

/// Counts the searches for data that reach it, and has none.
struct Empty(u64, AtomicUsize);

impl ReadAt for Empty {
    fn len(&self) -> u64 {
        self.0
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        check_range(offset, buf.len(), self.0)?;
        buf.fill(0);
        Ok(())
    }
    fn next_data(&self, _offset: u64) -> Option<std::ops::Range<u64>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[test]
fn an_empty_backing_file_is_searched_once() {
    let beneath = Arc::new(Empty(1 << 40, AtomicUsize::new(0)));
    let backing = super::Backing::new(Arc::clone(&beneath) as Arc<dyn ReadAt>);
    for hole in 0..1000 {
        assert_eq!(backing.data(hole * 8192..hole * 8192 + 4096), None);
    }
    assert_eq!(beneath.1.load(Ordering::Relaxed), 1);
}

#[test]
fn one_table_for_the_whole_of_a_giant_disk_is_passed_in_bounded_time() {
    // 32 GiB of zero clusters out of one table that every L1 entry names.
    let entries = 1 << 14;
    let mut image = Image::new(entries * COVERED);
    let table = image.cluster(&[0, 0, 0, 0, 0, 0, 0, 1].repeat(512));
    let l1 = image.bytes.len() as u64;
    for _ in 0..entries {
        image.bytes.extend((table | 1 << 63).to_be_bytes());
    }
    image.put(40, &l1.to_be_bytes());
    let disk = image.open().unwrap();
    let mut at = 0;
    let mut calls = 0;
    while let Some(data) = disk.reader.next_data(at) {
        at = data.end;
        calls += 1;
        assert!(calls < 1000);
    }
}

#[test]
fn a_backing_file_that_is_shorter_is_noted_and_one_that_was_cut_is_a_problem() {
    for (length, size, note, problem) in [
        (8192, 8192, false, false),
        (8192, 1 << 20, true, false),
        (8191, 8192, true, false),
        (8100, 1 << 20, false, true),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut image = Image::new(size);
        image.backing("base.raw", "raw");
        let path = directory.path().join("overlay.qcow2");
        std::fs::write(&path, &image.bytes).unwrap();
        std::fs::write(directory.path().join("base.raw"), vec![b'x'; length]).unwrap();
        let disk = Opener::new().open(&Location::Path(path)).unwrap().remove(0);
        assert_eq!(disk.layers[0].detail.contains("backing file ends"), note, "{:?}", disk.layers);
        assert_eq!(disk.problems.len(), usize::from(problem), "{length} {:?}", disk.problems);
        assert_eq!(
            read(&disk, size - 1, 1).unwrap(),
            [if size == length as u64 { b'x' } else { 0 }]
        );
    }
}
