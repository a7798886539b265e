//! Open virtualization archives, and descriptions beside their disks.
//!
//! An archive is a [`tar`] whose [`description`] says which members are the machine's disks. They are
//! read where they lie, as windows onto the archive; nothing is unpacked, and nothing outside the
//! archive is opened whatever its names say. A description that stands alone has its disks beside
//! it, and they pass the gate.
//!
//! One disk that cannot be opened does not hide the others: its error becomes a problem of theirs.
//! Of the [`manifest`]'s checksums only that of the description is verified; the others would take
//! reading everything.

mod archive;
mod description;
mod manifest;
mod tar;

use std::sync::Arc;

use self::archive::{Archive, open_member};
use self::description::{Description, LONGEST};
use self::tar::Member;
use crate::error::{Error, Problem, Result};
use crate::formats::Format;
use crate::open::{Chain, Disk, Source};
use crate::read::{ReadAt, Zeros, read_vec};

/// The most disks of one machine.
const MOST_DISKS: usize = 256;

/// What the names of disks end in, where no description says which they are.
const ENDINGS: [&str; 7] = [".vmdk", ".vhd", ".vhdx", ".vdi", ".qcow2", ".img", ".raw"];

pub(crate) fn probe(head: &[u8], _length: u64) -> bool {
    head.get(257..262) == Some(b"ustar".as_slice())
}

pub(crate) fn open(source: Source, chain: &Chain<'_>) -> Result<Vec<Disk>> {
    if chain.depth() > 0 {
        let why = "an archive or description within another image is not looked into";
        return Err(Error::unsupported(source.location.to_string(), why));
    }
    let head = read_vec(&*source.reader, "archive", 0, source.reader.len().min(512))?;
    if !probe(&head, source.reader.len()) {
        let description = Description::parse(&read_text(&*source.reader)?)?;
        return Found::default().described(&description, &Archive::Directory, &source, chain);
    }
    let (members, problem) = tar::members(&*source.reader)?;
    let cut = problem.as_ref().map(|problem| problem.offset().unwrap_or(source.reader.len()));
    let mut found = Found { problems: Vec::from_iter(problem), ..Found::default() };
    let Some(member) = members.iter().find(|member| ends_in(&member.name, ".ovf")) else {
        return found.undescribed(&members, &source, chain);
    };
    let text = open_member(&source, member)?;
    let text = read_text(&*text.reader).map_err(|error| error.within(&member.name))?;
    let description = Description::parse(&text).map_err(|error| error.within(&member.name))?;
    found.problems.extend(contradiction(&source, &members, &member.name, &text));
    let archive = Archive::tar(&source, &members, &member.name, cut);
    found.described(&description, &archive, &source, chain)
}

/// The bytes of a description.
fn read_text(reader: &dyn ReadAt) -> Result<Vec<u8>> {
    if reader.len() > LONGEST {
        let why = format!("it has {} bytes; at most {LONGEST} are read", reader.len());
        return Err(Error::unsupported("OVF", why));
    }
    read_vec(reader, "OVF", 0, reader.len())
}

/// Why the description `text`, the member called `name`, is not the one of the archive's manifest.
fn contradiction(source: &Source, members: &[Member], name: &str, text: &[u8]) -> Option<Problem> {
    let wanted = manifest::name(name);
    let member = members.iter().rev().find(|member| member.name.eq_ignore_ascii_case(&wanted))?;
    let manifest = open_member(source, member).and_then(|manifest| {
        let length = manifest.reader.len().min(manifest::LONGEST);
        read_vec(&*manifest.reader, "OVF manifest", 0, length)
    });
    match manifest {
        Ok(manifest) => manifest::contradiction(&manifest, name, text),
        Err(error) => Some(error),
    }
}

fn ends_in(name: &str, ending: &str) -> bool {
    name.to_ascii_lowercase().ends_with(ending)
}

/// The disks found so far, and those that could not be opened.
#[derive(Default)]
struct Found {
    disks: Vec<Disk>,
    problems: Vec<Problem>,
}

impl Found {
    /// The disks that a description lists.
    fn described(
        mut self,
        description: &Description,
        archive: &Archive<'_>,
        source: &Source,
        chain: &Chain<'_>,
    ) -> Result<Vec<Disk>> {
        if description.disks.len() > MOST_DISKS {
            let count = description.disks.len();
            let why = format!("the machine has {count} disks; at most {MOST_DISKS} are read");
            return Err(Error::unsupported("OVF", why));
        }
        for disk in &description.disks {
            match described(disk, description, archive, source, chain) {
                Ok((name, disks)) => self.take(&name, disks),
                Err(problem) => self.problems.push(problem),
            }
        }
        self.finish("the description lists no disks")
    }

    /// The members that look like disks.
    fn undescribed(
        mut self,
        members: &[Member],
        source: &Source,
        chain: &Chain<'_>,
    ) -> Result<Vec<Disk>> {
        for member in members {
            if self.disks.len() > MOST_DISKS {
                break;
            }
            let named = ENDINGS.iter().any(|ending| ends_in(&member.name, ending));
            match open_member(source, member).and_then(|source| chain.member(source, None)) {
                Ok(disks) => {
                    let known = |disk: &Disk| {
                        disk.layers.first().is_some_and(|layer| layer.format != Format::Raw)
                    };
                    if named || disks.iter().any(known) {
                        self.take(&member.name, disks);
                    }
                }
                Err(problem) if named => self.problems.push(problem.within(&member.name)),
                Err(_) => {}
            }
        }
        if !self.disks.is_empty() {
            let why = "the archive has no description; these are the members that look like disks";
            self.problems.push(Error::not_found("OVF", why));
        }
        self.finish("the archive has no description, and no member that looks like a disk")
    }

    fn take(&mut self, name: &str, disks: Vec<Disk>) {
        self.disks.extend(disks.into_iter().map(|disk| Disk { name: name.to_owned(), ..disk }));
    }

    /// The disks, the first of which carries the problems of those that are missing.
    fn finish(mut self, none: &str) -> Result<Vec<Disk>> {
        match self.disks.first_mut() {
            Some(first) => {
                first.problems.append(&mut self.problems);
                Ok(self.disks)
            }
            None => Err(self.problems.pop().unwrap_or_else(|| Error::not_found("disks", none))),
        }
    }
}

/// One disk of a description, and the name of its file.
fn described(
    disk: &description::Disk,
    description: &Description,
    archive: &Archive<'_>,
    source: &Source,
    chain: &Chain<'_>,
) -> Result<(String, Vec<Disk>)> {
    if disk.parent_ref.is_some() {
        let why = "the description says it is the difference to another disk";
        return Err(Error::unsupported(format!("disk {:?}", disk.id), why));
    }
    let Some(id) = &disk.file_ref else {
        let capacity = disk.capacity().ok_or_else(|| {
            let why = "it has no file, and its capacity is not given in bytes";
            Error::unsupported(format!("disk {:?}", disk.id), why)
        })?;
        let zeros = Arc::new(Zeros(capacity));
        let empty = Disk::new(Format::Raw, source.location.clone(), zeros).detail("empty");
        return Ok((disk.id.clone(), vec![empty]));
    };
    let file = description.file(id).ok_or_else(|| {
        let why = format!("its file {id:?} is not among the references");
        Error::corrupt(format!("disk {:?}", disk.id), 0, why)
    })?;
    let disks = archive.open(file, disk.declared(), chain);
    Ok((file.href.clone(), disks.map_err(|error| error.within(&file.href))?))
}

#[cfg(test)]
mod tests {
    use super::tar::tests::member;
    use super::*;
    use crate::error::ErrorKind;
    use crate::location::Location;
    use crate::open::Opener;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive: Vec<u8> =
            members.iter().flat_map(|(name, bytes)| member(b'0', name.as_bytes(), bytes)).collect();
        archive.extend([0; 1024]);
        archive
    }

    fn xml(files: &str, disks: &str) -> String {
        format!("<E><References>{files}</References><DiskSection>{disks}</DiskSection></E>")
    }

    fn open_at(bytes: Vec<u8>, location: &Location) -> Result<Vec<Disk>> {
        Opener::new().open_reader(Arc::new(bytes), location)
    }

    fn open(members: &[(&str, &[u8])]) -> Result<Vec<Disk>> {
        open_at(archive(members), &Location::Path("dir/x.ova".into()))
    }

    fn bytes(disk: &Disk) -> Vec<u8> {
        let mut bytes = vec![0xEE; disk.reader.len() as usize];
        disk.reader.read_at(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn disks_come_in_the_order_of_the_description() {
        let xml = xml(
            "<File id='1' href='a'/><File id='2' href='b%20c'/><File id='3' href='../../etc/passwd'/>\
             <File id='4' href='d' size='5' chunkSize='3'/>",
            "<Disk diskId='z' fileRef='2'/><Disk diskId='y' fileRef='1'/><Disk fileRef='3'/>\
             <Disk capacity='9' diskId='w'/><Disk fileRef='4'/>",
        );
        let members: [(&str, &[u8]); 7] = [
            ("./a", b"old"),
            ("./m.ovf", xml.as_bytes()),
            ("./a", b"aaaa"),
            ("./b c", b"bb"),
            ("../../etc/passwd", b"inner"),
            ("d.000000000", b"123"),
            ("d.000000001", b"45"),
        ];
        let disks = open(&members).unwrap();
        let shown: Vec<_> = disks.iter().map(|disk| (disk.name.as_str(), bytes(disk))).collect();
        let wanted: [(&str, &[u8]); 5] = [
            ("b%20c", b"bb"),
            ("a", b"aaaa"),
            ("../../etc/passwd", b"inner"),
            ("w", &[0; 9]),
            ("d", b"12345"),
        ];
        assert_eq!(shown, wanted.map(|(name, bytes)| (name, bytes.to_vec())));
        assert!(disks.iter().all(|disk| disk.problems.is_empty()));
        assert_eq!(disks[1].layers[0].location.to_string(), "dir/x.ova/a");

        let url = Location::parse("https://user:secret@host/x.ova?token=secret");
        let disks = open_at(archive(&members), &url).unwrap();
        assert_eq!(disks[1].layers[0].location.to_string(), "https://host/x.ova/a");
    }

    #[test]
    fn an_archive_that_was_cut_is_corrupt_and_lacks_nothing() {
        let xml = xml("<File id='1' href='a%20b'/>", "<Disk fileRef='1'/>");
        let members: [(&str, &[u8]); 2] = [("m.ovf", xml.as_bytes()), ("a b", &[7; 2000])];
        let whole = archive(&members);
        let description = 512 + xml.len().next_multiple_of(512);
        for length in [description, description + 100, description + 512, description + 700] {
            let cut = whole[..length].to_vec();
            let error = open_at(cut, &Location::Path("x.ova".into())).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}: {error}");
            assert!(error.offset().is_some(), "{error}");
        }
        assert!(open_at(whole, &Location::Path("x.ova".into())).unwrap()[0].problems.is_empty());
        let lacking = open(&members[..1]).err().unwrap();
        assert_eq!(lacking.kind(), ErrorKind::NotFound, "{lacking}");
    }

    #[test]
    fn a_description_that_is_not_the_manifests_is_a_problem() {
        let xml = xml("<File id='1' href='a'/>", "<Disk fileRef='1'/>");
        for (name, manifest, problems) in [
            ("m.mf", "SHA1(m.ovf)= 00", 1),
            ("other.mf", "SHA1(m.ovf)= 00", 0),
            ("m.mf", "SHA1(a)= 00", 0),
        ] {
            let members: [(&str, &[u8]); 3] =
                [("m.ovf", xml.as_bytes()), (name, manifest.as_bytes()), ("a", b"disk")];
            let disks = open(&members).unwrap();
            assert_eq!(disks[0].problems.len(), problems, "{manifest} {:?}", disks[0].problems);
        }
    }

    #[test]
    fn a_disk_that_cannot_be_opened_is_a_problem_of_the_others() {
        for (file, disk, why) in [
            ("<File id='2' href='b' compression='gzip'/>", "<Disk fileRef='2'/>", "gzip"),
            ("<File id='2' href='b'/>", "<Disk fileRef='2' parentRef='x'/>", "difference"),
            ("<File id='2' href='c'/>", "<Disk fileRef='2'/>", "no such member"),
            ("<File id='2' href='b'/>", "<Disk fileRef='3'/>", "not among the references"),
            ("<File id='2' href='b' chunkSize='3'/>", "<Disk fileRef='2'/>", "sizes are not given"),
            (
                "<File id='2' href='b' chunkSize='1' size='9999'/>",
                "<Disk fileRef='2'/>",
                "9999 pieces",
            ),
            (
                "<File id='2' href='b' chunkSize='9' size='9'/>",
                "<Disk fileRef='2'/>",
                "b.000000000",
            ),
            ("<File id='2' href='d' chunkSize='9' size='9'/>", "<Disk fileRef='2'/>", "not 9"),
            ("", "<Disk capacity='5' capacityAllocationUnits='MegaBytes'/>", "capacity"),
            ("<File id='2' href='x.ova'/>", "<Disk fileRef='2'/>", "within another image"),
        ] {
            let one = xml(file, disk);
            let both = xml(
                &format!("{file}<File id='1' href='a'/>"),
                &format!("{disk}<Disk fileRef='1'/>"),
            );
            let inner = archive(&[("y", b"y")]);
            let members = |xml| -> [(&str, &[u8]); 5] {
                [("m.ovf", xml), ("a", b"a"), ("b", b"b"), ("d.000000000", b"d"), ("x.ova", &inner)]
            };
            let disks = open(&members(both.as_bytes())).unwrap();
            assert_eq!((disks.len(), disks[0].problems.len()), (1, 1), "{why}");
            assert!(disks[0].problems[0].to_string().contains(why), "{}", disks[0].problems[0]);
            let alone = open(&members(one.as_bytes())).err().unwrap();
            assert!(alone.to_string().contains(why), "{alone}");
        }
    }

    #[test]
    fn members_may_not_open_anything() {
        let text = "# Disk DescriptorFile\ncreateType=\"custom\"\nRW 1 FLAT \"a\" 0\n";
        let format = "x/vmdk.html#monolithicFlat";
        let xml =
            xml("<File id='1' href='t.vmdk'/>", &format!("<Disk fileRef='1' format='{format}'/>"));
        let members: [(&str, &[u8]); 3] =
            [("m.ovf", xml.as_bytes()), ("t.vmdk", text.as_bytes()), ("a", &[0; 512])];
        assert_eq!(open(&members).err().unwrap().kind(), ErrorKind::Refused);
        assert_eq!(open(&members[1..]).err().unwrap().kind(), ErrorKind::Refused);
    }

    #[test]
    fn without_a_description_disks_go_by_their_looks() {
        let mut vdi = vec![0; 512];
        vdi[0x40..0x44].copy_from_slice(&[0x7F, 0x10, 0xDA, 0xBE]);
        let members: [(&str, &[u8]); 4] =
            [("one.IMG", b"disk"), ("notes", b"text"), ("broken.vdi", &vdi), ("broken", &vdi)];
        let disks = open(&members).unwrap();
        assert_eq!((disks.len(), disks[0].name.as_str()), (1, "one.IMG"));
        assert_eq!(disks[0].problems.len(), 2, "{:?}", disks[0].problems);
        assert_eq!(open(&members[1..2]).err().unwrap().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_description_beside_its_disks_passes_the_gate() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.ovf");
        let text = xml(
            "<File id='1' href='the%20disk'/><File id='2' href='../x'/><File id='3' href='m.ovf'/>",
            "<Disk fileRef='1'/><Disk fileRef='2'/><Disk fileRef='3'/>",
        );
        std::fs::write(&path, &text).unwrap();
        std::fs::write(directory.path().join("the disk"), b"bytes").unwrap();
        let disks = Opener::new().open(&Location::Path(path.clone())).unwrap();
        assert_eq!((disks.len(), bytes(&disks[0])), (1, b"bytes".to_vec()));
        let kinds: Vec<_> = disks[0].problems.iter().map(Error::kind).collect();
        assert_eq!(kinds, [ErrorKind::Refused, ErrorKind::Unsupported]);
        let location = Location::Path(path);
        let many = xml("", &"<Disk capacity='1'/>".repeat(MOST_DISKS + 1));
        for (text, kind) in [
            (xml("", ""), ErrorKind::NotFound),
            (many, ErrorKind::Unsupported),
            (" ".repeat(LONGEST as usize + 1), ErrorKind::Unsupported),
            ("<E><".into(), ErrorKind::Corrupt),
        ] {
            assert_eq!(open_at(text.into_bytes(), &location).err().unwrap().kind(), kind);
        }
    }
}
