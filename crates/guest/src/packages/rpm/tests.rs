use fathom_report::{Coverage, Problem};

use super::header::tests::small;
use super::*;
use crate::memory;
use crate::sqlite::Value;
use crate::sqlite::tests::{Build, Table, blob, row, tables};

fn packages(found: &[(&str, &[u8])]) -> (Option<Listing<Package>>, Vec<Problem>) {
    let tree = memory::tree(found);
    let files = Files::new(&tree);
    (read(&files), files.into_problems())
}

fn names(listing: &Listing<Package>) -> Vec<&str> {
    listing.items.iter().map(|package| package.name.as_str()).collect()
}

/// One database alone: what it names, and words of what is wrong with it.
fn check(name: &str, file: &[u8], expected: &[&str], words: Option<&str>) {
    let path = format!("/var/lib/rpm/{name}");
    let (listing, problems) = packages(&[(&path, file)]);
    let listing = listing.unwrap();
    assert_eq!(names(&listing), expected, "{problems:?}");
    assert!(listing.items.iter().all(|package| package.evidence.0 == path));
    let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    match words {
        Some(words) => {
            assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:?}");
            assert_eq!(listing.coverage, Coverage::Partial);
        }
        None => assert_eq!((said, listing.coverage), (vec![], Coverage::Complete)),
    }
}

fn sqlite(names: &[&str]) -> Vec<u8> {
    let rows = names.iter().enumerate();
    let rows = rows.map(|(id, name)| (id as u64 + 1, blob(&small(name)))).collect();
    Build::new(4096, "Packages", &[rows]).file()
}

fn ndb(headers: &[Vec<u8>]) -> Vec<u8> {
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let mut file = [b"RpmP".to_vec(), words(&[0, 1, 1, 9, 0, 0, 0])].concat();
    file.resize(4096, 0);
    (2..256).for_each(|slot| file[slot * 16..][..4].copy_from_slice(b"Slot"));
    for (index, header) in headers.iter().enumerate() {
        let (package, block) = (index as u32 + 1, file.len() as u32 / 16);
        let mut whole = [b"BlbS".to_vec(), words(&[package, 5, header.len() as u32])].concat();
        whole.extend(header);
        let blocks = (whole.len() + 12).div_ceil(16);
        whole.resize(blocks * 16 - 12, 0);
        whole.extend(words(&[ndb::adler32(1, &whole), header.len() as u32]));
        whole.extend(b"BlbE");
        file.extend(whole);
        file[(index + 2) * 16 + 4..][..12].copy_from_slice(&words(&[
            package,
            block,
            blocks as u32,
        ]));
    }
    file
}

/// A hash table of one bucket; its headers over 100 bytes lie off their page.
fn bdb(big_endian: bool, headers: &[Vec<u8>]) -> Vec<u8> {
    const SIZE: usize = 512;
    let word = |word: u32| if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
    let half = |half: u16| if big_endian { half.to_be_bytes() } else { half.to_le_bytes() };
    let page = |number: u32, next: u32, items: u16, free: u16, kind: u8| {
        let mut page =
            [vec![0; 8], word(number).to_vec(), vec![0; 4], word(next).to_vec()].concat();
        page.extend([half(items), half(free)].concat());
        page.extend([0, kind]);
        page.resize(SIZE, 0);
        page
    };
    let mut items = vec![vec![1, 0, 0, 0, 0], vec![1, 9, 0, 0, 0]];
    let mut chains = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        items.push([vec![1], word(index as u32 + 1).to_vec()].concat());
        if header.len() <= 100 {
            items.push([&[1][..], header].concat());
            continue;
        }
        let first = 2 + chains.len() as u32;
        items.push(
            [vec![3, 0, 0, 0], word(first).into(), word(header.len() as u32).into()].concat(),
        );
        let portions = header.chunks(SIZE - 26);
        let last = first + portions.len() as u32 - 1;
        for (number, portion) in (first..).zip(portions) {
            let next = if number == last { 0 } else { number + 1 };
            let mut page = page(number, next, 1, portion.len() as u16, 7);
            page[26..26 + portion.len()].copy_from_slice(portion);
            chains.push(page);
        }
    }
    let mut bucket = page(1, 0, items.len() as u16, 0, 13);
    let mut end = SIZE;
    for (index, item) in items.iter().enumerate() {
        end -= item.len();
        bucket[end..end + item.len()].copy_from_slice(item);
        bucket[26 + 2 * index..][..2].copy_from_slice(&half(end as u16));
    }
    let mut metadata = vec![0; SIZE];
    let last = 1 + chains.len() as u32;
    for (at, number) in [(12, 0x61561), (16, 9), (20, SIZE as u32), (32, last), (72, 0)] {
        metadata[at..at + 4].copy_from_slice(&word(number));
    }
    metadata[25] = 8;
    metadata[96..100].copy_from_slice(&word(1));
    [vec![metadata, bucket], chains].concat().concat()
}

fn long(name: &str) -> Vec<u8> {
    let mut header = small(name);
    header.resize(1300, 7);
    header
}

#[test]
fn healthy_containers() {
    check("rpmdb.sqlite", &sqlite(&["a", "b"]), &["a", "b"], None);
    let headers = [small("a"), long("b"), small("c")];
    check("Packages.db", &ndb(&headers), &["a", "b", "c"], None);
    check("Packages.db", &ndb(&[]), &[], None);
    for big_endian in [false, true] {
        check("Packages", &bdb(big_endian, &headers), &["a", "b", "c"], None);
    }
    let (listing, _) = packages(&[("/var/lib/rpm/Packages.db", &ndb(&[]))]);
    assert!(listing.unwrap().reason.unwrap().contains("names no package"));
    assert!(packages(&[("/var/lib/rpm/.rpm.lock", b"")]).0.is_none());
}

#[test]
fn the_one_that_rpm_would_open() {
    let (new, middle, old) =
        (sqlite(&["new"]), ndb(&[small("middle")]), bdb(false, &[small("old")]));
    let check = |found: &[(&str, &[u8])], expected: &str| {
        assert_eq!(names(&packages(found).0.unwrap()), [expected]);
    };
    let all = [
        ("/var/lib/rpm/Packages", &old[..]),
        ("/var/lib/rpm/Packages.db", &middle),
        ("/var/lib/rpm/rpmdb.sqlite", &new),
    ];
    check(&all, "new");
    check(&all[..2], "middle");
    let configured = ("/usr/lib/rpm/macros", &b"%_db_backend bdb\n"[..]);
    check(&[&all[..], &[configured]].concat(), "old");
    let elsewhere = ("/usr/lib/sysimage/rpm/Packages.db", &middle[..]);
    check(&[elsewhere, all[0]], "old");
    let configured = ("/etc/rpm/macros", &b"%_dbpath /usr/lib/sysimage/rpm\n"[..]);
    check(&[elsewhere, all[0], configured], "middle");
    check(&[("/usr/share/rpm/rpmdb.sqlite", &new)], "new");
    check(
        &[("/var/lib/rpm -> ../../usr/share/rpm", b""), ("/usr/share/rpm/Packages", &old)],
        "old",
    );
}

#[test]
fn what_goes_with_a_database_that_is_gone() {
    for trace in ["Name", "Basenames", "Index.db", "rpmdb.sqlite-wal"] {
        let (listing, problems) = packages(&[(&format!("/var/lib/rpm/{trace}"), b"x")]);
        let listing = listing.unwrap();
        assert_eq!(listing.coverage, Coverage::Unknown, "{trace}");
        assert!(listing.reason.unwrap().contains(trace) && problems.len() == 1, "{problems:?}");
    }
    // What rpm leaves where it was only asked.
    assert!(packages(&[("/var/lib/rpm/__db.001", b"x")]).0.is_none());
}

#[test]
fn a_database_and_its_log() {
    let (old, new) = (sqlite(&["a"]), sqlite(&["a", "b"]));
    // A log that is damaged beside a database that is whole.
    let (listing, problems) =
        packages(&[("/var/lib/rpm/rpmdb.sqlite", &old), ("/var/lib/rpm/rpmdb.sqlite-wal", &new)]);
    let listing = listing.unwrap();
    assert_eq!((names(&listing), listing.coverage), (vec!["a"], Coverage::Partial));
    assert!(problems[0].message.contains("write-ahead log"), "{problems:?}");
    // A directory cannot be looked into as a log.
    let (listing, _) =
        packages(&[("/var/lib/rpm/rpmdb.sqlite", &old), ("/var/lib/rpm/rpmdb.sqlite-wal/x", b"")]);
    assert_eq!(listing.unwrap().coverage, Coverage::Partial);
}

#[test]
fn damaged_sqlite() {
    check("rpmdb.sqlite", b"not a database", &[], Some("14"));
    check("rpmdb.sqlite", b"", &[], Some("no table Packages"));
    let rows =
        vec![(1, blob(b"junk")), (2, vec![3, 0, 19, b'a', b'b', b'c']), (3, blob(&small("c")))];
    let file = Build::new(4096, "Packages", &[rows]).file();
    check("rpmdb.sqlite", &file, &["c"], Some("header"));
    check("rpmdb.sqlite", &file, &["c"], Some("package 2"));
}

#[test]
fn damaged_ndb() {
    let headers = [small("a"), small("b"), small("c")];
    let file = ndb(&headers);
    let damage = |at: usize, byte: u8, expected: &[&str], words: &str| {
        let mut file = file.clone();
        file[at] = byte;
        check("Packages.db", &file, expected, Some(words));
    };
    damage(0, 0, &[], "does not begin as a database");
    damage(4, 1, &[], "version 1");
    damage(15, 1, &[], "pages of slots");
    damage(32, 0, &["b", "c"], "begin as a slot");
    damage(36, 9, &["b", "c"], "it is of package 1");
    damage(44, 99, &["b", "c"], "blocks");
    damage(4096, 0, &["b", "c"], "begin as a header");
    damage(4096 + 40, 0xAA, &["b", "c"], "checksum is wrong");
    damage(4096 + 15, 0x40, &["b", "c"], "bytes in");
    // Two slots for one header.
    damage(48 + 8, 0, &["a", "c"], "package 2");
    check("Packages.db", &file[..file.len() - 1], &["a", "b"], Some("package 3"));
    check("Packages.db", &file[..4000], &[], Some("slots"));
    // A gigabyte is claimed, and the slot agrees.
    let mut large = file.clone();
    large[44..48].copy_from_slice(&((1u32 << 26) + 2).to_le_bytes());
    large[4096 + 12..4096 + 16].copy_from_slice(&(1u32 << 30).to_le_bytes());
    check("Packages.db", &large, &[], Some("a header of 1073741828 bytes"));
}

#[test]
fn empty_pages_of_bdb() {
    for big_endian in [false, true] {
        let set = |file: &mut [u8], at: usize, word: u32| {
            let word = if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
            file[at..at + 4].copy_from_slice(&word);
        };
        let cleared = |headers: &[Vec<u8>], records: u32, factor: u32| {
            let mut file = bdb(big_endian, headers);
            file[512..1024].fill(0);
            set(&mut file, 84, factor);
            set(&mut file, 88, records);
            file
        };
        check("Packages", &cleared(&[], 0, 0), &[], None);
        check("Packages", &cleared(&[small("a")], 2, 0), &[], Some("of 2 records 0"));
        check("Packages", &cleared(&[long("a")], 9, 7), &[], Some("overflow page 2 belongs"));
        // A second bucket whose page is empty.
        let mut two = bdb(big_endian, &[small("a"), long("b")]);
        let last = (two.len() / 512) as u32;
        two.extend([0; 512]);
        for (at, it) in [(32, last), (72, 1), (88, 3), (100, last - 1)] {
            set(&mut two, at, it);
        }
        check("Packages", &two, &["a", "b"], Some("has no bucket that was never used"));
        set(&mut two, 84, 7);
        check("Packages", &two, &["a", "b"], None);
        // A page further along the chain is never empty.
        set(&mut two, 72, 0);
        set(&mut two, 512 + 16, last);
        check("Packages", &two, &["a", "b"], Some("has type 0"));
    }
}

#[test]
fn damaged_bdb() {
    let headers = [small("a"), long("b"), small("c")];
    for big_endian in [false, true] {
        let file = bdb(big_endian, &headers);
        let at = |place: usize| if big_endian { place + 3 } else { place };
        let damage = |at: usize, byte: u8, expected: &[&str], words: &str| {
            let mut file = file.clone();
            file[at] = byte;
            check("Packages", &file, expected, Some(words));
        };
        damage(at(12), 0, &[], "not a hash table's");
        damage(at(16), 99, &[], "version 99");
        damage(at(20), 1, &[], "a page of");
        damage(24, 1, &[], "encrypted");
        damage(26, 1, &[], "checksums");
        damage(at(72), 200, &[], "200 buckets");
        damage(at(96), 77, &[], "there is no page 77");
        damage(512 + 25, 5, &[], "has type 5");
        damage(at(512 + 8), 5, &[], "says that it is another");
        // The bucket's chain leads back to the bucket, the header's to itself.
        damage(at(512 + 16), 1, &["a", "b", "c"], "linked to twice");
        damage(at(1024 + 16), 2, &["a", "c"], "linked to twice");
        damage(1024 + 25, 13, &["a", "c"], "overflow");
        let off_page = [[3, 0, 0, 0, 2, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 2]];
        let claim = file.windows(8).position(|found| off_page.iter().any(|item| item == found));
        let claim = claim.unwrap();
        damage(if big_endian { claim + 8 } else { claim + 11 }, 0x40, &["a", "c"], "header of 107");
        check("Packages", &file[..1400], &["a", "c"], Some("there is no page"));
    }
}

/// A history of dnf: `NAME` of every package, from the repositories of each transaction in their order.
fn history(packages: &[(&str, &[&str])]) -> Vec<u8> {
    let (mut items, mut names) = (Vec::new(), Vec::<&str>::new());
    let mut rpm = Vec::new();
    for (item, (name, repositories)) in packages.iter().enumerate() {
        let item = item as u64 + 1;
        let text = |text: &'static str| Value::Text(text.as_bytes());
        let number = Value::Integer(item as i64);
        let name = Value::Text(name.as_bytes());
        rpm.push((
            item,
            row(&[number, name, Value::Integer(0), text("1.0"), text("2.el9"), text("x86_64")]),
        ));
        for repository in *repositories {
            let known = names.iter().position(|it| it == repository);
            let known = known.unwrap_or_else(|| {
                names.push(repository);
                names.len() - 1
            });
            let id = items.len() as u64 + 1;
            let repository = Value::Integer(known as i64 + 1);
            let values = [
                Value::Null,
                Value::Integer(1),
                number,
                repository,
                Value::Integer(1),
                Value::Integer(1),
                Value::Integer(1),
            ];
            items.push((id, row(&values)));
        }
    }
    let names = names.iter().enumerate();
    let repo =
        names.map(|(id, name)| (id as u64 + 1, row(&[Value::Null, Value::Text(name.as_bytes())])));
    let all: [Table<'_>; 3] = [("repo", repo.collect()), ("trans_item", items), ("rpm", rpm)];
    tables(4096, &all)
}

/// A header of a package for a processor.
fn for_processor(name: &str) -> Vec<u8> {
    let name = [name.as_bytes(), b"\0"].concat();
    super::header::tests::blob(&[
        (1000, 6, 1, &name),
        (1001, 6, 1, b"1.0\0"),
        (1002, 6, 1, b"2.el9\0"),
        (1010, 6, 1, b"Builder\0"),
        (1022, 6, 1, b"x86_64\0"),
    ])
}

#[test]
fn packages_are_from_repositories() {
    let names = ["bash", "tar", "sed", "vim", "zip"];
    let rows = names.iter().enumerate();
    let rows = rows.map(|(id, name)| (id as u64 + 1, blob(&for_processor(name)))).collect();
    let database = Build::new(4096, "Packages", &[rows]).file();
    let rpm: (&str, &[u8]) = ("/var/lib/rpm/rpmdb.sqlite", &database);
    let origins = |others: &[(&str, &[u8])]| {
        let (listing, problems) = packages(&[&[rpm], others].concat());
        let listing = listing.unwrap();
        assert_eq!(listing.coverage, Coverage::Complete);
        let origins = listing.items.into_iter().map(|it| it.origin.unwrap_or_default());
        (origins.collect::<Vec<_>>(), problems)
    };
    let none = ["Builder"; 5];
    assert_eq!(origins(&[]).0, none);
    // The last transaction counts; what dnf found there already is from nowhere that it knows.
    let known = history(&[
        ("bash", &["anaconda", "rhel-9-for-x86_64-baseos-eus-rpms"]),
        ("tar", &["epel", "@System"]),
        ("sed", &["@System"]),
        ("other", &["epel"]),
    ]);
    let path = "/var/lib/dnf/history.sqlite";
    let (found, problems) = origins(&[(path, &known)]);
    assert_eq!(
        found,
        ["rhel-9-for-x86_64-baseos-eus-rpms", "epel", "Builder", "Builder", "Builder"]
    );
    assert!(problems.is_empty(), "{problems:?}");
    // yum had a file for each; what dnf knows is later.
    let yum = [
        ("/var/lib/yum/yumdb/v/00aa-vim-1.0-2.el9-x86_64/from_repo", &b"base\n"[..]),
        ("/var/lib/yum/yumdb/t/00bb-tar-1.0-2.el9-x86_64/from_repo", b"base"),
        ("/var/lib/yum/yumdb/z/00cc-zip-1.0-1.el9-x86_64/from_repo", b"base"),
        ("/var/lib/yum/yumdb/z/odd/from_repo", b"base"),
    ];
    let (found, _) = origins(&[&[(path, known.as_slice())], &yum[..]].concat());
    assert_eq!(found, ["rhel-9-for-x86_64-baseos-eus-rpms", "epel", "Builder", "base", "Builder"]);
    // Damage leaves it unknown, and is told; what is installed is known all the same.
    for damaged in [&known[..4096], b"no database", &[0; 9000]] {
        let (found, problems) = origins(&[(path, damaged)]);
        assert_eq!(found, none);
        let told = problems
            .iter()
            .any(|it| it.hides.as_deref() == Some("from which repositories packages are"));
        assert!(told, "{problems:?}");
    }
}
