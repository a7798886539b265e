//! Arrays made by hand: superblocks of every version, and members filled by the layout that
//! `geometry` draws, which its own tests hold to the kernel's.

use super::geometry::Geometry;
use super::superblock::{FAULTY, Level, SPARE, Shape};
use super::*;
use fathom_block::ErrorKind;

const CHUNK: u64 = 1024;

/// Where the data of a member starts.
const DATA: u64 = 16 << 10;

/// A member as it is written.
#[derive(Clone)]
struct Made {
    shape: Shape,
    name: &'static str,
    uuid: u8,
    number: u32,
    events: u64,
    roles: Vec<u16>,
    features: u32,
    resync: u64,
    /// Where the superblock lies.
    at: u64,
    /// Where its data starts.
    start: u64,
    data: Vec<u8>,
}

fn level_number(level: Level) -> i32 {
    match level {
        Level::Linear => -1,
        Level::Raid0 => 0,
        Level::Raid1 => 1,
        Level::Raid4 => 4,
        Level::Raid5 => 5,
        Level::Raid6 => 6,
        Level::Raid10 => 10,
        Level::Other(number) => number,
    }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// Makes the checksum of a superblock of version 1 right.
fn seal(superblock: &mut [u8]) {
    superblock[216..220].fill(0);
    let devices = u32::from_le_bytes(superblock[220..224].try_into().unwrap()) as usize;
    let summed = &superblock[..256 + 2 * devices.min(1920)];
    let mut sum = 0_u64;
    for word in summed.chunks(4) {
        let mut bytes = [0; 4];
        bytes[..word.len()].copy_from_slice(word);
        sum += u64::from(u32::from_le_bytes(bytes));
    }
    let sum = (sum as u32).wrapping_add((sum >> 32) as u32);
    superblock[216..220].copy_from_slice(&sum.to_le_bytes());
}

impl Made {
    /// A superblock of version 1.
    fn superblock(&self) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        put(&mut bytes, 0, &[0xFC, 0x4E, 0x2B, 0xA9, 1]);
        put(&mut bytes, 8, &self.features.to_le_bytes());
        put(&mut bytes, 16, &[self.uuid; 16]);
        put(&mut bytes, 32, self.name.as_bytes());
        put(&mut bytes, 64, &1_700_000_000_u64.to_le_bytes());
        put(&mut bytes, 72, &level_number(self.shape.level).to_le_bytes());
        put(&mut bytes, 76, &self.shape.layout.to_le_bytes());
        put(&mut bytes, 80, &(self.shape.size / 512).to_le_bytes());
        put(&mut bytes, 88, &((self.shape.chunk / 512) as u32).to_le_bytes());
        put(&mut bytes, 92, &self.shape.devices.to_le_bytes());
        put(&mut bytes, 128, &(self.start / 512).to_le_bytes());
        put(&mut bytes, 136, &(self.data.len() as u64 / 512).to_le_bytes());
        put(&mut bytes, 144, &(self.at / 512).to_le_bytes());
        put(&mut bytes, 160, &self.number.to_le_bytes());
        put(&mut bytes, 200, &self.events.to_le_bytes());
        put(&mut bytes, 208, &self.resync.to_le_bytes());
        put(&mut bytes, 220, &(self.roles.len() as u32).to_le_bytes());
        for (index, role) in self.roles.iter().enumerate() {
            put(&mut bytes, 256 + 2 * index, &role.to_le_bytes());
        }
        seal(&mut bytes);
        bytes
    }

    /// The whole member.
    fn image(&self) -> Vec<u8> {
        let mut image = vec![0; DATA as usize];
        image.extend(&self.data);
        image.extend([0; 64 << 10]);
        put(&mut image, self.at as usize, &self.superblock());
        image
    }
}

/// What a byte of an array is: no two stretches of it are alike.
fn content(length: u64) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ ((at >> 9) * 7)) as u8).collect()
}

/// Two to a power, times a byte, the slow way.
fn times(byte: u8, power: u32) -> u8 {
    (0..power).fold(byte, |byte, _| (byte << 1) ^ if byte & 0x80 == 0 { 0 } else { 0x1D })
}

/// The data of all members of an array that holds `content`.
fn spread(geometry: &Geometry, content: &[u8], lengths: &[u64]) -> Vec<Vec<u8>> {
    let mut members: Vec<Vec<u8>> =
        lengths.iter().map(|length| vec![0xEE; *length as usize]).collect();
    if matches!(geometry, Geometry::Parity(_)) {
        members.iter_mut().for_each(|member| member.fill(0));
    }
    for (at, byte) in content.iter().enumerate() {
        for copy in 0..geometry.copies() {
            let place = geometry.place(at as u64, copy);
            members[place.slot][place.at as usize] = *byte;
            let Geometry::Parity(parity) = geometry else { continue };
            let stripe = parity.stripe(at as u64);
            members[stripe.parity][stripe.at as usize] ^= byte;
            if let Some(second) = stripe.second {
                let factor = stripe.coefficient(place.slot).element();
                let power = (0..255).find(|power| times(1, *power) == factor).unwrap();
                members[second][stripe.at as usize] ^= times(*byte, power);
            }
        }
    }
    members
}

/// The members of an array of this shape, and what it holds.
fn made(shape: &Shape) -> (Vec<Made>, Vec<u8>) {
    let lengths: Vec<u64> = match shape.level {
        Level::Linear | Level::Raid0 => {
            (0..shape.devices).map(|slot| (4 + u64::from(slot)) * CHUNK).collect()
        }
        _ => vec![shape.size; shape.devices as usize],
    };
    let geometry = Geometry::of_shape(shape).unwrap();
    let geometry = geometry.unwrap_or_else(|| Geometry::of_members(shape, &lengths).unwrap());
    let content = content(geometry.length());
    let members = spread(&geometry, &content, &lengths).into_iter().enumerate();
    let roles: Vec<u16> = (0..shape.devices as u16).collect();
    let features = if shape.level == Level::Raid0 { 4096 } else { 0 };
    let made = members.map(|(slot, data)| Made {
        shape: shape.clone(),
        name: "host:data",
        uuid: 0x5A,
        number: slot as u32,
        events: 20,
        roles: roles.clone(),
        features,
        resync: u64::MAX,
        at: 4096,
        start: DATA,
        data,
    });
    (made.collect(), content)
}

/// The images of a mirror called `md0` whose superblocks lie at the end, so that its members start
/// as it.
pub(crate) fn mirror(content: &[u8]) -> Vec<Vec<u8>> {
    let mut data = content.to_vec();
    data.resize(data.len().max(256 << 10).next_multiple_of(4096), 0);
    let size = data.len() as u64;
    let member = |number: u32| {
        let made = Made {
            shape: Shape { level: Level::Raid1, layout: 0, chunk: 0, size, devices: 2 },
            name: "host:0",
            uuid: 7,
            number,
            events: 1,
            roles: vec![0, 1],
            features: 0,
            resync: u64::MAX,
            at: size + (8 << 10),
            start: 0,
            data: data.clone(),
        };
        let mut image = data.clone();
        image.resize(image.len() + (16 << 10), 0);
        put(&mut image, made.at as usize, &made.superblock());
        image
    };
    vec![member(0), member(1)]
}

fn shape(level: Level, layout: u32, devices: u32) -> Shape {
    let chunk = if level == Level::Raid1 { 0 } else { CHUNK };
    Shape { level, layout, chunk, size: 6 * CHUNK, devices }
}

fn reader(image: Vec<u8>) -> Arc<dyn ReadAt> {
    Arc::new(image)
}

/// The array that these members make; the volumes are called by their numbers in the list.
fn array_of(members: &[Made]) -> AssembledArray {
    let mut md = Md::default();
    let mut budget = Budget::default();
    for (index, member) in members.iter().enumerate() {
        let id = VolumeId::new(index.to_string());
        md.add(&id, &reader(member.image()), &[member.at], &mut budget).unwrap();
    }
    let array = md.next_array(true).unwrap();
    assert!(md.next_array(true).is_none());
    array
}

/// The kind of the error that there is instead of a reader.
fn refused(array: &AssembledArray) -> ErrorKind {
    assert!(array.reader.is_none());
    array.problems[0].kind()
}

fn said(array: &AssembledArray) -> String {
    array.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn bytes_of(array: &AssembledArray) -> Vec<u8> {
    let reader = array.reader.as_ref().unwrap_or_else(|| panic!("{}", said(array)));
    let mut bytes = vec![0; reader.len() as usize];
    // In pieces of every shape.
    let (mut at, mut rest) = (0, bytes.as_mut_slice());
    while !rest.is_empty() {
        let length = [1, 500, 1024, 3000][at % 4].min(rest.len());
        let (part, after) = rest.split_at_mut(length);
        reader.read_at(at as u64, part).unwrap();
        at += length;
        rest = after;
    }
    let mut whole = vec![0; bytes.len()];
    reader.read_at(0, &mut whole).unwrap();
    assert!(whole == bytes);
    bytes
}

/// All shapes, each with the number of members that it can always do without.
fn shapes() -> Vec<(Shape, usize)> {
    let mut shapes = vec![(shape(Level::Raid1, 0, 3), 2), (shape(Level::Raid4, 0, 4), 1)];
    shapes.extend((0..6).map(|layout| (shape(Level::Raid5, layout, 4), 1)));
    let six = [0, 1, 2, 3, 4, 5, 8, 9, 10, 16, 17, 18, 19, 20];
    shapes.extend(six.map(|layout| (shape(Level::Raid6, layout, 5), 2)));
    shapes.push((shape(Level::Raid10, 0x1_0202, 4), 1));
    let ten = [0x102, 0x201, 0x1_0201, 0x202, 0x2_0201, 0x4_0201, 0x1_0301];
    shapes.extend(ten.map(|layout| (shape(Level::Raid10, layout, 5), 1)));
    shapes.extend([0, 1, 2].map(|layout| (shape(Level::Raid0, layout.max(1), 3), 0)));
    shapes.push((shape(Level::Linear, 0, 3), 0));
    shapes
}

#[test]
fn every_level_is_read_without_any_members_that_it_can_do_without() {
    for (shape, spare) in shapes() {
        let (members, content) = made(&shape);
        let whole = array_of(&members);
        assert!(whole.problems.is_empty(), "{}", said(&whole));
        assert!(bytes_of(&whole) == content, "{shape:?}");
        let count = members.len();
        for out in 0..1_usize << count {
            let missing = out.count_ones() as usize;
            if missing == 0 || missing == count {
                continue;
            }
            let left: Vec<Made> = (0..count)
                .filter(|index| out >> index & 1 == 0)
                .map(|index| members[index].clone())
                .collect();
            let array = array_of(&left);
            assert_eq!(array.missing as usize, missing);
            if missing <= spare || array.reader.is_some() {
                assert!(bytes_of(&array) == content, "{shape:?} without {out:b}");
                assert!(!array.problems.is_empty());
            } else {
                assert_eq!(refused(&array), ErrorKind::NotFound, "{shape:?} without {out:b}");
            }
        }
    }
}

fn pair() -> (Vec<Made>, Vec<u8>) {
    made(&shape(Level::Raid1, 0, 2))
}

/// Fills the data of a member with what no reader may show.
fn spoil(member: &mut Made) {
    member.data.fill(0xBA);
}

#[test]
fn who_is_out_of_date_is_not_read() {
    let (mut members, content) = pair();
    members[0].events = 18;
    spoil(&mut members[0]);
    let array = array_of(&members);
    assert!(bytes_of(&array) == content);
    assert!(said(&array).contains("0 is out of date by 2 events"), "{}", said(&array));
    assert_eq!(array.parents, [VolumeId::new("1")]);
    assert_eq!(array.members[0].1, "out of date");
    // One event is the difference between two writes of the state.
    members[0].events = 19;
    members[0].data = members[1].data.clone();
    assert!(array_of(&members).problems.is_empty());
    // The others know that it failed, however few events it is behind.
    spoil(&mut members[0]);
    members[1].roles = vec![FAULTY, 1];
    assert!(bytes_of(&array_of(&members)) == content);
    // Alone it is all there is of the array: nobody knows better.
    assert!(array_of(&members[..1]).reader.is_some());
}

#[test]
fn halves_that_were_used_apart_are_not_mixed() {
    let (mut members, content) = pair();
    members[0].roles = vec![0, FAULTY];
    members[1].roles = vec![FAULTY, 1];
    assert_eq!(refused(&array_of(&members)), ErrorKind::Corrupt);
    members[1].events = 23;
    spoil(&mut members[0]);
    let array = array_of(&members);
    assert!(bytes_of(&array) == content);
    assert!(said(&array).contains("was used apart"), "{}", said(&array));
    let (mut members, _) = made(&shape(Level::Raid5, 2, 3));
    members[0].events = 5;
    members[1].events = 6;
    assert_eq!(refused(&array_of(&members)), ErrorKind::NotFound);
}

#[test]
fn only_what_holds_data_is_read() {
    let (mut members, content) = pair();
    let mut spare = members[0].clone();
    spare.number = 2;
    for member in &mut members {
        member.roles.push(SPARE);
    }
    spare.roles = members[0].roles.clone();
    spare.events = 90;
    spoil(&mut spare);
    let alone = array_of(&[spare.clone()]);
    assert_eq!(refused(&alone), ErrorKind::NotFound);
    members.insert(0, spare);
    let array = array_of(&members);
    assert!(bytes_of(&array) == content && array.problems.is_empty());
    assert_eq!(array.members[0].1, "spare");
    // One that is still being filled.
    spoil(&mut members[1]);
    members[1].features = 2;
    let array = array_of(&members);
    assert!(bytes_of(&array) == content);
    assert!(said(&array).contains("has not yet got all"));
    // One that is to take the place of another is read when that is not there.
    members[1].features = 16;
    members[1].data = members[2].data.clone();
    assert!(bytes_of(&array_of(&members[1..2])) == content);
}

#[test]
fn the_same_member_twice_is_told() {
    let (mut members, content) = pair();
    members.push(members[0].clone());
    let array = array_of(&members);
    assert!(bytes_of(&array) == content);
    assert!(said(&array).contains("2 is the same member as 0"), "{}", said(&array));
    members[1].shape.size += 1024;
    let array = array_of(&members);
    assert!(said(&array).contains("describes another array"), "{}", said(&array));
}

#[test]
fn what_was_not_at_rest_is_told_or_refused() {
    let (mut members, content) = pair();
    members[0].resync = 0;
    let array = array_of(&members);
    assert!(bytes_of(&array) == content);
    assert_eq!(array.problems[0].kind(), ErrorKind::Unsupported);
    assert!(said(&array).contains("copies may differ"));
    for (features, why) in [(4, "being reshaped"), (512, "it has a journal")] {
        members[0].features = features;
        let array = array_of(&members);
        assert_eq!(refused(&array), ErrorKind::Unsupported);
        assert!(said(&array).contains(why) && array.size == 6 * CHUNK);
    }
    let (mut members, content) = made(&shape(Level::Raid5, 2, 3));
    members[0].resync = 0;
    assert!(said(&array_of(&members)).contains("parity may be wrong"));
    let array = array_of(&members[..2]);
    assert!(bytes_of(&array) == content);
    assert!(said(&array).contains("what is computed may be wrong"));
}

#[test]
fn members_that_end_early_are_as_good_as_missing() {
    let cut = |members: &[Made], index: usize| {
        let mut md = Md::default();
        for (number, member) in members.iter().enumerate() {
            let mut image = member.image();
            if number == index {
                image.truncate(DATA as usize + 2000);
            }
            let id = VolumeId::new(number.to_string());
            md.add(&id, &reader(image), &[4096], &mut Budget::default()).unwrap();
        }
        md.next_array(true).unwrap()
    };
    let (members, content) = pair();
    let array = cut(&members, 0);
    assert!(bytes_of(&array) == content);
    assert!(said(&array).contains("truncated"), "{}", said(&array));
    assert_eq!(refused(&cut(&members[..1], 0)), ErrorKind::Corrupt);
    // Where nothing can be done without, the rest of it is read.
    let (members, _) = made(&shape(Level::Linear, 0, 3));
    let array = cut(&members, 1);
    assert!(said(&array).contains("truncated"));
    let reader = array.reader.unwrap();
    assert!(reader.read_at(0, &mut [0; 4096]).is_ok());
    assert!(reader.read_at(5000, &mut [0; 2000]).is_err());
}

#[test]
fn bad_blocks_are_read_elsewhere() {
    // Of four rows of chunks the members lose one each, so that one row is gone on two of them.
    let mark = |member: &mut Made, rows: &[u64]| {
        member.features |= 8;
        let rows = rows.iter().map(|row| (((DATA + row * CHUNK) / 512) << 10) | (CHUNK / 512));
        let entries: Vec<u8> = rows.chain([u64::MAX]).flat_map(u64::to_le_bytes).collect();
        (member.clone(), entries)
    };
    let open = |members: Vec<(Made, Vec<u8>)>| {
        let mut md = Md::default();
        for (number, (member, entries)) in members.into_iter().enumerate() {
            let mut image = member.image();
            image[4096 + 186] = 1;
            image[4096 + 188] = 8;
            seal(&mut image[4096..8192]);
            put(&mut image, 8192, &[entries, vec![0xFF; 512]].concat()[..512]);
            let id = VolumeId::new(number.to_string());
            md.add(&id, &reader(image), &[4096], &mut Budget::default()).unwrap();
        }
        md.next_array(true).unwrap()
    };
    for (shape, lost) in [(shape(Level::Raid5, 2, 3), true), (shape(Level::Raid6, 2, 5), false)] {
        let (mut members, content) = made(&shape);
        let marked: Vec<(Made, Vec<u8>)> = members
            .iter_mut()
            .enumerate()
            .map(|(index, member)| {
                for row in [index as u64, 5] {
                    if row == 5 && index > 1 {
                        continue;
                    }
                    member.data[(row * CHUNK) as usize..][..CHUNK as usize].fill(0xBA);
                }
                let rows = [index as u64, 5];
                mark(member, if index > 1 { &rows[..1] } else { &rows })
            })
            .collect();
        let array = open(marked);
        let reader = array.reader.unwrap();
        let intact = content.len() * 5 / 6;
        let mut bytes = vec![0; intact];
        reader.read_at(0, &mut bytes).unwrap();
        assert!(bytes == content[..intact], "{shape:?}");
        let mut rest = vec![0; content.len() - intact];
        let outcome = reader.read_at(intact as u64, &mut rest);
        assert_eq!(outcome.is_err(), lost);
        assert!(lost || rest == content[intact..]);
    }
}

#[test]
fn names_and_numbers() {
    let (members, _) = pair();
    let id = |name: &'static str| array_of(&[Made { name, ..members[0].clone() }]).id;
    assert_eq!(id("host:data"), "md/data");
    assert_eq!(id("data"), "md/data");
    assert_eq!(id("host:0"), "md0");
    assert_eq!(id("host:007"), "md/007");
    assert_eq!(id("host:../etc"), "md/5a5a5a5a");
    assert_eq!(id(""), "md/5a5a5a5a");
    assert_eq!(array_of(&members).uuid, "5a5a5a5a:5a5a5a5a:5a5a5a5a:5a5a5a5a");
}

#[test]
fn damage_is_told() {
    let (members, _) = pair();
    let read = |change: &dyn Fn(&mut Vec<u8>), sealed: bool| {
        let mut image = members[0].image();
        change(&mut image);
        if sealed {
            seal(&mut image[4096..8192]);
        }
        Md::default()
            .add(&VolumeId::new("0"), &reader(image), &[4096], &mut Budget::default())
            .map(drop)
    };
    assert!(read(&|_| {}, false).is_ok());
    assert!(read(&|image| image[4096 + 300] ^= 1, false).is_ok(), "behind the roles");
    assert!(read(&|image| image[4096 + 257] ^= 1, false).is_err());
    for (at, value) in [(8, 0x2000), (220, 1921), (92, 0), (92, 1921), (84, 0x8000_0000), (8, 8)] {
        let set = |image: &mut Vec<u8>| put(image, 4096 + at, &u32::to_le_bytes(value));
        assert!(read(&set, true).is_err(), "{at}");
    }
    assert!(read(&|image| image.truncate(8000), false).is_err());
}

#[test]
fn arrays_that_lack_members_wait_for_the_others() {
    let (members, content) = pair();
    let mut md = Md::default();
    let add = |md: &mut Md, index: usize| {
        let id = VolumeId::new(index.to_string());
        md.add(&id, &reader(members[index].image()), &[4096], &mut Budget::default()).unwrap()
    };
    assert!(add(&mut md, 0).problem.is_none());
    assert!(md.next_array(false).is_none());
    assert!(add(&mut md, 1).problem.is_none());
    assert!(bytes_of(&md.next_array(false).unwrap()) == content);
    assert!(md.next_array(true).is_none());
    assert!(add(&mut md, 1).problem.is_some(), "too late");
}

/// A superblock of version 0.90, in either byte order.
fn old(shape: &Shape, slot: u32, events: u64, word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut words = vec![0_u32; 1024];
    words[0] = 0xA92B_4EFC;
    words[2] = 90;
    words[5] = 0x0102_0304;
    words[6] = 1_500_000_000;
    words[7] = level_number(shape.level) as u32;
    words[8] = (shape.size / 1024) as u32;
    words[10] = shape.devices;
    words[11] = 5;
    words[13..16].copy_from_slice(&[0x0506_0708, 0x090A_0B0C, 0x0D0E_0F10]);
    words[33] = 1;
    // The lower half comes first where numbers do too.
    let low = if word(1) == 1_u32.to_le_bytes() { 39 } else { 40 };
    words[low] = events as u32;
    words[64] = shape.layout;
    words[65] = shape.chunk as u32;
    for device in 0..shape.devices as usize {
        let at = 128 + device * 32;
        words[at] = device as u32;
        words[at + 3] = device as u32;
        words[at + 4] = 6;
    }
    words[992] = slot;
    let sum: u64 = words.iter().map(|word| u64::from(*word)).sum();
    words[38] = (sum as u32).wrapping_add((sum >> 32) as u32);
    words.into_iter().flat_map(word).collect()
}

#[test]
fn old_superblocks_of_either_byte_order() {
    const AT: u64 = 64 << 10;
    let shape = Shape { size: AT, ..shape(Level::Raid5, 2, 3) };
    let geometry = Geometry::of_shape(&shape).unwrap().unwrap();
    let content = content(geometry.length());
    let orders: [fn(u32) -> [u8; 4]; 2] = [u32::to_le_bytes, u32::to_be_bytes];
    for word in orders {
        let mut md = Md::default();
        for (slot, data) in spread(&geometry, &content, &[AT; 3]).into_iter().enumerate() {
            let superblock = old(&shape, slot as u32, 3 + slot as u64 / 2, word);
            let mut image = [data, superblock].concat();
            image.resize(128 << 10, 0);
            let id = VolumeId::new(slot.to_string());
            md.add(&id, &reader(image), &[AT], &mut Budget::default()).unwrap();
        }
        let array = md.next_array(true).unwrap();
        assert_eq!((array.id.as_str(), array.metadata), ("md5", "0.90"));
        assert_eq!(array.uuid, "01020304:05060708:090a0b0c:0d0e0f10");
        assert!(array.problems.is_empty(), "{}", said(&array));
        assert!(bytes_of(&array) == content);
    }
    let read = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut image = old(&shape, 0, 3, u32::to_le_bytes);
        change(&mut image);
        superblock::read(&image, 0)
    };
    assert!(read(&|_| {}).is_ok());
    assert!(read(&|image| image[40] ^= 1).is_err(), "the checksum");
    assert!(read(&|image| image[8] = 92).is_err());
}

#[test]
fn holes_show_through_mirrors() {
    let (members, content) = pair();
    let reader = array_of(&members).reader.unwrap();
    assert_eq!(reader.next_data(0), Some(0..content.len() as u64));
    reader.prefetch(&[0..100, 50..u64::MAX]);
    assert_eq!(reader.next_data(content.len() as u64), None);
    let (members, content) = made(&shape(Level::Raid5, 2, 3));
    let reader = array_of(&members[..2]).reader.unwrap();
    assert_eq!(reader.next_data(5), Some(5..content.len() as u64));
    reader.prefetch(&[0..content.len() as u64, 1..2]);
}
