//! Large documents of JSON, taken apart without being held.
//!
//! Some providers publish all they know as one document, a list or a map of records. Its values are cut
//! out one by one and shown; whether each makes sense is asked of it alone, so that one that does not
//! spoils no other. What is held at once is one value.

use std::borrow::Cow;
use std::io::{self, BufRead};

use serde::Deserialize;

use crate::error::{Error, Result};

/// The most bytes that a value of a document may have. The largest that there is are the flaws of
/// Debian's kernel.
const LARGEST: u64 = 32 << 20;

/// The most bytes that a value within such a value may have, where that is taken apart too.
const LARGEST_WITHIN: u64 = 4 << 20;

/// Why a value has no bytes.
const TOO_LARGE: &str = "is larger than any real one";

/// The most bytes that the name of a member may have.
const LONGEST_NAME: u64 = 1 << 16;

/// The most parts that a record may have. What is made of a part may take a hundred times the bytes that
/// stand for it.
pub(crate) const MOST_PARTS: usize = 1 << 19;

/// How many bytes have no more parts than that for sure.
const SMALL: usize = 1 << 20;

/// What a record says; or why it makes no sense, as one does of more than so many parts.
pub(crate) fn record<'r, T: Deserialize<'r>>(
    bytes: &'r [u8],
    most: usize,
) -> std::result::Result<T, String> {
    if bytes.len() > SMALL {
        let is_part = |byte: &&u8| matches!(byte, b',' | b'[' | b'{');
        let parts = bytes.iter().filter(is_part).count();
        if parts > most {
            return Err(format!("has {parts} parts, and the most is {most}"));
        }
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// A value of the document.
pub(crate) struct Value<'v> {
    /// Its name, if it is a member of a map.
    pub(crate) name: Option<&'v str>,
    /// At which place it stands among its neighbours.
    pub(crate) index: u64,
    bytes: std::result::Result<&'v [u8], &'static str>,
}

impl<'v> Value<'v> {
    /// What the value says; or why it makes no sense.
    pub(crate) fn parse<T: Deserialize<'v>>(&self) -> std::result::Result<T, String> {
        record(self.bytes?, MOST_PARTS)
    }

    /// Takes the value itself apart, as [`values`] does; or says why it makes no sense. What was shown
    /// before it stopped making sense stands.
    pub(crate) fn values(&self, each: &mut Each<'_>) -> Result<std::result::Result<(), String>> {
        let mut bytes = match self.bytes {
            Ok(bytes) => bytes,
            Err(why) => return Ok(Err(why.to_owned())),
        };
        let mut scanner = Scanner::of(&mut bytes, "", LARGEST_WITHIN);
        match scanner.document(None, each) {
            Ok(()) => Ok(Ok(())),
            Err(Error::Malformed(_, why)) => Ok(Err(why)),
            Err(other) => Err(other),
        }
    }
}

/// What is made of a value.
type Each<'e> = dyn FnMut(&Value<'_>) -> Result<()> + 'e;

/// Shows the values of the list or map that the stream is. Of a map, the member of the name `inner` is
/// itself taken apart if it is a list or a map; its values have the names that they have there.
pub(crate) fn values(
    stream: &mut dyn BufRead,
    shown: &str,
    inner: Option<&str>,
    each: &mut Each<'_>,
) -> Result<()> {
    Scanner::of(stream, shown, LARGEST).document(inner, each)
}

struct Scanner<'s> {
    stream: &'s mut dyn BufRead,
    shown: &'s str,
    /// The most bytes that a value may have.
    most: u64,
    /// How many bytes were taken.
    at: u64,
    /// The value that was cut out last.
    value: Vec<u8>,
    /// The name that was cut out last.
    name: Vec<u8>,
}

impl<'s> Scanner<'s> {
    fn of(stream: &'s mut dyn BufRead, shown: &'s str, most: u64) -> Self {
        Self { stream, shown, most, at: 0, value: Vec::new(), name: Vec::new() }
    }

    fn document(&mut self, inner: Option<&str>, each: &mut Each<'_>) -> Result<()> {
        self.skip_space()?;
        self.container(inner, each)?;
        self.skip_space()?;
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.malformed("goes on behind its end")),
        }
    }

    fn malformed(&self, why: &str) -> Error {
        Error::Malformed(self.shown.to_owned(), format!("{why}, at byte {}", self.at))
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.stream.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::reading(self.shown)(error)),
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.stream.consume(count);
        self.at = self.at.saturating_add(count as u64);
    }

    fn skip_space(&mut self) -> Result<()> {
        while self.peek()?.is_some_and(is_space) {
            self.consume(1);
        }
        Ok(())
    }

    /// The byte that stands next behind white space, which is taken.
    fn next(&mut self) -> Result<u8> {
        self.skip_space()?;
        let byte = self.peek()?.ok_or_else(|| self.malformed("ends in the middle"))?;
        self.consume(1);
        Ok(byte)
    }

    fn container(&mut self, inner: Option<&str>, each: &mut Each<'_>) -> Result<()> {
        match self.next()? {
            b'[' => self.list(each),
            b'{' => self.map(inner, each),
            _ => Err(self.malformed("is neither a list nor a map of JSON")),
        }
    }

    fn list(&mut self, each: &mut Each<'_>) -> Result<()> {
        self.skip_space()?;
        if self.peek()? == Some(b']') {
            self.consume(1);
            return Ok(());
        }
        for index in 0.. {
            let bytes = self.cut()?;
            each(&Value { name: None, index, bytes: self.kept(bytes) })?;
            match self.next()? {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(self.malformed("has a list that makes no sense")),
            }
        }
        Ok(())
    }

    fn map(&mut self, inner: Option<&str>, each: &mut Each<'_>) -> Result<()> {
        self.skip_space()?;
        if self.peek()? == Some(b'}') {
            self.consume(1);
            return Ok(());
        }
        for index in 0.. {
            let name = self.name()?;
            if self.next()? != b':' {
                return Err(self.malformed("has a name without a value"));
            }
            self.skip_space()?;
            match self.peek()? {
                Some(b'[' | b'{') if inner == Some(&*name) => self.container(None, each)?,
                _ => {
                    let bytes = self.cut()?;
                    each(&Value { name: Some(&name), index, bytes: self.kept(bytes) })?;
                }
            }
            match self.next()? {
                b',' => self.skip_space()?,
                b'}' => return Ok(()),
                _ => return Err(self.malformed("has a map that makes no sense")),
            }
        }
        Ok(())
    }

    /// The name of a member.
    fn name(&mut self) -> Result<String> {
        std::mem::swap(&mut self.name, &mut self.value);
        let is_whole = self.cut();
        std::mem::swap(&mut self.name, &mut self.value);
        let is_name = is_whole? && self.name.len() as u64 <= LONGEST_NAME;
        let name = is_name.then(|| serde_json::from_slice::<Cow<'_, str>>(&self.name));
        match name {
            Some(Ok(name)) => Ok(name.into_owned()),
            _ => Err(self.malformed("has a member whose name is none")),
        }
    }

    fn kept(&self, is_whole: bool) -> std::result::Result<&[u8], &'static str> {
        if is_whole { Ok(&self.value) } else { Err(TOO_LARGE) }
    }

    /// Cuts out the value that stands next, and says whether it was small enough to be kept.
    fn cut(&mut self) -> Result<bool> {
        self.value.clear();
        self.skip_space()?;
        let mut state = State::default();
        let mut count = 0_u64;
        loop {
            let bytes = match self.stream.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::reading(self.shown)(error)),
            };
            if bytes.is_empty() {
                return Err(self.malformed("ends in the middle"));
            }
            let (length, has_ended) = state.end(bytes);
            count = count.saturating_add(length as u64);
            if count <= self.most {
                self.value.extend(bytes.iter().take(length));
            } else {
                self.value = Vec::new();
            }
            self.consume(length);
            if has_ended {
                return Ok(count <= self.most);
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Where within a value one is.
#[derive(Default)]
struct State {
    /// Whether anything of it was seen.
    has_begun: bool,
    depth: u64,
    in_text: bool,
    is_escaped: bool,
}

impl State {
    /// How many of the bytes belong to the value, and whether it ends with them.
    fn end(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.in_text = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' if self.depth == 0 && self.has_begun => return (at, true),
                b'"' => self.in_text = true,
                b'[' | b'{' => self.depth = self.depth.saturating_add(1),
                b']' | b'}' if self.depth <= 1 => {
                    // A closing bracket behind a bare word belongs to what the word stands in.
                    let own = usize::from(self.depth == 1);
                    return (at + own, true);
                }
                b']' | b'}' => self.depth -= 1,
                b',' if self.depth == 0 => return (at, true),
                byte if self.depth == 0 && self.has_begun && is_space(*byte) => return (at, true),
                _ => {}
            }
            self.has_begun = true;
        }
        (bytes.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[track_caller]
    fn check(document: &str, inner: Option<&str>, expected: std::result::Result<&str, &str>) {
        // However little is read at once, the same is found.
        for capacity in [1, 2, 3, 1000] {
            let mut stream = BufReader::with_capacity(capacity, document.as_bytes());
            let mut found = Vec::new();
            let read = values(&mut stream, "it", inner, &mut |value| {
                let name = value.name.map_or(String::new(), |name| format!("{name}="));
                let said = value.parse::<serde_json::Value>();
                let said = said.map_or_else(|_| "?".to_owned(), |it| it.to_string());
                found.push(format!("{name}{said}"));
                Ok(())
            });
            let found = read.map(|()| found.join(" ")).map_err(|error| error.to_string());
            match expected {
                Ok(expected) => assert_eq!(found.as_deref(), Ok(expected), "{document}"),
                Err(why) => assert!(
                    found.as_ref().is_err_and(|it| it.contains(why)),
                    "{document}: {found:?}"
                ),
            }
        }
    }

    #[test]
    fn values_are_shown_one_by_one() {
        check("[]", None, Ok(""));
        check(" { } ", None, Ok(""));
        check(r#"[1, "a]\"b" ,{"c":[2,{}]},null]"#, None, Ok(r#"1 "a]\"b" {"c":[2,{}]} null"#));
        check(r#"{"a":1,"b\n":{"c":"}"}}"#, None, Ok("a=1 b\n={\"c\":\"}\"}"));
        check(r#"{"a":true,"b":[1,2],"c":[3]}"#, Some("b"), Ok("a=true 1 2 c=[3]"));
        check(r#"{"b":{"x":1}}"#, Some("b"), Ok("x=1"));
        check(r#"{"b":7}"#, Some("b"), Ok("b=7"));
    }

    #[test]
    fn one_value_that_makes_no_sense_spoils_no_other() {
        check(r#"[{"a":},2]"#, None, Ok("? 2"));
        check(r#"[[}, 3]"#, None, Ok("? 3"));
        check(r#"[nothing,4]"#, None, Ok("? 4"));
        check("[,5]", None, Ok("? 5"));
    }

    #[test]
    fn what_is_too_large_is_passed_over() {
        let long = format!("[[\"{}\"],2,3]", "x".repeat(LARGEST_WITHIN as usize));
        let document = format!("[{long},\"{}\",1]", "y".repeat(LARGEST as usize));
        let mut found = Vec::new();
        let read = values(&mut document.as_bytes(), "it", None, &mut |value| {
            match value.index {
                0 => {
                    let within = value.values(&mut |inner| {
                        found.push(inner.parse::<u64>().map_err(|why| why.to_owned()));
                        Ok(())
                    })?;
                    assert_eq!(within, Ok(()));
                }
                _ => found.push(value.parse()),
            }
            Ok(())
        });
        assert!(read.is_ok(), "{read:?}");
        let too_large = || Err(TOO_LARGE.to_owned());
        assert_eq!(found, [too_large(), Ok(2), Ok(3), too_large(), Ok(1)]);
    }

    #[test]
    fn a_document_that_makes_no_sense_is_an_error() {
        for (document, why) in [
            ("", "ends in the middle"),
            ("<html>", "neither a list nor a map"),
            ("[1,2", "ends in the middle"),
            (r#"{"a":{"b":1}"#, "ends in the middle"),
            (r#"{"a" 1}"#, "a name without a value"),
            ("{a:1}", "whose name is none"),
            ("[1 2]", "a list that makes no sense"),
            ("[1] 2", "goes on behind its end"),
        ] {
            check(document, None, Err(why));
        }
    }
}
