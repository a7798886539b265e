//! The frame of every page: one file that needs nothing besides itself.
//!
//! The policy in its head forbids everything but the one style and the one script that are in it,
//! by their checksums: even where an escape were forgotten, nothing out of an image would run, and
//! nothing is ever fetched.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::words::harmless;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The checksum by which the policy knows an inline text.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// Writes what stands before the content of a page.
pub(crate) fn begin(title: &str, out: &mut dyn Write) -> io::Result<()> {
    let (style, script) = (source(STYLE), source(SCRIPT));
    let title = escape(title);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#content\">To the content</a>\n<header>\n<h1>{title}</h1>\n"
    )
}

/// Writes what stands between the head of a page and its sections.
pub(crate) fn search(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(
        b"<label class=\"search\">Search all tables<br>\
          <input id=\"search\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>\n\
          <p id=\"count\" role=\"status\"></p>\n</header>\n<main id=\"content\">\n",
    )
}

/// Writes what stands behind the content of a page.
pub(crate) fn end(foot: &str, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "</main>\n<footer><p>{}</p></footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        escape(foot)
    )
}

/// Text that is neither an element nor the end of an attribute.
pub(crate) fn escape(text: &str) -> String {
    let text = harmless(text);
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            // What no page may hold.
            c if is_no_character(c) => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

/// Code points that are none of any character.
fn is_no_character(c: char) -> bool {
    let code = c as u32;
    matches!(code, 0xfdd0..=0xfdef) || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(escape("<script>'\"&\n"), "&lt;script&gt;&#39;&quot;&amp;\\n");
        assert_eq!(escape("\u{ffff}"), "\u{fffd}");
    }

    #[test]
    fn the_page_names_nothing_that_would_be_fetched() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("http") && !text.contains("url(") && !text.contains("</"));
        }
    }
}
