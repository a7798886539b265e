//! ELF: the table of sections, and where that was stripped, the segments.

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

use super::{Section, fixed};

/// How many headers of sections or segments are read.
const MAX_HEADERS: u64 = 1 << 16;

/// The longest table of names that is read.
const MAX_NAMES: u64 = 4 << 20;

const NOBITS: u32 = 8;
const WRITE: u64 = 1;
const LOAD: u32 = 1;
const WRITABLE: u32 = 2;

/// Numbers in the byte order and width of the file.
struct Numbers<'a> {
    fields: Fields<'a>,
    big: bool,
    wide: bool,
}

impl Numbers<'_> {
    fn half(&self, at: usize) -> Result<u16> {
        if self.big { self.fields.be_u16(at) } else { self.fields.le_u16(at) }
    }

    fn word(&self, at: usize) -> Result<u32> {
        if self.big { self.fields.be_u32(at) } else { self.fields.le_u32(at) }
    }

    /// A place or a size: at `wide` in files of 64 bits, at `narrow` in those of 32.
    fn place(&self, narrow: usize, wide: usize) -> Result<u64> {
        match (self.wide, self.big) {
            (false, _) => self.word(narrow).map(u64::from),
            (true, true) => self.fields.be_u64(wide),
            (true, false) => self.fields.le_u64(wide),
        }
    }

    fn of<'a>(&self, fields: Fields<'a>) -> Numbers<'a> {
        Numbers { fields, big: self.big, wide: self.wide }
    }
}

/// The sections with their names, or the segments without; and whether there are names.
pub(super) fn sections(reader: &dyn ReadAt, head: &[u8]) -> Result<(Vec<Section>, bool)> {
    let header = Fields::new("ELF header", 0, head);
    let header = Numbers { big: header.u8(5)? == 2, wide: header.u8(4)? == 2, fields: header };
    let e_shoff = header.place(0x20, 0x28)?;
    if e_shoff == 0 {
        return Ok((segments(reader, &header)?, false));
    }
    let at = |narrow: usize, wide: usize| header.half(if header.wide { wide } else { narrow });
    let (e_shentsize, e_shnum) = (at(0x2E, 0x3A)?, at(0x30, 0x3C)?);
    let e_shstrndx = at(0x32, 0x3E)?;
    let size = if header.wide { 64 } else { 40 };
    if usize::from(e_shentsize) != size {
        let why = format!("headers of sections have {e_shentsize} bytes");
        return Err(Error::corrupt("ELF header", 0, why));
    }
    let mut count = u64::from(e_shnum);
    if count == 0 {
        // So many that the field has no room: the first section has the number.
        let first = read_vec(reader, "section", e_shoff, size as u64)?;
        count = header.of(Fields::new("section", e_shoff, &first)).place(0x14, 0x20)?;
    }
    if count > MAX_HEADERS {
        return Err(Error::unsupported("ELF header", format!("there are {count} sections")));
    }
    let table = read_vec(reader, "table of sections", e_shoff, count * size as u64)?;
    let table = Fields::new("table of sections", e_shoff, &table);
    let mut named = Vec::new();
    let mut sections = Vec::new();
    for index in 0..count as usize {
        let one = header.of(table.part("section", index * size, size)?);
        named.push(one.word(0)? as usize);
        let is_there = one.word(4)? != NOBITS;
        sections.push(Section {
            name: String::new(),
            address: one.place(0x0C, 0x10)?,
            offset: one.place(0x10, 0x18)?,
            size: if is_there { one.place(0x14, 0x20)? } else { 0 },
            writable: is_there && one.place(0x08, 0x08)? & WRITE != 0,
        });
    }
    let Some(names) = sections.get(usize::from(e_shstrndx)).filter(|names| names.size > 0) else {
        return Ok((sections, false));
    };
    if names.size > MAX_NAMES {
        return Err(Error::unsupported("ELF header", "its sections have too long names"));
    }
    let names = read_vec(reader, "names of sections", names.offset, names.size)?;
    for (section, at) in sections.iter_mut().zip(named) {
        // None of the names that are looked for is as long.
        let name = names.get(at..).unwrap_or_default();
        section.name = fixed(&name[..name.len().min(64)]);
    }
    Ok((sections, true))
}

fn segments(reader: &dyn ReadAt, header: &Numbers<'_>) -> Result<Vec<Section>> {
    let e_phoff = header.place(0x1C, 0x20)?;
    let at = |narrow: usize, wide: usize| header.half(if header.wide { wide } else { narrow });
    let (e_phentsize, e_phnum) = (at(0x2A, 0x36)?, at(0x2C, 0x38)?);
    let size = if header.wide { 56 } else { 32 };
    if e_phnum == 0 {
        return Ok(Vec::new());
    }
    if usize::from(e_phentsize) != size {
        let why = format!("headers of segments have {e_phentsize} bytes");
        return Err(Error::corrupt("ELF header", 0, why));
    }
    let table = read_vec(reader, "table of segments", e_phoff, u64::from(e_phnum) * size as u64)?;
    let table = Fields::new("table of segments", e_phoff, &table);
    let mut segments = Vec::new();
    for index in 0..usize::from(e_phnum) {
        let one = header.of(table.part("segment", index * size, size)?);
        if one.word(0)? != LOAD {
            continue;
        }
        let flags = one.word(if header.wide { 4 } else { 24 })?;
        segments.push(Section {
            name: String::new(),
            address: one.place(0x08, 0x10)?,
            offset: one.place(0x04, 0x08)?,
            size: one.place(0x10, 0x20)?,
            writable: flags & WRITABLE != 0,
        });
    }
    Ok(segments)
}
