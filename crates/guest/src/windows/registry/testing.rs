//! Writes small hives for tests: keys and values in memory, in the version that Windows writes.

use std::collections::BTreeMap;

/// A value that is written.
pub(crate) enum Data<'a> {
    Text(&'a str),
    Texts(&'a [&'a str]),
    Number(u32),
    Wide(u64),
    Bytes(&'a [u8]),
    /// A type of its own, as the registry's accounts use it for numbers.
    Typed(u32),
}

impl Data<'_> {
    fn encode(&self) -> (u32, Vec<u8>) {
        let utf16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        match self {
            Self::Text(text) => (1, [utf16(text), vec![0, 0]].concat()),
            Self::Texts(texts) => {
                let each = texts.iter().map(|text| [utf16(text), vec![0, 0]].concat());
                (7, [each.collect::<Vec<_>>().concat(), vec![0, 0]].concat())
            }
            Self::Number(number) => (4, number.to_le_bytes().to_vec()),
            Self::Wide(number) => (11, number.to_le_bytes().to_vec()),
            Self::Bytes(bytes) => (3, bytes.to_vec()),
            Self::Typed(kind) => (*kind, Vec::new()),
        }
    }
}

/// One line of a hive: the key's path, the value's name, and what it holds.
pub(crate) type Line<'a> = (&'a str, &'a str, Data<'a>);

#[derive(Default)]
struct Tree<'a> {
    children: BTreeMap<String, Tree<'a>>,
    values: Vec<(&'a str, &'a Data<'a>)>,
}

/// A hive of these values. A value whose name is `*` only makes its key.
pub(crate) fn hive(lines: &[Line<'_>]) -> Vec<u8> {
    let mut root = Tree::default();
    for (path, name, data) in lines {
        let mut at = &mut root;
        for part in path.split('\\').filter(|part| !part.is_empty()) {
            at = at.children.entry(part.to_owned()).or_default();
        }
        if *name != "*" {
            at.values.push((name, data));
        }
    }
    let mut bin = vec![0; 32];
    bin[..4].copy_from_slice(b"hbin");
    let root = key(&mut bin, "root", u32::MAX, &root);
    let size = (bin.len() + 8).next_multiple_of(4096);
    let rest = (size - bin.len()) as u32;
    bin.extend(rest.to_le_bytes());
    bin.resize(size, 0);
    set(&mut bin, 8, size as u32);
    let mut file = vec![0; 4096];
    file[..4].copy_from_slice(b"regf");
    for (at, value) in
        [(4, 1), (8, 1), (20, 1), (24, 5), (32, 1), (36, root), (40, size as u32), (44, 1)]
    {
        set(&mut file, at, value);
    }
    let (words, _) = file[..508].as_chunks::<4>();
    let sum = words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    set(&mut file, 508, sum);
    [file, bin].concat()
}

fn set(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn cell(bin: &mut Vec<u8>, content: &[u8]) -> u32 {
    let offset = bin.len();
    let size = (content.len() + 4).next_multiple_of(8);
    bin.extend((-(size as i32)).to_le_bytes());
    bin.extend(content);
    bin.resize(offset + size, 0);
    offset as u32
}

fn key(bin: &mut Vec<u8>, name: &str, parent: u32, tree: &Tree<'_>) -> u32 {
    let mut record = vec![0; 76];
    record[..2].copy_from_slice(b"nk");
    record[2] = 0x20;
    set(&mut record, 16, parent);
    for at in [28, 32, 40, 44, 48] {
        set(&mut record, at, u32::MAX);
    }
    record[72..74].copy_from_slice(&(name.len() as u16).to_le_bytes());
    record.extend(name.bytes());
    let offset = cell(bin, &record);
    let children: Vec<u32> =
        tree.children.iter().map(|(name, tree)| key(bin, name, offset, tree)).collect();
    let mut list = b"li".to_vec();
    list.extend((children.len() as u16).to_le_bytes());
    list.extend(children.iter().flat_map(|child| child.to_le_bytes()));
    let list = if children.is_empty() { u32::MAX } else { cell(bin, &list) };
    let values: Vec<u8> = tree
        .values
        .iter()
        .flat_map(|(name, data)| {
            let (kind, data) = data.encode();
            let place = if data.is_empty() { u32::MAX } else { cell(bin, &data) };
            let mut record = b"vk".to_vec();
            record.extend((name.len() as u16).to_le_bytes());
            for number in [data.len() as u32, place, kind, 1] {
                record.extend(number.to_le_bytes());
            }
            record.extend(name.bytes());
            cell(bin, &record).to_le_bytes()
        })
        .collect();
    let count = tree.values.len() as u32;
    let values = if count == 0 { u32::MAX } else { cell(bin, &values) };
    let at = offset as usize + 4;
    set(bin, at + 20, children.len() as u32);
    set(bin, at + 28, list);
    set(bin, at + 36, count);
    set(bin, at + 40, values);
    offset
}
