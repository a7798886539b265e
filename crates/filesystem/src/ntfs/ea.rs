//! $EA: extended attributes of the old kind, in which the Windows Subsystem for Linux keeps what
//! Unix has and Windows has not.

use fathom_block::{Fields, Result};

/// The longest list; Windows has the same limit.
pub(super) const MAX_LENGTH: u64 = 64 << 10;

/// What Unix knows of a file, as far as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unix {
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mode: Option<u32>,
    pub(super) device: Option<(u32, u32)>,
}

impl Unix {
    /// What the list tells.
    pub(super) fn parse(list: &Fields<'_>) -> Result<Self> {
        let mut unix = Self::default();
        let mut at = 0;
        while at < list.len() {
            let next = list.le_u32(at)? as usize;
            let name_length = usize::from(list.u8(at + 5)?);
            let name = list.bytes(at + 8, name_length)?;
            let value = at + 8 + name_length + 1;
            let number = |index: usize| list.le_u32(value + 4 * index);
            match name {
                b"$LXUID" => unix.uid = Some(number(0)?),
                b"$LXGID" => unix.gid = Some(number(0)?),
                b"$LXMOD" => unix.mode = Some(number(0)?),
                b"$LXDEV" => unix.device = Some((number(0)?, number(1)?)),
                _ => {}
            }
            match next {
                0 => break,
                9.. => at = at.saturating_add(next),
                _ => return Err(list.corrupt(at, format!("the next attribute is {next} bytes on"))),
            }
        }
        Ok(unix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(next: u32, name: &str, value: &[u8]) -> Vec<u8> {
        let mut bytes = next.to_le_bytes().to_vec();
        bytes.extend([0, name.len() as u8]);
        bytes.extend((value.len() as u16).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(value);
        bytes
    }

    #[test]
    fn what_linux_keeps_is_found_among_the_rest() {
        let mut list = attribute(20, "OTHER", &[1]);
        list.resize(20, 0);
        list.extend(attribute(20, "$LXUID", &1000u32.to_le_bytes()));
        list.resize(40, 0);
        list.extend(attribute(0, "$LXDEV", &[1, 0, 0, 0, 3, 0, 0, 0]));
        let unix = Unix::parse(&Fields::new("EA", 0, &list)).unwrap();
        assert_eq!((unix.uid, unix.device, unix.mode), (Some(1000), Some((1, 3)), None));
    }

    #[test]
    fn nonsense_is_corrupt() {
        let short = attribute(0, "$LXUID", &[1]);
        assert!(Unix::parse(&Fields::new("EA", 0, &short)).is_err());
        let stuck = attribute(1, "X", &[1]);
        assert!(Unix::parse(&Fields::new("EA", 0, &stuck)).is_err());
    }
}
