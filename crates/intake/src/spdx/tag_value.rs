//! SPDX 2 as lines of tags and values. A text of several lines stands between `<text>` and `</text>`.

use super::{Package, Reference, Relationship, taken};
use crate::Taken;
use crate::error::{Error, Result};
use crate::kind::shortened;
use crate::lenient::{Each, Text};
use crate::{MAX_DOCUMENT, MAX_PACKAGES};

/// The most relationships that are kept.
const MOST_RELATIONSHIPS: usize = MAX_DOCUMENT / 64;

/// The most names that a package has elsewhere.
const MOST_REFERENCES: usize = 1000;

/// Reads a bill of materials.
pub(crate) fn read(bytes: &[u8]) -> Result<Taken> {
    let text = std::str::from_utf8(bytes).map_err(|why| {
        Error::malformed(format!("no SPDX that makes sense: byte {} is no text", why.valid_up_to()))
    })?;
    let (mut packages, mut relationships) = (Each::default(), Each::default());
    let mut is_in_package = false;
    for (number, tag, value) in Tags::of(text) {
        let value = value.map_err(|why| Error::malformed(format!("line {number}: {why}")))?;
        match tag {
            "SPDXVersion" if !value.starts_with("SPDX-2.") => {
                let why = format!(
                    "it is of the version {:?} of SPDX; 2.2 and 2.3 are read",
                    shortened(value)
                );
                return Err(Error::unsupported(why));
            }
            "PackageName" => {
                // Those that cannot be used count against nothing yet, and must not pile up.
                if packages.items.len() > 2 * MAX_PACKAGES {
                    return Err(Error::unsupported("it lists more packages than are read"));
                }
                is_in_package = true;
                let package = Package { name: Text::from(value), ..Package::default() };
                packages.items.push((String::new(), package));
            }
            "FileName" | "SnippetSPDXID" | "LicenseID" => is_in_package = false,
            "Relationship" => {
                let mut words = value.split_whitespace();
                let (from, kind, to) = (words.next(), words.next(), words.next());
                if relationships.items.len() < MOST_RELATIONSHIPS {
                    let text = |word: Option<&str>| Text::from(word.unwrap_or_default());
                    let one = Relationship { from: text(from), kind: text(kind), to: text(to) };
                    relationships.items.push((String::new(), one));
                }
            }
            _ => {}
        }
        let Some((_, package)) = packages.items.last_mut().filter(|_| is_in_package) else {
            continue;
        };
        match tag {
            "SPDXID" => package.id = Text::from(value),
            "PackageVersion" => package.version = Text::from(value),
            "PackageSupplier" => package.supplier = Text::from(value),
            "PackageSummary" => package.summary = Text::from(value),
            "PackageSourceInfo" => package.source_info = Text::from(value),
            "PrimaryPackagePurpose" => package.purpose = Text::from(value),
            "ExternalRef" if package.references.items.len() < MOST_REFERENCES => {
                let mut words = value.split_whitespace().skip(1);
                if let (Some(kind), Some(locator)) = (words.next(), words.next()) {
                    let one = Reference { kind: Text::from(kind), locator: Text::from(locator) };
                    package.references.items.push((String::new(), one));
                }
            }
            _ => {}
        }
    }
    taken(packages, relationships, Vec::new())
}

/// The tags of a text with their values, and the lines that they stand in.
struct Tags<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Tags<'t> {
    fn of(text: &'t str) -> Self {
        Self { rest: text, line: 0 }
    }

    fn next_line(&mut self) -> Option<&'t str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        Some(line.trim_end_matches('\r'))
    }
}

impl<'t> Iterator for Tags<'t> {
    type Item = (usize, &'t str, std::result::Result<&'t str, &'static str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let before = self.rest;
            let line = self.next_line()?;
            let number = self.line;
            if line.trim_start().starts_with('#') {
                continue;
            }
            let Some((tag, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            let Some(begun) = value.strip_prefix("<text>") else {
                return Some((number, tag.trim(), Ok(value)));
            };
            if let Some((text, _)) = begun.split_once("</text>") {
                return Some((number, tag.trim(), Ok(text.trim())));
            }
            // The text goes on: it is found in what was there before this line was taken.
            let start = before.find("<text>").map_or(0, |at| at + "<text>".len());
            let whole = before.get(start..).unwrap_or_default();
            let Some((text, rest)) = whole.split_once("</text>") else {
                self.rest = "";
                return Some((number, tag.trim(), Err("a text begins that does not end")));
            };
            self.line += text.matches('\n').count();
            self.rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            return Some((number, tag.trim(), Ok(text.trim())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let text = "SPDXVersion: SPDX-2.3\r\n# no\nnothing\nA: <text>one</text>\n\
                    B: <text>two\nthree: 3\n</text>\nC:4\n";
        let tags: Vec<_> = Tags::of(text).collect();
        assert_eq!(
            tags,
            [
                (1, "SPDXVersion", Ok("SPDX-2.3")),
                (4, "A", Ok("one")),
                (5, "B", Ok("two\nthree: 3")),
                (8, "C", Ok("4")),
            ]
        );
        let open: Vec<_> = Tags::of("A: <text>x\ny").collect();
        assert_eq!(open, [(1, "A", Err("a text begins that does not end"))]);
    }
}
