//! Layouts, drawn as the manual of mdadm and the kernel's sources draw them: a line for every row of
//! chunks on the members, in which a number is a chunk of the array.

use super::*;

const CHUNK: u64 = 4096;

fn shape(level: Level, layout: u32, devices: u32, rows: u64) -> Shape {
    Shape { level, layout, chunk: CHUNK, size: rows * CHUNK, devices }
}

/// What lies where, of a geometry over so many members of so many rows.
fn drawn(geometry: &Geometry, devices: usize, rows: usize) -> Vec<String> {
    let mut table = vec![vec!["-".to_owned(); devices]; rows];
    for chunk in 0..geometry.length() / CHUNK {
        let at = chunk * CHUNK + 7;
        assert_eq!(geometry.run(at).min(CHUNK - 7), CHUNK - 7);
        for copy in 0..geometry.copies() {
            let place = geometry.place(at, copy);
            assert_eq!(place.at % CHUNK, 7);
            table[(place.at / CHUNK) as usize][place.slot] = chunk.to_string();
        }
        if let Geometry::Parity(parity) = geometry {
            let stripe = parity.stripe(at);
            let row = &mut table[(stripe.at / CHUNK) as usize];
            row[stripe.parity] = "P".to_owned();
            if let Some(second) = stripe.second {
                row[second] = "Q".to_owned();
            }
        }
    }
    table.into_iter().map(|row| row.join(" ")).collect()
}

fn check(level: Level, layout: u32, devices: u32, expected: &[&str]) {
    let rows = expected.len();
    let shape = shape(level, layout, devices, rows as u64);
    let geometry = Geometry::of_shape(&shape).unwrap().unwrap();
    assert_eq!(drawn(&geometry, devices as usize, rows), expected, "{level} {layout}");
}

#[test]
fn one_parity() {
    let five = |layout, expected: &[&str]| check(Level::Raid5, layout, 3, expected);
    five(0, &["0 1 P", "2 P 3", "P 4 5", "6 7 P"]);
    five(1, &["P 0 1", "2 P 3", "4 5 P", "P 6 7"]);
    five(2, &["0 1 P", "3 P 2", "P 4 5", "6 7 P"]);
    five(3, &["P 0 1", "3 P 2", "4 5 P", "P 6 7"]);
    five(4, &["P 0 1", "P 2 3"]);
    five(5, &["0 1 P", "2 3 P"]);
    check(Level::Raid4, 0, 3, &["0 1 P", "2 3 P"]);
    check(Level::Raid5, 2, 4, &["0 1 2 P", "4 5 P 3", "8 P 6 7", "P 9 10 11"]);
}

#[test]
fn two_parities() {
    let six = |layout, expected: &[&str]| check(Level::Raid6, layout, 4, expected);
    six(0, &["Q 0 1 P", "2 3 P Q", "4 P Q 5", "P Q 6 7"]);
    six(1, &["P Q 0 1", "2 P Q 3", "4 5 P Q", "Q 6 7 P"]);
    six(2, &["Q 0 1 P", "2 3 P Q", "5 P Q 4", "P Q 6 7"]);
    six(3, &["P Q 0 1", "3 P Q 2", "4 5 P Q", "Q 6 7 P"]);
    six(4, &["P Q 0 1", "P Q 2 3"]);
    six(5, &["0 1 P Q", "2 3 P Q"]);
    six(8, &["P Q 0 1", "2 P Q 3", "4 5 P Q", "Q 6 7 P"]);
    six(9, &["0 1 P Q", "2 P Q 3", "P Q 4 5", "Q 6 7 P"]);
    six(10, &["0 1 Q P", "3 Q P 2", "Q P 4 5", "P 6 7 Q"]);
    six(16, &["0 1 P Q", "2 P 3 Q", "P 4 5 Q", "6 7 P Q"]);
    six(17, &["P 0 1 Q", "2 P 3 Q", "4 5 P Q", "P 6 7 Q"]);
    six(18, &["0 1 P Q", "3 P 2 Q", "P 4 5 Q", "6 7 P Q"]);
    six(19, &["P 0 1 Q", "3 P 2 Q", "4 5 P Q", "P 6 7 Q"]);
    six(20, &["P 0 1 Q", "P 2 3 Q"]);
}

#[test]
fn several_copies() {
    let ten = |layout, devices, expected: &[&str]| check(Level::Raid10, layout, devices, expected);
    ten(0x102, 4, &["0 0 1 1", "2 2 3 3"]);
    ten(0x102, 3, &["0 0 1", "1 2 2", "3 3 4", "4 5 5"]);
    ten(0x201, 3, &["0 1 2", "3 4 5", "2 0 1", "5 3 4"]);
    ten(0x1_0201, 3, &["0 1 2", "2 0 1", "3 4 5", "5 3 4"]);
    ten(0x202, 4, &["0 0 1 1", "2 2 3 3", "1 1 0 0", "3 3 2 2"]);
    // Within pairs: as many groups as the far copies make, and of as many members as there are
    // copies.
    ten(0x2_0201, 4, &["0 1 2 3", "1 0 3 2"]);
    ten(0x4_0201, 4, &["0 1 2 3", "1 0 3 2"]);
    ten(0x4_0201, 5, &["0 1 2 3 4", "1 0 4 2 3"]);
}

#[test]
fn members_of_different_sizes() {
    let lengths = [2 * CHUNK, 3 * CHUNK + 5, 5 * CHUNK];
    let linear = shape(Level::Linear, 0, 3, 0);
    let linear = Geometry::of_members(&linear, &lengths).unwrap();
    assert_eq!(drawn(&linear, 3, 5), ["0 2 5", "1 3 6", "- 4 7", "- - 8", "- - 9"]);
    let stripes =
        |layout, lengths: &[u64]| Geometry::of_members(&shape(Level::Raid0, layout, 3, 0), lengths);
    // The second zone starts with an even chunk, so that the layouts are the same.
    for layout in 0..3 {
        let geometry = stripes(layout, &lengths).unwrap();
        assert_eq!(drawn(&geometry, 3, 5), ["0 1 2", "3 4 5", "- 6 7", "- - 8", "- - 9"]);
    }
    let odd = [CHUNK, 3 * CHUNK, 3 * CHUNK];
    assert_eq!(drawn(&stripes(1, &odd).unwrap(), 3, 3), ["0 1 2", "- 4 3", "- 6 5"]);
    assert_eq!(drawn(&stripes(2, &odd).unwrap(), 3, 3), ["0 1 2", "- 3 4", "- 5 6"]);
    assert!(stripes(0, &odd).is_err(), "which of the two is not said");
    assert!(stripes(3, &odd).is_err());
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |level, layout, devices, chunk, size| {
        Geometry::of_shape(&Shape { level, layout, chunk, size, devices }).is_err()
    };
    assert!(!refused(Level::Raid5, 2, 3, CHUNK, CHUNK));
    assert!(refused(Level::Raid5, 6, 3, CHUNK, CHUNK));
    assert!(refused(Level::Raid5, 2, 1, CHUNK, CHUNK));
    assert!(refused(Level::Raid5, 2, 3, 0, CHUNK));
    assert!(refused(Level::Raid5, 2, 1000, CHUNK, u64::MAX));
    assert!(refused(Level::Raid6, 2, 3, CHUNK, CHUNK));
    assert!(refused(Level::Raid6, 2, 256, CHUNK, CHUNK));
    assert!(refused(Level::Raid10, 0, 4, CHUNK, CHUNK));
    assert!(refused(Level::Raid10, 0x203, 4, CHUNK, CHUNK));
    assert!(refused(Level::Raid10, 0x1_0202, 5, CHUNK, CHUNK), "copies overlap");
    assert!(refused(Level::Raid10, 0x8_0102, 4, CHUNK, CHUNK));
    assert!(refused(Level::Raid10, 0x102, 1920, 512, u64::MAX));
    assert!(refused(Level::Other(-4), 0, 2, CHUNK, CHUNK));
    let zero = Shape { chunk: 0, ..shape(Level::Raid0, 1, 2, 0) };
    assert!(Geometry::of_members(&zero, &[CHUNK, CHUNK]).is_err());
    let linear = shape(Level::Linear, 0, 2, 0);
    assert!(Geometry::of_members(&linear, &[u64::MAX, u64::MAX]).is_err());
}
