//! $UpCase: which characters are the same but for their case. Names are ordered by it.

use std::cmp::Ordering;

use fathom_block::{Error, ReadAt, Result, read_vec};

use crate::utf16;

/// How long the file is: a capital for every UTF-16 unit.
const LENGTH: u64 = 2 << 16;

/// The capital of every UTF-16 unit.
pub(super) struct UpCase {
    capitals: Vec<u16>,
    /// It is the volume's own, by which the names were ordered.
    own: bool,
}

impl UpCase {
    /// The table in the file, if it can be the one that the volume was formatted with.
    pub(super) fn read(file: &dyn ReadAt) -> Result<Self> {
        if file.len() != LENGTH {
            let why = format!("it has {} bytes, not {LENGTH}", file.len());
            return Err(Error::corrupt("table of capitals", 0, why));
        }
        let bytes = read_vec(file, "table of capitals", 0, LENGTH)?;
        let capitals: Vec<u16> = utf16::units(&bytes).collect();
        let capital = |unit: u16| capitals.get(usize::from(unit)).copied().unwrap_or_default();
        let wrong = (0..=u16::MAX).find(|unit| {
            let own = capital(*unit);
            !plausible(*unit, own) || capital(own) != own
        });
        if let Some(unit) = wrong {
            let why =
                format!("U+{:04X} for U+{unit:04X}, which Windows never wrote", capital(unit));
            return Err(Error::corrupt("table of capitals", u64::from(unit) * 2, why));
        }
        Ok(Self { capitals, own: true })
    }

    /// What Unicode says, for a volume whose own table cannot be read.
    pub(super) fn unicode() -> Self {
        let capital = |unit: u16| single(char::from_u32(unit.into())?.to_uppercase());
        Self {
            capitals: (0..=u16::MAX).map(|unit| capital(unit).unwrap_or(unit)).collect(),
            own: false,
        }
    }

    /// Whether the volume's names are ordered by this table. Where they may be ordered by another,
    /// a name can stand elsewhere than it is looked for.
    pub(super) fn is_own(&self) -> bool {
        self.own
    }

    /// The order of two names, case aside.
    pub(super) fn compare(
        &self,
        a: impl Iterator<Item = u16>,
        b: impl Iterator<Item = u16>,
    ) -> Ordering {
        let capital = |unit: u16| self.capitals.get(usize::from(unit)).copied().unwrap_or(unit);
        a.map(capital).cmp(b.map(capital))
    }
}

/// The character that these are, if they are one and a single unit.
fn single(mut characters: impl Iterator<Item = char>) -> Option<u16> {
    let first = characters.next()?;
    characters.next().is_none().then(|| u16::try_from(u32::from(first)).ok()).flatten()
}

/// Whether some Windows could have written `capital` for `unit`. ASCII has never changed, and
/// drivers insist on it. Elsewhere each version knows the capitals that Unicode had in its time:
/// they are Unicode's or none. Vista also has a few pairs the wrong way round.
fn plausible(unit: u16, capital: u16) -> bool {
    if let Ok(ascii) = u8::try_from(unit)
        && ascii.is_ascii()
    {
        return capital == u16::from(ascii.to_ascii_uppercase());
    }
    let small = |unit: u16| single(char::from_u32(unit.into())?.to_lowercase());
    let large = |unit: u16| single(char::from_u32(unit.into())?.to_uppercase());
    unit == capital
        || large(unit) == Some(capital)
        || small(capital) == Some(unit)
        || small(unit) == Some(capital)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case() {
        let table = UpCase::unicode();
        let order = |a: &str, b: &str| table.compare(a.encode_utf16(), b.encode_utf16());
        assert_eq!(order("Straße.É", "sTRAße.é"), Ordering::Equal);
        assert_eq!(order("a", "B"), Ordering::Less);
        assert_eq!(order("ab", "A"), Ordering::Greater);
        assert_eq!(order("_", "a"), Ordering::Greater, "the underscore is after the capitals");
    }

    fn file(change: impl Fn(u16, u16) -> u16) -> Vec<u8> {
        let capitals = UpCase::unicode().capitals;
        (0..=u16::MAX)
            .flat_map(|unit| change(unit, capitals[usize::from(unit)]).to_le_bytes())
            .collect()
    }

    #[test]
    fn tables_that_windows_wrote_are_believed() {
        assert!(UpCase::read(&file(|_, capital| capital)).unwrap().is_own());
        // An old one that knows Latin 1 alone, and what is peculiar to later ones.
        let old = |unit, capital| if unit < 0xFF { capital } else { unit };
        let old = |unit, capital| if unit == 0xB5 { unit } else { old(unit, capital) };
        assert!(UpCase::read(&file(old)).is_ok());
        let vista = |unit, capital| match unit {
            0x023A => 0x2C65,
            0x1F80..0x1F88 => unit + 8,
            0x1FCC => 0x1FC3,
            0x2C65 => unit,
            _ => capital,
        };
        assert!(UpCase::read(&file(vista)).is_ok());
    }

    #[test]
    fn a_table_that_cannot_be_right_is_refused() {
        let whole = file(|_, capital| capital);
        for length in [0, 196, whole.len() - 2] {
            assert!(UpCase::read(&whole[..length].to_vec()).is_err(), "{length}");
        }
        for block in 0..128 {
            let mut damaged = whole.clone();
            damaged[block * 1024..][..1024].fill(0);
            assert!(UpCase::read(&damaged).is_err(), "block {block} is zeros");
        }
        for (unit, capital) in [(0x61, 0x61), (0x41, 0x61), (0x7F, 0), (0xE0, 0xC1), (0xC0, 0xE0)] {
            let damaged = file(|at, known| if at == unit { capital } else { known });
            assert!(UpCase::read(&damaged).is_err(), "{unit:#x}");
        }
    }
}
