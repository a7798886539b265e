use super::*;

/// Pages of a database, built by hand.
pub(crate) struct Build {
    pub(crate) size: usize,
    pub(crate) pages: Vec<Vec<u8>>,
}

pub(crate) fn varint(number: u64) -> Vec<u8> {
    let mut bytes = vec![(number & 0x7F) as u8];
    let mut rest = number >> 7;
    while rest > 0 {
        bytes.insert(0, (rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    bytes
}

/// A row of nothing and a blob.
pub(crate) fn blob(bytes: &[u8]) -> Vec<u8> {
    let kind = varint(12 + 2 * bytes.len() as u64);
    [&[kind.len() as u8 + 2, 0], &kind[..], bytes].concat()
}

/// A row of these values.
pub(crate) fn row(values: &[Value<'_>]) -> Vec<u8> {
    let (mut kinds, mut content) = (Vec::new(), Vec::new());
    for value in values {
        let (kind, bytes) = match value {
            Value::Null => (0, Vec::new()),
            Value::Integer(number) => (6, number.to_be_bytes().to_vec()),
            Value::Real(number) => (7, number.to_be_bytes().to_vec()),
            Value::Blob(bytes) => (12 + 2 * bytes.len() as u64, bytes.to_vec()),
            Value::Text(bytes) => (13 + 2 * bytes.len() as u64, bytes.to_vec()),
        };
        kinds.extend(varint(kind));
        content.extend(bytes);
    }
    [varint(kinds.len() as u64 + 1), kinds, content].concat()
}

/// A table: its name, and its rows by their numbers.
pub(crate) type Table<'t> = (&'t str, Vec<(u64, Vec<u8>)>);

/// A database of these tables, each of which fits in a page.
pub(crate) fn tables(size: usize, tables: &[Table<'_>]) -> Vec<u8> {
    let mut build = Build { size, pages: vec![Vec::new()] };
    let mut schema = Vec::new();
    for (index, (name, rows)) in tables.iter().enumerate() {
        let root = build.leaf(rows);
        let name = Value::Text(name.as_bytes());
        let values = [Value::Text(b"table"), name, name, Value::Integer(root.into()), Value::Null];
        let row = row(&values);
        schema.push([varint(row.len() as u64), varint(index as u64 + 1), row].concat());
    }
    build.pages[0] = page(size, 100, &schema);
    build.header();
    build.file()
}

impl Build {
    /// A database with one table, which has a leaf for each of the lists of rows.
    pub(crate) fn new(size: usize, table: &str, leaves: &[Vec<(u64, Vec<u8>)>]) -> Self {
        let mut build = Self { size, pages: vec![Vec::new(), vec![0; size]] };
        let mut cells = Vec::new();
        for rows in leaves {
            let page = build.leaf(rows);
            let last = rows.last().map_or(0, |(id, _)| *id);
            cells.push((page, last));
        }
        let mut root = vec![0; size];
        let mut end = size;
        let (last, rest) = cells.split_last().unwrap();
        for (index, (page, id)) in rest.iter().enumerate() {
            let cell = [&page.to_be_bytes()[..], &varint(*id)].concat();
            end -= cell.len();
            root[end..end + cell.len()].copy_from_slice(&cell);
            root[12 + 2 * index..][..2].copy_from_slice(&(end as u16).to_be_bytes());
        }
        root[0] = 5;
        root[3..5].copy_from_slice(&(rest.len() as u16).to_be_bytes());
        root[8..12].copy_from_slice(&last.0.to_be_bytes());
        build.pages[1] = root;
        let name = table.len() as u8;
        let kinds = [6, 23, 13 + 2 * name, 13 + 2 * name, 1, 0];
        let row = [&kinds[..], b"table", table.as_bytes(), table.as_bytes(), &[2]].concat();
        build.pages[0] = page(size, 100, &[[&varint(row.len() as u64)[..], &[1], &row].concat()]);
        build.header();
        build
    }

    /// Writes the header of the database.
    pub(crate) fn header(&mut self) {
        let count = (self.pages.len() as u32).to_be_bytes();
        let first = &mut self.pages[0];
        first[..16].copy_from_slice(b"SQLite format 3\0");
        first[16..18].copy_from_slice(&(self.size as u16).to_be_bytes());
        first[28..32].copy_from_slice(&count);
    }

    fn leaf(&mut self, rows: &[(u64, Vec<u8>)]) -> u32 {
        let mut cells = Vec::new();
        for (id, row) in rows {
            let most = self.size - 35;
            let least = (self.size - 12) * 32 / 255 - 23;
            let fitting = least + row.len().saturating_sub(least) % (self.size - 4);
            let local = match row.len() {
                length if length <= most => length,
                _ if fitting <= most => fitting,
                _ => least,
            };
            let mut cell = [varint(row.len() as u64), varint(*id), row[..local].to_vec()].concat();
            if local < row.len() {
                cell.extend((self.pages.len() as u32 + 1).to_be_bytes());
            }
            let mut rest = &row[local..];
            while !rest.is_empty() {
                let portion = rest.len().min(self.size - 4);
                let next = if portion < rest.len() { self.pages.len() as u32 + 2 } else { 0 };
                let mut page = next.to_be_bytes().to_vec();
                page.extend(&rest[..portion]);
                page.resize(self.size, 0);
                self.pages.push(page);
                rest = &rest[portion..];
            }
            cells.push(cell);
        }
        self.pages.push(page(self.size, 0, &cells));
        self.pages.len() as u32
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        self.pages.concat()
    }
}

/// A leaf of these cells, whose header begins at `start`.
fn page(size: usize, start: usize, cells: &[Vec<u8>]) -> Vec<u8> {
    let mut page = vec![0; size];
    page[start] = 13;
    page[start + 3..start + 5].copy_from_slice(&(cells.len() as u16).to_be_bytes());
    let mut end = size;
    for (index, cell) in cells.iter().enumerate() {
        end -= cell.len();
        page[end..end + cell.len()].copy_from_slice(cell);
        page[start + 8 + 2 * index..][..2].copy_from_slice(&(end as u16).to_be_bytes());
    }
    page
}

/// A log of frames: page, pages after a commit, bytes.
fn log(size: usize, big_endian: bool, frames: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let word = |bytes: &[u8]| {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let add = |sum: &mut (u32, u32), bytes: &[u8]| {
        for pair in bytes.chunks(8) {
            sum.0 = sum.0.wrapping_add(word(&pair[..4])).wrapping_add(sum.1);
            sum.1 = sum.1.wrapping_add(word(&pair[4..])).wrapping_add(sum.0);
        }
    };
    let magic = 0x377F_0682 + u32::from(big_endian);
    let mut log: Vec<u8> =
        [magic, 3_007_000, size as u32, 0, 7, 8].into_iter().flat_map(u32::to_be_bytes).collect();
    let mut sum = (0, 0);
    add(&mut sum, &log);
    log.extend([sum.0, sum.1].into_iter().flat_map(u32::to_be_bytes));
    for (page, count, bytes) in frames {
        let head: Vec<u8> = [*page, *count].into_iter().flat_map(u32::to_be_bytes).collect();
        add(&mut sum, &head);
        add(&mut sum, bytes);
        log.extend(head);
        log.extend([7, 8, sum.0, sum.1].into_iter().flat_map(u32::to_be_bytes));
        log.extend(*bytes);
    }
    log
}

/// A journal of pages as they were.
fn journal(size: usize, count: u32, pages: &[(u32, &[u8])]) -> Vec<u8> {
    let mut journal = vec![0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7];
    let numbers = [pages.len() as u32, 99, count, 512, size as u32];
    journal.extend(numbers.into_iter().flat_map(u32::to_be_bytes));
    journal.resize(512, 0);
    for (page, bytes) in pages {
        journal.extend(page.to_be_bytes());
        journal.extend(*bytes);
        let mut sum = 99u32;
        let mut at = size as i32 - 200;
        while at > 0 {
            sum += u32::from(bytes[at as usize]);
            at -= 200;
        }
        journal.extend(sum.to_be_bytes());
    }
    journal
}

type Rows = Vec<(i64, Vec<u8>)>;

fn rows(main: Vec<u8>, wal: Option<Vec<u8>>, journal: Option<Vec<u8>>) -> (Rows, Vec<String>) {
    let reader = |bytes: Vec<u8>| -> Arc<dyn ReadAt> { Arc::new(bytes) };
    let source = Source { main: reader(main), wal: wal.map(reader), journal: journal.map(reader) };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    match Database::open(source) {
        Ok((database, problems)) => {
            wrong.extend(problems);
            let outcome = database.rows("Packages", &mut |row| {
                match row.and_then(|row| Ok((row.id, row.value(1)?, row.value(0)?))) {
                    Ok((id, Value::Blob(bytes), Value::Null)) => found.push((id, bytes.to_vec())),
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => wrong.push(error),
                }
                ControlFlow::Continue(())
            });
            wrong.extend(outcome.err());
        }
        Err(error) => wrong.push(error),
    }
    (found, wrong.iter().map(ToString::to_string).collect())
}

fn sample(size: usize) -> (Build, Rows) {
    let bytes = |id: u64, length: usize| vec![id as u8; length];
    let lengths = [[3, 4000], [size * 9, 0], [77, size]];
    let mut leaves = Vec::new();
    let mut expected = Vec::new();
    for (index, lengths) in lengths.iter().enumerate() {
        let mut rows = Vec::new();
        for (second, length) in lengths.iter().enumerate() {
            let id = 300 * index as u64 + second as u64 + 1;
            rows.push((id, blob(&bytes(id, *length))));
            expected.push((id as i64, bytes(id, *length)));
        }
        leaves.push(rows);
    }
    (Build::new(size, "Packages", &leaves), expected)
}

#[test]
fn rows_and_their_overflow() {
    for size in [512, 1024, 4096, 32768] {
        let (build, expected) = sample(size);
        let (found, wrong) = rows(build.file(), None, None);
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(found, expected);
    }
    let (_, wrong) = rows(Build::new(512, "Other", &[vec![]]).file(), None, None);
    assert!(wrong[0].contains("no table Packages"), "{wrong:?}");
    let (_, wrong) = rows(Vec::new(), None, None);
    assert!(wrong[0].contains("no table Packages"), "{wrong:?}");
}

#[test]
fn what_was_committed_counts() {
    let (build, expected) = sample(1024);
    let whole = build.file();
    let mut old = whole.clone();
    // The last leaf was not there before the transaction.
    let last = build.pages.len();
    old[(last - 1) * 1024..].fill(0);
    let page = &build.pages[last - 1];
    let zeros = vec![0; 1024];
    for big_endian in [false, true] {
        let frame = (last as u32, last as u32, page.as_slice());
        let waiting = (last as u32, 0, zeros.as_slice());
        let committed = log(1024, big_endian, &[waiting, frame]);
        let check = |wal: &[u8], is_whole: bool| {
            let (found, wrong) = rows(old.clone(), Some(wal.to_vec()), None);
            assert_eq!(found == expected && wrong.is_empty(), is_whole, "{wrong:?}");
        };
        check(&committed, true);
        check(&log(1024, big_endian, &[frame, waiting]), true);
        // Cut short, not committed, or changed since.
        check(&committed[..committed.len() - 1], false);
        check(&log(1024, big_endian, &[waiting]), false);
        let mut changed = committed.clone();
        *changed.last_mut().unwrap() ^= 1;
        check(&changed, false);
        let mut salted = committed.clone();
        salted[32 + 8] ^= 1;
        check(&salted, false);
        check(&[], false);
    }
    let (found, wrong) = rows(whole.clone(), Some(vec![9; 100]), None);
    assert_eq!(found, expected);
    assert!(wrong[0].contains("write-ahead log"), "{wrong:?}");
    let (_, wrong) = rows(whole.clone(), Some(log(512, false, &[])), None);
    assert!(wrong[0].contains("pages of 512 bytes"), "{wrong:?}");
    let mut header = log(1024, false, &[]);
    header[30] ^= 1;
    let (_, wrong) = rows(whole, Some(header), None);
    assert!(wrong[0].contains("checksum"), "{wrong:?}");
}

#[test]
fn what_was_not_finished_is_undone() {
    let (build, expected) = sample(1024);
    let mut damaged = build.file();
    damaged[1024..2048].fill(7);
    damaged.extend([7; 2048]);
    let count = build.pages.len() as u32;
    let hot = journal(1024, count, &[(2, &build.pages[1])]);
    let (found, wrong) = rows(damaged.clone(), None, Some(hot.clone()));
    assert_eq!((found, wrong), (expected.clone(), vec![]));
    // One that was not wholly written, and one of a transaction that was finished.
    let mut torn = hot.clone();
    torn[512 + 4 + 824] ^= 1;
    assert!(!rows(damaged.clone(), None, Some(torn)).1.is_empty());
    let mut cold = hot.clone();
    cold[..28].fill(0);
    assert_eq!(rows(build.file(), None, Some(cold)), (expected.clone(), vec![]));
    let mut other = hot;
    other[26] = 8;
    let (found, wrong) = rows(build.file(), None, Some(other));
    assert_eq!(found, expected);
    assert!(wrong[0].contains("rollback journal"), "{wrong:?}");
}

#[test]
fn damage_is_told_and_bounded() {
    let check = |change: &dyn Fn(&mut Build), words: &str| {
        let (mut build, _) = sample(512);
        change(&mut build);
        let (found, wrong) = rows(build.file(), None, None);
        assert!(wrong.iter().any(|wrong| wrong.contains(words)), "{words}: {wrong:?}");
        assert!(wrong.len() <= 66);
        found.len()
    };
    check(&|build| build.pages[0][0] = 0, "does not begin");
    check(&|build| build.pages[0][16] = 3, "a page of");
    check(&|build| build.pages[0][20] = 200, "reserved");
    // The tree leads back to its root, or to a page that is not there.
    check(&|build| build.pages[1][11] = 2, "linked to twice");
    check(&|build| build.pages[1][8] = 1, "there is no page");
    check(&|build| build.pages[1][0] = 9, "type 9");
    // The chain of a long row goes round.
    let at = |build: &Build| {
        build.pages.iter().position(|page| page[..4] == [0, 0, 0, 4] && page[4] == 2).unwrap()
    };
    let left = check(
        &|build| {
            let at = at(build);
            build.pages[at][3] = at as u8 + 1;
        },
        "overflow: page",
    );
    assert_eq!(left, 5);
    // A gigabyte is claimed.
    let claim = |build: &mut Build| {
        let leaf = build.pages.iter().position(|page| page[0] == 13 && page[4] == 2).unwrap();
        let cell = u16::from_be_bytes([build.pages[leaf][8], build.pages[leaf][9]]) as usize;
        build.pages[leaf][cell..cell + 5].copy_from_slice(&[0x84, 0x80, 0x80, 0x80, 0]);
    };
    assert!(check(&claim, "a row of 1073741824 bytes") >= 4);
    // Cells that lie over each other.
    let pile = |build: &mut Build| {
        let leaf = build.pages.iter().rposition(|page| page[0] == 13).unwrap();
        let page = &mut build.pages[leaf];
        let cell = [page[8], page[9]];
        page[3..5].copy_from_slice(&200u16.to_be_bytes());
        (0..200).for_each(|at| page[8 + 2 * at..][..2].copy_from_slice(&cell));
    };
    check(&pile, "cells share bytes");
    for length in [0, 50, 99, 300, 512, 1000] {
        let (build, _) = sample(512);
        assert!(!rows(build.file()[..length].to_vec(), None, None).1.is_empty(), "{length}");
    }
}

#[test]
fn numbers() {
    let bytes = [0x81, 0x80, 0x00];
    let fields = fathom_block::Fields::new("x", 0, &bytes);
    assert_eq!(record::varint(&fields, 0).unwrap(), (1 << 14, 3));
    let fields = fathom_block::Fields::new("x", 0, &[0xFF; 9]);
    assert_eq!(record::varint(&fields, 0).unwrap(), (u64::MAX, 9));
    assert!(record::varint(&fields, 3).is_err());
    let row = [7, 1, 2, 5, 7, 9, 8, 0xFF, 1, 2, 0x80, 0, 0, 0, 0, 1, 0x40, 0, 0, 0, 0, 0, 0, 0];
    let record = Record::new(1, &row);
    let expected = [
        Value::Integer(-1),
        Value::Integer(258),
        Value::Integer(-(1 << 47) + 1),
        Value::Real(2.0),
        Value::Integer(1),
        Value::Integer(0),
        Value::Null,
    ];
    for (column, expected) in expected.into_iter().enumerate() {
        assert_eq!(record.value(column).unwrap(), expected, "{column}");
    }
    assert!(Record::new(1, &[2, 10]).value(0).is_err());
    assert!(Record::new(1, &[9, 1]).value(0).is_err());
}
