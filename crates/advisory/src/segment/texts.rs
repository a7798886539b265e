//! The long texts of advisories, and the compressed blocks they are kept in.

/// How large a block becomes before it is compressed.
pub(super) const BLOCK: usize = 256 << 10;

/// The most that a block unpacks to: a full one, and one text that did not fit any more.
pub(super) const MAX_BLOCK: usize = BLOCK + MAX_TEXT;

/// The most bytes that the texts of one advisory take.
pub(super) const MAX_TEXT: usize = 256 << 10;

/// What an advisory says at length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// A line.
    pub summary: String,
    /// All of it.
    pub details: String,
    /// Where to read more.
    pub references: Vec<String>,
}

impl Texts {
    /// Adds the texts, behind the length of all of them. What is too long is cut.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([0; 4]);
        let room = |out: &Vec<u8>| MAX_TEXT.saturating_sub(out.len() - start + 8);
        add(&self.summary, room(out), out);
        add(&self.details, room(out), out);
        for reference in &self.references {
            if reference.len() > room(out) {
                break;
            }
            add(reference, room(out), out);
        }
        let length = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// The texts of the `index`th advisory of a block.
    pub(super) fn decode(mut block: &[u8], index: u32) -> Option<Self> {
        for _ in 0..index {
            taken(&mut block)?;
        }
        let mut texts = taken(&mut block)?;
        let mut next = || {
            let bytes = taken(&mut texts)?;
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
        let (summary, details) = (next()?, next()?);
        Some(Self { summary, details, references: std::iter::from_fn(next).collect() })
    }
}

/// As much of the text as takes no more bytes than this.
pub fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Adds as much of the text as there is room for, behind its length.
fn add(text: &str, room: usize, out: &mut Vec<u8>) {
    let text = beginning(text, room);
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

/// What stands behind its length, which is taken from the front.
fn taken<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (taken, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(summary: &str, details: &str, references: &[&str]) -> Texts {
        Texts {
            summary: summary.to_owned(),
            details: details.to_owned(),
            references: references.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn come_back_as_they_were() {
        let all = [
            texts("", "", &[]),
            texts("one", "line\nanother", &["https://a.example", "https://b.example"]),
            texts("ü", "", &["x"]),
        ];
        let mut block = Vec::new();
        all.iter().for_each(|texts| texts.encode(&mut block));
        for (index, texts) in all.iter().enumerate() {
            assert_eq!(Texts::decode(&block, index as u32).as_ref(), Some(texts));
        }
        assert_eq!(Texts::decode(&block, 3), None);
        assert_eq!(Texts::decode(&block[..block.len() - 1], 2).map(|it| it.references), None);
    }

    #[test]
    fn are_cut_where_they_are_too_long() {
        let mut block = Vec::new();
        texts("s", &"ü".repeat(MAX_TEXT), &["https://a.example"]).encode(&mut block);
        assert!(block.len() <= MAX_TEXT, "{}", block.len());
        let read = Texts::decode(&block, 0).unwrap_or_default();
        assert_eq!(read.summary, "s");
        assert!(read.details.chars().all(|it| it == 'ü'));
        assert!(read.references.is_empty());
    }
}
