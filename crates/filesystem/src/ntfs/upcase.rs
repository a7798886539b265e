//! $UpCase: which characters are the same but for their case. Names are ordered by it.

use std::cmp::Ordering;

use fathom_block::{ReadAt, Result, read_vec};

use crate::utf16;

/// The capital of every UTF-16 unit.
pub(super) struct UpCase(Vec<u16>);

impl UpCase {
    /// The table in the file.
    pub(super) fn read(file: &dyn ReadAt) -> Result<Self> {
        let bytes = read_vec(file, "$UpCase", 0, file.len().min(128 << 10))?;
        Ok(Self(utf16::units(&bytes).collect()))
    }

    /// What Unicode says, for a volume whose own table cannot be read.
    pub(super) fn unicode() -> Self {
        let capital = |unit: u16| {
            let mut upper = char::from_u32(u32::from(unit))?.to_uppercase();
            let first = upper.next()?;
            upper.next().is_none().then(|| u16::try_from(first as u32).ok()).flatten()
        };
        Self((0..=0xFFFF).map(|unit| capital(unit).unwrap_or(unit)).collect())
    }

    /// The order of two names, case aside.
    pub(super) fn compare(
        &self,
        a: impl Iterator<Item = u16>,
        b: impl Iterator<Item = u16>,
    ) -> Ordering {
        let capital = |unit: u16| self.0.get(usize::from(unit)).copied().unwrap_or(unit);
        a.map(capital).cmp(b.map(capital))
    }
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

    #[test]
    fn a_short_table_leaves_the_rest_as_it_is() {
        let file: Vec<u8> = (0u16..98).flat_map(|unit| unit.min(96).to_le_bytes()).collect();
        let table = UpCase::read(&file).unwrap();
        assert_eq!(table.compare([97].into_iter(), [96].into_iter()), Ordering::Equal);
        assert_eq!(table.compare([98].into_iter(), [98].into_iter()), Ordering::Equal);
    }
}
