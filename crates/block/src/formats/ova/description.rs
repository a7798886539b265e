//! The description: an XML document that says which files of the archive are the machine's disks.
//!
//! `References` lists files by an id; `DiskSection` lists disks, each of which names its file by that
//! id. Nothing else is looked at. Names are compared without their namespaces, because their
//! prefixes are the author's choice. Entities other than XML's own five are never expanded.
//!
//! *Open Virtualization Format Specification*, DMTF DSP0243, 7.1 and 9.1.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::error::{Error, Result};
use crate::formats::Format;

/// The longest description that is read.
pub(super) const LONGEST: u64 = 4 << 20;

/// The most files and disks that are read of a description.
const MOST: usize = 1024;

/// What a description says of the machine's disks.
#[derive(Debug, Default)]
pub(super) struct Description {
    files: Vec<File>,
    pub(super) disks: Vec<Disk>,
}

/// A file that the description refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct File {
    id: String,
    /// Its name, relative to the description.
    pub(super) href: String,
    pub(super) size: Option<u64>,
    /// How it is compressed; empty if it is not.
    pub(super) compression: String,
    /// How long its pieces are, where it is split.
    pub(super) chunk_size: Option<u64>,
}

/// A disk of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Disk {
    pub(super) id: String,
    /// The id of its file; none where the disk is empty.
    pub(super) file_ref: Option<String>,
    /// The id of the disk that it is a difference to.
    pub(super) parent_ref: Option<String>,
    /// The address of its format's specification.
    pub(super) format: String,
    capacity: Option<u64>,
    units: String,
}

impl Description {
    pub(super) fn parse(xml: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        let mut reader = Reader::from_reader(xml);
        reader.config_mut().check_end_names = false;
        loop {
            let at = reader.buffer_position();
            match reader.read_event() {
                Ok(Event::Start(element) | Event::Empty(element)) => found.element(&element, at)?,
                Ok(Event::Eof) => return Ok(found),
                Ok(_) => {}
                Err(error) => return Err(Error::corrupt("OVF", at, error.to_string())),
            }
            if found.files.len() > MOST || found.disks.len() > MOST {
                let why = format!("it lists more than {MOST} files or disks");
                return Err(Error::unsupported("OVF", why));
            }
        }
    }

    fn element(&mut self, element: &BytesStart<'_>, at: u64) -> Result<()> {
        match element.local_name().as_ref() {
            "File" => {
                let mut file = File::default();
                attributes(element, at, |key, value| match key {
                    "id" => file.id = value,
                    "href" => file.href = value,
                    "size" => file.size = value.trim().parse().ok(),
                    "compression" => file.compression = value,
                    "chunkSize" => file.chunk_size = value.trim().parse().ok(),
                    _ => {}
                })?;
                self.files.push(file);
            }
            "Disk" => {
                let mut disk = Disk::default();
                attributes(element, at, |key, value| match key {
                    "diskId" => disk.id = value,
                    "fileRef" => disk.file_ref = Some(value).filter(|value| !value.is_empty()),
                    "parentRef" => disk.parent_ref = Some(value),
                    "format" => disk.format = value,
                    "capacity" => disk.capacity = value.trim().parse().ok(),
                    "capacityAllocationUnits" => disk.units = value,
                    _ => {}
                })?;
                self.disks.push(disk);
            }
            _ => {}
        }
        Ok(())
    }

    /// The file with this id.
    pub(super) fn file(&self, id: &str) -> Option<&File> {
        self.files.iter().find(|file| file.id == id)
    }
}

/// Calls `take` with every attribute's local name and value.
fn attributes(element: &BytesStart<'_>, at: u64, mut take: impl FnMut(&str, String)) -> Result<()> {
    // The search for duplicates compares each with all before it: hours, for a hostile element.
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| Error::corrupt("OVF", at, error.to_string()))?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| Error::corrupt("OVF", at, error.to_string()))?;
        take(attribute.key.local_name().as_ref(), value.into_owned());
    }
    Ok(())
}

impl File {
    /// How many pieces it is split into, and so how they are named.
    pub(super) fn chunks(&self) -> Option<(u64, u64)> {
        let size = self.chunk_size.filter(|size| *size > 0)?;
        Some((size, self.size?.div_ceil(size)))
    }
}

impl Disk {
    /// The container format that it says it has, where that is one we know.
    pub(super) fn declared(&self) -> Option<Format> {
        let format = self.format.to_ascii_lowercase();
        let known = [
            ("vmdk", Format::Vmdk),
            ("qcow", Format::Qcow2),
            ("vhdx", Format::Vhdx),
            // Microsoft's short link to its specification.
            ("linkid=137171", Format::Vhd),
            ("vhd", Format::Vhd),
            ("vdi", Format::Vdi),
        ];
        known.iter().find(|(part, _)| format.contains(part)).map(|(_, format)| *format)
    }

    /// Its size in bytes: a number of units such as `byte * 2^30`.
    pub(super) fn capacity(&self) -> Option<u64> {
        let units: String = self.units.chars().filter(|c| !c.is_whitespace()).collect();
        let factor = match units.strip_prefix("byte") {
            Some("") => 1,
            None if units.is_empty() => 1,
            Some(power) => {
                let (base, exponent) = power.strip_prefix('*')?.split_once('^')?;
                base.parse::<u64>().ok()?.checked_pow(exponent.parse().ok()?)?
            }
            None => return None,
        };
        self.capacity?.checked_mul(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>
        <ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
          <ovf:References>
            <ovf:File ovf:id="f1" ovf:href="a &amp; b.vmdk" ovf:size="1000"/>
            <File id="f2" href="c.vmdk" compression="gzip" chunkSize="300" size="1000"></File>
          </ovf:References>
          <ovf:DiskSection><Info>Disks</Info>
            <ovf:Disk ovf:capacity="40" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="d1"
              ovf:fileRef="f1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
            <Disk capacity="7" diskId="d2" parentRef="d1" fileRef=""/>
          </ovf:DiskSection>
        </ovf:Envelope>"#;

    #[test]
    fn files_and_disks_are_found_whatever_their_prefix() {
        let description = Description::parse(XML.as_bytes()).unwrap();
        let [first, second] = description.disks.as_slice() else { panic!() };
        assert_eq!(first.capacity(), Some(40 << 30));
        assert_eq!(first.declared(), Some(Format::Vmdk));
        let file = description.file(first.file_ref.as_deref().unwrap()).unwrap();
        assert_eq!(
            (file.href.as_str(), file.size, file.chunks()),
            ("a & b.vmdk", Some(1000), None)
        );
        assert_eq!((second.capacity(), second.declared()), (Some(7), None));
        assert_eq!((second.file_ref.as_deref(), second.parent_ref.as_deref()), (None, Some("d1")));
        let file = description.file("f2").unwrap();
        assert_eq!((file.compression.as_str(), file.chunks()), ("gzip", Some((300, 4))));
        assert!(description.file("f3").is_none());
    }

    #[test]
    fn what_is_no_description_is_an_error_or_empty() {
        for xml in ["<File id=\"&a;\"/>", "<File id=\"", "<a><!-- ", "<File id=1/>"] {
            assert!(Description::parse(xml.as_bytes()).is_err(), "{xml}");
        }
        assert!(Description::parse(b"").unwrap().disks.is_empty());
        assert!(Description::parse("<Disk/>".repeat(MOST + 1).as_bytes()).is_err());
        // As deep and as wide as it likes: nothing here recurses, or compares all with all.
        let wide = format!("<File {}/>", "id='' ".repeat(500_000));
        assert_eq!(Description::parse(wide.as_bytes()).unwrap().files.len(), 1);
        assert!(Description::parse("<a>".repeat(500_000).as_bytes()).unwrap().disks.is_empty());
    }

    #[test]
    fn units_are_a_power_of_something() {
        let capacity = |capacity, units: &str| {
            Disk { capacity, units: units.into(), ..Disk::default() }.capacity()
        };
        assert_eq!(capacity(Some(3), "byte*10^3"), Some(3000));
        assert_eq!(capacity(Some(3), "byte"), Some(3));
        for units in ["GigaBytes", "byte * 2", "byte * 2^x", "byte * 2^64", "byte + 2^3"] {
            assert_eq!(capacity(Some(3), units), None, "{units}");
        }
        assert_eq!(capacity(Some(u64::MAX), "byte * 2^1"), None);
        assert_eq!(capacity(None, ""), None);
    }
}
