use std::io::Write;

use super::*;

/// An archive of empty files, and of one with three bytes.
fn archive(names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |name: &str, data: &[u8]| {
        let mut fields = [0; 13];
        (fields[6], fields[11]) = (data.len(), name.len() + 1);
        bytes.extend(b"070701");
        fields.iter().for_each(|field| bytes.extend(format!("{field:08X}").bytes()));
        bytes.extend(name.bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    };
    names.iter().for_each(|name| add(name, b""));
    add("data", b"abc");
    add("TRAILER!!!", b"");
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn all(bytes: Vec<u8>) -> (Vec<String>, Result<()>) {
    let mut found = Vec::new();
    let reader: Arc<dyn ReadAt> = Arc::new(bytes);
    let outcome = names(&reader, false, &mut |name| {
        found.push(String::from_utf8_lossy(name).into_owned());
        ControlFlow::Continue(())
    });
    (found, outcome)
}

#[test]
fn pieces_one_behind_the_other() {
    let mut bytes = archive(&["microcode"]);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes.extend(zstd::bulk::compress(&archive(&["a", "lib/b.ko"]), 1).unwrap());
    bytes.extend([0; 16]);
    bytes.extend(gzip(&[archive(&["c"]), vec![0; 700], archive(&["d"])].concat()));
    bytes.extend(archive(&["e"]));
    let (found, outcome) = all(bytes);
    outcome.unwrap();
    let expected =
        ["microcode", "data", "a", "lib/b.ko", "data", "c", "data", "d", "data", "e", "data"];
    assert_eq!(found, expected);
}

#[test]
fn blocks_of_lz4() {
    let archive = archive(&["x"]);
    let packed = lz4_flex::block::compress(&archive);
    let mut bytes = vec![0x02, 0x21, 0x4C, 0x18];
    bytes.extend((packed.len() as u32).to_le_bytes());
    bytes.extend(&packed);
    let (found, outcome) = all(bytes.clone());
    outcome.unwrap();
    assert_eq!(found, ["x", "data"]);
    bytes[4..8].copy_from_slice(&[0xFF; 4]);
    assert!(all(bytes).1.is_err());
}

#[test]
fn what_is_not_read_is_said() {
    for (bytes, why) in [
        (b"BZh91AY&SY".to_vec(), "neither"),
        (b"07070100".to_vec(), "end"),
        ([&archive(&["a"])[..200], &[b'x'; 400]].concat(), "number"),
        (gzip(&archive(&["a"])[..150]), "ends within"),
        (gzip(&archive(&["a"]))[..40].to_vec(), "unpacked"),
        ([b"\xFD7zXZ\0".to_vec(), vec![1; 8 << 20]].concat(), "--deep"),
    ] {
        let (_, outcome) = all(bytes);
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
    let whole = [archive(&["a", "b"]), gzip(&archive(&["c"]))].concat();
    for length in 0..whole.len() {
        let _ = all(whole[..length].to_vec());
    }
    // An archive without end of files without bytes.
    let bomb = archive(&["a"])[..116].repeat(3);
    let (found, outcome) = all(bomb);
    assert!(outcome.is_err() || found.len() <= 3);
}

#[test]
fn a_visitor_breaks_off() {
    let reader: Arc<dyn ReadAt> = Arc::new([archive(&["a", "b"]), vec![b'x'; 100]].concat());
    let mut seen = 0;
    let outcome = names(&reader, false, &mut |_| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    outcome.unwrap();
    assert_eq!(seen, 2);
}

/// A long file of zeros, packed.
#[test]
fn what_unpacks_without_end_is_left() {
    let mut long = archive(&["a"]);
    let at = long.windows(4).position(|it| it == b"data").unwrap() - cpio::HEADER + 6 + 8 * 6;
    long[at..at + 8].copy_from_slice(b"7FFFFFFF");
    long.truncate(at - 6 - 8 * 6 + cpio::HEADER + 6);
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(&long).unwrap();
    let zeros = vec![0; 64 << 20];
    (0..33).for_each(|_| encoder.write_all(&zeros).unwrap());
    let (found, outcome) = all(encoder.finish().unwrap());
    assert_eq!(found, ["a", "data"]);
    assert_eq!(outcome.unwrap_err().kind(), fathom_block::ErrorKind::Unsupported);
}
