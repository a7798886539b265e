//! Mach-O: programs of macOS, of one architecture.

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

use super::{Section, fixed};

const SEGMENT: u32 = 1;
const SEGMENT_64: u32 = 0x19;

/// How many bytes of commands are read.
const MAX_COMMANDS: u64 = 1 << 20;

/// The sections of all segments.
pub(super) fn sections(reader: &dyn ReadAt, head: &[u8]) -> Result<Vec<Section>> {
    let header = Fields::new("Mach-O header", 0, head);
    let start = if header.u8(0)? == 0xCF { 32 } else { 28 };
    let (count, length) = (header.le_u32(16)?, u64::from(header.le_u32(20)?));
    if length > MAX_COMMANDS {
        return Err(Error::unsupported("Mach-O header", format!("it has {length} bytes")));
    }
    let commands = read_vec(reader, "load commands", start, length)?;
    let commands = Fields::new("load commands", start, &commands);
    let (mut sections, mut at) = (Vec::new(), 0);
    for _ in 0..count {
        if at >= commands.len() {
            break;
        }
        let (kind, size) = (commands.le_u32(at)?, commands.le_u32(at + 4)? as usize);
        if size < 8 {
            return Err(commands.corrupt(at, "a command of no length"));
        }
        let command = commands.part("load command", at, size)?;
        match kind {
            SEGMENT_64 => of_segment(&command, true, &mut sections)?,
            SEGMENT => of_segment(&command, false, &mut sections)?,
            _ => {}
        }
        at += size;
    }
    Ok(sections)
}

fn of_segment(command: &Fields<'_>, wide: bool, sections: &mut Vec<Section>) -> Result<()> {
    let (header, size) = if wide { (72, 80) } else { (56, 68) };
    let count = command.le_u32(header - 8)? as usize;
    // Of the protections that the segment begins with, the second is to write.
    let writable = command.le_u32(header - 12)? & 2 != 0;
    if count > command.len() / size {
        return Err(command.corrupt(header - 8, format!("{count} sections are claimed")));
    }
    for index in 0..count {
        let one = command.part("section", header + index * size, size)?;
        let (address, length, offset) = match wide {
            true => (one.le_u64(32)?, one.le_u64(40)?, one.le_u32(48)?),
            false => (one.le_u32(32)?.into(), one.le_u32(36)?.into(), one.le_u32(40)?),
        };
        // What is all zeros has no bytes in the file.
        let size = if offset == 0 { 0 } else { length };
        let name = fixed(one.bytes(0, 16)?);
        sections.push(Section { name, address, offset: offset.into(), size, writable });
    }
    Ok(())
}
