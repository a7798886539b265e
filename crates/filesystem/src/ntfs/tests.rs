//! A whole volume made by hand, as small as one can be, and what may be wrong with it.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{ErrorKind, Result};

use super::attribute::tests::{non_resident, resident};
use super::attribute::{ATTRIBUTE_LIST, FILE_NAME, INDEX_ROOT, STANDARD_INFORMATION};
use super::*;
use super::{attribute_list, boot, file_name, index, record};
use crate::tree::Tree;

/// Where the table starts: four clusters of 4 KiB in.
const TABLE: usize = 4 * 4096;
const IN_USE: u16 = 1;
const DIRECTORY: u16 = 2;

/// A volume whose table has 64 records.
struct Volume(Vec<u8>);

impl Volume {
    /// The files that every volume has, and those named in the root directory.
    fn new(names: &[(&str, u64)]) -> Self {
        let mut volume = Self(vec![0; 8000 * 512]);
        volume.0[..512].copy_from_slice(&boot::tests::sector());
        volume.put(0, IN_USE, &[non_resident(DATA, 1, 0..16, 65536, &[0x11, 16, 4])]);
        volume.put(2, IN_USE, &[resident(DATA, 1, "", &[0xFF; 64])]);
        let version = [0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0];
        volume.put(3, IN_USE, &[resident(VOLUME_INFORMATION, 1, "", &version)]);
        volume.put(6, IN_USE, &[resident(DATA, 1, "", &[0x0F; 125])]);
        let mut names = names.to_vec();
        names.sort_unstable_by_key(|(name, _)| name.to_uppercase());
        let keys: Vec<_> =
            names.iter().map(|(name, file)| (file_name::tests::build(5, name, 1), *file)).collect();
        let mut entries: Vec<_> =
            keys.iter().map(|(key, file)| index::tests::entry(*file, key, None)).collect();
        entries.push(index::tests::entry(0, &[], None));
        volume.directory(5, &[resident(INDEX_ROOT, 9, "$I30", &index::tests::root(&entries))]);
        volume
    }

    fn put(&mut self, number: u32, flags: u16, attributes: &[Vec<u8>]) {
        let record = record::tests::build(number, flags, attributes);
        self.0[TABLE + number as usize * 1024..][..1024].copy_from_slice(&record);
    }

    /// A file with times, a name and these attributes.
    fn file(&mut self, number: u32, attributes: &[Vec<u8>]) {
        self.with_times(number, IN_USE, attributes);
    }

    fn directory(&mut self, number: u32, attributes: &[Vec<u8>]) {
        self.with_times(number, IN_USE | DIRECTORY, attributes);
    }

    fn with_times(&mut self, number: u32, flags: u16, attributes: &[Vec<u8>]) {
        let name = file_name::tests::build(5, "name", 1);
        let mut all = vec![
            resident(STANDARD_INFORMATION, 2, "", &[0; 72]),
            resident(FILE_NAME, 3, "", &name),
        ];
        all.extend_from_slice(attributes);
        self.put(number, flags, &all);
    }

    /// A block of an index.
    fn block(&mut self, cluster: usize, vcn: u64, entries: &[Vec<u8>]) {
        let mut block = vec![0; 24];
        block[..4].copy_from_slice(b"INDX");
        block[16..24].copy_from_slice(&vcn.to_le_bytes());
        block.extend(index::tests::node(entries, 40));
        block.resize(4096, 0);
        super::fixup::tests::apply(&mut block, 40);
        self.0[cluster * 4096..][..4096].copy_from_slice(&block);
    }

    fn open(self) -> Result<Ntfs> {
        Ntfs::open(Arc::new(self.0))
    }
}

fn names(ntfs: &Ntfs, dir: NodeId) -> (Vec<String>, Option<Error>) {
    let mut names = Vec::new();
    let outcome = ntfs.read_dir(dir, &mut |entry| {
        names.push(String::from_utf8_lossy(&entry.name).into_owned());
        ControlFlow::Continue(())
    });
    (names, outcome.err())
}

fn find(ntfs: &Ntfs, name: &str) -> NodeId {
    ntfs.lookup(ntfs.root(), name.as_bytes()).unwrap().unwrap()
}

#[test]
fn a_small_volume_is_read() {
    let mut volume = Volume::new(&[("$MFT", 0), ("File", 40)]);
    volume.file(40, &[resident(DATA, 4, "", b"hello"), resident(DATA, 5, "ads", b"more")]);
    let ntfs = volume.open().unwrap();
    assert_eq!(names(&ntfs, ntfs.root()).0, ["File"], "system files are not listed");
    assert_eq!(find(&ntfs, "$mft").inode, 0, "but found");
    let file = find(&ntfs, "fILE");
    assert_eq!(file, NodeId { tree: 1, inode: 40 });
    assert_eq!(ntfs.metadata(file).unwrap().size, 5);
    let mut bytes = [0; 5];
    Filesystem::open(&ntfs, file).unwrap().read_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");
    let attributes: Vec<_> = ntfs.xattrs(file).unwrap().into_iter().map(|x| x.name).collect();
    assert_eq!(attributes, [b"system.ntfs_attrib".to_vec(), b"user.ads".to_vec()]);
    assert_eq!(ntfs.scan().filter(Result::is_ok).count(), 2, "the others have no times");
    let info = ntfs.info();
    assert_eq!((info.health, info.free), (Health::Clean, Some(500 * 4096)));
    let problems = ntfs.problems();
    assert!(problems.len() == 1 && problems[0].to_string().contains("$UpCase"), "{problems:?}");
}

#[test]
fn what_was_reused_or_deleted_is_damage() {
    let mut volume = Volume::new(&[("reused", 40), ("deleted", 41), ("gone", 42), ("far", 4000)]);
    volume.file(40, &[]);
    volume.with_times(41, 0, &[]);
    let ntfs = volume.open().unwrap();
    let stale = NodeId { tree: 7, inode: 40 };
    assert_eq!(ntfs.metadata(stale).unwrap_err().kind(), ErrorKind::Corrupt);
    for name in ["deleted", "gone", "far"] {
        let error = ntfs.metadata(find(&ntfs, name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}");
    }
    let nonsense = NodeId { tree: 1 << 20, inode: 40 };
    assert_eq!(ntfs.metadata(nonsense).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn encrypted_and_overlaid_files_are_refused() {
    let mut volume = Volume::new(&[("efs", 40), ("wof", 41), ("method", 42)]);
    let mut encrypted = non_resident(DATA, 4, 0..1, 100, &[0x11, 1, 30]);
    encrypted[13] = 0x40;
    volume.file(40, &[encrypted]);
    let wof = [0x17, 0, 0, 0x80, 0, 0, 0, 0];
    let sparse = non_resident(DATA, 4, 0..1, 100, &[0x01, 1]);
    volume.file(41, &[sparse, resident(REPARSE_POINT, 5, "", &wof)]);
    let mut strange = non_resident(DATA, 4, 0..1, 100, &[0x11, 1, 30]);
    strange[12] = 2;
    volume.file(42, &[strange]);
    let ntfs = volume.open().unwrap();
    let kind = |name: &str| Filesystem::open(&ntfs, find(&ntfs, name)).err().unwrap().kind();
    assert_eq!(kind("efs"), ErrorKind::Encrypted);
    assert_eq!(kind("wof"), ErrorKind::Unsupported);
    assert_eq!(kind("method"), ErrorKind::Unsupported);
    let wof = ntfs.metadata(find(&ntfs, "wof")).unwrap();
    assert_eq!((wof.file_type, wof.size), (FileType::File, 100));
}

#[test]
fn an_attribute_list_is_followed_and_checked() {
    let build = |lowest: u64, base: u64| {
        let mut volume = Volume::new(&[("large", 40)]);
        let list: Vec<u8> = [
            attribute_list::tests::entry(STANDARD_INFORMATION, 0, 40, 2),
            attribute_list::tests::entry(DATA, 0, 40, 4),
            attribute_list::tests::entry(DATA, 2, 41, 0),
        ]
        .concat();
        let first = non_resident(DATA, 4, 0..2, 3 * 4096, &[0x11, 2, 30]);
        volume.file(40, &[resident(ATTRIBUTE_LIST, 6, "", &list), first]);
        volume.put(41, IN_USE, &[non_resident(DATA, 0, lowest..lowest + 1, 0, &[0x11, 1, 50])]);
        volume.0[TABLE + 41 * 1024 + 32..][..8].copy_from_slice(&(base | 1 << 48).to_le_bytes());
        volume.0[50 * 4096..51 * 4096].fill(b'x');
        let ntfs = volume.open().unwrap();
        let file = Filesystem::open(&ntfs, find(&ntfs, "large"))?;
        let mut bytes = vec![0; 8192];
        file.read_at(4096, &mut bytes).unwrap();
        Ok::<_, Error>(bytes)
    };
    let bytes = build(2, 40).unwrap();
    assert!(
        bytes[..4096].iter().all(|byte| *byte == 0) && bytes[4096..].iter().all(|b| *b == b'x')
    );
    assert!(build(1, 40).is_err(), "a part is repeated");
    assert!(build(3, 40).is_err(), "a part is missing");
    assert!(build(2, 39).is_err(), "the part is another file's");
}

/// A directory with a root that leads to two blocks.
fn tree_of_names(subnode: Option<u64>, in_use: u8) -> Ntfs {
    directory_of(0, subnode, true, in_use)
}

/// The same, where the root says that the first block is `first`, and need not lead to the second.
fn directory_of(first: u64, subnode: Option<u64>, linked: bool, in_use: u8) -> Ntfs {
    let mut volume = Volume::new(&[("dir", 40)]);
    let key = |name: &str| file_name::tests::build(40, name, 1);
    let entry = index::tests::entry;
    let root = [entry(45, &key("m"), Some(first)), entry(0, &[], linked.then_some(1))];
    let bitmap = resident(attribute::BITMAP, 8, "$I30", &[in_use, 0, 0, 0, 0, 0, 0, 0]);
    // The name goes where the run list of an attribute without one would.
    let plain = non_resident(attribute::INDEX_ALLOCATION, 7, 0..2, 8192, &[0x11, 2, 60]);
    let mut allocation = plain[..64].to_vec();
    allocation.extend(directory::I30);
    allocation.extend([0x11, 2, 60, 0, 0, 0, 0, 0]);
    let length = allocation.len() as u32;
    allocation[4..8].copy_from_slice(&length.to_le_bytes());
    allocation[9] = 4;
    allocation[10..12].copy_from_slice(&64u16.to_le_bytes());
    allocation[32..34].copy_from_slice(&72u16.to_le_bytes());
    volume.directory(
        40,
        &[resident(INDEX_ROOT, 9, "$I30", &index::tests::root(&root)), allocation, bitmap],
    );
    volume.block(
        60,
        0,
        &[entry(46, &key("A"), None), entry(47, &key("a"), subnode), entry(0, &[], None)],
    );
    volume.block(61, 1, &[entry(48, &key("z"), None), entry(0, &[], None)]);
    for file in 45..49 {
        volume.file(file, &[]);
    }
    volume.open().unwrap()
}

#[test]
fn a_tree_is_searched_and_listed() {
    let ntfs = tree_of_names(None, 3);
    let dir = find(&ntfs, "dir");
    let (mut listed, problem) = names(&ntfs, dir);
    listed.sort();
    assert_eq!(
        (listed.as_slice(), problem.is_none()),
        (&["A", "a", "m", "z"].map(String::from)[..], true)
    );
    let lookup = |name: &str| ntfs.lookup(dir, name.as_bytes()).unwrap().map(|node| node.inode);
    assert_eq!((lookup("A"), lookup("a"), lookup("m")), (Some(46), Some(47), Some(45)));
    assert_eq!((lookup("Z"), lookup("b"), lookup("zz"), lookup("")), (Some(48), None, None, None));
}

#[test]
fn a_damaged_tree_is_listed_as_far_as_it_goes() {
    // A block leads back to itself: what is listed is not affected, and names are still found.
    let ntfs = tree_of_names(Some(0), 3);
    let dir = find(&ntfs, "dir");
    assert_eq!(names(&ntfs, dir).0.len(), 4);
    let lookup = |name: &str| ntfs.lookup(dir, name.as_bytes());
    assert_eq!(lookup("a").unwrap().unwrap().inode, 47);
    // A block that is in use by its mark, but not there.
    let ntfs = tree_of_names(None, 7);
    let (listed, problem) = names(&ntfs, find(&ntfs, "dir"));
    assert_eq!((listed.len(), problem.is_some()), (4, true));
}

#[test]
fn a_damaged_tree_never_says_that_a_name_is_not_there() {
    // The root leads to a block that is not there. The list has all names all the same.
    let ntfs = directory_of(5, None, true, 3);
    let dir = find(&ntfs, "dir");
    let (listed, problem) = names(&ntfs, dir);
    assert_eq!((listed.len(), problem.is_some()), (4, true));
    let lookup = |name: &str| ntfs.lookup(dir, name.as_bytes());
    assert_eq!(lookup("A").unwrap().unwrap().inode, 46, "the list has it");
    let absent = lookup("absent").unwrap_err();
    assert!(absent.to_string().contains("has no block 5"), "{absent}");
    // The way there is not damaged, but this volume has no table of its own to be sure by.
    assert!(lookup("zz").is_err());
    let exists = Tree::new(Arc::new(ntfs)).exists(b"dir/absent");
    assert_eq!(exists.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_bitmap_that_differs_from_the_tree_hides_no_name_and_is_told() {
    for (in_use, told) in [(1, "uses block 1"), (2, "uses block 0"), (0, "uses block 1")] {
        let ntfs = tree_of_names(None, in_use);
        let (mut listed, problem) = names(&ntfs, find(&ntfs, "dir"));
        listed.sort();
        assert_eq!(listed, ["A", "a", "m", "z"], "{in_use:#b}");
        let problem = problem.unwrap().to_string();
        assert!(problem.contains(told), "{problem}");
    }
    // A link in a block that only a link leads to, and one in a circle of such.
    let ntfs = tree_of_names(Some(0), 2);
    assert_eq!(names(&ntfs, find(&ntfs, "dir")).0.len(), 4);
    // A block that is in use, and that nothing leads to.
    let ntfs = directory_of(0, None, false, 3);
    let (listed, problem) = names(&ntfs, find(&ntfs, "dir"));
    assert_eq!(listed.len(), 4);
    assert!(problem.unwrap().to_string().contains("its tree has 1"));
}

#[test]
fn directories_in_a_circle_end() {
    let mut volume = Volume::new(&[("a", 40), ("b", 40)]);
    let key = file_name::tests::build(40, "again", 1);
    let entries = [index::tests::entry(40, &key, None), index::tests::entry(0, &[], None)];
    volume.directory(40, &[resident(INDEX_ROOT, 9, "$I30", &index::tests::root(&entries))]);
    let tree = Tree::new(Arc::new(volume.open().unwrap()));
    let steps: Vec<_> = tree.walk(b"/").unwrap().collect();
    assert_eq!(steps.len(), 4, "the root, a, a/again, b");
    assert_eq!(steps.iter().filter(|step| step.problem.is_some()).count(), 2);
}

#[test]
fn the_table_may_be_in_pieces_and_its_first_record_damaged() {
    let mut volume = Volume::new(&[("File", 40)]);
    volume.file(40, &[resident(DATA, 4, "", b"hello")]);
    // The second half of the table moves, and record 20 says where to.
    let half = 8 * 4096;
    let (from, to) = (TABLE + half, 100 * 4096);
    let moved = volume.0[from..from + half].to_vec();
    volume.0[to..to + half].copy_from_slice(&moved);
    volume.0[from..from + half].fill(0);
    let list: Vec<u8> =
        [attribute_list::tests::entry(DATA, 0, 0, 1), attribute_list::tests::entry(DATA, 8, 20, 0)]
            .concat();
    let first = non_resident(DATA, 1, 0..8, 65536, &[0x11, 8, 4]);
    volume.put(0, IN_USE, &[resident(ATTRIBUTE_LIST, 6, "", &list), first]);
    volume.put(20, IN_USE, &[non_resident(DATA, 0, 8..16, 0, &[0x11, 8, 100])]);
    volume.0[TABLE + 20 * 1024 + 32..][..8].copy_from_slice(&(1u64 << 48).to_le_bytes());
    // The copy of the first records.
    let copy = volume.0[TABLE..TABLE + 4096].to_vec();
    volume.0[500 * 4096..501 * 4096].copy_from_slice(&copy);
    volume.0[TABLE..TABLE + 4].fill(0);
    let ntfs = volume.open().unwrap();
    assert!(ntfs.problems().iter().any(|problem| problem.to_string().contains("$MFTMirr")));
    assert_eq!(ntfs.metadata(find(&ntfs, "file")).unwrap().size, 5);
}

#[test]
fn a_volume_without_root_or_version_is_refused() {
    let mut volume = Volume::new(&[]);
    volume.put(5, IN_USE, &[]);
    assert!(volume.open().is_err());
    let mut volume = Volume::new(&[]);
    volume.put(3, IN_USE, &[]);
    assert!(volume.open().is_err());
    let mut volume = Volume::new(&[]);
    volume.put(0, IN_USE, &[]);
    assert!(volume.open().is_err());
}

#[test]
fn a_cut_volume_says_where_it_ends() {
    let mut volume = Volume::new(&[]);
    let end = volume.0.len() - 4096;
    volume.0.truncate(end);
    let problems = volume.open().unwrap().problems();
    let cut = problems.iter().find(|problem| problem.to_string().contains("truncated?"));
    assert_eq!(cut.and_then(Error::offset), Some(end as u64), "{problems:?}");
}

#[test]
fn names_in_another_order_than_the_fallback_table_has_are_found() {
    let mut volume = Volume::new(&[("dir", 40)]);
    let key = |name: &str| file_name::tests::build(40, name, 1);
    let entry = index::tests::entry;
    let root = [entry(45, &key("b"), None), entry(46, &key("a"), None), entry(0, &[], None)];
    volume.directory(40, &[resident(INDEX_ROOT, 9, "$I30", &index::tests::root(&root))]);
    let ntfs = volume.open().unwrap();
    let dir = find(&ntfs, "dir");
    assert_eq!(ntfs.lookup(dir, b"A").unwrap().map(|node| node.inode), Some(46));
    assert_eq!(ntfs.lookup(dir, b"c").unwrap(), None);
}
