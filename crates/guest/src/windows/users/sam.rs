//! The records of accounts and groups in SAM. Microsoft does not publish them; these are the places
//! that everybody who reads them agrees on. No hash is ever read: only how long its entry is, and
//! which of its two forms it has.

use fathom_block::{Error, Fields, Result};

use super::super::sid;

/// The texts and hashes of an account lie behind this many bytes of places.
const V_HEADER: usize = 0xCC;
/// The texts and members of a group lie behind this many.
const C_HEADER: usize = 0x34;
/// More members than this has no local group.
const MAX_MEMBERS: usize = 10_000;

/// What is fixed in size of an account: its value `F`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    pub(super) last_login: u64,
    pub(super) password_last_set: u64,
    pub(super) relative_id: u32,
    pub(super) primary_group: u32,
    pub(super) control: Control,
}

/// Bits that say what holds for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Control(pub(super) u32);

impl Control {
    const DISABLED: u32 = 0x1;
    const PASSWORD_NOT_REQUIRED: u32 = 0x4;
    const PASSWORD_NEVER_EXPIRES: u32 = 0x200;
    const LOCKED_OUT: u32 = 0x400;
    const SMART_CARD_REQUIRED: u32 = 0x1000;

    pub(super) fn is_disabled(self) -> bool {
        self.0 & Self::DISABLED != 0
    }

    pub(super) fn is_locked_out(self) -> bool {
        self.0 & Self::LOCKED_OUT != 0
    }

    /// In words.
    pub(super) fn states(self) -> Vec<String> {
        [
            (Self::DISABLED, "disabled"),
            (Self::LOCKED_OUT, "locked-out"),
            (Self::PASSWORD_NOT_REQUIRED, "password-not-required"),
            (Self::PASSWORD_NEVER_EXPIRES, "password-never-expires"),
            (Self::SMART_CARD_REQUIRED, "smart-card-required"),
        ]
        .into_iter()
        .filter(|(bit, _)| self.0 & bit != 0)
        .map(|(_, name)| name.to_owned())
        .collect()
    }
}

impl Fixed {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let fields = Fields::new("value F of an account", 0, bytes);
        Ok(Self {
            last_login: fields.le_u64(0x08)?,
            password_last_set: fields.le_u64(0x18)?,
            relative_id: fields.le_u32(0x30)?,
            primary_group: fields.le_u32(0x34)?,
            control: Control(fields.le_u32(0x38)?),
        })
    }
}

/// What varies in size of an account: its value `V`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) full_name: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) home: Option<String>,
    pub(super) has_lm_hash: bool,
    pub(super) has_nt_hash: bool,
}

impl Variable {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let fields = Fields::new("value V of an account", 0, bytes);
        let text = |at| text(&fields, at, V_HEADER);
        let some = |text: String| (!text.is_empty()).then_some(text);
        Ok(Self {
            name: text(0x0C)?,
            full_name: some(text(0x18)?),
            comment: some(text(0x24)?),
            home: some(text(0x48)?),
            has_lm_hash: has_hash(&fields, 0x9C)?,
            has_nt_hash: has_hash(&fields, 0xA8)?,
        })
    }
}

/// The bytes that the entry at `at` leads to.
fn entry<'a>(fields: &Fields<'a>, at: usize, header: usize) -> Result<&'a [u8]> {
    let (offset, length) = (fields.le_u32(at)? as usize, fields.le_u32(at + 4)? as usize);
    if length == 0 {
        return Ok(&[]);
    }
    let start = header.checked_add(offset);
    let start = start.ok_or_else(|| fields.corrupt(at, "it leads beyond all bytes"))?;
    fields.bytes(start, length)
}

fn text(fields: &Fields<'_>, at: usize, header: usize) -> Result<String> {
    let bytes = entry(fields, at, header)?;
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(fields.corrupt(at, format!("a text of {} bytes", bytes.len())));
    }
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    Ok(String::from_utf16_lossy(&units))
}

/// Whether there is a hash. An entry is a head and the encrypted hash: four bytes and sixteen (RC4),
/// or twenty-four and thirty-two (AES, since Windows 10 1607). Where there is no hash, the head stands
/// alone, or nothing at all.
fn has_hash(fields: &Fields<'_>, at: usize) -> Result<bool> {
    let bytes = entry(fields, at, V_HEADER)?;
    // What follows the head in an entry is the secret; it is not looked at.
    match (bytes.len(), bytes.get(2..4)) {
        (0 | 4, _) => Ok(false),
        (20, _) => Ok(true),
        (24, Some([2, 0])) => Ok(false),
        (length, Some([2, 0])) if length > 24 => Ok(true),
        (length, _) => Err(fields.corrupt(at, format!("a hash of {length} bytes"))),
    }
}

/// A local group: its value `C`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alias {
    pub(super) relative_id: u32,
    pub(super) name: String,
    /// Security identifiers.
    pub(super) members: Vec<String>,
}

impl Alias {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let fields = Fields::new("value C of a group", 0, bytes);
        let count = fields.le_u32(0x30)? as usize;
        let mut rest = entry(&fields, 0x28, C_HEADER)?;
        if count > MAX_MEMBERS {
            return Err(fields.corrupt(0x30, format!("{count} members are claimed")));
        }
        let mut members = Vec::new();
        for _ in 0..count {
            let Some((member, length)) = sid::read(rest) else {
                let why = format!("{count} members are claimed; there are {}", members.len());
                return Err(fields.corrupt(0x28, why));
            };
            members.push(member);
            rest = &rest[length..];
        }
        Ok(Self { relative_id: fields.le_u32(0)?, name: text(&fields, 0x10, C_HEADER)?, members })
    }
}

/// The identifier that those of all accounts of the machine begin with. It stands at the end of the
/// value `V` of their domain.
pub(super) fn machine(bytes: &[u8]) -> Result<String> {
    /// `S-1-5-21-` and three numbers.
    const LENGTH: usize = 24;
    let what = "value V of the accounts";
    let tail = bytes.len().checked_sub(LENGTH).and_then(|start| bytes.get(start..));
    match tail.and_then(sid::read) {
        Some((sid, LENGTH)) if sid.starts_with("S-1-5-21-") => Ok(sid),
        _ => Err(Error::corrupt(what, 0, "it does not end in the identifier of a machine")),
    }
}

/// What is asked of passwords: the value `F` of the domain of the machine's accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) max_age: i64,
    pub(super) min_age: i64,
    pub(super) lockout_duration: i64,
    pub(super) lockout_window: i64,
    pub(super) properties: u32,
    pub(super) min_length: u16,
    pub(super) history: u16,
    pub(super) lockout_threshold: u16,
}

impl Policy {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let fields = Fields::new("value F of the accounts", 0, bytes);
        let interval = |at| fields.le_u64(at).map(u64::cast_signed);
        Ok(Self {
            max_age: interval(0x18)?,
            min_age: interval(0x20)?,
            lockout_duration: interval(0x30)?,
            lockout_window: interval(0x38)?,
            properties: fields.le_u32(0x4C)?,
            min_length: fields.le_u16(0x50)?,
            history: fields.le_u16(0x52)?,
            lockout_threshold: fields.le_u16(0x54)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// A record of places and what lies there.
    fn record(header: usize, entries: &[(usize, Vec<u8>)]) -> Vec<u8> {
        let mut record = vec![0; header];
        for (at, bytes) in entries {
            let offset = (record.len() - header) as u32;
            record[*at..at + 4].copy_from_slice(&offset.to_le_bytes());
            record[at + 4..at + 8].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
            record.extend(bytes);
        }
        record
    }

    #[test]
    fn an_account() {
        let hash = |revision: u8, length: usize| {
            let mut hash = vec![0xEE; length];
            hash[..4].copy_from_slice(&[1, 0, revision, 0]);
            hash
        };
        let account = |lm: Vec<u8>, nt: Vec<u8>| {
            let entries = [
                (0x0C, utf16("Ünï")),
                (0x18, utf16("Full Name")),
                (0x48, Vec::new()),
                (0x9C, lm),
                (0xA8, nt),
            ];
            Variable::read(&record(V_HEADER, &entries)).unwrap()
        };
        let both = account(hash(1, 20), hash(2, 56));
        assert_eq!((both.name.as_str(), both.full_name.as_deref()), ("Ünï", Some("Full Name")));
        assert!(both.has_lm_hash && both.has_nt_hash && both.home.is_none());
        let none = account(hash(1, 4), hash(2, 24));
        assert!(!none.has_lm_hash && !none.has_nt_hash);
        let odd = record(V_HEADER, &[(0xA8, hash(1, 19))]);
        assert!(Variable::read(&odd).unwrap_err().to_string().contains("a hash of 19 bytes"));
    }

    #[test]
    fn bits_of_an_account() {
        let mut bytes = vec![0; 80];
        bytes[0x30] = 0xF4;
        bytes[0x38..0x3A].copy_from_slice(&0x0615_u16.to_le_bytes());
        let fixed = Fixed::read(&bytes).unwrap();
        assert_eq!(fixed.relative_id, 244);
        let states = ["disabled", "locked-out", "password-not-required", "password-never-expires"];
        assert_eq!(fixed.control.states(), states);
        assert!(Fixed::read(&bytes[..0x3B]).is_err());
    }

    #[test]
    fn a_group() {
        let member = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        let mut group = record(C_HEADER, &[(0x10, utf16("Users")), (0x28, member.repeat(2))]);
        group[0] = 0x21;
        group[0x30] = 2;
        let alias = Alias::read(&group).unwrap();
        assert_eq!((alias.name.as_str(), alias.relative_id), ("Users", 0x21));
        assert_eq!(alias.members, ["S-1-5-32-544"; 2]);
        group[0x30] = 3;
        assert!(Alias::read(&group).unwrap_err().to_string().contains("there are 2"));
        group[0x33] = 0x7F;
        assert!(Alias::read(&group).is_err());
    }

    #[test]
    fn records_that_lie() {
        for at in (0..V_HEADER - 4).step_by(4) {
            let mut account = record(V_HEADER, &[(0x0C, utf16("a"))]);
            account[at..at + 4].copy_from_slice(&[0xFF; 4]);
            let _ = Variable::read(&account);
        }
        assert!(Variable::read(&[]).is_err() && Alias::read(&[0; 0x33]).is_err());
        assert!(machine(&[0; 23]).is_err() && machine(&[0; 64]).is_err());
        assert!(Policy::read(&[0; 0x55]).is_err());
    }
}
