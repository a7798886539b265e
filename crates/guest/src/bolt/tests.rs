#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use super::*;

const SIZE: usize = 1024;

/// What is to lie behind a key.
pub(crate) enum Tree {
    Value(Vec<u8>),
    Bucket(Vec<(String, Tree)>),
}

/// A bucket of these keys.
pub(crate) fn bucket<const N: usize>(keys: [(&str, Tree); N]) -> Tree {
    Tree::Bucket(keys.into_iter().map(|(key, tree)| (key.to_owned(), tree)).collect())
}

pub(crate) fn value(bytes: impl AsRef<[u8]>) -> Tree {
    Tree::Value(bytes.as_ref().to_vec())
}

/// A database with this topmost bucket.
pub(crate) fn database(root: Tree) -> Vec<u8> {
    let mut pages = vec![vec![0; SIZE]; 4];
    let Tree::Bucket(keys) = root else { panic!("the topmost is a bucket") };
    let first = write(&mut pages, keys);
    let end = pages.len() as u64;
    let mut file = [meta(first, end, 1), meta(first, end, 2)].concat();
    for page in pages.split_off(2) {
        file.extend(page);
        file.resize(file.len().next_multiple_of(SIZE), 0);
    }
    file
}

fn meta(root: u64, end: u64, transaction: u64) -> Vec<u8> {
    let mut page = head(transaction - 1, 4, 0, 0);
    let mut meta = Vec::new();
    for word in [0xED0C_DAED_u32, 2, SIZE as u32, 0] {
        meta.extend(word.to_le_bytes());
    }
    for word in [root, 0, 2, end, transaction] {
        meta.extend(word.to_le_bytes());
    }
    let sum = meta::fnv(&meta);
    page.extend(meta);
    page.extend(sum.to_le_bytes());
    page.resize(SIZE, 0);
    page
}

fn head(number: u64, flags: u16, count: usize, overflow: usize) -> Vec<u8> {
    let mut head = number.to_le_bytes().to_vec();
    head.extend(flags.to_le_bytes());
    head.extend((count as u16).to_le_bytes());
    head.extend((overflow as u32).to_le_bytes());
    head
}

/// A leaf without its place.
fn leaf(keys: &[(String, u32, Vec<u8>)]) -> Vec<u8> {
    let mut page = head(0, 2, keys.len(), 0);
    let mut data: Vec<u8> = Vec::new();
    for (index, (key, flags, value)) in keys.iter().enumerate() {
        let start = (keys.len() - index) * 16 + data.len();
        for word in [*flags, start as u32, key.len() as u32, value.len() as u32] {
            page.extend(word.to_le_bytes());
        }
        data.extend(key.as_bytes());
        data.extend(value);
    }
    page.extend(data);
    page
}

/// Gives the page its place, and those that it runs over into.
fn place(pages: &mut Vec<Vec<u8>>, mut page: Vec<u8>) -> u64 {
    let number = pages.len() as u64;
    let count = page.len().div_ceil(SIZE);
    page[..8].copy_from_slice(&number.to_le_bytes());
    page[12..16].copy_from_slice(&(count as u32 - 1).to_le_bytes());
    page.resize(count * SIZE, 0);
    pages.push(page);
    // The pages of a run have numbers, but no bytes of their own.
    pages.resize(pages.len() + count - 1, Vec::new());
    number
}

/// Writes a bucket: leaves of at most three keys, and over several a branch.
fn write(pages: &mut Vec<Vec<u8>>, keys: Vec<(String, Tree)>) -> u64 {
    let mut elements = Vec::new();
    for (key, tree) in keys {
        elements.push(match tree {
            Tree::Value(value) => (key, 0, value),
            Tree::Bucket(keys) => {
                let is_small =
                    keys.iter().all(|(_, tree)| matches!(tree, Tree::Value(it) if it.len() < 40));
                let mut value = vec![0; 16];
                if is_small && keys.len() < 4 {
                    let keys = keys.into_iter().map(|(key, tree)| match tree {
                        Tree::Value(value) => (key, 0, value),
                        Tree::Bucket(_) => unreachable!(),
                    });
                    let mut keys: Vec<_> = keys.collect();
                    keys.sort();
                    value.extend(leaf(&keys));
                } else {
                    let root = write(pages, keys);
                    value[..8].copy_from_slice(&root.to_le_bytes());
                }
                (key, 1, value)
            }
        });
    }
    elements.sort();
    let leaves: Vec<(String, u64)> =
        elements.chunks(3).map(|keys| (keys[0].0.clone(), place(pages, leaf(keys)))).collect();
    match &leaves[..] {
        [] => place(pages, leaf(&[])),
        [(_, only)] => *only,
        many => {
            let mut branch = head(0, 1, many.len(), 0);
            for (_, page) in many {
                // The keys of branches do not matter to who reads all.
                branch.extend([0; 8]);
                branch.extend(page.to_le_bytes());
            }
            place(pages, branch)
        }
    }
}

/// All keys beneath, as paths with what lies behind them, and how often something was wrong.
fn all(file: Vec<u8>) -> (Vec<String>, usize) {
    let mut database = match Database::open(Arc::new(file)) {
        Ok(database) => database,
        Err(error) => return (vec![error.to_string()], 1),
    };
    let (mut found, mut wrong) = (Vec::new(), 0);
    let mut todo = vec![(String::new(), database.root())];
    while let Some((path, bucket)) = todo.pop() {
        database.entries(&bucket, &mut |entry| {
            match entry {
                Ok((key, Entry::Value(value))) => {
                    let key = String::from_utf8_lossy(key);
                    found.push(format!("{path}/{key}={}", value.len()));
                }
                Ok((key, Entry::Bucket(bucket))) => {
                    todo.push((format!("{path}/{}", String::from_utf8_lossy(key)), bucket));
                }
                Err(_) => wrong += 1,
            }
            ControlFlow::Continue(())
        });
    }
    found.sort();
    (found, wrong)
}

fn sample() -> Vec<u8> {
    let many = (0..20).map(|number| (format!("k{number:02}"), value([0; 50]))).collect();
    database(bucket([
        ("small", bucket([("a", value("1")), ("b", value("22"))])),
        ("many", Tree::Bucket(many)),
        ("long", bucket([("x", value(vec![7; 5000]))])),
        ("deep", bucket([("in", bucket([("side", bucket([("here", value("!"))]))]))])),
        ("none", bucket([])),
    ]))
}

#[test]
fn buckets_of_every_form() {
    let (found, wrong) = all(sample());
    assert_eq!(wrong, 0);
    assert_eq!(found.len(), 20 + 2 + 1 + 1, "{found:?}");
    for path in ["/small/a=1", "/small/b=2", "/long/x=5000", "/deep/in/side/here=1", "/many/k19=50"]
    {
        assert!(found.iter().any(|it| it == path), "{path} in {found:?}");
    }
}

#[test]
fn keys_that_are_asked_for() {
    let mut database = Database::open(Arc::new(sample())).unwrap();
    let root = database.root();
    let mut tell = |error: Error| panic!("{error}");
    let [small, absent] = database.get(&root, ["small", "absent"], &mut tell);
    assert!(absent.is_none());
    let small = small.and_then(Found::bucket).unwrap();
    let [b] = database.get(&small, ["b"], &mut tell);
    assert_eq!(b.and_then(Found::value).unwrap(), b"22");
}

#[test]
fn of_two_metas_the_later_whole_one_counts() {
    let whole = sample();
    let expected = all(whole.clone());
    for torn in [0, 1] {
        let mut file = whole.clone();
        file[torn * SIZE + 40] ^= 1;
        assert_eq!(all(file), expected, "meta {torn}");
    }
    // The older one leads elsewhere.
    let mut file = whole.clone();
    let old = meta(3, 9, 1);
    file[..SIZE].copy_from_slice(&old);
    assert_eq!(all(file), expected);
    let mut file = whole;
    file[40] ^= 1;
    file[SIZE + 40] ^= 1;
    let (why, _) = all(file);
    assert!(why[0].contains("checksum"), "{why:?}");
    for file in [vec![], vec![0; 100], vec![0; 100_000], b"SQLite format 3\0".repeat(1000)] {
        assert_eq!(all(file).1, 1);
    }
    let mut swapped = sample();
    for at in [16, SIZE + 16] {
        swapped[at..at + 4].reverse();
    }
    assert!(all(swapped).0[0].contains("high byte"));
}

/// The sample with a page changed.
fn bent(number: usize, bend: impl Fn(&mut [u8])) -> (Vec<String>, usize) {
    let mut file = sample();
    bend(&mut file[number * SIZE..]);
    all(file)
}

#[test]
fn damage_is_told_and_ends() {
    let (whole, _) = all(sample());
    let file = sample();
    let pages = file.len() / SIZE;
    let is = |flags: u8| (2..pages).filter(move |page| sample()[page * SIZE + 8] == flags);
    let branch = is(1).next().unwrap();
    // A branch that leads to itself, to the metas, to what another leads to, beyond the end.
    let other = file[branch * SIZE + 40..][..8].to_vec();
    for to in
        [&(branch as u64).to_le_bytes()[..], &[0; 8], &[1, 0, 0, 0, 0, 0, 0, 0], &other, &[255; 8]]
    {
        let (found, wrong) = bent(branch, |page| page[24..32].copy_from_slice(to));
        assert_eq!(wrong, 1, "{to:?}");
        assert!(found.len() < whole.len() && !found.is_empty());
    }
    for leaf in is(2) {
        for (at, with) in
            [(0, 9), (8, 16), (11, 255), (15, 255), (20, 255), (23, 255), (26, 255), (31, 255)]
        {
            let (found, wrong) = bent(leaf, |page| page[at] = with);
            assert!(wrong == 1 || found == whole, "byte {at} of {leaf}: {wrong}");
        }
    }
    for length in 0..file.len() / 64 {
        let (found, wrong) = all(file[..length * 64].to_vec());
        assert!(wrong > 0 || found == whole, "{length}");
    }
}

#[test]
fn elements_that_share_bytes_take_no_more_than_the_page() {
    let mut page = head(2, 2, 60, 0);
    for index in 0..60_u32 {
        for word in [0, (60 - index) * 16, 1, 30] {
            page.extend(word.to_le_bytes());
        }
    }
    page.resize(SIZE, 7);
    let file = [meta(2, 3, 1), meta(2, 3, 2), page].concat();
    let (found, wrong) = all(file);
    assert_eq!(wrong, 1);
    assert!(found.len() <= SIZE / 31);
}
