//! Large documents of XML, read in a stream.
//!
//! A document is shown element by element to whoever makes something of it, with the names of all
//! elements around. What is held at once is one tag or one run of text, and of both there is a longest.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::rc::Rc;

use fathom_advisory::Day;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::error::{Error, Result};
use crate::source::entries;

/// How deep elements are within each other.
const DEEPEST: usize = 64;

/// The most bytes that the name of an element has.
const LONGEST_NAME: usize = 256;

/// The most bytes that a tag, or text without a tag within, may have.
const LONGEST: u64 = 16 << 20;

/// No element has as many attributes.
const ATTRIBUTES: usize = 64;

/// Who makes something of a document. The path is that of the element, from the outermost one on.
pub(crate) trait Handler {
    /// Whether anything within the element is of interest; of what is not, nothing is shown.
    fn is_wanted(&self, path: &[&str]) -> bool;

    /// An element begins.
    fn start(&mut self, path: &[&str], element: &Element<'_>) -> Result<()>;

    /// Text that stands in the element; what stands together may come in several pieces.
    fn text(&mut self, path: &[&str], text: &str);

    /// The element ends.
    fn end(&mut self, path: &[&str]) -> Result<()>;
}

/// An element that begins.
pub(crate) struct Element<'e>(&'e BytesStart<'e>);

impl Element<'_> {
    /// The value of the attribute of this name; nothing where it has none, or none that makes sense.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        // Looking for doubles takes the square of their number.
        let mut all = self.0.attributes();
        let mut all = all.with_checks(false).take(ATTRIBUTES).flatten();
        let found = all.find(|it| it.key.as_ref() == name)?;
        Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
    }
}

/// Shows all documents of the file or archive, and says when the newest of them was changed.
pub(crate) fn walk_all(path: &Path, handler: &mut dyn Handler) -> Result<Day> {
    let mut changed = Day::default();
    entries(path, &|name| name.contains(".xml"), &mut |entry, stream| {
        changed = changed.max(entry.modified);
        walk(stream, entry.name, handler)
    })?;
    Ok(changed)
}

/// Shows all of the document.
fn walk(stream: &mut dyn BufRead, shown: &str, handler: &mut dyn Handler) -> Result<()> {
    let left = Rc::new(Cell::new(LONGEST));
    let mut reader = Reader::from_reader(Bounded { stream, left: Rc::clone(&left) });
    reader.config_mut().expand_empty_elements = true;
    let mut names = Names::default();
    let mut buffer = Vec::new();
    // How deep one is in an element that is not wanted.
    let mut unwanted = 0;
    let malformed = |at: u64, why: &dyn std::fmt::Display| {
        Error::Malformed(shown.to_owned(), format!("{why}, at byte {at}"))
    };
    loop {
        buffer.clear();
        left.set(LONGEST);
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => {
                let error = match error.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => io::Error::new(error.kind(), error.to_string()),
                };
                return Err(Error::reading(shown)(error));
            }
            Err(error) => return Err(malformed(reader.buffer_position(), &error)),
        };
        match event {
            Event::End(_) if unwanted > 1 => unwanted -= 1,
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) if unwanted > 0 => {}
            Event::Start(element) => {
                let depth = names.ends.len() + unwanted;
                if depth >= DEEPEST || element.name().as_ref().len() > LONGEST_NAME {
                    let why = "has elements too deep within each other, or one of too long a name";
                    return Err(malformed(reader.buffer_position(), &why));
                }
                if unwanted > 0 {
                    unwanted += 1;
                    continue;
                }
                names.push(element.local_name().as_ref());
                let path = names.path();
                match handler.is_wanted(&path) {
                    true => handler.start(&path, &Element(&element))?,
                    false => unwanted = 1,
                }
            }
            Event::End(_) => {
                if unwanted == 0 {
                    handler.end(&names.path())?;
                }
                unwanted = 0;
                names.pop();
            }
            Event::Text(text) => handler.text(&names.path(), &text),
            Event::CData(text) => handler.text(&names.path(), &text),
            Event::GeneralRef(name) => {
                let letter = name.resolve_char_ref().ok().flatten().map(String::from);
                let known = || quick_xml::escape::resolve_predefined_entity(&name);
                let text = letter.as_deref().or_else(known).unwrap_or("?").to_owned();
                handler.text(&names.path(), &text);
            }
            Event::Eof if names.ends.is_empty() && names.has_root => return Ok(()),
            Event::Eof => {
                return Err(malformed(reader.buffer_position(), &"ends in the middle"));
            }
            _ => {}
        }
    }
}

/// The names of the elements that one is in, one behind the other.
#[derive(Default)]
struct Names {
    text: String,
    ends: Vec<usize>,
    has_root: bool,
}

impl Names {
    fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
        self.has_root = true;
    }

    fn pop(&mut self) {
        self.ends.pop();
        self.text.truncate(self.ends.last().copied().unwrap_or_default());
    }

    fn path(&self) -> Vec<&str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let parts = starts.zip(&self.ends);
        parts.map(|(start, end)| self.text.get(start..*end).unwrap_or_default()).collect()
    }
}

/// A stream of which so much is given as is left.
struct Bounded<'s> {
    stream: &'s mut dyn BufRead,
    left: Rc<Cell<u64>>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), bytes.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Bounded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = usize::try_from(self.left.get()).unwrap_or(usize::MAX);
        let bytes = self.stream.fill_buf()?;
        if left == 0 && !bytes.is_empty() {
            let why = "a tag, or text without a tag within, is larger than 16 MiB";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        Ok(bytes.get(..left).unwrap_or(bytes))
    }

    fn consume(&mut self, count: usize) {
        self.left.set(self.left.get().saturating_sub(count as u64));
        self.stream.consume(count);
    }
}

/// Adds text to what is kept of it, as long as that is no longer than this.
pub(crate) fn append(kept: &mut String, text: &str, most: usize) {
    let room = most.saturating_sub(kept.len());
    kept.push_str(fathom_advisory::segment::beginning(text, room));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Shown(Vec<String>);

    impl Handler for Shown {
        fn is_wanted(&self, path: &[&str]) -> bool {
            path.last() != Some(&"unwanted")
        }

        fn start(&mut self, path: &[&str], element: &Element<'_>) -> Result<()> {
            let id = element.attribute("id").map_or(String::new(), |id| format!(" {id}"));
            self.0.push(format!("<{}{id}", path.join("/")));
            Ok(())
        }

        fn text(&mut self, _: &[&str], text: &str) {
            self.0.push(text.to_owned());
        }

        fn end(&mut self, path: &[&str]) -> Result<()> {
            self.0.push(format!(">{}", path.join("/")));
            Ok(())
        }
    }

    fn shown(text: &str) -> std::result::Result<String, String> {
        let mut shown = Shown::default();
        let walked = walk(&mut text.as_bytes(), "it", &mut shown);
        walked.map(|()| shown.0.join("|")).map_err(|error| error.to_string())
    }

    #[test]
    fn elements_are_shown_with_those_around_them() {
        let text =
            "<?xml version=\"1.0\"?><a><x:b id=\"1 &amp; 2\"/><!-- c --><c>&lt;t&#65;</c></a>";
        assert_eq!(shown(text).as_deref(), Ok("<a|<a/b 1 & 2|>a/b|<a/c|<|t|A|>a/c|>a"),);
    }

    #[test]
    fn of_what_is_not_wanted_nothing_is_shown() {
        let text = "<a><unwanted id=\"1\">x<b>&amp;<b/></b></unwanted><c/><unwanted/>y</a>";
        assert_eq!(shown(text).as_deref(), Ok("<a|<a/c|>a/c|y|>a"));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for (text, why) in [
            ("", "ends in the middle"),
            ("<a><b></b>", "ends in the middle"),
            ("<a></b>", "at byte"),
            ("no markup", "ends in the middle"),
        ] {
            assert!(shown(text).is_err_and(|error| error.contains(why)), "{text}");
        }
        for deep in ["<a>".repeat(100), format!("<unwanted>{}", "<a>".repeat(100))] {
            assert!(shown(&deep).is_err_and(|it| it.contains("too deep")), "{deep}");
        }
        assert!(shown(&format!("<{}/>", "a".repeat(257))).is_err_and(|it| it.contains("too long")));
        let long = format!("<a>{}</a>", "x".repeat(17 << 20));
        let mut nothing = Shown::default();
        let read = walk(&mut long.as_bytes(), "it", &mut nothing);
        assert!(matches!(read, Err(Error::Malformed(..))), "{read:?}");
        let enough = format!("<a><b>{0}</b><b>{0}</b></a>", "x".repeat(9 << 20));
        assert!(shown(&enough).is_ok());
    }
}
